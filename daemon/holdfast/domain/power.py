"""Power: what the hub writes down about mains, stages and outages."""

from __future__ import annotations

from holdfast.domain import limits
from holdfast.domain.core import Area, Command, Event, Outcome, Tables, UnitOfWork, Urgency
from holdfast_contract.power import (
    BatteryRenewed,
    BatteryTested,
    LoadRestored,
    LoadShed,
    MainsChanged,
    PowerBlind,
    PowerResumed,
    ReplaceBattery,
    StageChanged,
)


class NoteMains(Command, frozen=True, tag="power.note_mains"):
    """The mains came or went."""

    urgency = Urgency.ALWAYS
    mains: str
    charge: int = -1
    cell_mv: int = -1


class ChangeStage(Command, frozen=True, tag="power.change_stage"):
    urgency = Urgency.ALWAYS
    new: int
    why: str
    charge: int = -1
    cell_mv: int = -1


class NoteBlind(Command, frozen=True, tag="power.note_blind"):
    """The battery has fallen silent."""

    urgency = Urgency.ALWAYS
    on_battery: bool


class NoteLoad(Command, frozen=True, tag="power.note_load", kw_only=True):
    """A switched load was shed, or restored; not `done`: it did not obey."""

    urgency = Urgency.ALWAYS
    name: str
    kind: str
    mw: int
    on: bool
    done: bool = True


class NoteResumed(Command, frozen=True, tag="power.note_resumed"):
    """First start after a power stop; the stage begins again at S0."""

    urgency = Urgency.ALWAYS
    clock_trusted: bool = True


class NoteTest(Command, frozen=True, tag="power.note_test"):
    """What a test of the battery showed."""

    urgency = Urgency.ALWAYS
    result: str
    by: str
    seconds: int = 0
    start: int = -1
    left: int = -1
    minutes_left: int = -1
    health: int = -1


class NoteReplace(Command, frozen=True, tag="power.note_replace"):
    """The battery should be replaced."""

    urgency = Urgency.ALWAYS
    why: str
    health: int = -1


class NoteRenewed(Command, frozen=True, tag="power.note_renewed"):
    """The pack was replaced."""

    urgency = Urgency.ALWAYS


TABLES = """
CREATE TABLE IF NOT EXISTS power(one INTEGER PRIMARY KEY CHECK (one = 1), stage INTEGER, mains TEXT, at INTEGER);
CREATE TABLE IF NOT EXISTS shed(name TEXT PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
"""


def note_mains(uow: UnitOfWork, command: NoteMains) -> Outcome:
    if _state(uow)[1] != command.mains:
        uow.emit("battery", MainsChanged(mains=command.mains, charge=command.charge, cell_mv=command.cell_mv))
    return Outcome()


def change_stage(uow: UnitOfWork, command: ChangeStage) -> Outcome:
    old = _state(uow)[0]
    if old != command.new:
        uow.emit(
            "battery",
            StageChanged(old=old, new=command.new, why=command.why, charge=command.charge, cell_mv=command.cell_mv),
        )
    return Outcome(data={"stage": command.new})


def note_blind(uow: UnitOfWork, command: NoteBlind) -> Outcome:
    uow.emit("battery", PowerBlind(on_battery=command.on_battery))
    return Outcome()


def note_load(uow: UnitOfWork, command: NoteLoad) -> Outcome:
    kind = LoadRestored if command.on else LoadShed
    uow.emit(limits.name(command.name), kind(kind=command.kind, mw=command.mw, stage=_state(uow)[0], done=command.done))
    return Outcome()


def note_test(uow: UnitOfWork, command: NoteTest) -> Outcome:
    test = BatteryTested(
        result=command.result,
        by=command.by,
        seconds=command.seconds,
        start=command.start,
        left=command.left,
        minutes_left=command.minutes_left,
        health=command.health,
    )
    uow.emit("battery", test)
    return Outcome()


def note_replace(uow: UnitOfWork, command: NoteReplace) -> Outcome:
    uow.emit("battery", ReplaceBattery(why=command.why, health=command.health))
    return Outcome()


def note_renewed(uow: UnitOfWork, _: NoteRenewed) -> Outcome:
    uow.emit("battery", BatteryRenewed())
    return Outcome()


def note_resumed(uow: UnitOfWork, command: NoteResumed) -> Outcome:
    stage, _, at = _state(uow)
    if stage != 0:
        outage = (uow.at - at) // 1000 if command.clock_trusted and uow.at >= at else -1
        uow.emit("battery", PowerResumed(outage_s=outage))
    return Outcome(data={"was": stage})


def _state(uow: UnitOfWork) -> tuple[int, str, int]:
    row = uow.one("SELECT stage, mains, at FROM power")
    return (0, "unknown", 0) if row is None else (row[0], row[1], row[2])


def _remember_mains(tables: Tables, event: Event, body: MainsChanged) -> None:
    tables.run(
        "INSERT INTO power VALUES (1, 0, ?, ?) ON CONFLICT DO UPDATE SET mains = excluded.mains, at = excluded.at",
        body.mains,
        event.at,
    )


def _remember_stage(tables: Tables, event: Event, body: StageChanged) -> None:
    tables.run(
        "INSERT INTO power VALUES (1, ?, 'unknown', ?)"
        " ON CONFLICT DO UPDATE SET stage = excluded.stage, at = excluded.at",
        body.new,
        event.at,
    )


def _remember_resumed(tables: Tables, event: Event, _: PowerResumed) -> None:
    tables.run("UPDATE power SET stage = 0, mains = 'unknown', at = ?", event.at)


def _remember_shed(tables: Tables, event: Event, body: LoadShed) -> None:
    tables.run("INSERT OR IGNORE INTO shed VALUES (?, ?, ?)", event.subject, body.kind, event.at)


def _remember_restored(tables: Tables, event: Event, body: LoadRestored) -> None:
    if body.done:
        tables.run("DELETE FROM shed WHERE name = ?", event.subject)


AREA = Area(
    name="power",
    tables=TABLES,
    handlers={
        NoteMains: note_mains,
        ChangeStage: change_stage,
        NoteBlind: note_blind,
        NoteLoad: note_load,
        NoteResumed: note_resumed,
        NoteTest: note_test,
        NoteReplace: note_replace,
        NoteRenewed: note_renewed,
    },
    projections={
        MainsChanged: _remember_mains,
        StageChanged: _remember_stage,
        PowerResumed: _remember_resumed,
        LoadShed: _remember_shed,
        LoadRestored: _remember_restored,
    },
)
