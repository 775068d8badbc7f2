"""A test of the battery, from its asking to its verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.ups.ending import Ended
from holdfast_drivers.ups.judgement import Judged
from holdfast_drivers.ups.selftest import EVERY_MS, LASTS, PATIENCE, Phase, SelfTest, is_due, is_test, passed
from holdfast_drivers.values import Tri

FINE = Judged(Tri.YES, charge_permille=980, minutes_left=180)
ON_BATTERY = replace(FINE, mains=Tri.NO)
TEN_MINUTES = Ended(600, 1000, 980, 930, 170, deep=False)


def test_a_person_is_led_through_it() -> None:
    test = SelfTest()
    test.ask("person", 0)
    test.step(FINE, 100)
    assert test.phase is Phase.WAITING
    test.step(ON_BATTERY, 101)
    assert test.phase is Phase.RUNNING
    test.step(ON_BATTERY, 100 + LASTS)
    assert test.phase is Phase.RUNNING
    test.step(ON_BATTERY, 101 + LASTS)
    assert test.phase is Phase.RETURNING
    test.over(TEN_MINUTES, 800)
    assert (test.phase, test.verdict) == (Phase.IDLE, "passed")


def test_nobody_who_pulls_the_plug_is_no_test() -> None:
    test = SelfTest()
    test.ask("person", 0)
    test.step(FINE, PATIENCE)
    assert (test.phase, test.verdict) == (Phase.IDLE, "given_up")


def test_a_plug_put_back_at_once_is_no_test() -> None:
    test = SelfTest()
    test.ask("person", 0)
    test.step(ON_BATTERY, 1)
    test.over(replace(TEN_MINUTES, seconds=30, left_permille=999), 31)
    assert (test.phase, test.verdict) == (Phase.IDLE, "given_up")


def test_mains_that_are_back_without_a_discharge_end_it() -> None:
    test = SelfTest()
    test.ask("person", 0)
    test.step(ON_BATTERY, 1)
    test.step(FINE, 2)
    assert (test.phase, test.verdict) == (Phase.IDLE, "given_up")


@pytest.mark.parametrize("low", [{"charge_permille": 650}, {"minutes_left": 20}])
def test_a_battery_that_falls_fast_is_spared(low: dict[str, int]) -> None:
    test = SelfTest()
    test.ask("person", 0)
    test.step(ON_BATTERY, 1)
    test.step(replace(ON_BATTERY, **low), 60)
    assert test.phase is Phase.RETURNING


def test_the_verdict_is_about_the_minutes_the_critical_stage_needs() -> None:
    assert passed(TEN_MINUTES)
    assert not passed(replace(TEN_MINUTES, minutes_left=15))
    assert passed(replace(TEN_MINUTES, minutes_left=15, start_permille=400)), "it did not begin full"


def test_an_outage_counts_when_it_is_long_or_deep_enough() -> None:
    assert is_test(TEN_MINUTES)
    assert is_test(replace(TEN_MINUTES, seconds=60, left_permille=900)), "deep"
    assert not is_test(replace(TEN_MINUTES, seconds=20, left_permille=999)), "a generator swap"


def test_a_week_makes_it_due() -> None:
    assert not is_due(EVERY_MS, last_ms=1)
    assert is_due(EVERY_MS + 1, last_ms=1)
    assert not is_due(EVERY_MS * 9, last_ms=0), "nobody knows when the last was"


moments = st.builds(
    Judged,
    mains=st.sampled_from(Tri),
    charge_permille=st.none() | st.integers(0, 1000),
    minutes_left=st.none() | st.integers(0, 999),
)


@given(st.lists(st.tuples(moments, st.floats(0, 200), st.booleans()), max_size=60))
def test_whatever_happens_it_never_runs_without_being_asked_and_comes_to_rest(
    story: list[tuple[Judged, float, bool]],
) -> None:
    idle, asked, now = SelfTest(), SelfTest(), 0.0
    asked.ask("person", 0)
    for judged, seconds, ends in story:
        now += seconds
        for test in (idle, asked):
            test.step(judged, now)
            if ends:
                test.over(TEN_MINUTES, now)
        assert idle.phase is Phase.IDLE
    asked.step(replace(FINE, mains=Tri.YES), now + PATIENCE)
    asked.over(TEN_MINUTES, now + PATIENCE)
    assert asked.phase is Phase.IDLE
