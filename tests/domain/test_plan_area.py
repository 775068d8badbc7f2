"""An event's energy in the record: planned or refused, extended, metered, summed up; and what the grid asks for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kit import Hub
from holdfast.domain.consumption import NoteEnergy, NoteStatement
from holdfast.domain.grid import EMERGENCY, SIMPLE, Interval, TakeGridSignal, level_at
from holdfast.domain.plan import ArmPlan, EndPlan, ExtendPlan
from holdfast.domain.power import ChangeStage, NoteLoad
from holdfast_contract.power import (
    EnergyMetered,
    GridSignalled,
    LoadRestored,
    LoadShed,
    PlanArmed,
    PlanEnded,
    PlanExtended,
    PowerStatement,
    Share,
)

T0 = 1_700_000_000_000
HOUR = 3_600_000
LOADS = (Share("board", 5000), Share("router", 8000), Share("tablet", 7000))
"""20 W, 13 W of them never shed."""


def arm(**more: Any) -> ArmPlan:
    fields: dict[str, Any] = {"end": T0 + 8 * HOUR, "loads": LOADS, "pack_mwh": 300_000, "charge": 1000}
    return ArmPlan(**fields | more)


def body(hub: Hub, kind: type[Any]) -> Any:
    return hub.facts(kind)[-1].body


def test_a_plan_that_lasts_is_armed() -> None:
    hub = Hub()
    told = hub.ok(arm())
    armed = body(hub, PlanArmed)
    assert (armed.loads, armed.pack, armed.charge, armed.verdict) == (LOADS, 300_000, 1000, "ok")
    assert armed.reserve == round(13_000 / 3 + 20_000 / 60)
    assert told["usable_mwh"] == round(300_000 * 0.8 * 0.9)
    assert told["need_mwh"] == pytest.approx(20_000 * 8, rel=0.001)
    assert armed.margin == told["margin_permille"] == pytest.approx((216 - 160 - 4.67) / 160 * 1000, abs=1)


@pytest.mark.parametrize(("pack", "verdict"), [(228_000, "refused"), (229_000, "plan_tight"), (275_000, "ok")])
def test_short_is_refused_and_tight_is_said(pack: int, verdict: str) -> None:
    hub, command = Hub(), arm(pack_mwh=pack)
    if verdict == "refused":
        outcome = hub.do(command)
        assert outcome.reason == "plan_short"
        assert outcome.data["lasts_until"] == pytest.approx(T0 + 8 * HOUR, abs=0.1 * HOUR)
        assert "Wh short" in outcome.data["detail"]
        assert hub.facts(PlanArmed) == []
    else:
        assert hub.ok(command)["verdict"] == verdict


def test_a_typical_till_is_assumed_when_no_loads_are_named() -> None:
    hub = Hub()
    hub.ok(arm(loads=(), pack_mwh=500_000))
    assert sum(load.amount for load in body(hub, PlanArmed).loads) == 29_200


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": T0 - 1},
        {"end": T0 + 25 * HOUR},
        {"loads": (Share("board", 1), Share("board", 2))},
        {"loads": (Share("", 1),)},
        {"loads": (Share("board", -1),)},
        {"loads": tuple(Share(f"l{n}", 1) for n in range(33))},
        {"pack_mwh": 0},
        {"charge": 1001},
        {"health": 0},
        {"temperature": 900},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    assert Hub().refused(arm(**wrong)) == "invalid"


def test_the_charge_is_what_was_metered_lately_or_full_when_the_event_begins_later() -> None:
    hub = Hub()
    assert hub.refused(arm(charge=-1)) == "charge_unknown"
    hub.ok(NoteEnergy(seconds=60, charge=900, left=190_000))
    hub.ok(arm(charge=-1))
    assert body(hub, PlanArmed).charge == 900
    later = Hub()
    later.ok(arm(charge=-1, start=T0 + HOUR, end=T0 + 9 * HOUR))
    assert body(later, PlanArmed).charge == 1000


def test_one_event_at_a_time() -> None:
    hub = Hub()
    for command in (ExtendPlan(end=T0 + HOUR), EndPlan()):
        assert hub.refused(command) == "plan_none"
    hub.ok(arm())
    assert hub.refused(arm()) == "plan_armed"
    assert hub.ok(EndPlan())["why"] == "disarmed"
    assert body(hub, PlanEnded).why == "disarmed"
    assert hub.refused(EndPlan()) == "plan_none"
    hub.ok(arm())


def test_an_event_extended_by_two_hours_is_planned_again() -> None:
    hub = Hub()
    hub.ok(arm())
    assert hub.refused(ExtendPlan(end=T0 + 11 * HOUR, charge=1000)) == "plan_short"
    told = hub.ok(ExtendPlan(end=T0 + 10 * HOUR, charge=1000))
    assert (told["verdict"], body(hub, PlanExtended).end) == ("plan_tight", T0 + 10 * HOUR)
    lighter = hub.ok(ExtendPlan(end=T0 + 12 * HOUR, charge=1000, loads=LOADS[:2]))
    assert lighter["reserve_mwh"] == round(13_000 / 3 + 13_000 / 60), "what is never shed, and the stop"
    hub.ok(NoteEnergy(seconds=60, charge=200, left=30_000))
    assert hub.refused(ExtendPlan(end=T0 + 12 * HOUR)) == "plan_short", "as judged now"


def test_what_flowed_is_summed_up_at_the_end() -> None:
    hub = Hub()
    hub.ok(NoteEnergy(seconds=900, pack=99, loads=(Share("board", 99),)))
    assert hub.ok(NoteStatement()) == {}
    hub.ok(arm())
    loads = Share("board", 1300), Share("router", 3700)
    hub.ok(NoteEnergy(seconds=900, pack=5000, metered_s=900, loads=loads, peak=25_000, stages=(900, 0, 0, 0, 0),
                      outages=1, outage_s=900, charge=970, left=200_000))  # fmt: skip
    hub.ok(NoteEnergy(seconds=600, mains=3000, charged=800, loads=(Share("router", 3000),), peak=21_000,
                      stages=(0, 600, 0, 0, 0), charge=990, left=210_000))  # fmt: skip
    assert hub.ok(NoteStatement()) == {}, "while the event goes on there is nothing to sum up"
    hub.ok(EndPlan())
    told = hub.ok(NoteStatement())
    statement: PowerStatement = body(hub, PowerStatement)
    assert told["job"]
    assert statement.sources == (Share("mains", 3000), Share("pack", 5000))
    assert statement.loads == (Share("router", 6700), Share("board", 1300))
    assert (statement.seconds, statement.metered_s, statement.charged, statement.peak) == (1500, 900, 800, 25_000)
    assert (statement.stages, statement.outages, statement.outage_s) == ((900, 600, 0, 0, 0), 1, 900)
    assert statement.left == 210_000
    assert hub.ok(NoteStatement()) == {}, "once"
    assert hub.rebuilt_digest() == hub.projector.digest(hub.db)
    assert len(hub.facts(EnergyMetered)) == 3


def test_loads_that_are_shed_are_remembered_until_they_are_restored() -> None:
    hub = Hub()
    hub.ok(ChangeStage(new=2, why="charge"))
    hub.ok(NoteLoad(name="yard camera", kind="camera", mw=6000, on=False))
    assert hub.rows("SELECT name FROM shed") == [("yard camera",)]
    assert (body(hub, LoadShed).kind, body(hub, LoadShed).stage) == ("camera", 2)
    hub.ok(NoteLoad(name="yard camera", kind="camera", mw=6000, on=True, done=False))
    assert hub.rows("SELECT name FROM shed") == [("yard camera",)], "it did not obey"
    hub.ok(NoteLoad(name="yard camera", kind="camera", mw=6000, on=True))
    assert hub.rows("SELECT name FROM shed") == []
    assert body(hub, LoadRestored).done


# The grid


def signal(**more: Any) -> TakeGridSignal:
    fields: dict[str, Any] = {"program": "demand-response", "event": "e1", "kind": SIMPLE, "level": 1, "seconds": 3600}
    return TakeGridSignal(**fields | more)


def level(hub: Hub, at: int) -> int:
    return level_at([Interval(*row) for row in hub.rows("SELECT * FROM grid_signal")], at)


def test_a_signal_asks_for_its_level_while_it_lasts() -> None:
    hub = Hub()
    told = hub.ok(signal(level=2, start=T0 + HOUR))
    assert told["until"] == T0 + 2 * HOUR
    assert [level(hub, T0 + at) for at in (HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR)] == [0, 2, 2, 0]
    assert hub.facts(GridSignalled)[-1].subject == "demand-response"


@pytest.mark.parametrize(
    ("odd", "why"),
    [({"kind": "PRICE"}, "unknown_type"), ({"kind": "X_OWN"}, "unknown_type"), ({"start": T0 - 2 * HOUR}, "late")],
)
def test_what_has_no_effect_is_written_down_with_the_reason(odd: dict[str, Any], why: str) -> None:
    hub = Hub()
    assert hub.ok(signal(**odd))["ignored"] == why
    assert body(hub, GridSignalled).ignored == why
    assert hub.rows("SELECT * FROM grid_signal") == []


def test_of_overlapping_signals_the_more_important_counts_then_the_stricter() -> None:
    hub = Hub()
    hub.ok(signal(event="a", level=3, priority=5))
    hub.ok(signal(event="b", level=1, priority=0))
    assert level(hub, T0 + HOUR // 2) == 1, "a lower number is more important"
    hub.ok(signal(event="c", level=2, priority=0))
    assert level(hub, T0 + HOUR // 2) == 2
    hub.ok(signal(event="d", level=3))
    assert level(hub, T0 + HOUR // 2) == 2, "no priority is the least"
    hub.ok(
        signal(event="c", level=0, priority=0, start=hub.rows("SELECT start FROM grid_signal WHERE event='c'")[0][0])
    )
    assert level(hub, T0 + HOUR // 2) == 1, "an event sent again replaces itself"


def test_an_emergency_asks_for_shedding_whatever_else_is_said() -> None:
    hub = Hub()
    hub.ok(signal(event="calm", level=0, priority=0))
    hub.ok(signal(event="alarm", kind=EMERGENCY, priority=9))
    assert level(hub, T0 + HOUR // 2) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"level": 4}, {"level": -1}, {"seconds": 0}, {"seconds": 10**9}, {"program": ""}, {"priority": -2}, {"start": -1}],
)
def test_a_malformed_signal_is_refused(wrong: dict[str, Any]) -> None:
    assert Hub().refused(signal(**wrong)) == "invalid"


intervals = st.builds(
    Interval,
    program=st.just("p"),
    event=st.text(max_size=2),
    kind=st.sampled_from([SIMPLE, EMERGENCY, "PRICE"]),
    level=st.integers(0, 3),
    priority=st.integers(-1, 3),
    start=st.integers(0, 10),
    until=st.integers(0, 10),
)


@given(st.lists(intervals, max_size=8), st.integers(-1, 11))
def test_inv_10_5_no_set_of_signals_asks_for_more_than_the_third_level(signals: list[Interval], at: int) -> None:
    assert 0 <= level_at(signals, at) <= 3
    assert level_at(reversed(signals), at) == level_at(signals, at), "the order they came in does not matter"
