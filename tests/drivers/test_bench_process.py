"""`python -m holdfast_drivers.ups.sim`: the board in another process, driven by lines and telling in JSON."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import Power
from holdfast.devices.power.gauges import open_gauge
from holdfast_drivers.links.header import gpio_header
from holdfast_drivers.links.i2c import i2c_bus
from holdfast_drivers.panel.panel import open_panel
from holdfast_drivers.panel.signals import Signal
from holdfast_drivers.ups.mains import MainsLine
from holdfast_drivers.ups.max17048 import Max17048
from holdfast_drivers.ups.sim import DEFAULT_PINS
from holdfast_drivers.values import DeviceError, Tri
from support.waiting import until


class Process:
    def __init__(self, process: asyncio.subprocess.Process, socket: Path) -> None:
        self.process = process
        self.spec = f"bench:{socket}"
        self.events: list[dict[str, Any]] = []
        self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.events.append(json.loads(line))

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")

    async def event(self, name: str) -> dict[str, Any]:
        """The next event so named, from here on."""
        seen = len(self.events)
        await until(lambda: any(event["event"] == name for event in self.events[seen:]))
        return next(event for event in self.events[seen:] if event["event"] == name)

    async def ended(self) -> int:
        async with asyncio.timeout(10):
            await self._following
            return await self.process.wait()


@asynccontextmanager
async def started(folder: Path, *options: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "holdfast_drivers.ups.sim", "--socket", str(folder / "s"), *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    made = Process(process, folder / "s")
    await made.event("ready")
    yield made
    if process.returncode is None:
        process.terminate()
        await made.ended()
    assert not (folder / "s").exists()


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Process]:
    async with started(tmp_path, "--charge", "60", "--load", "8") as made:
        yield made


async def test_the_demo_drives_it_and_the_driver_sees_it(board: Process) -> None:
    bus = await i2c_bus(board.spec)
    gauge = await Max17048.detect(bus)
    assert (await gauge.read()).charge_permille == 600
    board.tell("mains off")
    assert (await board.event("mains"))["on"] is False
    board.tell("speed 3600")
    for _ in range(500):
        if ((await gauge.read()).charge_permille or 0) <= 590:
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail("an hour a second, and no charge gone")
    board.tell("speed 0")
    board.tell("charge 25")
    board.tell("state")
    state = await board.event("state")
    assert (state["charge"], state["mains"], state["lit"]) == (0.25, False, [])
    assert (await gauge.read()).charge_permille == 250
    board.tell("fault nack")
    board.tell("state")
    await board.event("state")
    with pytest.raises(DeviceError, match="absent"):
        await gauge.read()
    await bus.close()


@pytest.mark.parametrize(
    "command", ["dance", "mains perhaps", "charge", "charge nan", "charge 101", "load -1", "speed inf", "fault odd"]
)
async def test_a_wrong_command_is_answered_and_changes_nothing(board: Process, command: str) -> None:
    board.tell(command)
    assert (await board.event("error"))["detail"]
    board.tell("state")
    assert (await board.event("state"))["charge"] >= 0.6


@pytest.mark.parametrize(
    ("board", "options", "power"),
    [
        ("pisugar3", "", {}),
        ("waveshare-e", "--cycles 250", {}),
        (
            "ina3221",
            "--address 0x41 --cells 3 --channel 2 --shunt-mohm 10",
            {"address": 0x41, "cells": 3, "channel": 2, "shunt_mohm": 10.0},
        ),
        ("sbs", "--cells 2", {"cells": 2}),
        ("nut", "--nut-port 0 --cells 4", {"cells": 4}),
    ],
)
async def test_any_board_can_be_run_and_read(board: str, options: str, power: dict[str, Any], tmp_path: Path) -> None:
    async with (
        started(tmp_path, "--board", board, "--charge", "40", *options.split()) as made,
        AsyncExitStack() as stack,
    ):
        made.tell("mains off")
        made.tell("state")
        state = await made.event("state")
        if board == "nut":
            (ready,) = [event for event in made.events if event["event"] == "ready"]
            power |= {"nut_ups": f"ups@127.0.0.1:{ready['nut_port']}"}
        configured = Power(board=board, bus=made.spec, **power)  # type: ignore[arg-type]  # it is one of them
        gauge = await open_gauge(configured, stack, time.monotonic)
        reading = await gauge.read()
        assert reading.cell_mv == pytest.approx(state["cell_mv"], abs=5)
        assert reading.charge_permille == pytest.approx(400, abs=70 if reading.estimated else 5)
        assert state["health"] == (0.9 if "--cycles" in options else 1)


async def test_a_lie_needs_a_gauge(tmp_path: Path) -> None:
    async with started(tmp_path, "--board", "ina219") as made:
        made.tell("fault zero")
        assert "zero cannot be wrong with this board" in (await made.event("error"))["detail"]


async def test_a_line_that_follows_nothing_and_a_pack_that_cuts_off(board: Process) -> None:
    async with gpio_header(board.spec) as header, MainsLine(header, 6, active="high") as line:
        assert await line.read() is Tri.YES
        board.tell("line high")
        await line.wait(5)
        assert await line.read() is Tri.NO, "a dead output stage"
        board.tell("line low")
        board.tell("load 500")
        board.tell("mains off")
        assert (await board.event("output"))["on"] is False
        await line.wait(5)
        assert await line.read() is Tri.YES, "a jumper that is missing"


async def test_lights_are_told_with_their_time(board: Process) -> None:
    async with gpio_header(board.spec) as header, open_panel(header, DEFAULT_PINS, pace=0.05) as panel:
        playing = asyncio.create_task(panel.run())
        shown = time.monotonic()
        panel.show(Signal.COMMITTED)
        green = await board.event("lamp")
        assert (green["lamp"], green["on"]) == ("green", True)
        assert shown <= green["at"] <= time.monotonic()
        await until(lambda: sum(event["event"] == "lamp" for event in board.events) == 4)
        playing.cancel()
        await asyncio.wait({playing})
    lamps = [(event["lamp"], event["on"]) for event in board.events if event["event"] == "lamp"]
    assert sorted(lamps) == [("buzzer", False), ("buzzer", True), ("green", False), ("green", True)]


async def test_hundreds_of_lights_are_all_told_in_order(board: Process) -> None:
    commits = 150
    async with gpio_header(board.spec) as header, open_panel(header, DEFAULT_PINS, pace=0.002) as panel:
        playing = asyncio.create_task(panel.run())
        for turn in range(commits):
            panel.show(Signal.COMMITTED)
            await until(lambda: len(greens(board)) == 2 * turn + 2)  # noqa: B023 - awaited within the turn
        playing.cancel()
        await asyncio.wait({playing})
    assert [event["on"] for event in greens(board)] == [True, False] * commits
    stamps = [event["at"] for event in board.events if event["event"] == "lamp"]
    assert stamps == sorted(stamps)


def greens(board: Process) -> list[dict[str, Any]]:
    return [event for event in board.events if event.get("lamp") == "green"]


@pytest.mark.parametrize("end", ["quit", "eof", "sigterm", "sigint"])
async def test_it_ends_when_told_and_leaves_no_socket(board: Process, end: str) -> None:
    assert board.process.stdin is not None
    match end:
        case "quit":
            board.tell("quit")
        case "eof":
            board.process.stdin.close()
        case _:
            board.process.send_signal(getattr(signal, end.upper()))
    assert await board.ended() == 0
