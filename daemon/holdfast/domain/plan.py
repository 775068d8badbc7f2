"""The energy of an event, planned before it: a plan that does not last is refused (`plan_short`), one with little to
spare is `plan_tight`. It is planned again when the event ends at another time.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from holdfast.domain import limits
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork, Urgency
from holdfast.domain.energy import TYPICAL, Budget, Pack, drawable, reserve_wh
from holdfast_contract.power import (
    ByClass,
    EnergyMetered,
    PlanArmed,
    PlanEnded,
    PlanExtended,
    PowerStatement,
    Share,
)

HOUR_MS = 3_600_000
LONGEST_H = 24
MAX_LOADS = 32
MAX_MW = 10_000_000
MAX_PACK_MWH = 100_000_000
_TYPICAL = tuple(Share(name, round(watts * 1000)) for name, watts in TYPICAL.items())
FRESH_MS = 20 * 60_000
"""A metered charge older than this is not known any more."""

TABLES = """
CREATE TABLE IF NOT EXISTS plan(
    one INTEGER PRIMARY KEY CHECK (one = 1), start INTEGER NOT NULL, until INTEGER NOT NULL, loads TEXT NOT NULL,
    pack INTEGER NOT NULL, reserve INTEGER NOT NULL, charge INTEGER NOT NULL, health INTEGER NOT NULL,
    temperature INTEGER NOT NULL, margin INTEGER NOT NULL, verdict TEXT NOT NULL, ended TEXT NOT NULL,
    ended_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meter(
    one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL, charge INTEGER NOT NULL, left INTEGER NOT NULL);
"""
"""`plan.ended` is empty while the plan is armed, then says why it is not; the row goes with its statement."""


class ArmPlan(Command, frozen=True, tag="power.arm_plan", kw_only=True):
    """Plan an event's energy; UTC milliseconds, mW by class, mWh, permille, tenths of a degree. -1: as measured."""

    start: int = 0
    """0: now."""
    end: int
    loads: ByClass = ()
    """Empty: a typical till."""
    pack_mwh: int
    reserve_mwh: int = -1
    """-1: 20 minutes of what is never shed, and the ordered stop."""
    charge: int = -1
    """At the start; not given, full when the event begins later, for until then it is charged."""
    health: int = 1000
    temperature: int = 250


class ExtendPlan(Command, frozen=True, tag="power.extend_plan", kw_only=True):
    """The event ends later, or earlier; `loads` when they change too."""

    end: int
    loads: ByClass = ()
    charge: int = -1


class EndPlan(Command, frozen=True, tag="power.end_plan"):
    """The event is over, or its plan is given up."""

    urgency = Urgency.ALWAYS


class Plan(NamedTuple):
    """A row of `plan`, without its key."""

    start: int
    until: int
    loads: ByClass
    pack: int
    reserve: int
    charge: int
    health: int
    temperature: int
    margin: int = 0
    verdict: str = "ok"
    ended: str = ""
    ended_at: int = 0


SELECT_PLAN = (
    "SELECT start, until, loads, pack, reserve, charge, health, temperature, margin, verdict, ended, ended_at FROM plan"
)


def plan_of(row: tuple[object, ...]) -> Plan:
    """From a row of SELECT_PLAN."""
    values = list(row)
    values[2] = msgspec.json.decode(str(values[2]), type=ByClass)
    return Plan(*values)  # type: ignore[arg-type]  # as the table's columns are


def arm_plan(uow: UnitOfWork, command: ArmPlan) -> Outcome:
    if (plan := armed_or_ended(uow)) is not None and not plan.ended:
        raise Refused("plan_armed", end=plan.until)
    start = max(command.start or uow.at, uow.at)
    _check_times(start, command.end)
    loads = _loads(command.loads or _TYPICAL)
    _within(command.pack_mwh, 1, MAX_PACK_MWH, "pack_mwh")
    _within(command.health, 1, 1000, "health")
    _within(command.temperature, -400, 850, "temperature")
    reserve = _reserve(loads) if command.reserve_mwh < 0 else _within(command.reserve_mwh, 0, MAX_PACK_MWH, "reserve")
    charge = _charge(uow, command.charge, full=start > uow.at)
    measured = (command.pack_mwh, reserve, charge, command.health, command.temperature)
    planned = Plan(start, command.end, loads, *measured)
    budget = _budget(planned, usable=_usable(planned), since=start)
    _refuse_short(planned, budget, since=start)
    body = PlanArmed(
        start=start, end=command.end, loads=loads, pack=command.pack_mwh, reserve=reserve, charge=charge,
        health=command.health, temperature=command.temperature, margin=budget.margin_permille, verdict=budget.verdict,
    )  # fmt: skip
    uow.emit("event", body)
    return Outcome(data=_facts(planned, budget))


def extend_plan(uow: UnitOfWork, command: ExtendPlan) -> Outcome:
    plan = _armed(uow)
    since = max(plan.start, uow.at)
    _check_times(since, command.end)
    loads = _loads(command.loads) if command.loads else plan.loads
    reserve = _reserve(loads) if command.loads else plan.reserve
    longer = plan._replace(until=command.end, loads=loads, reserve=reserve)
    budget = _budget(longer, usable=_usable_now(uow, longer, command.charge), since=since)
    _refuse_short(longer, budget, since=since)
    body = PlanExtended(
        end=command.end, loads=loads, reserve=reserve, margin=budget.margin_permille, verdict=budget.verdict
    )
    uow.emit("event", body)
    return Outcome(data=_facts(longer, budget))


def end_plan(uow: UnitOfWork, _: EndPlan) -> Outcome:
    plan = _armed(uow)
    why = "over" if uow.at >= plan.until else "disarmed"
    uow.emit("event", PlanEnded(why=why))
    return Outcome(data={"why": why})


def _check_times(start: int, end: int) -> None:
    if not start < end <= start + LONGEST_H * HOUR_MS:
        raise Refused("invalid", detail=f"an event ends after it starts, at most {LONGEST_H} hours later")


def _loads(loads: ByClass) -> ByClass:
    if len(loads) > MAX_LOADS or len({load.kind for load in loads}) < len(loads):
        raise Refused("invalid", detail=f"loads are at most {MAX_LOADS}, each class named once")
    return tuple(Share(limits.name(load.kind), _within(load.amount, 0, MAX_MW, "mW")) for load in loads)


def _within(value: int, least: int, most: int, what: str) -> int:
    if not least <= value <= most:
        raise Refused("invalid", detail=f"{what} {value} is not within {least} to {most}")
    return value


def _charge(uow: UnitOfWork, given: int, *, full: bool) -> int:
    """What is given, or full, or what was metered lately. Raises Refused(`charge_unknown`)."""
    if given >= 0:
        return _within(given, 0, 1000, "charge")
    if full:
        return 1000
    row = uow.one("SELECT charge FROM meter WHERE at >= ? AND charge >= 0", uow.at - FRESH_MS)
    if row is None:
        raise Refused("charge_unknown")
    return int(row[0])


def _reserve(loads: ByClass) -> int:
    return round(reserve_wh(_watts(loads)) * 1000)


def _watts(loads: ByClass) -> dict[str, float]:
    return {load.kind: load.amount / 1000 for load in loads}


def _usable(plan: Plan) -> float:
    """Wh for the loads, by the pack's label."""
    pack = Pack(plan.pack / 1000, plan.health / 1000, plan.temperature / 10, plan.charge / 1000)
    return pack.wh * drawable(pack)


def _usable_now(uow: UnitOfWork, plan: Plan, charge: int) -> float:
    """As judged lately, else by the charge."""
    if charge < 0 and plan.start > uow.at:
        return _usable(plan)
    row = uow.one("SELECT left FROM meter WHERE at >= ? AND left >= 0", uow.at - FRESH_MS)
    if charge < 0 and row is not None:
        return float(row[0]) / 1000
    return _usable(plan._replace(charge=_charge(uow, charge, full=False)))


def _budget(plan: Plan, *, usable: float, since: int) -> Budget:
    hours = max(plan.until - since, 0) / HOUR_MS
    return Budget(usable, sum(_watts(plan.loads).values()) * hours, plan.reserve / 1000)


def _refuse_short(plan: Plan, budget: Budget, *, since: int) -> None:
    if budget.verdict != "plan_short":
        return
    facts = _facts(plan, budget)
    watts = sum(_watts(plan.loads).values())
    hours = max(budget.usable_wh - budget.reserve_wh, 0.0) / watts if watts else 0.0
    minutes = round(hours * 60)
    short = -budget.margin_wh
    raise Refused(
        "plan_short",
        **facts,
        lasts_until=since + round(hours * HOUR_MS),
        detail=f"{short:.0f} Wh short; it lasts {minutes // 60} h {minutes % 60} min with the reserve kept",
    )


def _facts(plan: Plan, budget: Budget) -> dict[str, object]:
    return {
        "start": plan.start,
        "end": plan.until,
        "usable_mwh": round(budget.usable_wh * 1000),
        "need_mwh": round(budget.need_wh * 1000),
        "reserve_mwh": plan.reserve,
        "margin_permille": budget.margin_permille,
        "verdict": budget.verdict,
    }


def armed_or_ended(tables: Tables) -> Plan | None:
    """The plan, until its statement is made."""
    row = tables.one(SELECT_PLAN)
    return None if row is None else plan_of(row)


def _armed(tables: Tables) -> Plan:
    """Raises Refused(`plan_none`)."""
    plan = armed_or_ended(tables)
    if plan is None or plan.ended:
        raise Refused("plan_none")
    return plan


def _text(loads: ByClass) -> str:
    return msgspec.json.encode(loads).decode()


def _remember_armed(tables: Tables, _: Event, body: PlanArmed) -> None:
    tables.run("DELETE FROM plan")
    tables.run(
        "INSERT INTO plan VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0)",
        body.start, body.end, _text(body.loads), body.pack, body.reserve, body.charge, body.health, body.temperature,
        body.margin, body.verdict,
    )  # fmt: skip


def _remember_extended(tables: Tables, _: Event, body: PlanExtended) -> None:
    tables.run(
        "UPDATE plan SET until = ?, loads = ?, reserve = ?, margin = ?, verdict = ?",
        body.end, _text(body.loads), body.reserve, body.margin, body.verdict,
    )  # fmt: skip


def _remember_ended(tables: Tables, event: Event, body: PlanEnded) -> None:
    tables.run("UPDATE plan SET ended = ?, ended_at = ?", body.why, event.at)


def _remember_meter(tables: Tables, event: Event, body: EnergyMetered) -> None:
    tables.run("INSERT OR REPLACE INTO meter VALUES (1, ?, ?, ?)", event.at, body.charge, body.left)


def _forget(tables: Tables, _: Event, __: PowerStatement) -> None:
    tables.run("DELETE FROM plan")


AREA = Area(
    name="plan",
    tables=TABLES,
    handlers={
        ArmPlan: arm_plan,
        ExtendPlan: extend_plan,
        EndPlan: end_plan,
    },
    projections={
        PlanArmed: _remember_armed,
        PlanExtended: _remember_extended,
        PlanEnded: _remember_ended,
        EnergyMetered: _remember_meter,
        PowerStatement: _forget,
    },
)
