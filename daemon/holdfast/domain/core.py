"""What every business area is written against: commands, outcomes, refusals and the unit of work.

A handler `(uow, command) -> Outcome` reads tables and emits events. A projection `(tables, event)` changes tables.
`uow.emit` appends and projects at once, so a handler sees its own effects. Time, ids and the business date come only
from the unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from holdfast_contract.body import Body
from holdfast_contract.record import ClockQuality


class Urgency(Enum):
    """What a command may still do when storage runs out; space below the marks is kept for money."""

    ALWAYS = "always"
    """Finishes what was begun: payment, void, close, stop, paper, power."""
    NORMAL = "normal"
    """Refused `disk_full` below the floor."""
    BULK = "bulk"
    """Refused `disk_full` below the low mark already."""


class Command(msgspec.Struct, frozen=True, tag_field="do", kw_only=True):
    """Something a person, a device, headquarters or a timer wants. Subclasses are tagged `area.imperative`."""

    urgency: ClassVar[Urgency] = Urgency.NORMAL


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of a command; stored with it, and returned again for the same command id (G-3)."""

    ok: bool = True
    reason: str = ""
    """Code of `holdfast_contract.reasons` when refused."""
    data: dict[str, Any] = {}
    """Facts for the caller: plain msgpack values only."""
    seq: int = 0
    """Last seq of the journal when it was decided."""


class Refused(Exception):  # noqa: N818 - the domain's word for a guard that said no
    """A guard said no. Undoes what the command did so far; `reason` is a code, `data` the facts."""

    def __init__(self, reason: str, **data: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.data = data


@dataclass(frozen=True, slots=True)
class Policy:
    """What the hub's configuration fixes for the domain."""

    hub: str
    code: str
    """Hub code on receipts, `[A-Z0-9]{2,4}`."""
    currency: str = "EUR"
    exponent: int = 2
    """Digits after the point in the currency."""
    cash_rounding: int = 1
    """Cash is rounded to multiples of this many minor units."""
    large_quantity: int = 1000
    """A line above this asks for confirmation."""
    over_short_reason: int = 200
    over_short_supervisor: int = 2000


@dataclass(frozen=True, slots=True)
class Event:
    """A record with its body decoded, as projections see it."""

    seq: int
    at: int
    clk: ClockQuality
    boot: int
    mono: int
    type: str
    subject: str
    cause: bytes
    actor: str
    body: Body


class Tables(Protocol):
    """The projection tables, inside the writer's transaction."""

    def one(self, sql: str, *args: Any) -> tuple[Any, ...] | None: ...

    def all(self, sql: str, *args: Any) -> list[tuple[Any, ...]]: ...

    def run(self, sql: str, *args: Any) -> None: ...

    def blob(self, sha: bytes) -> bytes:
        """A stored blob by its SHA-256. Raises KeyError."""
        ...


class UnitOfWork(Tables, Protocol):
    """One command's transaction."""

    @property
    def policy(self) -> Policy: ...

    @property
    def inc(self) -> int:
        """Incarnation of the hub."""
        ...

    @property
    def actor(self) -> str:
        """Badge id of who asked, or a component name such as `timer`."""
        ...

    @property
    def at(self) -> int:
        """UTC milliseconds of this command."""
        ...

    @property
    def mono(self) -> int:
        """Monotonic milliseconds of this command since the hub started."""
        ...

    @property
    def day(self) -> int:
        """Business date, days since 1970-01-01; never goes back within an incarnation."""
        ...

    @property
    def head(self) -> bytes:
        """Chain hash before the next event."""
        ...

    @property
    def next_seq(self) -> int: ...

    def emit(self, subject: str, body: Body) -> int:
        """Append an event and project it. Returns its seq."""
        ...

    def enqueue(self, kind: str, ref: int, **extra: Any) -> int:
        """Queue a paper or drawer job about event `ref` in this transaction; returns the job id."""
        ...

    def store_blob(self, data: bytes) -> bytes:
        """Keep `data` by its SHA-256, which is returned."""
        ...


Handler = Callable[[UnitOfWork, Any], Outcome]
Projection = Callable[[Tables, Event, Any], None]
C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class Area:
    """One business area: its tables, what it answers to and what it remembers."""

    name: str
    tables: str = ""
    """DDL of its projection tables; every CREATE is IF NOT EXISTS."""
    handlers: Mapping[type[Command], Handler] = field(default_factory=dict)
    projections: Mapping[type[Body], Projection] = field(default_factory=dict)
    """By body type; several areas may project the same event, in the order of AREAS."""
