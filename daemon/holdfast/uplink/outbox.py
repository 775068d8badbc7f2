"""The journal as the uplink needs it: it is the outbox, and the stream `ev` is exactly it."""

from __future__ import annotations

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

    async def records(self, after: int, *, limit: int, max_bytes: int) -> Sequence[Stored]: ...

    async def hash_at(self, seq: int) -> bytes: ...

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
