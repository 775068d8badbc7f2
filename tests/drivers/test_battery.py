"""The pack's physics: it drains, charges, sags and freezes the way a simulated board may rely on."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.ups.battery import (
    CUTOFF_MV,
    FULL_MV,
    LEAST_HEALTH,
    OPEN_CIRCUIT_MV,
    Battery,
    open_circuit_mv,
)

charges = st.floats(0, 1)
loads = st.floats(0.5, 30)


@given(charge=charges, load=loads, steps=st.lists(st.floats(0.01, 120), max_size=30), cells=st.integers(1, 4))
def test_under_load_neither_charge_nor_voltage_ever_rises(
    charge: float, load: float, steps: list[float], cells: int
) -> None:
    battery = Battery(cells=cells, charge=charge, load_w=load, mains=False)
    battery.step(0.001)
    for dt in steps:
        before = battery.charge, battery.cell_mv, battery.runtime_s
        battery.step(dt)
        assert battery.charge <= before[0]
        if battery.charge > 0:
            assert battery.cell_mv <= before[1] + 1e-9
            assert battery.current_a < 0 < battery.runtime_s


@given(charge=charges, steps=st.lists(st.floats(0.01, 120), max_size=30))
def test_on_mains_the_charge_never_falls_nor_the_cell_leave_its_limit(charge: float, steps: list[float]) -> None:
    battery = Battery(charge=charge, mains=True)
    for dt in steps:
        before = battery.charge
        battery.step(dt)
        assert battery.charge >= before
        assert battery.cell_mv <= FULL_MV + 1e-6


@given(charge=charges, load=loads, dt=st.floats(0.1, 600), mains=st.booleans())
def test_the_same_pack_does_the_same(charge: float, load: float, dt: float, mains: bool) -> None:
    one, two = (Battery(charge=charge, load_w=load, mains=mains) for _ in range(2))
    one.step(dt)
    two.step(dt)
    assert astuple(one) == astuple(two)


def test_a_load_takes_the_energy_it_names() -> None:
    battery = Battery(cells=3, capacity_mah=5000, load_w=10, charge=0.9, mains=False, resistance_ohm=0)
    energy_j = 0.0
    for _ in range(3600):
        before = battery.charge
        battery.step(1)
        energy_j += (before - battery.charge) * 5 * 3600 * 3 * open_circuit_mv(before) / 1000
    assert abs(energy_j - 36_000) < 10


def test_the_cell_sags_under_load_and_recovers() -> None:
    battery = Battery(charge=0.5, load_w=15, mains=False, resistance_ohm=0.1)
    battery.step(0.001)
    sagging = battery.cell_mv
    battery.load_w = 0
    battery.step(0.001)
    assert sagging < battery.cell_mv - 300
    assert round(battery.cell_mv) == 3720


def test_it_empties_and_stays_empty_and_fills_and_stays_full() -> None:
    battery = Battery(capacity_mah=1000, load_w=5, charge=0.1, mains=False)
    promised = None
    for second in range(2000):
        battery.step(1)
        promised = promised or battery.runtime_s
        if battery.charge == 0:
            assert abs(second - promised) < 0.15 * promised
            break
    assert battery.charge == 0
    assert battery.current_a == 0
    battery.mains = True
    battery.step(4 * 3600)
    assert battery.charge > 0.99


def test_an_overloaded_pack_browns_out_and_stays_out_until_the_mains_return() -> None:
    battery = Battery(charge=0.2, load_w=500, mains=False, cutoff_mv=0)
    assert battery.cell_mv < 2000, "unprotected, it gives what it can"
    battery.cutoff_mv = CUTOFF_MV
    battery.step(0)
    assert (battery.output, battery.current_a) == (False, 0)
    battery.load_w = 1
    battery.step(60)
    assert not battery.output, "its protection has opened"
    battery.mains = True
    battery.step(1)
    assert battery.output
    battery.mains = False
    battery.step(1)
    assert battery.output


def test_an_empty_pack_feeds_nothing() -> None:
    battery = Battery(charge=0.0001, load_w=20, mains=False)
    battery.step(60)
    assert (battery.charge, battery.output) == (0, False)


def test_age_takes_capacity_and_adds_resistance() -> None:
    new, old = Battery(charge=0.6, mains=False), Battery(charge=0.6, mains=False, cycles=500)
    assert (new.health, round(old.health, 3)) == (1, 0.8)
    assert old.measured().capacity_mah == pytest.approx(0.8 * new.measured().capacity_mah)
    assert open_circuit_mv(0.6) - old.cell_mv == pytest.approx(2 * (open_circuit_mv(0.6) - new.cell_mv), rel=0.05)
    assert old.runtime_s == pytest.approx(0.8 * new.runtime_s, rel=0.05)
    assert Battery(cycles=1e6).health == LEAST_HEALTH


def test_use_ages_it_by_what_is_drawn() -> None:
    battery = Battery(charge=1.0, load_w=10, mains=False)
    while battery.charge > 0.5:
        battery.step(60)
    half = battery.cycles
    battery.mains = True
    battery.step(8 * 3600)
    assert half == pytest.approx(0.5, abs=0.01)
    assert battery.cycles == half, "charging is the other half of the same cycle"


def test_the_charger_gives_a_constant_current_then_a_constant_voltage() -> None:
    battery = Battery(charge=0.1, charger_a=2.0, resistance_ohm=0.1)
    phases = []
    for _ in range(60 * 6):
        battery.step(60)
        phases.append((battery.current_a, battery.cell_mv))
    constant = [mv for amps, mv in phases if amps == 2.0]
    held = [(amps, mv) for amps, mv in phases if 0 < amps < 2.0]
    assert len(constant) > 60
    assert constant == sorted(constant)
    assert all(abs(mv - FULL_MV) < 1 for _, mv in held)
    assert [amps for amps, _ in held] == sorted((amps for amps, _ in held), reverse=True)


def test_what_a_board_measures_is_what_the_pack_is() -> None:
    battery = Battery(cells=3, charge=0.4, mains=False, cycles=250, temperature_c=10)
    told = battery.measured()
    for name in ("cells", "cell_mv", "current_a", "charge", "mains", "health", "permille_per_hour", "runtime_s"):
        assert getattr(told, name) == getattr(battery, name)
    assert told.capacity_mah == pytest.approx(6000 * 0.9 * 0.9)


def test_cold_shrinks_the_pack_and_frost_stops_the_charger() -> None:
    warm, cold = (Battery(charge=0.5, mains=False, temperature_c=t) for t in (25, 0))
    for battery in (warm, cold):
        battery.step(60)
    assert abs(cold.permille_per_hour / warm.permille_per_hour - 1.25) < 0.03
    assert cold.cell_mv < warm.cell_mv
    frozen = Battery(charge=0.5, temperature_c=-5)
    frozen.step(60)
    assert frozen.charge == 0.5


def test_the_curve_is_met_at_its_points_and_monotone_between() -> None:
    assert [round(open_circuit_mv(i / 10)) for i in range(11)] == list(OPEN_CIRCUIT_MV)
    fine = [open_circuit_mv(i / 1000) for i in range(1001)]
    assert fine == sorted(fine)
