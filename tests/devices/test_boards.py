"""`holdfast power detect` from its look at the bus on."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.config import Power
from holdfast.devices.power.detect import boards_on
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.simulated import BOARDS
from holdfast_drivers.values import DeviceError


async def test_the_hubs_own_bus_is_looked_at_and_its_board_known(tmp_path: Path) -> None:
    chips = {
        BOARDS[name].address: BOARDS[name].chip(Battery(cells=BOARDS[name].cells, charge=0.5))
        for name in ("waveshare-c", "pisugar3")
    }
    async with BenchServer(tmp_path / "b", dict(chips), on_output=lambda _: None):
        told = await boards_on(None, Power(board="waveshare-c", bus=f"bench:{tmp_path}/b"))
    assert told["bus"] == f"bench:{tmp_path}/b"
    assert [(b["board"], b["sure"], b["configured"]) for b in told["boards"]] == [
        ("ina219", True, True),
        ("pisugar3", True, False),
    ]
    assert told["boards"][0]["wired"] == ["waveshare-c"]
    assert "shunt_mohm" in told["boards"][0]["needs"]
    assert not [chip for chip in chips.values() if chip.writes]


@pytest.mark.parametrize("bus", ["/etc/passwd", "bench:/tmp/x", "/dev/i2c-1/../sda", "/dev/i2c-"])
async def test_only_a_bus_is_opened(bus: str) -> None:
    with pytest.raises(ValueError, match="is no I²C bus"):
        await boards_on(bus, Power())


async def test_a_bus_that_is_not_there_is_absent() -> None:
    for configured in (None, Power(board="nut", nut_ups="a@b")):
        with pytest.raises(DeviceError, match="absent"):
            await boards_on("/dev/i2c-99", configured)
