"""The real daemon in a technician's hands: a port lent to another program, counts that outlive a stop and a crash."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import serial

from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scanners.sim import ScannerSimulator
from system.shop import CANDLE, Shop, open_shop

pytestmark = pytest.mark.timeout(90)


async def technician(shop: Shop, *command: str, code: int = 0) -> Any:
    """`holdfast devices …` as a terminal runs it."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from holdfast.cli.app import main; main()", "devices", *command, "--json",
        env={**os.environ, "HOLDFAST_SOCKET": str(shop.directory / "hub.sock")},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await running.communicate()
    assert running.returncode == code, err.decode()
    return json.loads(out)


async def device(shop: Shop, name: str) -> Any:
    devices = (await shop.asked("GET", "/v1/devices"))["devices"]
    return next(one for one in devices if one["name"] == name)


def vendors_tool(pty: Pty) -> serial.Serial:
    """Another program that wants the port for itself."""
    return serial.Serial(pty.path, exclusive=True, timeout=5)


async def test_a_port_is_lent_and_taken_back(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        with pytest.raises(serial.SerialException):
            vendors_tool(shop.scanner)
        assert (await technician(shop, "release", "scanner"))["data"]["where"] == shop.scanner.path
        told = await device(shop, "scanner")
        assert (told["state"], told["reason"]) == ("unknown", "released")
        assert "claim" in told["words"]
        with vendors_tool(shop.scanner) as tool:
            await ScannerSimulator(shop.scanner.link).scan(CANDLE, aim="")
            assert await asyncio.to_thread(tool.read_until, b"\r") == CANDLE.encode() + b"\r"
        assert not (await shop.asked("GET", "/v1/carts"))["carts"], "the hub did not hear it"
        assert "no port of its own" in (await technician(shop, "release", "drawer", code=1))["detail"]

        await technician(shop, "release", "printer")
        await technician(shop, "claim", "scanner")
        await shop.until(shop_has(shop, "scanner", "online"), "the scanner to be back")
        assert await shop.scan(CANDLE) == "green"
        assert await shop.cards("CASH") == ["green"]
        assert shop.paper == [], "it waits on the spool"
        await technician(shop, "claim", "printer")
        await shop.until(lambda: len(shop.paper) == 1, "the receipt")

        await technician(shop, "release", "scanner")
        assert await shop.stop() == 0
        await shop.start()
        assert (await device(shop, "scanner"))["state"] == "online", "a released state ends with the hub"


def shop_has(shop: Shop, name: str, state: str) -> Any:
    def so() -> bool:
        devices = shop.ask("GET", "/v1/devices")["devices"]
        return any(one["name"] == name and one["state"] == state for one in devices)

    return so


async def test_counts_outlive_a_stop_a_crash_and_a_damaged_file(tmp_path: Path) -> None:
    store = tmp_path / "state" / "statistics.json"
    async with open_shop(tmp_path) as shop:
        assert await shop.scan(CANDLE) == "green"
        assert await shop.cards("CASH") == ["green"]
        await shop.until(lambda: len(shop.paper) == 1, "the receipt")
        told = await technician(shop, "statistics", "scanner")
        scans = told["statistics"]["GoodScanCount"]
        assert scans >= 8
        assert told["equipment"]["DeviceCategory"] == "Scanner"
        assert await shop.stop() == 0
        await shop.start()
        assert (await device(shop, "scanner"))["statistics"]["GoodScanCount"] == scans
        assert (await device(shop, "printer"))["statistics"]["PaperCutCount"] == 1
        await shop.kill()
        await shop.start()
        assert (await device(shop, "scanner"))["statistics"]["GoodScanCount"] == scans
        await shop.kill()
        await asyncio.to_thread(store.write_bytes, b'{"devices": {"scan')
        await shop.start()
        assert await shop.scan(CANDLE) == "green", "the shop sells on"
        assert (await technician(shop, "statistics", "scanner", "--reset"))["statistics"]["GoodScanCount"] == 1
        assert "GoodScanCount" not in (await device(shop, "scanner"))["statistics"]
    assert await asyncio.to_thread(store.with_name("statistics.json.damaged").exists)


HEALTHY = {"scanner": "unknown", "printer": "yes", "drawer": "unknown", "panel": "unknown", "battery": "yes"}
"""What an external check can know by itself."""


async def test_every_kind_of_device_can_be_checked(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        known = {one["name"]: one["category"] for one in (await shop.asked("GET", "/v1/devices"))["devices"]}
        del known["board"]  # the machine itself is no UnifiedPOS device
        assert set(known) == set(HEALTHY)
        assert all(known.values())
        for name in known:
            answer = await shop.asked("POST", f"/v1/devices/{name}/test", {"level": "external"})
            assert answer["data"]["healthy"] == HEALTHY[name], answer
            assert answer["data"]["text"].startswith("External HCheck: ")
        assert (await technician(shop, "test", "printer"))["data"]["text"] == "Internal HCheck: Successful"
