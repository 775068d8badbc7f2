"""Every scenario of a battery that is shipped, and one day of every board, against the hub's own power device."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.config import Power
from holdfast.domain.stages import Stage
from holdfast_contract.reasons import words
from holdfast_drivers.links.i2c import PAUSE, TRIES
from holdfast_drivers.sim import Step, read_scenario
from holdfast_drivers.ups.simulated import BOARDS
from support.power_rig import AC_LINE, ORDERLY_STOP, Story, options, play
from virtual_time import run

SCENARIOS = Path(__file__).parents[2] / "docs/scenarios"
X728 = Power(mains_pin=AC_LINE, capacity_wh=22.0, load_w=10.0)


@pytest.fixture
def told(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    steps = read_scenario(SCENARIOS / f"battery-{request.param}.toml", "battery")
    return run(lambda: play(steps, BOARDS["max1704x"], X728, tmp_path, monkeypatch))


def scenario(name: str) -> pytest.MarkDecorator:
    TRIED.add(name)
    return pytest.mark.parametrize("told", [name], indirect=True, ids=[name])


TRIED: set[str] = set()


def in_time(told: Story) -> bool:
    """The stop was asked for while the pack could still feed the hub for as long as that takes."""
    assert told.stopped_at is not None, "it never stopped"
    return told.output_lost_at is None or told.output_lost_at - told.stopped_at > ORDERLY_STOP


@scenario("mains-lost")
def test_it_goes_through_its_stages_and_stops_in_time(told: Story) -> None:
    assert [stage for _, stage, _ in told.stages][-1] is Stage.STOP
    assert told.reached(Stage.CRITICAL)
    assert in_time(told)
    assert told.charge_at_stop is not None
    assert told.charge_at_stop < 0.35, "not while there is much left"


@scenario("brown-out")
def test_dips_of_the_mains_change_nothing(told: Story) -> None:
    assert told.stages == []


@scenario("print-sag")
def test_a_sagging_cell_is_no_empty_one(told: Story) -> None:
    assert not told.reached(Stage.STOP)


@scenario("gauge-zero")
def test_a_gauge_at_zero_does_not_stop_a_hub_whose_cell_is_full(told: Story) -> None:
    assert not told.reached(Stage.STOP)


@scenario("bus-stuck")
def test_a_stuck_bus_is_not_known_not_hammered_and_got_over(told: Story) -> None:
    assert not told.reached(Stage.STOP)
    blind = [facts for facts in told.facts if facts["charge"] == "unknown"]
    assert words("bus_stuck") in [facts.get("finding") for facts in blind]
    assert told.facts[-1]["charge"].endswith("%")
    assert not told.bus.stuck


@scenario("full-for-ever")
def test_a_gauge_that_is_always_full_does_not_let_the_hub_die(told: Story) -> None:
    assert in_time(told)


def test_every_scenario_is_tried() -> None:
    assert {path.stem for path in SCENARIOS.glob("battery-*.toml")} == {f"battery-{name}" for name in TRIED}


# Every board


LOST = (Step(0, ("charge 70",)), Step(60, ("mains off",)), Step(4000, ()))


@pytest.mark.parametrize("name", BOARDS)
def test_on_every_board_it_stops_in_time_and_writes_to_none(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = f"load {10 * BOARDS[name].cells}"
    steps = (Step(0, (load,)), *LOST)
    told = run(lambda: play(steps, BOARDS[name], options(name), tmp_path, monkeypatch, capacity_mah=2000))
    assert in_time(told)
    assert not told.errors
    question = [(0, b"\x01\x00")] if name == "bq27441" else []
    assert told.bench.chip.writes == question  # type: ignore[union-attr]  # it is no UPS of NUT's


@pytest.mark.parametrize("name", BOARDS)
def test_a_bus_stuck_from_the_start_is_told_with_what_to_do_and_touched_rarely(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (Step(0, ("fault stuck",)), Step(60, ()))
    told = run(lambda: play(steps, BOARDS[name], options(name), tmp_path, monkeypatch))
    assert told.health["battery"].reason == "bus_stuck"
    assert words("bus_stuck") != "bus_stuck Ask a technician."
    assert told.bench.chip.reads <= TRIES + 60 / PAUSE + 1  # type: ignore[union-attr]  # as above
