"""What an event used, summed up in a statement at its end (INV-10.3).

What flows is noted at least every quarter of an hour, so that a power cut costs the account no more than that.
"""

from __future__ import annotations

import msgspec

from holdfast.domain import jobs
from holdfast.domain.core import Area, Command, Event, Outcome, Tables, UnitOfWork, Urgency
from holdfast.domain.plan import armed_or_ended
from holdfast.domain.stages import Stage
from holdfast_contract.power import ByClass, EnergyMetered, PlanArmed, PowerStatement, Share

TABLES = """
CREATE TABLE IF NOT EXISTS energy(
    one INTEGER PRIMARY KEY CHECK (one = 1), seconds INTEGER NOT NULL, mains INTEGER NOT NULL, pack INTEGER NOT NULL,
    charged INTEGER NOT NULL, metered_s INTEGER NOT NULL, peak INTEGER NOT NULL, outages INTEGER NOT NULL,
    outage_s INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS energy_load(kind TEXT PRIMARY KEY, mwh INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS energy_stage(stage INTEGER PRIMARY KEY, seconds INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS energy_statement(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL);
"""


class NoteEnergy(Command, frozen=True, tag="power.note_energy", kw_only=True):
    """What flowed since the last one. As `EnergyMetered`."""

    urgency = Urgency.ALWAYS
    seconds: int
    mains: int = 0
    pack: int = 0
    charged: int = 0
    loads: ByClass = ()
    metered_s: int = 0
    peak: int = 0
    stages: tuple[int, ...] = ()
    outages: int = 0
    outage_s: int = 0
    charge: int = -1
    left: int = -1


class NoteStatement(Command, frozen=True, tag="power.note_statement"):
    """The last of an ended event's energy is metered: sum it up."""

    urgency = Urgency.ALWAYS


def note_energy(uow: UnitOfWork, command: NoteEnergy) -> Outcome:
    uow.emit("battery", EnergyMetered(**msgspec.structs.asdict(command)))
    return Outcome()


def note_statement(uow: UnitOfWork, _: NoteStatement) -> Outcome:
    """Nothing when there is no event to sum up: asked twice, it is told once."""
    plan = armed_or_ended(uow)
    if plan is None or not plan.ended:
        return Outcome()
    stages = dict(uow.all("SELECT stage, seconds FROM energy_stage"))
    account = uow.one("SELECT seconds, mains, pack, charged, metered_s, peak, outages, outage_s FROM energy")
    seconds, mains, pack, charged, metered_s, peak, outages, outage_s = account or (0,) * 8
    meter = uow.one("SELECT left FROM meter WHERE at >= ?", plan.start)
    statement = PowerStatement(
        start=plan.start,
        end=min(plan.ended_at, plan.until),
        seconds=seconds,
        sources=(Share("mains", mains), Share("pack", pack)),
        loads=tuple(Share(*row) for row in uow.all("SELECT kind, mwh FROM energy_load ORDER BY mwh DESC, kind")),
        charged=charged,
        metered_s=metered_s,
        peak=peak,
        stages=tuple(stages.get(stage, 0) for stage in range(len(Stage))),
        outages=outages,
        outage_s=outage_s,
        reserve=plan.reserve,
        left=-1 if meter is None else meter[0],
    )
    seq = uow.emit("event", statement)
    return Outcome(data={"seq": seq, "job": uow.enqueue(jobs.ENERGY_REPORT, seq)})


def _clear(tables: Tables) -> None:
    for table in ("energy", "energy_load", "energy_stage"):
        tables.run(f"DELETE FROM {table}")  # noqa: S608 - names of our own


def _begin(tables: Tables, _: Event, __: PlanArmed) -> None:
    _clear(tables)


def _add(tables: Tables, event: Event, body: EnergyMetered) -> None:
    """To the account of the event that has begun, if there is one."""
    if tables.one("SELECT 1 FROM plan WHERE start < ?", event.at) is None:
        return
    tables.run("INSERT OR IGNORE INTO energy VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0)")
    tables.run(
        "UPDATE energy SET seconds = seconds + ?, mains = mains + ?, pack = pack + ?, charged = charged + ?,"
        " metered_s = metered_s + ?, peak = max(peak, ?), outages = outages + ?, outage_s = outage_s + ?",
        body.seconds, body.mains, body.pack, body.charged, body.metered_s, body.peak, body.outages, body.outage_s,
    )  # fmt: skip
    for load in body.loads:
        tables.run(
            "INSERT INTO energy_load VALUES (?, ?) ON CONFLICT DO UPDATE SET mwh = mwh + excluded.mwh",
            load.kind,
            load.amount,
        )
    for stage, seconds in enumerate(body.stages):
        tables.run(
            "INSERT INTO energy_stage VALUES (?, ?) ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds",
            stage, seconds,
        )  # fmt: skip


def _close(tables: Tables, event: Event, _: PowerStatement) -> None:
    _clear(tables)
    tables.run("INSERT INTO energy_statement VALUES (?, ?)", event.seq, event.at)


AREA = Area(
    name="consumption",
    tables=TABLES,
    handlers={NoteEnergy: note_energy, NoteStatement: note_statement},
    projections={PlanArmed: _begin, EnergyMetered: _add, PowerStatement: _close},
)
