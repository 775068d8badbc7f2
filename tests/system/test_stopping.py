"""The ordered stop of the real daemon: bounded whatever hangs, deadly at no point, never off for good (INV-10.1)."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.assembly.stopping import AGAIN, COMMAND_LIMIT, CUT_LIMIT, Ending, steps
from holdfast.config import ConfigError, Power, parse
from holdfast.journal.store import FILE
from holdfast.journal.verify import verify_chain
from holdfast.runtime.stop import Step, in_order
from holdfast_contract.record import decode_record
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.ups import waveshare_e
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import SimulatedChip
from holdfast_drivers.values import DeviceError
from system.daemon import Hub
from virtual_time import run

WHOLE = 60.0
NAMES = ("doors", "carts", "paper", "record", "outbox", "statistics", "database", "loads")


def real_steps() -> list[Step]:
    """The daemon's own, with every part there is. None of them is run."""
    some: Any = SimpleNamespace()
    some.loads = some.spooler = some.uplink = some.powerhouse = some.quiesce = some
    return steps(some, some, "power: runtime")


def test_inv_10_1_the_limits_of_all_steps_and_of_the_cut_are_less_than_a_minute() -> None:
    found = real_steps()
    assert tuple(step.name for step in found) == NAMES
    assert sum(step.limit for step in found) + 2 * CUT_LIMIT + COMMAND_LIMIT < WHOLE


async def hang(_: float) -> None:
    await asyncio.sleep(10_000)


async def deaf(_: float) -> None:
    """Will not even be cancelled."""
    for _ in range(100):
        try:
            await asyncio.sleep(10_000)
        except asyncio.CancelledError:
            continue


async def breaks(_: float) -> None:
    await asyncio.sleep(0.1)
    raise OSError("gone")


async def quick(_: float) -> None:
    await asyncio.sleep(0.1)


@given(st.lists(st.sampled_from([hang, deaf, breaks, quick]), min_size=len(NAMES), max_size=len(NAMES)))
def test_inv_10_1_whatever_hangs_every_step_is_tried_and_the_stop_ends_in_time(behaviours: list[Any]) -> None:
    async def stop() -> float:
        reached = []
        began = asyncio.get_running_loop().time()

        def noted(step: Step, behaviour: Any) -> Step:
            async def act(limit: float) -> None:
                reached.append(step.name)
                await behaviour(limit)

            return replace(step, run=act)

        report = await in_order([noted(s, b) for s, b in zip(real_steps(), behaviours, strict=True)])
        assert tuple(reached) == NAMES == tuple(name for name, _, _ in report)
        expected = {hang: "over", deaf: "over", breaks: "failed", quick: "done"}
        assert [outcome for _, _, outcome in report] == [expected[b] for b in behaviours]
        return asyncio.get_running_loop().time() - began

    assert run(stop) <= WHOLE - 2 * CUT_LIMIT - COMMAND_LIMIT


def test_inv_10_1_control_a_stop_that_waits_for_its_steps_never_ends() -> None:
    async def patient() -> float:
        began = asyncio.get_running_loop().time()
        for step in [replace(step, run=hang) for step in real_steps()]:
            await step.run(step.limit)
        return asyncio.get_running_loop().time() - began

    assert run(patient) > WHOLE


# What becomes of the power


class Board:
    """A board that cuts, and mains that come back after so many looks."""

    def __init__(self, back_after: int | None, *, cancellable: bool = False, deaf: bool = False) -> None:
        self.cancellable = cancellable
        self.done: list[str] = []
        self._looks = back_after
        self._deaf = deaf

    def is_back(self) -> bool:
        if self._looks is None:
            return False
        self._looks -= 1
        return self._looks < 0

    async def order(self) -> None:
        await asyncio.sleep(0)
        self.done.append("cut")
        if self._deaf:
            raise DeviceError("timeout")

    async def cancel(self) -> None:
        await asyncio.sleep(0)
        self.done.append("cancel")

    async def run(self, command: tuple[str, ...]) -> None:
        await asyncio.sleep(0)
        self.done.append(command[0])


POWER = Power(board="waveshare-e", poweroff=("poweroff",), reboot=("reboot",), cut=True)


def ended(board: Board, power: Power = POWER) -> int:
    async def end() -> int:
        ending = Ending(
            power,
            board if power.cut else None,  # type: ignore[arg-type]  # as far as it is asked
            is_back=board.is_back,
            run=board.run,
            insisted=asyncio.Event(),
        )
        async with asyncio.timeout(600):
            return await ending.run()

    return run(end)


@pytest.mark.parametrize(
    ("board", "status", "done"),
    [
        (Board(None), 0, ["cut", "poweroff"]),
        (Board(0), AGAIN, []),
        (Board(1), 0, ["cut", "reboot"]),
        (Board(1, deaf=True), 0, ["cut", "reboot"]),
        (Board(1, cancellable=True), AGAIN, ["cut", "cancel"]),
        (Board(None, deaf=True), 0, ["cut", "poweroff"]),
    ],
)
def test_mains_that_come_back_during_the_stop_are_never_met_with_darkness(
    board: Board, status: int, done: list[str]
) -> None:
    assert (ended(board), board.done) == (status, done)


@given(st.integers(0, 5), st.booleans(), st.booleans(), st.booleans())
def test_off_only_if_the_mains_were_still_gone_at_the_last_look(
    looks: int, cancellable: bool, deaf: bool, cuts: bool
) -> None:
    board = Board(looks, cancellable=cancellable, deaf=deaf)
    power = POWER if cuts else Power(board="waveshare-e", poweroff=("poweroff",))
    status = ended(board, power)
    if "poweroff" in board.done:
        assert looks > 1, "it was not back when that was decided"
    else:
        assert status == AGAIN or board.done[-1] == "reboot"


def test_a_hub_nobody_powers_off_waits_for_the_mains() -> None:
    board = Board(20)
    assert ended(board, Power(board="waveshare-e")) == AGAIN
    assert board.done == []


def problems(**power: Any) -> dict[str, str]:
    try:
        parse({"hub": {"id": "pier-7", "code": "P7", "name": "Pier 7"}, "power": power})
    except ConfigError as error:
        return dict(error.problems)
    return {}


def test_a_cut_is_configured_in_full_or_not_at_all() -> None:
    commands = {"poweroff": ["a"], "reboot": ["b"]}
    assert problems(board="waveshare-e", cut=True, **commands) == {}
    assert set(problems(board="waveshare-e", cut=True)) == {"power.poweroff", "power.reboot"}
    assert set(problems(board="waveshare-c", cut=True, **commands)) == {"power.cut"}
    assert set(problems(cut=True, **commands)) == {"power.cut_pin"}
    assert problems(cut=True, cut_pin=26, **commands) == {}
    assert set(problems(board="pisugar3", cut_pin=26)) == {"power.cut_pin"}
    assert set(problems(board="nut", nut_ups="a@b", cut=True, **commands)) == {"power.nut_user"}


# The real daemon

BATTERY = """
[power]
board = "waveshare-e"
bus = "bench:{directory}/bus"
capacity_wh = 80.0
settle = 0
"""
ORDERED = """cut = true
poweroff = ["touch", "{directory}/off"]
reboot = ["touch", "{directory}/rebooted"]
"""


def hub_with(directory: Path, more: str) -> Hub:
    hub = Hub(directory, stations=("t1",))
    hub.config.write_text(hub.config.read_text() + (BATTERY + more).format(directory=directory))
    return hub


def bench(directory: Path, battery: Battery) -> tuple[BenchServer, SimulatedChip]:
    chip = SimulatedChip(battery, waveshare_e.registers)
    return BenchServer(directory / "bus", {waveshare_e.ADDRESS: chip}, on_output=lambda *_: None), chip


def events(folder: Path) -> list[str]:
    """Types in the record of a hub that has stopped."""
    db = sqlite3.connect(folder / "state" / FILE)
    try:
        rows = db.execute("SELECT record FROM journal ORDER BY seq").fetchall()
    finally:
        db.close()
    return [decode_record(record).type for (record,) in rows]


async def exit_status(hub: Hub) -> int:
    assert hub._process is not None
    return await asyncio.to_thread(hub._process.wait, 60)


async def test_an_empty_battery_stops_the_hub_has_the_power_cut_and_off(tmp_path: Path) -> None:
    battery = Battery(cells=4, charge=0.02, load_w=40.0, mains=False)
    hub = hub_with(tmp_path, ORDERED)
    server, chip = bench(tmp_path, battery)
    async with server:
        await asyncio.to_thread(hub.start)
        assert await exit_status(hub) == 0
    assert chip.writes == [(0x01, b"\x55")]
    assert (tmp_path / "off").exists()
    assert not (tmp_path / "rebooted").exists()
    assert events(tmp_path)[-2:] == ["power.stage_changed", "hub.stopped"]


async def test_a_hub_that_nobody_powers_off_is_there_again_with_the_mains(tmp_path: Path) -> None:
    battery = Battery(cells=4, charge=0.02, load_w=40.0, mains=False)
    hub = hub_with(tmp_path, "")
    server, chip = bench(tmp_path, battery)
    async with server:
        await asyncio.to_thread(hub.start)
        async with asyncio.timeout(30):
            while "waiting for the mains" not in (tmp_path / "hub.log").read_text():  # noqa: ASYNC110 - its own process
                await asyncio.sleep(0.1)
        battery.mains = True
        assert await exit_status(hub) == AGAIN
        await asyncio.to_thread(hub.start)
        assert await asyncio.to_thread(hub.stop) == 0
    assert chip.writes == []
    assert "power.resumed" in events(tmp_path)


SHEDDING = """
[[power.loads]]
name = "yard"
kind = "camera"
watts = 6.0
off = ["touch", "{directory}/camera-off"]
on = ["touch", "{directory}/camera-on"]
"""


async def test_a_grid_signal_sheds_a_load_of_the_real_daemon_which_restores_it_after_a_restart(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, SHEDDING)
    server, _ = bench(tmp_path, Battery(cells=4, charge=0.9))
    async with server:
        await asyncio.to_thread(hub.start)
        signal = {"program": "dr", "event": "e1", "kind": "ALERT_GRID_EMERGENCY", "seconds": 600}
        await asyncio.to_thread(lambda: hub.do("power.grid_signal", **signal))
        async with asyncio.timeout(60):
            while not (tmp_path / "camera-off").exists():  # noqa: ASYNC110 - its own process
                await asyncio.sleep(0.2)
        async with asyncio.timeout(10):
            while (power := await asyncio.to_thread(hub.ask, "GET", "/v1/power"))["loads"][0]["on"]:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.2)
        assert (power["stage"], power["stage_why"], power["grid"]["level"]) == (2, "grid", 2)
        assert await asyncio.to_thread(hub.stop) == 0
        assert not (tmp_path / "camera-on").exists()
        await asyncio.to_thread(hub.start)
        async with asyncio.timeout(9):  # the signal still stands: ten seconds later it is shed anew
            while not (tmp_path / "camera-on").exists():  # noqa: ASYNC110 - its own process
                await asyncio.sleep(0.1)
        await asyncio.to_thread(hub.stop)
    loads = [kind for kind in events(tmp_path) if kind.startswith("power.load")]
    assert loads[:2] == ["power.load_shed", "power.load_restored"]


POINTS = [(name, when) for name in NAMES if name not in ("outbox", "loads") for when in ("before", "inside", "after")]


def killed_at(folder: Path, name: str, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales before the stop and in the midst of it; every answered one must be there afterwards."""
    monkeypatch.setenv("HOLDFAST_DIES", f"{name}:{when}")
    hub = Hub(folder, stations=("t1",), program=Path(__file__).with_name("stop_killed.py"))
    hub.start()
    answered = [hub.do("shift.open", station="t1", float_in=100)["seq"]]
    answered += [
        hub.do("shift.move_drawer", station="t1", kind="pay_in", amount=n, why="x")["seq"] for n in range(1, 4)
    ]
    assert hub._process is not None
    hub._process.terminate()
    assert hub._process.wait(60) == -9, f"it was to die at {name}, {when}"
    whole = Hub(folder, stations=("t1",))
    whole.start()
    try:
        status = whole.ask("GET", "/v1/status")
        assert status["journal"]["seq"] >= max(answered)
        assert status["journal"]["moved_aside"] is None
        shift = whole.ask("GET", "/v1/shift")
        assert shift["pay_in"] == 6
    finally:
        assert whole.stop() == 0
    db = sqlite3.connect(folder / "state" / FILE)
    try:
        assert verify_chain(db).ok
    finally:
        db.close()


@pytest.mark.parametrize(("name", "when"), [("carts", "inside"), ("record", "inside"), ("database", "after")])
def test_inv_10_1_a_kill_during_the_stop_loses_nothing(
    name: str, when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at(tmp_path, name, when, monkeypatch)


@pytest.mark.proof
@pytest.mark.parametrize(("name", "when"), POINTS)
def test_inv_10_1_a_kill_at_every_point_of_the_stop_loses_nothing(
    name: str, when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at(tmp_path, name, when, monkeypatch)
