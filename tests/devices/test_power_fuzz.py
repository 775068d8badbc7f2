"""Every board's registers saying anything at all: nothing crashes, and one sample never stops the hub (INV-10.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.domain import stages
from holdfast.domain.stages import Stage
from holdfast_drivers.sim import Step
from holdfast_drivers.ups import filter as filter_module
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.simulated import BOARDS
from support.power_rig import Story, options, play
from virtual_time import run

Registers = Callable[[Measured], dict[int, bytes]]
Wrong = Callable[[Registers, Measured], dict[int, bytes]]
AT = 30.25
"""Between two polls, which come at whole seconds on battery."""
ONE_POLL, FOR_EVER = 1.0, 1e9


def told_by(name: str, wrong: Wrong, lasts: float, *, until: float = 90.0) -> Story:
    """A hub on a good battery at 80 %, whose board is `wrong` from AT on."""
    board = BOARDS[name]

    def registers(pack: Measured) -> dict[int, bytes]:
        lying = AT <= asyncio.get_running_loop().time() < AT + lasts
        return wrong(board.registers, pack) if lying else board.registers(pack)

    steps = (Step(0, ("charge 80", f"load {5 * board.cells}")), Step(5, ("mains off",)), Step(until, ()))
    lied_to = replace(board, registers=registers)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        return run(lambda: play(steps, lied_to, options(name), Path(folder), patch))


def noise(seed: int, *, often: float = 1.0) -> Wrong:
    """Each register, with that probability, holds chance; its neighbours and its length are as they were."""
    chance = Random(seed)

    def wrong(registers: Registers, pack: Measured) -> dict[int, bytes]:
        true = registers(pack)
        return {at: chance.randbytes(len(data)) if chance.random() < often else data for at, data in true.items()}

    return wrong


def lie(**seen: float) -> Wrong:
    """The board encodes what is not so, checksums and all."""
    return lambda registers, pack: registers(replace(pack, **seen))  # type: ignore[arg-type]  # mains is a bool


lies = st.fixed_dictionaries(
    {
        "cell_mv": st.floats(0, 6000),
        "charge": st.floats(0, 1),
        "current_a": st.floats(-30, 30),
        "temperature_c": st.floats(-60, 120),
        "mains": st.booleans(),
    }
)


@pytest.mark.parametrize("name", BOARDS)
@given(seed=st.integers(0, 2**32), often=st.sampled_from([0.3, 1.0]))
@settings(max_examples=8, deadline=None)
def test_inv_10_2_one_sample_of_noise_crashes_nothing_and_stops_nothing(name: str, seed: int, often: float) -> None:
    assert not told_by(name, noise(seed, often=often), ONE_POLL).reached(Stage.STOP)


@pytest.mark.parametrize("name", BOARDS)
@given(seen=lies)
@settings(max_examples=8, deadline=None)
def test_inv_10_2_one_sample_of_a_well_formed_lie_stops_nothing(name: str, seen: dict[str, float]) -> None:
    assert not told_by(name, lie(**seen), ONE_POLL).reached(Stage.STOP)


@pytest.mark.parametrize("name", BOARDS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=4, deadline=None)
def test_registers_that_are_noise_for_ever_crash_nothing(name: str, seed: int) -> None:
    told_by(name, noise(seed), FOR_EVER)


def test_control_inv_10_2_one_sample_would_stop_it_without_median_and_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_module, "SAMPLES", 1)
    for hold in ("ENTER", "ENTER_STOP", "ENTER_VOLTAGE"):
        monkeypatch.setattr(stages, hold, 0.0)
    empty = lie(cell_mv=2900.0, charge=0.0, permille_per_hour=-900.0)
    assert told_by("waveshare-e", empty, ONE_POLL).reached(Stage.STOP)


@pytest.mark.parametrize("name", BOARDS)
def test_control_a_low_cell_that_stays_low_does_stop_it(name: str) -> None:
    empty = lie(cell_mv=2900.0, charge=0.0, permille_per_hour=-900.0)
    assert told_by(name, empty, FOR_EVER, until=1000.0).reached(Stage.STOP)
