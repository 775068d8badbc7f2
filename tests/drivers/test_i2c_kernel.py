"""The real smbus2 against ioctls: an adapter made by umockdev, every board behind it, and what goes wrong on a wire.

Skipped where umockdev or its bindings for the system's Python are missing (Debian: umockdev, gir1.2-umockdev-1.0,
python3-gi).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from holdfast_contract.reasons import words
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.ups import sbs, waveshare_e
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import Fault, SimulatedChip
from holdfast_drivers.ups.simulated import BOARDS
from system.daemon import Hub

SUPPORT = Path(__file__).parents[1] / "support"
SYSTEM_PYTHON = "/usr/bin/python3"
ADAPTER_TIMEOUT = 0.2
BINDINGS = "import gi; gi.require_version('UMockdev', '1.0'); from gi.repository import UMockdev"


def missing() -> str:
    if shutil.which("umockdev-wrapper") is None:
        return "umockdev is not installed: no umockdev-wrapper"
    tried = subprocess.run([SYSTEM_PYTHON, "-c", BINDINGS], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "the system's Python has no bindings of umockdev"


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "umockdev is here")


@dataclass(frozen=True)
class Client:
    """A program on the adapter; it does what it is told and says how that went."""

    process: asyncio.subprocess.Process

    async def ask(self, **what: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        async with asyncio.timeout(20):
            answer: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return answer


@asynccontextmanager
async def adapter(folder: Path, chips: dict[int, SimulatedChip], timeout: float) -> AsyncIterator[dict[str, str]]:
    """The environment in which `/dev/i2c-1` is there."""
    async with BenchServer(folder / "b", dict(chips), on_output=lambda _: None):
        command = ["umockdev-wrapper", SYSTEM_PYTHON, str(SUPPORT / "umock_i2c.py"), str(folder / "b"), str(timeout)]
        testbed = await asyncio.create_subprocess_exec(*command, stdin=-1, stdout=-1)
        assert testbed.stdin is not None
        assert testbed.stdout is not None
        try:
            root = (await testbed.stdout.readline()).decode().strip()
            yield os.environ | {"UMOCKDEV_DIR": root, "LD_PRELOAD": "libumockdev-preload.so.0"}
        finally:
            testbed.stdin.close()
            await testbed.wait()


@asynccontextmanager
async def client(
    folder: Path, chips: dict[int, SimulatedChip], timeout: float = ADAPTER_TIMEOUT
) -> AsyncIterator[Client]:
    async with adapter(folder, chips, timeout) as environ:
        command = [sys.executable, str(SUPPORT / "i2c_client.py"), "/dev/i2c-1"]
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdin=-1, stdout=-1)
        assert process.stdin is not None
        try:
            yield Client(process)
        finally:
            process.stdin.close()
            assert await process.wait() == 0


def hat_e(**battery: float) -> SimulatedChip:
    return SimulatedChip(Battery(cells=4, **battery), waveshare_e.registers)  # type: ignore[arg-type]  # mains is a bool


async def test_bytes_words_blocks_and_checksums_through_the_kernels_interface(tmp_path: Path) -> None:
    pack = SimulatedChip(Battery(cells=3, charge=0.5, mains=False), sbs.registers)
    board = hat_e(charge=0.7)
    async with client(tmp_path, {sbs.ADDRESS: pack, waveshare_e.ADDRESS: board}) as wire:
        told = await wire.ask(read="sbs", cells=3)
        assert (told["charge_permille"], told["cell_mv"]) == (500, round(pack.battery.cell_mv))
        assert (await wire.ask(read="waveshare-e"))["charge_permille"] == 700
        assert not pack.writes + board.writes
        await wire.ask(write=0x1234, address=waveshare_e.ADDRESS, register=0x40)
        assert board.writes == [(0x40, b"\x34\x12")]
        spoilt = sbs.registers(pack.battery.measured())[sbs.VOLTAGE][:2] + b"\0"
        pack.overlay[sbs.VOLTAGE] = spoilt
        assert (await wire.ask(read="sbs", cells=3))["error"] == "garbled"


async def test_every_board_is_read_and_found_through_the_kernels_interface(tmp_path: Path) -> None:
    """Those that share an address by themselves; a monitor of each kind at an address of its own."""
    moved = {"ina226": 0x44, "ina3221": 0x41, "ina219": 0x45}
    configured = {name: {"address": at, "cells": 1, "shunt_mohm": 10.0} for name, at in moved.items()}
    places = {name: moved.get(name, board.address) for name, board in BOARDS.items()}
    for together in (set(BOARDS) - {"lc709203f", "pisugar2pro", "waveshare-3s"}, {"lc709203f", "pisugar2pro"}):
        chips = {places[name]: BOARDS[name].chip(Battery(cells=BOARDS[name].cells, charge=0.6)) for name in together}
        async with client(tmp_path, chips) as wire:
            for name in together:
                more = configured.get(name, {"cells": 3} if name == "sbs" else {})
                told = await wire.ask(read=name, **more)
                assert told.get("cell_mv") == pytest.approx(chips[places[name]].battery.cell_mv, abs=5), (name, told)
            found = (await wire.ask(detect=True))["found"]
            assert {place for place, _ in found} == set(chips)
            assert [chip.writes for chip in chips.values() if chip.writes] == [[(0, b"\x01\x00")]] * (
                "bq27441" in together
            )


async def test_a_chip_that_does_not_acknowledge_is_absent_and_comes_back(tmp_path: Path) -> None:
    board = hat_e(charge=0.7)
    async with client(tmp_path, {waveshare_e.ADDRESS: board}) as wire:
        board.fault = Fault.NACK
        assert (await wire.ask(read="waveshare-e"))["error"] == "absent"
        board.fault = Fault.NONE
        assert (await wire.ask(read="waveshare-e"))["charge_permille"] == 700
        assert (await wire.ask(read="max1704x"))["error"] == "absent", "nobody is there"


@pytest.mark.parametrize("timeout", [ADAPTER_TIMEOUT, 0.8])
async def test_a_held_bus_is_stuck_left_alone_and_free_again(tmp_path: Path, timeout: float) -> None:
    """An adapter that gives up before our deadline, and one that gives up behind it."""
    board = hat_e(charge=0.7)
    async with client(tmp_path, {waveshare_e.ADDRESS: board}, timeout) as wire:
        assert (await wire.ask(read="waveshare-e"))["charge_permille"] == 700
        board.fault = Fault.STUCK
        first = await wire.ask(read="waveshare-e")
        assert first["error"] == "bus_stuck"
        assert first["seconds"] < 3
        again = await wire.ask(read="waveshare-e")
        assert (again["error"], again["seconds"] < 0.1) == ("bus_stuck", True), "not touched again so soon"
        board.fault = Fault.NONE
        async with asyncio.timeout(15):
            while "error" in await wire.ask(read="waveshare-e"):
                pass


async def test_a_chip_of_a_kernel_driver_is_busy(tmp_path: Path) -> None:
    async with client(tmp_path, {}) as wire:
        assert (await wire.ask(byte=0, address=0x0C))["error"] == "busy"


async def test_the_daemon_tells_of_a_stuck_bus_what_to_do_and_reads_on_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = hat_e(charge=0.7)
    board.fault = Fault.STUCK
    hub = Hub(tmp_path, stations=("t1",))
    hub.config.write_text(hub.config.read_text() + '[power]\nboard = "waveshare-e"\nbus = "/dev/i2c-1"\n')
    async with adapter(tmp_path, {waveshare_e.ADDRESS: board}, ADAPTER_TIMEOUT) as environ:
        for name in ("UMOCKDEV_DIR", "LD_PRELOAD"):
            monkeypatch.setenv(name, environ[name])
        await asyncio.to_thread(hub.start)
        try:
            stuck = await battery_when(hub, lambda told: bool(told["reason"]))
            assert (stuck["reason"], stuck["words"]) == ("bus_stuck", words("bus_stuck"))
            board.fault = Fault.NONE
            told = await battery_when(hub, lambda told: told["state"] == "online")
            assert told["facts"]["charge"] == "70 %"
        finally:
            assert await asyncio.to_thread(hub.stop) == 0
    assert not board.writes


async def battery_when(hub: Hub, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(40):
        while True:
            answer = await asyncio.to_thread(hub.ask, "GET", "/v1/devices")
            for told in answer["devices"]:
                if told["kind"] == "battery" and so(told):
                    return dict(told)
            await asyncio.sleep(0.1)
