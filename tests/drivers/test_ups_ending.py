"""What a discharge teaches when it has ended, and what it must not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.discharge import Discharge, Sample
from holdfast_drivers.ups.ending import FROM, concluded, health_permille
from holdfast_drivers.ups.learning import Known, Pack, left, size_mwh
from real_cells import B0025, B0047, discharges

LABEL_MWH = 22_000.0
PACK = Pack(LABEL_MWH, 3200)


def drained(battery: Battery, until: Callable[[Battery, Discharge], bool]) -> Discharge:
    made, at = Discharge(), 0.0
    while battery.cell_mv > 3200:
        made.add(Sample(at, battery.cell_mv, -battery.current_a * 1000))
        if until(battery, made):
            break
        battery.step(30)
        at += 30
    return made


def hub(**changes: float) -> Battery:
    return Battery(mains=False, **{"load_w": 6.0, "charge": 0.98, **changes})  # type: ignore[arg-type]  # all floats


def to_the_end(battery: Battery) -> Discharge:
    return drained(battery, lambda *_: False)


def test_a_discharge_to_the_end_gives_its_curve() -> None:
    whole = to_the_end(hub())
    ended, known = concluded(whole, Known(), PACK, cut=True)
    assert ended.deep
    assert ended.left_permille < 50
    assert size_mwh(known, PACK, None) == pytest.approx(whole.used_mwh, rel=0.01)


def test_a_cut_by_hand_at_a_high_voltage_gives_none() -> None:
    ended, known = concluded(drained(hub(), lambda b, _: b.charge < 0.6), Known(), PACK, cut=True)
    assert not ended.deep
    assert not known.finished


def test_a_discharge_that_began_low_gives_none() -> None:
    ended, known = concluded(to_the_end(hub(charge=FROM - 0.3)), Known(), PACK, cut=True)
    assert ended.left_permille == pytest.approx(0, abs=80)
    assert not ended.deep
    assert not known.finished


def test_mains_that_come_back_early_teach_nothing() -> None:
    _, known = concluded(drained(hub(), lambda b, _: b.charge < 0.9), Known(), PACK, cut=False)
    assert known == Known()


def test_a_stop_in_order_is_not_learnt_shorter_each_time() -> None:
    """Every discharge ends eight minutes before the modelled cut, as stage S4 has it."""
    known, truth = Known(), to_the_end(hub()).used_mwh
    for _ in range(20):
        made = drained(hub(), lambda _, now: _minutes(now, known) <= 8)  # noqa: B023 - called within the turn
        ended, known = concluded(made, known, PACK, cut=False)
        assert ended.deep
    assert size_mwh(known, PACK, None) == pytest.approx(truth, rel=0.1)


def test_control_a_stop_taken_for_the_end_is_learnt_shorter_each_time() -> None:
    known, truth = Known(), to_the_end(hub()).used_mwh
    for _ in range(20):
        made = drained(hub(), lambda _, now: _minutes(now, known) <= 8)  # noqa: B023 - called within the turn
        known = known.learnt(made.curve())
    assert size_mwh(known, PACK, None) < 0.8 * truth


def _minutes(now: Discharge, known: Known) -> float:
    found = left(now, known, PACK)
    return 999.0 if found is None else found.minutes


def test_part_of_a_discharge_corrects_a_wrong_label() -> None:
    wrong = replace(PACK, label_mwh=40_000.0)
    _, known = concluded(drained(hub(), lambda b, _: b.charge < 0.5), Known(), wrong, cut=False)
    assert known.size_mwh == pytest.approx(LABEL_MWH, rel=0.2)
    whole = to_the_end(hub())
    early = drained(hub(), lambda b, _: b.charge < 0.965)
    truth = (whole.elapsed - early.elapsed) / 60
    blind, taught = left(early, Known(), wrong), left(early, known, wrong)
    assert blind is not None
    assert taught is not None
    assert abs(taught.minutes - truth) < 0.5 * abs(blind.minutes - truth)


def test_health_needs_two_discharges_with_a_measured_load() -> None:
    known = Known()
    for n in range(2):
        assert health_permille(known, PACK) is None
        _, known = concluded(to_the_end(hub(capacity_mah=4800.0, charge=1.0)), known, PACK, cut=True)
        assert len(known.capacities_mwh) == n + 1
    assert health_permille(known, PACK) == pytest.approx(800, abs=40), "4800 of 6000 mAh"
    planned = to_the_end(hub())
    planned.measured = False
    assert concluded(planned, Known(), PACK, cut=True)[1].capacities_mwh == ()


def test_the_cold_is_no_wear() -> None:
    known = Known()
    for _ in range(2):
        cold = to_the_end(hub(temperature_c=0.0, charge=1.0))
        cold.celsius = 0.0
        _, known = concluded(cold, known, PACK, cut=True)
    assert health_permille(known, PACK) == pytest.approx(1000, abs=50)


@pytest.mark.parametrize(("name", "cutoff_mv", "celsius", "first", "last"), [
    (B0047, 2500, 4.0, 900, 650),
    (B0025, 2000, 24.0, 850, 850),
])  # fmt: skip
def test_the_wear_of_a_real_cell_is_seen(name: str, cutoff_mv: int, celsius: float, first: int, last: int) -> None:
    """B0047 was worn out by its discharges; B0025's twelve left it as it was."""
    pack, known, seen = Pack(7400, cutoff_mv), Known(), []
    for samples in discharges(name):
        now = Discharge(celsius=celsius)
        for sample in samples:
            now.add(sample)
        _, known = concluded(now, known, pack, cut=True)
        if (health := health_permille(known, pack)) is not None:
            seen.append(health)
    assert seen[0] == pytest.approx(first, abs=100)
    assert seen[-1] == pytest.approx(last, abs=100)
