"""What the counter needs from the rest of the hub. `main` passes it in."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, Protocol, TypeVar

from holdfast.domain.core import Command, Outcome
from holdfast.journal.journal import Head, Stored
from holdfast_drivers.values import Columns, Document, PrintResult, ScaleReading, Tri

T = TypeVar("T")


class Signal(Enum):
    """What light and sound tell the person who scanned."""

    COMMITTED = "committed"
    NEED_INPUT = "need_input"
    REFUSED = "refused"


Panel = Callable[[str, Signal], None]
"""Shows a signal at a station. Never blocks, never raises."""


class Feed(Protocol):
    def publish(self, item: Mapping[str, Any]) -> None:
        """Tell whoever watches. Never blocks, never raises."""
        ...


class Slips(Protocol):
    async def slip(self, kind: str, extra: Mapping[str, Any]) -> None:
        """Queue a paper that no event asked for (`holdfast.counter.spool`)."""
        ...

    def wake(self) -> None:
        """A command may have queued paper."""
        ...


class PaperPort(Protocol):
    """The receipt printer and its drawer. One document at a time; a kick need not wait for it."""

    async def print(self, document: Document, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult:
        """Put a document on paper. Awaits `started` just before the first byte, and raises what that raises."""
        ...

    async def kick(self) -> bool:
        """Open the drawer. False: nothing was sent, there is no printer. True: the pulse left, or may have."""
        ...

    def ready(self) -> Tri:
        """Can a document be begun now. UNKNOWN: worth a try."""
        ...

    async def wait_change(self) -> None:
        """Return when `ready` may have changed."""
        ...


class ScalePort(Protocol):
    """The scale of a station."""

    async def weigh(self) -> ScaleReading:
        """What lies on it now, once it rests. Ends within seconds, never raises."""
        ...

    async def tare(self) -> None:
        """Take off what lies on it. Raises DeviceError within seconds."""
        ...

    async def zero(self) -> None:
        """Take what it bears for nothing. Raises DeviceError within seconds."""
        ...


class CustomerDisplay(Protocol):
    def show(self, upper: Columns, lower: Columns) -> None:
        """From now on. Never blocks, never raises; the newest wins."""
        ...


class Journal(Protocol):
    """What the counter uses of `holdfast.journal.journal.Journal`."""

    @property
    def head(self) -> Head: ...

    async def execute(self, command: Command, *, actor: str, command_id: bytes | None = None) -> Outcome: ...

    async def desk(self, function: Callable[[sqlite3.Connection], T]) -> T: ...

    async def query(self, sql: str, *args: Any) -> list[tuple[Any, ...]]: ...

    async def records(self, after: int, *, limit: int, max_bytes: int) -> list[Stored]: ...

    async def wait_beyond(self, seq: int) -> Head: ...
