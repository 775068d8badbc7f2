"""Energy and time left: the arithmetic on made-up cells, and the judgement on discharges of real ones."""

from __future__ import annotations

import csv
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.learning import KEPT, Discharge, Known, Sample, discharged, median_error

DATA = Path(__file__).parent / "data" / "ups"
HOUR = 3600
ENDING = 5
"""Minutes before the end in which a relative error says nothing."""
NASA_MWH, HUB_MWH = 7400.0, 20_000.0
"""What the label of NASA's cells promises (2 Ah at 3.7 V), and the configuration's default for a pack."""
CUTOFF_MV = 3200
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
    known = Known().learnt(discharged(first))
    now = Discharge()
    for sample in first[: len(first) // 2]:
        now.add(sample)
    left = now.left(known, cutoff_mv=CUTOFF_MV)
    assert left is not None
    assert left.minutes == pytest.approx((first[-1].at - first[len(first) // 2].at) / 60, rel=0.05)
    assert left.minutes_within == 0, "one discharge has nothing to disagree with"


def test_half_the_load_is_twice_the_time() -> None:
    known = Known().learnt(discharged(drained(hub())))
    gentle = hub()
    gentle.load_w = 3.0
    samples = drained(gentle)
    left = discharged(samples[:60]).left(known, cutoff_mv=CUTOFF_MV)
    assert left is not None
    assert left.minutes == pytest.approx((samples[-1].at - samples[59].at) / 60, rel=0.15)


def test_cells_that_differ_widen_the_estimate() -> None:
    known = Known()
    for capacity in (6000.0, 5000.0):
        known = known.learnt(discharged(drained(hub(capacity_mah=capacity))))
    left = discharged(drained(hub())[:60]).left(known, cutoff_mv=CUTOFF_MV)
    assert left is not None
    assert left.mwh_within > 0.03 * left.mwh


def test_the_voltage_corrects_the_count_of_a_cell_that_has_aged() -> None:
    known = Known().learnt(discharged(drained(hub())))
    aged = drained(hub(capacity_mah=4500.0))
    late = len(aged) * 3 // 4
    left = discharged(aged[:late]).left(known, cutoff_mv=CUTOFF_MV)
    assert left is not None
    truth = (aged[-1].at - aged[late - 1].at) / 60
    counted = (drained(hub())[-1].at - aged[late - 1].at) / 60
    assert abs(left.minutes - truth) < 0.7 * abs(counted - truth)


def test_the_resistance_is_found_in_the_loads_steps() -> None:
    battery, now = hub(resistance_ohm=0.1), Discharge()
    for minute in range(60):
        battery.load_w = 9.0 if minute % 2 else 4.0
        now.add(Sample(minute * 60, battery.cell_mv, -battery.current_a * 1000))
        battery.step(60)
    assert now.resistance_ohm == pytest.approx(0.1, rel=0.1)


def test_nothing_is_said_before_there_is_something_to_say() -> None:
    assert Discharge().left(Known(), cutoff_mv=CUTOFF_MV) is None
    assert discharged(drained(hub())[:2]).left(Known(), cutoff_mv=CUTOFF_MV) is None


def test_only_the_latest_discharges_are_kept() -> None:
    known = Known()
    for _ in range(KEPT + 2):
        known = known.learnt(discharged(drained(hub(), step=600)))
    assert len(known.curves) == KEPT
    assert Known().learnt(Discharge()) == Known()


samples = st.builds(Sample, at=st.floats(0, 1e6), cell_mv=st.floats(0, 6000), drain_ma=st.floats(0, 20_000))


@given(st.lists(samples, max_size=30), st.lists(samples, max_size=30))
def test_any_samples_give_a_finite_estimate_or_none(earlier: list[Sample], present: list[Sample]) -> None:
    known = Known().learnt(discharged(earlier))
    left = discharged(present).left(known, cutoff_mv=CUTOFF_MV)
    assert left is None or (left.mwh >= 0 and left.mwh_within >= 0 and left.minutes >= 0)


# Real cells


def discharges(name: str) -> list[list[Sample]]:
    """Each from its first sample to the last under load."""
    found: dict[str, list[Sample]] = {}
    with lzma.open(DATA / name, "rt") as rows:
        for row in csv.DictReader(rows):
            found.setdefault(row.get("discharge", "1"), []).append(_sample(row))
    return [samples[: _loaded(samples)] for samples in found.values()]


def _sample(row: dict[str, str]) -> Sample:
    cell_mv = float(row["cell_mv"])
    drain = float(row["power_mw"]) / cell_mv * 1000 if "power_mw" in row else -float(row["current_ma"])
    return Sample(float(row["t_s"]), cell_mv, max(drain, 0.0))


def _loaded(samples: list[Sample]) -> int:
    return max(i for i, sample in enumerate(samples) if sample.drain_ma > 100) + 1


def linear(capacity_mwh: float) -> Rule:
    """Charge by the voltage between two marks, times the capacity on the label, over the present load."""

    def rule(sample: Sample, _: float) -> float:
        charge = min(max((sample.cell_mv - EMPTY_MV) / (FULL_MV - EMPTY_MV), 0), 1)
        return charge * capacity_mwh / (sample.cell_mv * sample.drain_ma / 1000) * 60

    return rule


def fixed(capacity_mwh: float, power_mw: float) -> Rule:
    """The capacity on the label over the mean load, less the time since the start."""
    return lambda _, elapsed: max(capacity_mwh / power_mw * 60 - elapsed / 60, 0)


def errors(name: str, capacity_mwh: float, *, after: float) -> Iterator[tuple[float, float, float]]:
    """For each discharge the median errors of what was learnt before it, of the linear and of the fixed rule."""
    known = Known()
    whole = discharges(name)
    for samples in whole:
        now = Discharge()
        rules = (linear(capacity_mwh), fixed(capacity_mwh, _mean_power(samples)))
        pairs: tuple[list[tuple[float, float]], ...] = ([], [], [])
        for sample in samples:
            now.add(sample)
            elapsed, truth = sample.at - samples[0].at, (samples[-1].at - sample.at) / 60
            left = now.left(known, cutoff_mv=CUTOFF_MV)
            if elapsed < after or truth < ENDING or left is None or sample.drain_ma < 100:
                continue
            pairs[0].append((left.minutes, truth))
            for found, rule in zip(pairs[1:], rules, strict=True):
                found.append((rule(sample, elapsed), truth))
        if pairs[0] and (known.curves or len(whole) == 1):
            yield median_error(pairs[0]), median_error(pairs[1]), median_error(pairs[2])
        known = known.learnt(now)


def _mean_power(samples: list[Sample]) -> float:
    return sum(s.cell_mv * s.drain_ma / 1000 for s in samples) / len(samples)


CASES = {
    "NASA B0047, 1 A at 4 °C, after 1 h": ("nasa_b0047.csv.xz", NASA_MWH, HOUR),
    "NASA B0047, 1 A at 4 °C, after 10 min": ("nasa_b0047.csv.xz", NASA_MWH, HOUR / 6),
    "NASA B0025, 4 A pulses, after 10 min": ("nasa_b0025.csv.xz", NASA_MWH, HOUR / 6),
    "Pi 4 on UPSPlus, its first, after 1 h": ("upsplus_ep0136.csv.xz", HUB_MWH, HOUR),
}


@pytest.mark.proof
def test_table_of_errors_on_real_cells(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{'error of the time left, median (worst discharge)':50} n   {'learnt':>12} {'linear':>14} {'fixed':>14}"]
    figures = {}
    for case, (name, capacity, after) in CASES.items():
        found = list(errors(name, capacity, after=after))
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
    found = list(errors("nasa_b0025.csv.xz", NASA_MWH, after=HOUR / 6))
    assert len(found) == 11
    assert median(learnt for learnt, *_ in found) <= 0.15
