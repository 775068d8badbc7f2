"""The whole daemon on a simulated UPS HAT (E): its battery as the API and NUT's clients see it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.nut.client import NutClient
from holdfast_drivers.ups import waveshare_e
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import SimulatedChip
from holdfast_drivers.values import DeviceError
from system.daemon import Hub

POWER = """
[power]
board = "waveshare-e"
bus = "bench:{directory}/bus"
capacity_wh = 80.0
[nut]
port = {port}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
