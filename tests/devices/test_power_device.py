"""From a board's name in the configuration to stages in the journal's commands and to NUT's variables."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.config import BOARDS, ConfigError, Nut, NutUser, Power, parse
from holdfast.devices.health import HealthBoard
from holdfast.devices.power.battery import BatteryCare
from holdfast.devices.power.book import PowerBook
from holdfast.devices.power.device import PowerDevice, PowerNow
from holdfast.devices.power.energy import EnergyKeeper
from holdfast.devices.power.gauges import GAUGES, cells_of, open_gauge, ups_test
from holdfast.devices.power.nut import NutDoor, status, variables
from holdfast.domain import stages
from holdfast.domain.core import Command, Outcome
from holdfast.domain.power import ChangeStage
from holdfast.domain.stages import Limits, Stage, StageMachine
from holdfast.runtime.clock import Clock, SystemClock
from holdfast_contract.record import ClockQuality
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.nut.client import NutClient
from holdfast_drivers.nut.server import NutServer, Published
from holdfast_drivers.ups import pisugar
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import SimulatedChip
from holdfast_drivers.ups.filter import SAMPLES, PowerFilter
from holdfast_drivers.ups.vote import MainsVote
from holdfast_drivers.values import DeviceError, PowerReading, Tri
from support.power_rig import NoRecord

HUB = {"id": "pier-7", "code": "P7", "name": "Pier 7"}
NOWHERE = Path("/nonexistent/battery.json")
CALM = PowerNow(Stage.NORMAL, Tri.YES, 830, 3870, 90, 0.5, 7740)


def problems(power: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigError) as error:
        parse({"hub": HUB, "power": power})
    return dict(error.value.problems)


def device(power: Power, executed: list[Command], *, clock: Clock | None = None, store: Path = NOWHERE) -> PowerDevice:
    clock = clock or SystemClock()

    async def execute(command: Command, *, actor: str) -> Outcome:
        executed.append(command)
        return Outcome()

    async def quiet() -> bool:
        return True

    return PowerDevice(
        power,
        health=HealthBoard(clock),
        clock=clock,
        care=BatteryCare(power, clock=clock, store=store, execute=execute, quiet=quiet),
        energy=EnergyKeeper(power, book=PowerBook(NoRecord()), real=clock, clock=clock, execute=execute),
        execute=execute,
        staged=lambda _: None,
        stop=lambda _: None,
        noted=lambda _: None,
    )


def bench(folder: Path, chip: SimulatedChip) -> BenchServer:
    return BenchServer(folder / "bus", {pisugar.ADDRESS_3: chip}, on_output=lambda *_: None)


def test_every_board_of_the_configuration_can_be_opened() -> None:
    assert {*GAUGES, "nut"} == set(BOARDS)


def test_a_board_gets_what_it_needs_and_nothing_it_would_ignore() -> None:
    found = problems({"board": "ina219", "cells": 2, "nut_ups": "a@b"})
    assert set(found) == {"power.address", "power.shunt_mohm", "power.nut_ups"}
    assert "needs it" in found["power.address"]
    assert set(problems({"board": "nut"})) == {"power.nut_ups"}
    assert set(problems({"board": "waveshare-c", "cells": 1})) == {"power.cells"}
    assert "power.board" in problems({"board": "toaster"})
    assert parse({"hub": HUB, "power": {"board": "nut", "nut_ups": "ups@10.0.0.2:3493"}}).power is not None


def test_nut_without_a_battery_is_refused() -> None:
    with pytest.raises(ConfigError, match="nut: needs power"):
        parse({"hub": HUB, "nut": {}})


@pytest.mark.parametrize(
    ("power", "cells"),
    [
        (Power(), 1),
        (Power(board="waveshare-ab"), 2),
        (Power(board="waveshare-e"), 4),
        (Power(board="sbs", cells=3), 3),
        (Power(board="nut", nut_ups="a@b"), None),
    ],
)
def test_cells_in_series(power: Power, cells: int | None) -> None:
    assert cells_of(power) == cells


async def test_a_configured_board_is_read_over_its_bus(tmp_path: Path) -> None:
    chip = SimulatedChip(Battery(charge=0.5, mains=False), pisugar.registers_3)
    power = Power(board="pisugar3", bus=f"bench:{tmp_path}/bus")
    async with bench(tmp_path, chip), AsyncExitStack() as stack:
        reading = await (await open_gauge(power, stack, float)).read()
    assert (reading.charge_permille, reading.mains) == (500, Tri.NO)


async def test_the_wrong_board_is_told(tmp_path: Path) -> None:
    chip = SimulatedChip(Battery(), lambda _: {0: b"\0" * 256})
    power = Power(board="pisugar3", bus=f"bench:{tmp_path}/bus")
    async with bench(tmp_path, chip), AsyncExitStack() as stack:
        with pytest.raises(DeviceError, match="garbled"):
            await open_gauge(power, stack, float)


async def test_a_ups_known_to_nut_is_the_hubs_battery() -> None:
    values = {"ups.status": "OB DISCHRG", "battery.charge": "61", "battery.runtime": "1500"}
    async with NutServer(Published("big", "", lambda: values), version="1", port=0) as server:
        hub = device(Power(board="nut", nut_ups=f"big@127.0.0.1:{server.port}"), [])
        task = asyncio.gather(hub.run(), hub.judge())
        async with asyncio.timeout(10):
            while hub.now().charge_permille is None:  # noqa: ASYNC110 - three readings, a second apart
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    now = hub.now()
    assert (now.mains, now.charge_permille, now.minutes_left) == (Tri.NO, 610, 25), "the UPS's own runtime"


anything = st.builds(
    PowerReading,
    at=st.just(0.0),
    cell_mv=st.none() | st.integers(2500, 4500),
    charge_permille=st.none() | st.integers(0, 1000),
    mains=st.sampled_from(Tri),
    minutes_left=st.none() | st.integers(0, 10_000),
    stop_asked=st.booleans(),
)


@given(bad=anything)
def test_one_sample_never_asks_for_the_stop(bad: PowerReading) -> None:
    power = PowerFilter()
    for at in range(20):
        good = PowerReading(at, cell_mv=3900, charge_permille=800, mains=Tri.NO, minutes_left=200)
        power.add(replace(bad, at=at) if at == 10 else good)
        view = power.view(at)
        assert not view.stop_asked
        assert view.minutes_left in (None, 200)


@given(bad=anything)
def test_one_sample_never_powers_off(bad: PowerReading) -> None:
    hub, power, machine = device(Power(), []), PowerFilter(), StageMachine(Limits())
    for at in range(60):
        good = PowerReading(at, cell_mv=3900, charge_permille=800, mains=Tri.NO)
        power.add(replace(bad, at=at) if at == 20 else good)
        view = power.view(at)
        change = machine.step(hub._known(view, hub.care._judge.step(view, at), at), at)
        assert change is None or change.new is not Stage.STOP


def test_a_ups_that_asks_three_times_is_heard() -> None:
    power = PowerFilter()
    for at in range(SAMPLES):
        assert not power.view(at).stop_asked
        power.add(PowerReading(at, mains=Tri.NO, stop_asked=True))
    assert power.view(SAMPLES).stop_asked


# What NUT's clients are told


def test_variables_say_what_is_known_and_no_more() -> None:
    told = variables(CALM, board="pijuice", version="1.0")
    assert told is not None
    assert (told["ups.status"], told["battery.charge"], told["battery.voltage"]) == ("OL", "83", "7.740")
    assert told["battery.runtime"] == "5400"
    blank = variables(PowerNow(Stage.NORMAL, Tri.UNKNOWN, None, None, None, 1.0), board="x", version="1")
    assert blank is not None
    assert not {"battery.charge", "battery.voltage", "battery.runtime"} & set(blank)
    assert variables(PowerNow(Stage.NORMAL, Tri.NO, 500, 3700, 10, 16.0), board="x", version="1") is None


@pytest.mark.parametrize(
    ("stage", "mains", "expected"),
    [
        (Stage.NORMAL, Tri.YES, "OL"),
        (Stage.SHED, Tri.NO, "OB DISCHRG"),
        (Stage.CRITICAL, Tri.NO, "OB DISCHRG LB"),
        (Stage.CRITICAL, Tri.YES, "OL"),
        (Stage.STOP, Tri.NO, "FSD OB DISCHRG LB"),
        (Stage.NORMAL, Tri.UNKNOWN, "WAIT"),
    ],
)
def test_the_status_follows_the_stage(stage: Stage, mains: Tri, expected: str) -> None:
    assert status(PowerNow(stage, mains, None, None, None, 0.0)) == expected


async def test_the_door_serves_and_refuses_what_it_cannot(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word\n")
    async with NutServer(Published("x", "", dict), version="1", port=0) as squatter:
        options = Nut(port=squatter.port, users=(NutUser(name="till", password_file=str(secret)),))
        with pytest.raises(DeviceError, match="busy"):
            await NutDoor(options, now=lambda: CALM, board="pijuice", version="1").run()
    task = asyncio.create_task(NutDoor(options, now=lambda: CALM, board="pijuice", version="1").run())
    await asyncio.sleep(0.05)
    async with NutClient("127.0.0.1", options.port) as client:
        assert await client.variable("hub", "ups.status") == "OL"
        await client.authenticate("till", "word")
        await client.login("hub")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    secret.write_text("two words")
    with pytest.raises(DeviceError, match="one word"):
        await NutDoor(options, now=lambda: CALM, board="pijuice", version="1").run()


def test_nut_hears_of_test_age_and_the_wish_for_a_new_battery() -> None:
    worn = replace(
        CALM, replace="battery_worn", self_test="failed", tested=1_700_000_000_000, installed=1_600_000_000_000,
        temperature_dc=214, chemistry="lifepo4",
    )  # fmt: skip
    told = variables(worn, board="pijuice", version="1.0")
    assert told is not None
    assert told["ups.status"] == "OL RB"
    assert (told["ups.test.result"], told["ups.test.date"]) == ("Done and error", "2023-11-14")
    assert (told["battery.date"], told["battery.temperature"], told["battery.type"]) == (
        "2020-09-13",
        "21.4",
        "LiFePO4",
    )
    calm = variables(CALM, board="pijuice", version="1.0")
    assert calm is not None
    assert not {"ups.test.result", "ups.test.date", "battery.date", "battery.temperature"} & set(calm)


class Upsd:
    """A NUT server with one user and a UPS that can test itself."""

    def __init__(self, *offered: str) -> None:
        self.offered = offered
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode().strip():
            self.asked.append(line)
            if line.startswith("LIST CMD"):
                rows = [f"CMD big {name}" for name in self.offered]
                writer.write("\n".join(["BEGIN LIST CMD big", *rows, "END LIST CMD big", ""]).encode())
            else:
                writer.write(b"OK\n")
        writer.close()


async def test_a_ups_is_told_to_test_itself_by_who_may(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word\n")
    async with Upsd("beeper.mute", "test.battery.start.quick", "test.battery.start") as upsd:
        power = Power(board="nut", nut_ups=f"big@127.0.0.1:{upsd.port}", nut_user="hub", nut_password_file=str(secret))
        tell = ups_test(power)
        assert tell is not None
        assert await tell() == "test.battery.start.quick"
        assert upsd.asked[:2] == ["USERNAME hub", "PASSWORD word"]
        assert upsd.asked[-1] == "INSTCMD big test.battery.start.quick"
    async with Upsd("load.off") as upsd:
        tell = ups_test(msgspec.structs.replace(power, nut_ups=f"big@127.0.0.1:{upsd.port}"))
        assert tell is not None
        with pytest.raises(DeviceError, match="CMD-NOT-SUPPORTED"):
            await tell()
        assert not [line for line in upsd.asked if line.startswith("INSTCMD")]


def test_a_ups_without_a_user_is_not_told_anything() -> None:
    assert ups_test(Power(board="nut", nut_ups="big@127.0.0.1")) is None
    assert set(problems({"board": "nut", "nut_ups": "a@b", "nut_user": "hub"})) == {"power.nut_user"}
    assert set(problems({"board": "pijuice", "nut_user": "a", "nut_password_file": "b"})) == {
        "power.nut_user",
        "power.nut_password_file",
    }


@pytest.mark.parametrize(("chemistry", "cutoff", "empty"), [
    ("li-ion", None, 3200), ("lifepo4", None, 3000), ("lifepo4", 2900, 2900),
])  # fmt: skip
def test_where_a_cell_is_empty(chemistry: Any, cutoff: int | None, empty: int) -> None:
    assert Power(chemistry=chemistry, cutoff_mv=cutoff).empty_mv == empty


class Still:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return 1_700_000_000_000

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCED

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


async def lived(tmp_path: Path, battery: Battery, mains: Tri, *, hours: float) -> list[ChangeStage]:
    """What a hub decides whose board says `mains` whatever happens, and tells charge and voltage alone."""
    clock, executed = Still(), list[Command]()
    hub = device(Power(capacity_wh=22.0, load_w=6.0), executed, clock=clock, store=tmp_path / "battery.json")
    for _ in range(int(hours * 1800)):
        charge, cell_mv = round(battery.charge * 1000), round(battery.cell_mv)
        hub._take(PowerReading(clock.now, cell_mv=cell_mv, charge_permille=charge, mains=mains))
        await hub._judge_once()
        battery.step(2)
        clock.now += 2
    return [command for command in executed if isinstance(command, ChangeStage)]


async def test_a_dead_mains_line_never_stops_a_hub_that_is_charged(tmp_path: Path) -> None:
    """An X120x whose GPIO6 stage was dead stopped at every start, 18 times over."""
    changes = await lived(tmp_path, Battery(charge=0.06, charger_a=1.5), Tri.NO, hours=8)
    assert Stage.STOP not in {change.new for change in changes}


async def test_control_without_the_vote_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MainsVote, "step", lambda _self, _mv, mains, _now: mains)
    changes = await lived(tmp_path, Battery(charge=0.06, charger_a=1.5), Tri.NO, hours=8)
    assert Stage.STOP in {change.new for change in changes}


async def test_a_line_that_says_mains_for_ever_does_not_let_the_hub_be_cut(tmp_path: Path) -> None:
    """An X728 without its jumper."""
    battery = Battery(mains=False, load_w=6.0, charge=0.9)
    changes = await lived(tmp_path, battery, Tri.YES, hours=3.5)
    assert changes[-1].new is Stage.STOP
    assert battery.charge < 0.25


noise = st.builds(
    PowerReading,
    at=st.just(0.0),
    cell_mv=st.none() | st.integers(2500, 4300),
    charge_permille=st.none() | st.integers(0, 1000),
    mains=st.sampled_from([Tri.YES, Tri.NO, Tri.NO, Tri.UNKNOWN]),
    power_mw=st.none() | st.integers(-20_000, 20_000),
)


async def _noised(signal: list[tuple[PowerReading, int]]) -> list[tuple[float, Stage, Stage]]:
    """(second, from, to) of what a hub decides that hears each reading for so many seconds."""
    clock, executed = Still(), list[Command]()
    hub, changes = device(Power(), executed, clock=clock), []
    hub.care._stopping = True  # no file
    for reading, seconds in signal:
        for _ in range(seconds):
            before = hub.now().stage
            hub._take(replace(reading, at=clock.now))
            await hub._judge_once()
            if (stage := hub.now().stage) is not before:
                changes.append((clock.now, before, stage))
            clock.now += 1
    return changes


signals = st.lists(st.tuples(noise, st.integers(1, 40)), max_size=25)


@given(signals)
@settings(max_examples=30)
async def test_inv_10_2_no_signal_makes_a_hub_flap(signal: list[tuple[PowerReading, int]]) -> None:
    better = [at for at, before, after in await _noised(signal) if after < before]
    assert all(later - earlier >= 300 for earlier, later in pairwise(better))


async def test_inv_10_2_control_without_the_hold_it_flaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "LEAVE", 0.0)
    low = PowerReading(0, cell_mv=3500, charge_permille=200, mains=Tri.NO)
    calm = PowerReading(0, cell_mv=4000, charge_permille=900, mains=Tri.YES)
    better = [at for at, before, after in await _noised([(low, 60), (calm, 20)] * 2) if after < before]
    assert any(later - earlier < 300 for earlier, later in pairwise(better))
