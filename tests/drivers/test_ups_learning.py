"""Energy and time left: the arithmetic, on made-up cells. Its error on real ones: test_battery_errors.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.curves import LI_FE_PO4
from holdfast_drivers.ups.discharge import POINTS, Discharge, Sample, discharged
from holdfast_drivers.ups.learning import KEPT, SURE, Known, Pack, left

HUB_MWH = 20_000.0
CUTOFF_MV = 3200
HUB = Pack(HUB_MWH, CUTOFF_MV)


def drained(battery: Battery, *, step: float = 30.0, until_mv: float = 3200) -> list[Sample]:
    samples, at = [], 0.0
    while battery.cell_mv > until_mv and at < 100_000:
        samples.append(Sample(at, battery.cell_mv, -battery.current_a * 1000))
        battery.step(step)
        at += step
    return samples


def hub(**changes: float) -> Battery:
    return Battery(mains=False, load_w=6.0, charge=0.98, **changes)  # type: ignore[arg-type]  # all changed are floats


def test_a_second_discharge_of_the_same_cell_is_foreseen() -> None:
    first = drained(hub())
    known = Known().learnt(discharged(first).curve())
    now = Discharge()
    for sample in first[: len(first) // 2]:
        now.add(sample)
    found = left(now, known, HUB)
    assert found is not None
    assert found.minutes == pytest.approx((first[-1].at - first[len(first) // 2].at) / 60, rel=0.05)
    assert found.minutes_within == pytest.approx(SURE * found.minutes, rel=0.2), "counting and voltage agree"


def test_half_the_load_is_twice_the_time() -> None:
    known = Known().learnt(discharged(drained(hub())).curve())
    gentle = hub()
    gentle.load_w = 3.0
    samples = drained(gentle)
    found = left(discharged(samples[:60]), known, HUB)
    assert found is not None
    assert found.minutes == pytest.approx((samples[-1].at - samples[59].at) / 60, rel=0.15)


def test_cells_that_differ_widen_the_estimate() -> None:
    alike = Known().learnt(discharged(drained(hub())).curve()).learnt(discharged(drained(hub())).curve())
    apart = (
        Known().learnt(discharged(drained(hub())).curve()).learnt(discharged(drained(hub(capacity_mah=4000.0))).curve())
    )
    now = discharged(drained(hub())[:60])
    narrow, wide = left(now, alike, HUB), left(now, apart, HUB)
    assert narrow is not None
    assert wide is not None
    assert wide.mwh_within > 1.5 * narrow.mwh_within


def test_a_cold_pack_is_judged_by_a_warm_ones_discharge() -> None:
    warm = Known().learnt(discharged(drained(hub())).curve(), 25.0)
    cold = drained(hub(temperature_c=0.0))
    now, unknowing = discharged(cold[:60]), discharged(cold[:60])
    now.celsius = 0.0
    found, blind = left(now, warm, HUB), left(unknowing, warm, HUB)
    truth = (cold[-1].at - cold[59].at) / 60
    assert found is not None
    assert blind is not None
    assert found.minutes == pytest.approx(truth, rel=0.1)
    assert blind.minutes > 1.15 * truth


def test_a_gauge_of_its_own_counts_on_a_first_discharge_as_far_as_the_curves_allow() -> None:
    whole = drained(hub())
    seen = whole[: len(whole) * 2 // 3]
    truth = (whole[-1].at - seen[-1].at) / 60

    def told(charge: Callable[[float], float | None]) -> float:
        now = discharged(replace(sample, charge=charge(i / len(whole))) for i, sample in enumerate(seen))
        found = left(now, Known(), HUB)
        assert found is not None
        return found.minutes

    assert told(lambda gone: 0.98 * (1 - gone)) == pytest.approx(truth, rel=0.1)
    assert abs(told(lambda _: None) - truth) > 0.1 * truth, "what the curves alone would have said"
    assert told(lambda gone: 0.98 - 0.1 * gone) < 5 * truth, "no further than the curves allow"


@pytest.mark.parametrize("experienced", [False, True])
def test_the_middle_of_a_lifepo4_pack_is_counted_not_read(experienced: bool) -> None:
    """The same load for an hour, at a voltage that stays and at one that falls over half of the published curve."""
    pack, known = Pack(20_000, 3000, LI_FE_PO4), Known()
    if experienced:
        whole = [Sample(at, 3320 - at / 400, 1000) for at in range(0, 21_600, 60)]
        known = known.learnt(discharged([*whole, Sample(22_000, 3000, 1000)]).curve())
    hour = range(0, 3600, 60)
    stays = left(discharged(Sample(at, 3320, 1000) for at in hour), known, pack)
    falls = left(discharged(Sample(at, 3320 - at / 60, 1000) for at in hour), known, pack)
    assert stays is not None
    assert falls is not None
    assert falls.mwh == pytest.approx(stays.mwh, rel=0.02)
    assert falls.mwh_within == pytest.approx(stays.mwh_within, rel=0.02)


def test_what_a_discharge_remembers_is_bounded() -> None:
    now = Discharge()
    for at in range(20_000):
        now.add(Sample(at, 4200 - at / 20, 1500))
    assert len(now.track) <= 2 * POINTS + 1
    assert len(now.curve()) > POINTS / 2
    assert now.curve()[0][1] == 0
    assert now.curve()[-1][1] == pytest.approx(now.used_mwh, rel=0.01)


def test_the_voltage_corrects_the_count_of_a_cell_that_has_aged() -> None:
    known = Known().learnt(discharged(drained(hub())).curve())
    aged = drained(hub(capacity_mah=4500.0))
    late = len(aged) * 3 // 4
    found = left(discharged(aged[:late]), known, HUB)
    assert found is not None
    truth = (aged[-1].at - aged[late - 1].at) / 60
    counted = (drained(hub())[-1].at - aged[late - 1].at) / 60
    assert abs(found.minutes - truth) < 0.7 * abs(counted - truth)


def test_the_resistance_is_found_in_the_loads_steps() -> None:
    battery, now = hub(resistance_ohm=0.1), Discharge()
    for minute in range(60):
        battery.load_w = 9.0 if minute % 2 else 4.0
        now.add(Sample(minute * 60, battery.cell_mv, -battery.current_a * 1000))
        battery.step(60)
    assert now.resistance_ohm == pytest.approx(0.1, rel=0.1)


def test_two_wrong_samples_in_a_row_are_no_step_of_the_load() -> None:
    """A drain is reckoned from power and voltage: a wrong voltage makes it look like a step, of an impossible pack."""
    battery, now = hub(resistance_ohm=0.1), Discharge()
    for second in range(300):
        mv = 2510.0 if second in (200, 201) else battery.cell_mv
        now.add(Sample(second, mv, 6_700_000 / mv))
        battery.step(1)
    assert now.resistance_ohm < 0.2
    assert now.rest_mv > battery.cell_mv - 60


def test_nothing_is_said_before_there_is_something_to_say() -> None:
    assert left(Discharge(), Known(), HUB) is None
    assert left(discharged([Sample(0, 4000, 0.0), Sample(9, 4000, 0.0)]), Known(), HUB) is None, "nothing is drawn"


def test_only_the_latest_discharges_are_kept() -> None:
    known = Known()
    for _ in range(KEPT + 2):
        known = known.learnt(discharged(drained(hub(), step=600)).curve())
    assert len(known.finished) == KEPT
    assert Known().learnt(Discharge().curve()) == Known()


samples = st.builds(Sample, at=st.floats(0, 1e6), cell_mv=st.floats(0, 6000), drain_ma=st.floats(0, 20_000))


@given(st.lists(samples, max_size=30), st.lists(samples, max_size=30))
def test_any_samples_give_a_finite_estimate_or_none(earlier: list[Sample], present: list[Sample]) -> None:
    known = Known().learnt(discharged(earlier).curve())
    found = left(discharged(present), known, HUB)
    assert found is None or (found.mwh >= 0 and found.mwh_within >= 0 and found.minutes >= 0)
