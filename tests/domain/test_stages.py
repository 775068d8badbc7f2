"""Power stages: hysteresis, no flapping, no stop by one sample or while the mains are there."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import stages
from holdfast.domain.stages import Change, Known, Limits, Stage, StageMachine, demanded, runtime_minutes

LIMITS = Limits()


def run(machine: StageMachine, known: Known, *, start: float, seconds: int) -> list[Change]:
    return [c for n in range(seconds) if (c := machine.step(known, start + n))]


@pytest.mark.parametrize(
    ("known", "stage", "why"),
    [
        (Known(mains=True, charge=0, cell_mv=2900), Stage.NORMAL, "mains"),
        (Known(mains=False, charge=900, minutes=200), Stage.NORMAL, "charge"),
        (Known(mains=False, charge=450, minutes=100), Stage.CONSERVE, "charge"),
        (Known(mains=False, charge=250, minutes=60), Stage.SHED, "charge"),
        (Known(mains=False, charge=400, minutes=30), Stage.CRITICAL, "runtime"),
        (Known(mains=False, charge=100, minutes=40), Stage.CRITICAL, "charge"),
        (Known(mains=False, charge=100, minutes=8), Stage.STOP, "runtime"),
        (Known(mains=False, charge=900, cell_mv=3200), Stage.STOP, "voltage"),
        (Known(mains=False), Stage.CRITICAL, "silent"),
        (Known(mains=False, silent_s=601), Stage.STOP, "silent"),
        (Known(), Stage.NORMAL, "charge"),
        (Known(mains=True, stop_asked=True), Stage.STOP, "asked"),
    ],
)
def test_the_stage_that_values_ask_for(known: Known, stage: Stage, why: str) -> None:
    assert demanded(known, LIMITS) == (stage, why)


def test_a_generator_swap_of_twenty_seconds_changes_nothing() -> None:
    machine = StageMachine(LIMITS)
    assert run(machine, Known(mains=False, charge=800, minutes=200), start=0, seconds=20) == []
    assert run(machine, Known(mains=True, charge=800), start=20, seconds=400) == []


def test_a_worse_stage_needs_ten_seconds_and_the_stop_two() -> None:
    machine = StageMachine(LIMITS)
    assert run(machine, Known(mains=False, charge=250, minutes=60), start=0, seconds=10) == []
    assert machine.step(Known(mains=False, charge=250, minutes=60), 10) == Change(Stage.NORMAL, Stage.SHED, "charge")
    assert run(machine, Known(mains=False, charge=100, minutes=5), start=11, seconds=2) == []
    assert machine.step(Known(mains=False, charge=100, minutes=5), 13) == Change(Stage.SHED, Stage.STOP, "runtime")


def test_a_sag_under_load_does_not_stop_the_hub() -> None:
    machine = StageMachine(LIMITS)
    assert run(machine, Known(mains=False, charge=700, cell_mv=3100), start=0, seconds=19) == []
    assert run(machine, Known(mains=False, charge=700, cell_mv=3600), start=19, seconds=60) == []


def test_mains_lead_back_one_stage_at_a_time() -> None:
    machine = StageMachine(LIMITS, stage=Stage.CRITICAL)
    changes = run(machine, Known(mains=True, charge=200), start=0, seconds=1000)
    assert [change.new for change in changes] == [Stage.SHED, Stage.CONSERVE, Stage.NORMAL]


readings = st.builds(
    Known,
    mains=st.sampled_from([True, False, False, None]),
    charge=st.one_of(st.none(), st.integers(0, 1000)),
    minutes=st.one_of(st.none(), st.integers(0, 400)),
    cell_mv=st.one_of(st.none(), st.integers(2500, 4300)),
)


def improvements(machine: StageMachine, signal: list[Known], pace: float) -> list[float]:
    times = (n * pace for n in range(len(signal)))
    return [t for t, known in zip(times, signal, strict=True) if (c := machine.step(known, t)) and c.new < c.old]


@given(st.lists(readings, max_size=200), st.floats(0.2, 60))
def test_inv_10_2_at_most_one_better_stage_in_five_minutes(signal: list[Known], pace: float) -> None:
    better = improvements(StageMachine(LIMITS, stage=Stage.CRITICAL), signal, pace)
    assert all(later - earlier >= 300 for earlier, later in pairwise(better))


def test_inv_10_2_control_without_the_hold_the_same_signal_flaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "LEAVE", 0.0)
    better = improvements(StageMachine(LIMITS, stage=Stage.CRITICAL), [Known(mains=True)] * 5, 1.0)
    assert any(later - earlier < 300 for earlier, later in pairwise(better))


@given(st.lists(readings, min_size=1, max_size=100), readings)
def test_inv_10_2_one_sample_never_stops_the_hub(calm: list[Known], shock: Known) -> None:
    machine = StageMachine(LIMITS)
    at = 0.0
    for known in calm:
        machine.step(Known(mains=known.mains, charge=900, minutes=300, cell_mv=3900), at)
        at += 1
    assert machine.stage is Stage.NORMAL
    machine.step(shock, at)
    machine.step(Known(mains=False, charge=900, minutes=300, cell_mv=3900), at + 1)
    assert machine.stage is Stage.NORMAL


def test_runtime_is_the_worse_of_plan_and_gauge() -> None:
    assert runtime_minutes(charge=1000, rate_permille_per_hour=None, capacity_wh=20, load_w=6) == 144
    assert runtime_minutes(charge=1000, rate_permille_per_hour=-1000, capacity_wh=20, load_w=6) == 60
    assert runtime_minutes(charge=None, rate_permille_per_hour=-10, capacity_wh=20, load_w=6) is None
