"""The whole daemon on a simulated UPS HAT (E): its battery as the API and NUT's clients see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.nut.client import NutClient
from holdfast_drivers.ups import waveshare_e
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import SimulatedChip
from holdfast_drivers.ups.memory import decode
from holdfast_drivers.values import DeviceError
from support.nut_rig import UPSMON, free_port, monitoring
from system.daemon import Hub

POWER = """
[power]
board = "waveshare-e"
bus = "bench:{directory}/bus"
capacity_wh = 80.0
[nut]
port = {port}
"""


async def variables_when(port: int, status: str) -> dict[str, str]:
    """The hub's variables, once its status is so and its charge known."""
    async with asyncio.timeout(30):
        while True:
            try:
                async with NutClient("127.0.0.1", port) as client:
                    told = await client.variables("hub")
                    if told["ups.status"] == status and "battery.charge" in told:
                        return told
            except DeviceError:
                pass  # not listening yet, or nothing known yet: DATA-STALE
            await asyncio.sleep(0.1)


async def power_of(hub: Hub) -> dict[str, Any]:
    return await asyncio.to_thread(hub.ask, "GET", "/v1/power")


async def test_a_hubs_battery_reaches_nuts_clients(tmp_path: Path) -> None:
    battery, port = Battery(cells=4, charge=0.7, mains=True), free_port()
    chip = SimulatedChip(battery, waveshare_e.registers)
    hub = Hub(tmp_path, stations=("t1",))
    hub.config.write_text(hub.config.read_text() + POWER.format(directory=tmp_path, port=port))
    async with BenchServer(tmp_path / "bus", {waveshare_e.ADDRESS: chip}, on_output=lambda *_: None):
        await asyncio.to_thread(hub.start)
        try:
            told = await variables_when(port, "OL")
            assert (told["battery.charge"], told["ups.model"]) == ("70", "waveshare-e")
            assert float(told["battery.voltage"]) > 12
            battery.mains = False
            await variables_when(port, "OB DISCHRG")
            assert (await power_of(hub))["mains"] == "no"
        finally:
            assert await asyncio.to_thread(hub.stop) == 0
    assert not chip.writes


async def on_battery(hub: Hub) -> dict[str, Any]:
    """The hub's power, once it says that it is on battery and how long it lasts."""
    async with asyncio.timeout(30):
        while (told := await power_of(hub))["mains"] != "no" or told["minutes_left"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return told


async def test_what_is_known_of_the_battery_outlives_a_kill_and_damage_costs_no_start(tmp_path: Path) -> None:
    battery, port = Battery(cells=4, charge=0.7, mains=False), free_port()
    chip = SimulatedChip(battery, waveshare_e.registers)
    hub, file = Hub(tmp_path, stations=("t1",)), tmp_path / "state" / "battery.json"
    hub.config.write_text(hub.config.read_text() + POWER.format(directory=tmp_path, port=port))
    async with BenchServer(tmp_path / "bus", {waveshare_e.ADDRESS: chip}, on_output=lambda *_: None):
        await asyncio.to_thread(hub.start)
        told = await on_battery(hub)
        assert told["minutes_within"] > 0
        async with asyncio.timeout(10):
            while not file.exists():  # noqa: ASYNC110 - written by another process
                await asyncio.sleep(0.05)
        await asyncio.to_thread(hub.kill)
        assert decode(file.read_bytes()).cell.board == "waveshare-e"
        file.write_bytes(b"\0" * 64)
        await asyncio.to_thread(hub.start)
        try:
            await on_battery(hub)
            assert file.with_name("battery.json.damaged").exists()
        finally:
            assert await asyncio.to_thread(hub.stop) == 0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.05)


@pytest.mark.proof
@pytest.mark.skipif(UPSMON is None, reason="nut-client is not installed: no upsmon")
async def test_another_machine_on_the_hubs_battery_is_stopped_before_it_is_empty(tmp_path: Path) -> None:
    """The real upsmon, secondary, at the real hub: it hears that the battery is in use, and stops when that is low."""
    battery, port = Battery(cells=4, charge=0.06, mains=True), free_port()
    chip = SimulatedChip(battery, waveshare_e.registers)
    secret = tmp_path / "secret"
    secret.write_text("word")
    hub = Hub(tmp_path, stations=("t1",))
    users = f'users = [{{ name = "till", password_file = "{secret}" }}]\n'
    hub.config.write_text(hub.config.read_text() + POWER.format(directory=tmp_path, port=port) + users)
    async with BenchServer(tmp_path / "bus", {waveshare_e.ADDRESS: chip}, on_output=lambda *_: None):
        await asyncio.to_thread(hub.start)
        try:
            await variables_when(port, "OL")
            (tmp_path / "monitor").mkdir()
            async with monitoring(tmp_path / "monitor", port, password="word") as monitor:
                async with NutClient("127.0.0.1", port) as client, asyncio.timeout(40):
                    while (await client.ask("GET", "NUMLOGINS", "hub"))[-1] != "1":
                        pass
                battery.mains = False
                await until(lambda: monitor.noticed("ONBATT"))
                assert not monitor.down.exists()
                await until(monitor.down.exists)
                assert battery.output, "while there was still power to stop with"
        finally:
            assert await asyncio.to_thread(hub.stop) == 0
