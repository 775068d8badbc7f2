"""What the grid asks for: intervals of OpenADR 3 events. Advice with limits: S3 at most, never better (INV-10.5).

Of the payload types two have an effect here: `SIMPLE` 0..3 is the grid level, `ALERT_GRID_EMERGENCY` asks for level 2
at least. Others are written down and ignored. Source: OpenADR 3.1 Definitions; a lower priority number counts more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from holdfast.domain import limits
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork
from holdfast_contract.power import GridSignalled

SIMPLE = "SIMPLE"
EMERGENCY = "ALERT_GRID_EMERGENCY"
EMERGENCY_LEVEL = 2
MAX_LEVEL = 3
MAX_SECONDS = 31 * 86_400
"""Longest interval."""
LAST = 2**31
"""Priority of an event that has none: below all others."""

TABLES = """
CREATE TABLE IF NOT EXISTS grid_signal(
    program TEXT NOT NULL, event TEXT NOT NULL, kind TEXT NOT NULL, level INTEGER NOT NULL, priority INTEGER NOT NULL,
    start INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (program, event, kind, start)) WITHOUT ROWID;
"""


class TakeGridSignal(Command, frozen=True, tag="power.grid_signal", kw_only=True):
    """One interval of an OpenADR 3 event, its times in UTC milliseconds and seconds; `start` 0 is now."""

    program: str
    event: str
    kind: str
    level: int = 0
    """Of a SIMPLE signal."""
    priority: int = -1
    start: int = 0
    seconds: int


class Interval(NamedTuple):
    """A row of `grid_signal`."""

    program: str
    event: str
    kind: str
    level: int
    priority: int
    start: int
    until: int


def take_grid_signal(uow: UnitOfWork, command: TakeGridSignal) -> Outcome:
    if not 0 <= command.level <= MAX_LEVEL:
        raise Refused("invalid", detail=f"a level is 0 to {MAX_LEVEL}")
    if not 0 < command.seconds <= MAX_SECONDS:
        raise Refused("invalid", detail=f"an interval lasts 1 to {MAX_SECONDS} seconds")
    if not -1 <= command.priority < LAST or command.start < 0:
        raise Refused("invalid", detail="a priority is a small number, 0 or more, a start UTC milliseconds")
    start = command.start or uow.at
    until = start + command.seconds * 1000
    body = GridSignalled(
        event=limits.name(command.event),
        kind=limits.name(command.kind),
        level=EMERGENCY_LEVEL if command.kind == EMERGENCY else command.level,
        priority=command.priority,
        start=start,
        until=until,
        ignored=_ignored(command.kind, until, uow.at),
    )
    uow.emit(limits.name(command.program), body)
    return Outcome(data={"level": body.level, "start": start, "until": until, "ignored": body.ignored})


def _ignored(kind: str, until: int, now: int) -> str:
    if kind not in (SIMPLE, EMERGENCY):
        return "unknown_type"
    return "late" if until <= now else ""


def level_at(intervals: Iterable[Interval], now: int) -> int:
    """The level asked for at `now`: of overlapping signals the more important, then the stricter; alarms always."""
    active = [interval for interval in intervals if interval.start <= now < interval.until]
    alarm = max((one.level for one in active if one.kind == EMERGENCY), default=0)
    simple = [one for one in active if one.kind == SIMPLE]
    if not simple:
        return alarm
    chosen = min(simple, key=lambda one: (one.priority if one.priority >= 0 else LAST, -one.level))
    return max(alarm, chosen.level)


def _remember(tables: Tables, event: Event, body: GridSignalled) -> None:
    tables.run("DELETE FROM grid_signal WHERE until <= ?", event.at)
    if not body.ignored:
        tables.run(
            "INSERT OR REPLACE INTO grid_signal VALUES (?, ?, ?, ?, ?, ?, ?)",
            event.subject, body.event, body.kind, body.level, body.priority, body.start, body.until,
        )  # fmt: skip


AREA = Area(
    name="grid",
    tables=TABLES,
    handlers={TakeGridSignal: take_grid_signal},
    projections={GridSignalled: _remember},
)
