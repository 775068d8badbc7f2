"""Power stages: the table, hysteresis, no flapping, no stop by one sample, by the grid or while the mains are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import stages
from holdfast.domain.stages import (
    Ask,
    Change,
    Known,
    Limits,
    Stage,
    StageMachine,
    demanded,
    silence_allowed,
)
from holdfast.domain.trend import PART, PARTS, SPACING, Trend

LIMITS = Limits()
FINE = Known(mains=False, charge=900, minutes=300, margin=500, cell_mv=3900)


def run(machine: StageMachine, known: Known, *, start: float, seconds: int) -> list[Change]:
    return [c for n in range(seconds) if (c := machine.step(known, start + n))]


@pytest.mark.parametrize(
    ("known", "stage", "why"),
    [
        (Known(mains=True, charge=0, minutes=0, margin=-900, cell_mv=2900), Stage.NORMAL, "mains"),
        (FINE, Stage.NORMAL, "battery"),
        (replace(FINE, margin=None), Stage.NORMAL, "battery"),
        (replace(FINE, margin=200), Stage.NORMAL, "battery"),
        (replace(FINE, margin=199), Stage.CONSERVE, "margin"),
        (replace(FINE, margin=50), Stage.CONSERVE, "margin"),
        (replace(FINE, margin=49), Stage.SHED, "margin"),
        (replace(FINE, margin=-5000), Stage.SHED, "margin"),
        (replace(FINE, charge=300), Stage.NORMAL, "battery"),
        (replace(FINE, charge=299), Stage.SHED, "charge"),
        (replace(FINE, charge=149), Stage.CRITICAL, "charge"),
        (replace(FINE, charge=0), Stage.CRITICAL, "charge"),
        (replace(FINE, minutes=31), Stage.NORMAL, "battery"),
        (replace(FINE, minutes=30), Stage.CRITICAL, "runtime"),
        (replace(FINE, minutes=8), Stage.STOP, "runtime"),
        (replace(FINE, cell_mv=3200), Stage.STOP, "voltage"),
        (replace(FINE, stop_asked=True), Stage.STOP, "asked"),
        (Known(mains=True, stop_asked=True), Stage.STOP, "asked"),
        (Known(mains=False, silent_s=15.0, lasts_s=9000), Stage.NORMAL, "battery"),
        (Known(mains=False, silent_s=15.1, lasts_s=9000), Stage.CRITICAL, "silent"),
        (Known(mains=False, silent_s=600, lasts_s=9000), Stage.STOP, "silent"),
        (Known(mains=False, silent_s=420, lasts_s=900), Stage.STOP, "silent"),
        (Known(), Stage.NORMAL, "unknown"),
        (Known(charge=140), Stage.CRITICAL, "charge"),
    ],
)
def test_the_stage_that_values_ask_for(known: Known, stage: Stage, why: str) -> None:
    assert demanded(known, LIMITS) == Ask(stage, why)


@pytest.mark.parametrize(("lasts", "allowed"), [(None, 600), (9000, 600), (1080, 600), (900, 420), (300, 15)])
def test_silence_is_borne_ten_minutes_or_until_eight_are_left(lasts: float | None, allowed: float) -> None:
    assert silence_allowed(lasts, LIMITS) == allowed


def test_a_generator_swap_of_twenty_seconds_changes_nothing() -> None:
    machine = StageMachine(LIMITS)
    assert run(machine, FINE, start=0, seconds=20) == []
    assert run(machine, Known(mains=True, charge=800), start=20, seconds=400) == []


@pytest.mark.parametrize(("known", "why"), [(Known(), "unknown"), (Known(mains=True), "mains"), (FINE, "battery")])
def test_why_it_is_the_normal_stage_is_what_holds_now(known: Known, why: str) -> None:
    machine = StageMachine(LIMITS)
    run(machine, Known(mains=True), start=0, seconds=5)
    run(machine, known, start=5, seconds=5)
    assert (machine.stage, machine.why) == (Stage.NORMAL, why)


def test_worse_stages_come_one_after_another_ten_seconds_each() -> None:
    machine = StageMachine(LIMITS)
    empty = replace(FINE, charge=100)
    changes = {n: c for n in range(60) if (c := machine.step(empty, n))}
    assert {at: change.new for at, change in changes.items()} == {
        10: Stage.CONSERVE,
        21: Stage.SHED,
        32: Stage.CRITICAL,
    }
    assert {change.why for change in changes.values()} == {"charge"}


def test_the_stop_comes_from_any_stage_after_two_seconds() -> None:
    machine = StageMachine(LIMITS)
    assert run(machine, replace(FINE, minutes=5), start=0, seconds=2) == []
    assert machine.step(replace(FINE, minutes=5), 2) == Change(Stage.NORMAL, Stage.STOP, "runtime")


def test_silence_on_battery_is_critical_at_once() -> None:
    machine = StageMachine(LIMITS)
    assert machine.step(Known(mains=False, silent_s=16), 0) == Change(Stage.NORMAL, Stage.CRITICAL, "silent")
    assert machine.step(Known(mains=False, silent_s=616), 600) is None
    assert machine.step(Known(mains=False, silent_s=618), 602) == Change(Stage.CRITICAL, Stage.STOP, "silent")


def test_a_sag_under_load_does_not_stop_the_hub() -> None:
    machine = StageMachine(LIMITS)
    assert run(machine, replace(FINE, cell_mv=3100), start=0, seconds=20) == []
    assert run(machine, FINE, start=20, seconds=60) == []
    assert run(machine, replace(FINE, cell_mv=3100), start=80, seconds=21) == [
        Change(Stage.NORMAL, Stage.STOP, "voltage")
    ]


def test_the_floor_is_not_forgotten_while_stages_change() -> None:
    machine = StageMachine(LIMITS)
    changes = run(machine, replace(FINE, cell_mv=3100, charge=250), start=0, seconds=22)
    assert changes[-1] == Change(Stage.CONSERVE, Stage.STOP, "voltage")


def test_in_the_first_minutes_only_the_hard_floor_or_the_ups_stops_the_hub() -> None:
    young = Known(mains=False, charge=0, minutes=0, cell_mv=3150, settling=True)
    assert demanded(young, LIMITS) == Ask(Stage.CRITICAL, "runtime")
    assert demanded(replace(young, cell_mv=3000), LIMITS) == Ask(Stage.STOP, "voltage")
    assert demanded(replace(young, stop_asked=True), LIMITS) == Ask(Stage.STOP, "asked")


def test_a_rising_voltage_counts_more_than_a_dead_mains_line() -> None:
    charging = Known(mains=False, charge=0, minutes=0, cell_mv=3500, rising=True)
    assert demanded(charging, LIMITS) == Ask(Stage.NORMAL, "battery")
    assert demanded(replace(charging, cell_mv=3200), LIMITS) == Ask(Stage.STOP, "voltage")


def test_mains_lead_back_one_stage_at_a_time() -> None:
    machine = StageMachine(LIMITS, stage=Stage.CRITICAL)
    changes = run(machine, Known(mains=True, charge=200), start=0, seconds=1000)
    assert [change.new for change in changes] == [Stage.SHED, Stage.CONSERVE, Stage.NORMAL]


@pytest.mark.parametrize(
    ("stage", "value", "stays", "leaves"),
    [
        (Stage.CONSERVE, "margin", 299, 300),
        (Stage.SHED, "margin", 149, 150),
        (Stage.SHED, "charge", 399, 400),
        (Stage.CRITICAL, "charge", 249, 250),
        (Stage.CRITICAL, "minutes", 40, 41),
    ],
)
def test_a_stage_is_left_ten_points_above_its_limit(stage: Stage, value: str, stays: int, leaves: int) -> None:
    for at, left in ((stays, False), (leaves, True)):
        machine = StageMachine(LIMITS, stage=stage)
        changes = run(machine, replace(FINE, **{value: at}), start=0, seconds=302)
        assert [change.new for change in changes] == ([stage - 1] if left else [])


readings = st.builds(
    Known,
    mains=st.sampled_from([True, False, False, None]),
    charge=st.one_of(st.none(), st.integers(0, 1000)),
    minutes=st.one_of(st.none(), st.integers(0, 400)),
    margin=st.one_of(st.none(), st.integers(-1000, 1000)),
    cell_mv=st.one_of(st.none(), st.integers(2500, 4300)),
    rising=st.booleans(),
    silent_s=st.sampled_from([0.0, 0.0, 20.0, 700.0]),
    grid=st.integers(0, 3),
    settling=st.booleans(),
)


def changes_of(machine: StageMachine, signal: list[Known], pace: float) -> list[tuple[float, Change]]:
    return [(n * pace, c) for n, known in enumerate(signal) if (c := machine.step(known, n * pace))]


def improvements(machine: StageMachine, signal: list[Known], pace: float) -> list[float]:
    return [at for at, change in changes_of(machine, signal, pace) if change.new < change.old]


@given(st.lists(readings, max_size=200), st.floats(0.2, 60))
def test_inv_10_2_at_most_one_better_stage_in_five_minutes(signal: list[Known], pace: float) -> None:
    better = improvements(StageMachine(LIMITS, stage=Stage.CRITICAL), signal, pace)
    assert all(later - earlier >= 300 for earlier, later in pairwise(better))


def test_inv_10_2_control_without_the_hold_the_same_signal_flaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "LEAVE", 0.0)
    better = improvements(StageMachine(LIMITS, stage=Stage.CRITICAL), [Known(mains=True)] * 5, 1.0)
    assert any(later - earlier < 300 for earlier, later in pairwise(better))


@given(st.lists(readings, max_size=100), st.floats(0.2, 60))
def test_inv_10_2_every_change_is_one_step_unless_it_stops_or_falls_silent(signal: list[Known], pace: float) -> None:
    for _, change in changes_of(StageMachine(LIMITS), signal, pace):
        assert abs(change.new - change.old) == 1 or change.new is Stage.STOP or change.why == "silent"


@given(st.lists(readings, min_size=1, max_size=100), readings)
def test_inv_10_2_one_sample_never_stops_the_hub(calm: list[Known], shock: Known) -> None:
    machine = StageMachine(LIMITS)
    at = 0.0
    for known in calm:
        machine.step(replace(FINE, mains=known.mains), at)
        at += 1
    assert machine.stage is Stage.NORMAL
    machine.step(replace(shock, silent_s=0.0), at)
    machine.step(FINE, at + 1)
    assert machine.stage is Stage.NORMAL


def stops(signal: list[Known], pace: float) -> bool:
    return any(change.new is Stage.STOP for _, change in changes_of(StageMachine(LIMITS), signal, pace))


def is_advice(known: Known) -> bool:
    """With this grid level the demand is no better, and a stop only if it is one without."""
    deaf, hears = demanded(replace(known, grid=0), LIMITS).stage, demanded(known, LIMITS).stage
    return hears >= deaf and (hears is not Stage.STOP or deaf is Stage.STOP)


@given(st.lists(readings, max_size=100), st.floats(0.2, 60))
def test_inv_10_5_a_grid_signal_never_stops_and_never_lifts(signal: list[Known], pace: float) -> None:
    assert all(is_advice(known) for known in signal)
    assert stops(signal, pace) == stops([replace(known, grid=0) for known in signal], pace)
    machine = StageMachine(LIMITS)
    for n, known in enumerate(signal):
        if (change := machine.step(known, n * pace)) is not None and change.new < change.old:
            assert demanded(replace(known, grid=0), LIMITS).stage < change.old


def test_inv_10_5_control_a_signal_taken_for_an_order_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    asks = stages.asks

    def obeys(known: Known, limits: Limits, *, leaving: bool = False) -> Iterator[Ask]:
        if known.grid == 3:
            yield Ask(Stage.STOP, "grid")
        elif known.grid == 1:
            return
        yield from asks(known, limits, leaving=leaving)

    monkeypatch.setattr(stages, "asks", obeys)
    assert not is_advice(replace(FINE, grid=3)), "a stop"
    assert not is_advice(replace(FINE, charge=100, grid=1)), "a stage lifted"
    assert stops([replace(FINE, grid=3)] * 5, 1.0)


def trend(volts: list[int]) -> Trend:
    made = Trend()
    for n, mv in enumerate(volts):
        made.add(mv, n * SPACING)
    return made


def test_only_a_lasting_rise_counts() -> None:
    points = PARTS * PART
    assert trend([3500 + n // 3 for n in range(points)]).rising, "charging, 4 mV a minute"
    assert not trend([3500 + n // 3 for n in range(points - 1)]).rising, "too short to tell"
    assert not trend([3500 - n // 3 for n in range(points)]).rising
    for step in range(points):
        assert not trend([3500] * step + [3560] * (points - step)).rising, "a load that ended"
    gap = trend([3500 + n // 3 for n in range(points)])
    gap.add(None, points * SPACING)
    assert not gap.rising
