"""The real daemon with the example package installed: ACME's scanner, printer and battery in the ordinary sections."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import SimulatedChip
from support import acme
from support.installed import install_example
from system.daemon import Hub

pytestmark = pytest.mark.timeout(90)

ACME = """
[[scanners]]
name = "ring"
station = "t1"
protocol = "acme-ring"
serial = {{ port = "{d}/ring" }}
[printer]
language = "acme-desk"
columns = 32
serial = {{ port = "{d}/desk" }}
[power]
board = "acme-ups"
bus = "bench:{d}/bus"
"""


async def device(hub: Hub, name: str) -> dict[str, Any]:
    devices = (await asyncio.to_thread(hub.ask, "GET", "/v1/devices"))["devices"]
    return dict(next(one for one in devices if one["name"] == name))


async def settled(hub: Hub, state: str, reason: str) -> None:
    """All three of ACME's are so."""
    for name in ("ring", "printer", "battery"):
        await shown(hub, name, lambda told: (told["state"], told["reason"]) == (state, reason))


async def shown(hub: Hub, name: str, condition: Callable[[dict[str, Any]], object]) -> None:
    async with asyncio.timeout(30):
        while not condition(await device(hub, name)):  # noqa: ASYNC110 - another process gives no signal
            await asyncio.sleep(0.05)


async def test_a_hub_scans_prints_and_measures_with_drivers_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await asyncio.to_thread(install_example, tmp_path)
    hub = Hub(tmp_path, stations=("t1",))
    hub.config.write_text(hub.config.read_text() + ACME.format(d=tmp_path))
    chip = SimulatedChip(Battery(charge=0.7, mains=True), acme.ups)
    async with (
        Pty(tmp_path / "ring") as ring,
        Pty(tmp_path / "desk") as port,
        BenchServer(tmp_path / "bus", {0x5A: chip}, on_output=lambda *_: None),
    ):
        desk = acme.Desk(port.link)
        printing = asyncio.create_task(desk.run())
        await asyncio.to_thread(hub.start)
        await settled(hub, "off_offline", "refused")
        assert await asyncio.to_thread(hub.stop) == 0
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *filter(None, sys.path)]))
        await asyncio.to_thread(hub.start)
        try:
            await settled(hub, "online", "")
            assert (await device(hub, "battery"))["facts"]["charge"] == "70 %"
            told = await asyncio.to_thread(hub.ask, "POST", "/v1/print-test", {})
            assert (told["data"]["outcome"], told["data"]["proof"]) == ("printed", "process_id")
            assert "Crash test" in desk.paper[0]
            await ring.link.write(acme.ring("4006381333931"), timeout=1)
            await shown(hub, "ring", lambda told: told["statistics"].get("GoodScanCount") == 1)
        finally:
            assert await asyncio.to_thread(hub.stop) == 0
            printing.cancel()
            await asyncio.wait({printing})
