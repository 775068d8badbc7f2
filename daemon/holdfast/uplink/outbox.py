"""The journal as the uplink needs it: it is the outbox, and the stream `ev` is exactly it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from holdfast.uplink.batch import Stored
from holdfast_contract.record import Genesis
from holdfast_contract.wire import Stream

CURSOR = "uplink"
"""Name of the durable cursor: what headquarters has committed."""


class Alarm(StrEnum):
    """Why no event is sent any more, until a person has looked and the process starts again."""

    NONE = ""
    FORK = "fork"
    """Headquarters holds another history under the name of this journal."""
    BEHIND = "behind"
    """Headquarters holds more than there is here: the journal was restored from something older."""
    GAP = "gap"
    """A record that is to be sent is not there."""


class Head(Protocol):
    @property
    def seq(self) -> int: ...

    @property
    def hash(self) -> bytes: ...


class Chapter(Protocol):
    """An earlier incarnation."""

    @property
    def genesis(self) -> Genesis: ...

    @property
    def last(self) -> int: ...


class Outbox(Protocol):
    """What the uplink needs of the journal."""

    @property
    def genesis(self) -> Genesis: ...

    @property
    def genesis_bytes(self) -> bytes: ...

    @property
    def boot(self) -> int: ...

    @property
    def head(self) -> Head: ...

    async def wait_beyond(self, seq: int) -> Head: ...

    async def records(self, after: int, *, limit: int, max_bytes: int, inc: int = 0) -> Sequence[Stored]: ...

    async def hash_at(self, seq: int, *, inc: int = 0) -> bytes: ...

    async def chapters(self) -> Sequence[Chapter]:
        """Earlier incarnations, whose rescued records headquarters may still lack."""
        ...

    def cursor(self, name: str) -> int: ...

    def advance(self, name: str, seq: int) -> None: ...


class Source(Protocol):
    """A stream of numbered records that is told what headquarters has committed."""

    @property
    def stream(self) -> Stream: ...

    @property
    def acked(self) -> int:
        """Where to begin: what was known to be committed when the process started."""
        ...

    @property
    def head(self) -> int:
        """Last seq there is."""
        ...

    async def wait_beyond(self, seq: int) -> object:
        """Return as soon as `head` is beyond `seq`."""
        ...

    async def read(self, after: int, *, limit: int, max_bytes: int) -> Sequence[Stored]:
        """Records beyond `after`, in order; may begin later when the stream is one that may be thinned."""
        ...

    async def hash_at(self, seq: int) -> bytes:
        """Chain hash after `seq`; empty when the stream has no chain."""
        ...

    def committed(self, upto: int) -> None:
        """Headquarters holds everything up to `upto`."""
        ...

    def overtaken(self, upto: int) -> Alarm:
        """Headquarters holds more than there is here."""
        ...


class JournalSource:
    """The stream `ev`."""

    stream = Stream.EV

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    @property
    def acked(self) -> int:
        return min(self._outbox.cursor(CURSOR), self.head)

    @property
    def head(self) -> int:
        return self._outbox.head.seq

    async def wait_beyond(self, seq: int) -> object:
        return await self._outbox.wait_beyond(seq)

    async def read(self, after: int, *, limit: int, max_bytes: int) -> Sequence[Stored]:
        return await self._outbox.records(after, limit=limit, max_bytes=max_bytes)

    async def hash_at(self, seq: int) -> bytes:
        return await self._outbox.hash_at(seq)

    def committed(self, upto: int) -> None:
        self._outbox.advance(CURSOR, upto)

    def overtaken(self, upto: int) -> Alarm:  # noqa: ARG002 - the same whatever it is
        return Alarm.BEHIND


class ChapterSource:
    """The rescued records of an earlier incarnation, as a stream `ev` that no longer grows."""

    stream = Stream.EV

    def __init__(self, outbox: Outbox, chapter: Chapter) -> None:
        self._outbox = outbox
        self._inc = chapter.genesis.inc
        self._cursor = f"{CURSOR}@{self._inc}"
        self.head = chapter.last

    @property
    def acked(self) -> int:
        return min(self._outbox.cursor(self._cursor), self.head)

    async def wait_beyond(self, seq: int) -> object:
        """Never returns once all is known: nothing is added to a chapter."""
        if seq < self.head:
            return None
        return await asyncio.get_running_loop().create_future()

    async def read(self, after: int, *, limit: int, max_bytes: int) -> Sequence[Stored]:
        return await self._outbox.records(after, limit=limit, max_bytes=max_bytes, inc=self._inc)

    async def hash_at(self, seq: int) -> bytes:
        return await self._outbox.hash_at(seq, inc=self._inc)

    def committed(self, upto: int) -> None:
        self._outbox.advance(self._cursor, min(upto, self.head))

    def overtaken(self, upto: int) -> Alarm:  # noqa: ARG002 - the same whatever it is
        """Headquarters holds what was lost here: that is what a new incarnation means."""
        return Alarm.NONE
