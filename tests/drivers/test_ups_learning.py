"""Energy and time left: the arithmetic on made-up cells, and the judgement on discharges of real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.real_cells import B0025, B0047, PI, discharges
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.curves import LI_FE_PO4
from holdfast_drivers.ups.discharge import POINTS, Discharge, Sample, discharged
from holdfast_drivers.ups.learning import KEPT, SURE, Known, Pack, left, median_error

HOUR = 3600
ENDING = 5
"""Minutes before the end in which a relative error says nothing."""
NASA_MWH, HUB_MWH = 7400.0, 20_000.0
"""What the label of NASA's cells promises (2 Ah at 3.7 V), and the configuration's default for a pack."""
CUTOFF_MV = 3200
HUB = Pack(HUB_MWH, CUTOFF_MV)
EMPTY_MV, FULL_MV = 3000, 4200
"""The ends of the linear rule, as NUT's driver for the INA219 has it."""

Rule = Callable[[Sample, float], float]


def drained(battery: Battery, *, step: float = 30.0, until_mv: float = 3200) -> list[Sample]:
    samples, at = [], 0.0
    while battery.cell_mv > until_mv and at < 100_000:
        samples.append(Sample(at, battery.cell_mv, -battery.current_a * 1000))
        battery.step(step)
        at += step
    return samples


def hub(**changes: float) -> Battery:
    return Battery(mains=False, load_w=6.0, charge=0.98, **changes)  # type: ignore[arg-type]  # all changed are floats


# The arithmetic


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


def test_the_middle_of_a_lifepo4_pack_is_counted_not_read() -> None:
    pack = Pack(20_000, 3000, LI_FE_PO4)
    sample = Sample(0, 3260, 1000)
    used = discharged(replace(sample, at=at) for at in range(0, 3600, 60))
    higher = discharged(replace(sample, at=at, cell_mv=3260 if at < 1800 else 3300) for at in range(0, 3600, 60))
    there, elsewhere = left(used, Known(), pack), left(higher, Known(), pack)
    assert there is not None
    assert elsewhere is not None
    assert elsewhere.mwh == pytest.approx(there.mwh, rel=0.02), "a voltage between says nothing"


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


# Real cells


def linear(capacity_mwh: float) -> Rule:
    """Charge by the voltage between two marks, times the capacity on the label, over the present load."""

    def rule(sample: Sample, _: float) -> float:
        charge = min(max((sample.cell_mv - EMPTY_MV) / (FULL_MV - EMPTY_MV), 0), 1)
        return charge * capacity_mwh / (sample.cell_mv * sample.drain_ma / 1000) * 60

    return rule


def fixed(capacity_mwh: float, power_mw: float) -> Rule:
    """The capacity on the label over the mean load, less the time since the start."""
    return lambda _, elapsed: max(capacity_mwh / power_mw * 60 - elapsed / 60, 0)


def errors(name: str, capacity_mwh: float, cutoff_mv: float, *, after: float) -> Iterator[tuple[float, float, float]]:
    """For each discharge the median errors of what was learnt before it, of the linear and of the fixed rule."""
    known, pack = Known(), Pack(capacity_mwh, cutoff_mv)
    whole = discharges(name)
    for samples in whole:
        now = Discharge()
        rules = (linear(capacity_mwh), fixed(capacity_mwh, _mean_power(samples)))
        pairs: tuple[list[tuple[float, float]], ...] = ([], [], [])
        for sample in samples:
            now.add(sample)
            elapsed, truth = sample.at - samples[0].at, (samples[-1].at - sample.at) / 60
            found = left(now, known, pack)
            if elapsed < after or truth < ENDING or found is None or sample.drain_ma < 100:
                continue
            pairs[0].append((found.minutes, truth))
            for column, rule in zip(pairs[1:], rules, strict=True):
                column.append((rule(sample, elapsed), truth))
        if pairs[0] and (known.finished or len(whole) == 1):
            yield median_error(pairs[0]), median_error(pairs[1]), median_error(pairs[2])
        known = known.learnt(now.curve())


def _mean_power(samples: list[Sample]) -> float:
    return sum(s.cell_mv * s.drain_ma / 1000 for s in samples) / len(samples)


CASES = {
    "NASA B0047, 1 A at 4 °C, after 1 h": (B0047, NASA_MWH, 2500, HOUR),
    "NASA B0047, 1 A at 4 °C, after 10 min": (B0047, NASA_MWH, 2500, HOUR / 6),
    "NASA B0025, 4 A pulses, after 10 min": (B0025, NASA_MWH, 2000, HOUR / 6),
    "Pi 4 on UPSPlus, its first, after 1 h": (PI, HUB_MWH, CUTOFF_MV, HOUR),
}


@pytest.mark.proof
def test_table_of_errors_on_real_cells(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{'error of the time left, median (worst discharge)':50} n   {'learnt':>12} {'linear':>14} {'fixed':>14}"]
    figures = {}
    for case, (name, capacity, cutoff_mv, after) in CASES.items():
        found = list(errors(name, capacity, cutoff_mv, after=after))
        columns = [(median(column), max(column)) for column in zip(*found, strict=True)]
        figures[case] = columns
        shown = " ".join(f"{100 * middle:5.1f} ({100 * worst:5.1f})" for middle, worst in columns)
        lines.append(f"{case:50} {len(found):2}  {shown}")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    nasa = [columns for case, columns in figures.items() if case.startswith("NASA")]
    assert all(learnt[0] <= 0.15 for learnt, *_ in nasa)
    assert all(learnt[0] < min(rule[0] for rule in rules) / 2 for learnt, *rules in nasa)


def test_the_first_discharges_of_a_pulsed_cell_teach_the_next() -> None:
    found = list(errors(B0025, NASA_MWH, 2000, after=HOUR / 6))
    assert len(found) == 11
    assert median(learnt for learnt, *_ in found) <= 0.15
