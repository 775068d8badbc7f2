"""What a hub believes of its battery: on mains, on battery, and while it hears nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.ups import filter as filter_module
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.filter import PowerFilter, PowerView
from holdfast_drivers.ups.judgement import GAP, Judge, Judged
from holdfast_drivers.ups.learning import Pack
from holdfast_drivers.values import PowerReading, Tri

PACK = Pack(22_000, 3200)
ON_BATTERY = PowerView(stale=False, cell_mv=3900, charge_permille=700, mains=Tri.NO, power_mw=-6000, temperature_dc=250)


def judge(pack: Pack = PACK) -> Judge:
    return Judge(pack, planned_mw=5000)


def held(judge: Judge, view: PowerView, *, start: float = 0, seconds: int = 60) -> Judged:
    return [judge.step(view, start + n) for n in range(seconds)][-1]


def test_on_battery_the_measured_draw_counts() -> None:
    judged = held(judge(), ON_BATTERY)
    assert (judged.draw_mw, judged.temperature_dc, judged.charge_by) == (6000, 250, "gauge")
    assert judged.minutes_left is not None
    assert judged.minutes_within is not None
    assert 0 < judged.minutes_within < judged.minutes_left


def test_without_a_current_sensor_the_plan_counts_and_no_draw_is_claimed() -> None:
    blind = replace(ON_BATTERY, power_mw=None)
    planned = held(judge(), blind)
    assert planned.draw_mw is None
    assert planned.minutes_left is not None
    hurried = held(judge(), replace(blind, rate_permille_per_hour=-600))
    assert hurried.minutes_left is not None
    assert hurried.minutes_left < planned.minutes_left, "the gauge's rate is the worse word"


def test_on_mains_it_says_what_would_be_left() -> None:
    ours = judge()
    on_battery = held(ours, ON_BATTERY)
    on_mains = held(ours, replace(ON_BATTERY, mains=Tri.YES, power_mw=9000), start=60)
    assert on_mains.draw_mw == on_battery.draw_mw == 6000, "what flows into the battery is no load"
    assert on_mains.minutes_left == pytest.approx(0.7 * 22_000 / 6000 * 60, rel=0.01)
    assert ours.discharge is None


def test_a_ups_own_word_on_the_time_left_counts() -> None:
    judged = held(judge(), replace(ON_BATTERY, minutes_left=17))
    assert (judged.minutes_left, judged.minutes_within) == (17, None)


def test_while_nothing_is_heard_on_battery_the_minutes_go_by_and_the_doubt_grows() -> None:
    ours = judge()
    heard = held(ours, ON_BATTERY)
    later = ours.step(PowerView(age=600.0), 59 + 600)
    assert heard.minutes_left is not None
    assert heard.minutes_within is not None
    assert later.minutes_left == heard.minutes_left - 10
    assert later.minutes_within == heard.minutes_within + 5
    assert ours.step(PowerView(age=9e6), 9e6).minutes_left == 0


def test_while_nothing_is_heard_on_mains_the_last_word_is_assumed() -> None:
    ours = judge()
    heard = held(ours, replace(ON_BATTERY, mains=Tri.YES))
    assert ours.step(PowerView(age=900.0), 59 + 900) == heard


def test_a_jump_of_the_gauge_leaves_the_model_to_say_the_charge() -> None:
    ours = judge()
    before = held(ours, ON_BATTERY)
    jumped = held(ours, replace(ON_BATTERY, charge_permille=0, jumped=True), start=60)
    assert jumped.charge_by == "model"
    assert jumped.charge_permille == pytest.approx(700, abs=50)
    assert before.minutes_left is not None
    assert jumped.minutes_left == pytest.approx(before.minutes_left, rel=0.1)


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (PowerView(), "silent"),
        (PowerView(stale=False, mains=Tri.NO), "settling"),
        (PowerView(stale=False, mains=Tri.YES, cell_mv=3900), "no_charge"),
    ],
)
def test_what_is_unknown_says_why(view: PowerView, why: str) -> None:
    judged = judge().step(view, 0)
    assert (judged.minutes_left, judged.why) == (None, why)


def test_a_long_silence_begins_another_discharge() -> None:
    ours = judge()
    held(ours, ON_BATTERY)
    first = ours.discharge
    ours.step(ON_BATTERY, 60 + GAP / 2)
    assert ours.discharge is first
    ours.step(ON_BATTERY, 61 + 2 * GAP)
    assert ours.discharge is not first


odd = st.builds(
    PowerReading,
    at=st.just(0.0),
    cell_mv=st.none() | st.integers(2500, 4500),
    charge_permille=st.none() | st.integers(0, 1000),
    mains=st.sampled_from(Tri),
    power_mw=st.none() | st.integers(-60_000, 60_000),
    temperature_dc=st.none() | st.integers(-400, 900),
)


def test_a_ups_that_tells_no_voltage_is_judged_by_its_charge() -> None:
    ours = judge()
    for second in range(3600):
        view = PowerView(stale=False, charge_permille=900 - second // 12, mains=Tri.NO)
        judged = ours.step(view, second)
    assert judged.minutes_left == pytest.approx(120, abs=12), "300 of 900 permille took an hour"
    ours.step(PowerView(stale=False, charge_permille=600, mains=Tri.YES), 3600)
    assert ours.ended is not None
    assert not ours.ended.deep


def test_a_gauge_that_is_lost_while_the_mains_line_lives_is_a_silence() -> None:
    ours = judge()
    heard = held(ours, ON_BATTERY)
    later = ours.step(PowerView(stale=False, age=1.0, mains=Tri.NO), 59 + 300)
    assert heard.minutes_left is not None
    assert later.minutes_left == heard.minutes_left - 5


@given(bad=odd, at=st.integers(20, 50))
def test_inv_10_2_one_sample_changes_no_belief(bad: PowerReading, at: int) -> None:
    _shake(bad, at)


def test_inv_10_2_control_without_the_median_one_sample_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_module, "SAMPLES", 1)
    with pytest.raises(AssertionError):
        _shake(PowerReading(0, cell_mv=2500, charge_permille=0, mains=Tri.NO, power_mw=-60_000), 30)


def _shake(bad: PowerReading, at: int) -> None:
    """A discharge with one sample replaced says what it says without."""
    calm, shaken = judge(), judge()
    filters = PowerFilter(), PowerFilter()
    battery = Battery(mains=False, load_w=6.0, charge=0.8)
    for now in range(60):
        charge, mv = round(battery.charge * 1000), round(battery.cell_mv)
        power = round(battery.current_a * battery.cell_mv)
        good = PowerReading(now, cell_mv=mv, charge_permille=charge, mains=Tri.NO, power_mw=power, temperature_dc=200)
        views = []
        for taken, ours in zip(filters, (calm, shaken), strict=True):
            taken.add(replace(bad, at=now) if ours is shaken and now == at else good)
            views.append(ours.step(taken.view(now), now))
        battery.step(1)
        one, other = views
        if now > at + 3 and one.minutes_left is not None and other.minutes_left is not None:
            assert abs(one.minutes_left - other.minutes_left) <= max(2, 0.03 * one.minutes_left)
    assert one.charge_permille is not None
    assert other.charge_permille is not None
    assert abs(one.charge_permille - other.charge_permille) <= 10
