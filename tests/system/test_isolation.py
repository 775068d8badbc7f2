"""A hung printer and a babbling scanner on one side of the shop, a cashier on the other: is the cashier slowed down?"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from holdfast.counter.commands import BY_CODE, barcode_of
from holdfast_drivers.links.base import Link
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.values import DeviceError
from system.shop import CANDLE, Shop, open_shop

pytestmark = [pytest.mark.proof, pytest.mark.timeout(600)]

RUNS = 5
SCANS = 100
"""Of one side of one run; their 99th percentile is the last but one."""
LIMIT = 2.0
BABBLE_BYTES_PER_S = 10_000
BABBLE_TICK = 0.02
SECOND_SCANNER = """
[[stations]]
name = "t2"
print_slips = false
[[scanners]]
name = "babbler"
station = "t2"
serial = {{ port = "{d}/babbler" }}
"""


async def babble(link: Link) -> None:
    """Noise at a rate no scanner has, line ends and all."""
    while True:
        with suppress(DeviceError):
            await link.write(os.urandom(round(BABBLE_BYTES_PER_S * BABBLE_TICK)), timeout=1)
        await asyncio.sleep(BABBLE_TICK)


async def scan_p99(shop: Shop) -> float:
    """Milliseconds from the last byte of a code to its light."""
    took = []
    for _ in range(SCANS):
        began = time.monotonic()
        await shop.scanner.link.write(f"{CANDLE}\r".encode(), timeout=1)
        took.append((await green(shop, began) - began) * 1000)
        await asyncio.sleep(0.01)
    await pay(shop)
    return sorted(took)[-2]


async def green(shop: Shop, after: float) -> float:
    """When the green light next went on. Noise lights red on the same panel, never green."""
    seen = len(shop.lamps)
    while True:
        for lamp, at in shop.lamps[max(0, seen - 8) :]:
            if lamp == "green" and at > after:
                return at
        assert time.monotonic() - after < 10, "no light"
        seen = len(shop.lamps)
        await asyncio.sleep(0.0005)


async def pay(shop: Shop) -> None:
    """Close the sale: a receipt goes to the printer."""
    began = time.monotonic()
    await shop.scanner.link.write(f"{barcode_of(BY_CODE['CASH'])}\r".encode(), timeout=1)
    await green(shop, began)


@asynccontextmanager
async def disturbed(shop: Shop, babbler: Pty) -> AsyncIterator[None]:
    """Printer hung with a job on it, scanner babbling."""
    shop.printer.go_silent()
    assert await shop.scan(CANDLE) == "green"
    await pay(shop)
    noise = asyncio.create_task(babble(babbler.link))
    await asyncio.sleep(0.3)
    yield
    noise.cancel()
    await asyncio.wait({noise})
    shop.printer.speak()
    shop.printer.power_cycle()
    await asyncio.sleep(0.3)


async def garbage_reads(shop: Shop) -> int:
    devices = (await shop.asked("GET", "/v1/devices"))["devices"]
    counts = next(device["statistics"] for device in devices if device["name"] == "babbler")
    return int(counts.get("GoodScanCount", 0))


async def test_a_hung_printer_and_a_babbling_scanner_slow_nobody_down(tmp_path: Path) -> None:
    alone, beside = [], []
    async with Pty(tmp_path / "babbler") as babbler, open_shop(tmp_path, more=SECOND_SCANNER) as shop:
        await scan_p99(shop)
        for _ in range(RUNS):
            alone.append(await scan_p99(shop))
            reads = await garbage_reads(shop)
            async with disturbed(shop, babbler):
                beside.append(await scan_p99(shop))
                waiting = (await shop.asked("GET", "/v1/spool"))["counts"]
                assert waiting.get("sending", 0) + waiting.get("queued", 0) >= 2, "the printer hangs"
            assert await garbage_reads(shop) - reads > SCANS, "the babbler was heard"
    ratio = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
    figures = ", ".join(f"{a:.1f}/{b:.1f}" for a, b in zip(alone, beside, strict=True))
    print(f"P99 of scan to light, ms, alone/beside: {figures}; median ratio {ratio:.2f}")
    assert ratio <= LIMIT
