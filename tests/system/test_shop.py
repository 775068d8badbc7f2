"""The real daemon with its devices: what a cashier, a careless hand and a failing battery do to it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from holdfast.counter.commands import BY_CODE, barcode_of
from holdfast_drivers.scanners.sim import ScannerSimulator
from system.shop import CANDLE, HONEY, Shop, open_shop

pytestmark = pytest.mark.timeout(120)


async def receipts(shop: Shop, count: int) -> None:
    await shop.until(lambda: len(shop.paper) >= count, f"{count} receipts, have {len(shop.paper)}")


async def sold(shop: Shop) -> int:
    return len((await shop.asked("GET", "/v1/sales"))["sales"])


async def test_a_scan_becomes_a_light_a_sale_and_paper(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        assert await shop.scan(CANDLE) == "green"
        assert await shop.scan(HONEY) == "green"
        assert await shop.cards("QTY", "D3", "DONE") == ["amber", "amber", "green"]
        assert await shop.scan("nobody knows this") == "red"
        assert await shop.cards("CASH") == ["green"]
        await receipts(shop, 1)
        assert "42.46" in shop.paper[0]
        assert "BH-1-R000001" in shop.paper[0]
        assert await sold(shop) == 1
        shift = await shop.asked("GET", "/v1/shift")
        assert (shift["documents"], shift["cash_sales"], shift["float_in"]) == (1, 4246, 100)
        assert await shop.stop() == 0


async def test_an_unplugged_scanner_comes_back_and_half_a_code_sells_nothing(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        assert await shop.scan(CANDLE) == "green"
        await shop.scanner.link.write(HONEY[:6].encode(), timeout=1)
        await shop.scanner.unplug()
        await shop.until(lambda: not shop.open(), "the loss to be noticed")
        await shop.scanner.plug()
        await shop.until(shop.open, "the scanner to be back")
        assert await shop.scan(HONEY) == "green"
        assert await shop.cards("CASH") == ["green"]
        await receipts(shop, 1)
        assert "27.48" in shop.paper[0]


async def test_a_printer_that_hangs_delays_nobody_and_its_paper_comes_later(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.printer.go_silent()
        for _ in range(3):
            assert await shop.scan(CANDLE) == "green"
            assert await shop.cards("CASH") == ["green"]
        assert await sold(shop) == 3
        shop.printer.speak()
        shop.printer.power_cycle()
        await shop.until(lambda: _settled(shop), "every job to end", 60)
        jobs = (await shop.asked("GET", "/v1/spool"))["jobs"]
        doubtful = {job["number"] for job in jobs if job["state"] == "unknown" and job["kind"] == "receipt"}
        printed = [n for n in ("BH-1-R000001", "BH-1-R000002", "BH-1-R000003") if any(n in t for t in shop.paper)]
        assert set(printed) | doubtful == {"BH-1-R000001", "BH-1-R000002", "BH-1-R000003"}, "never silently none"
        assert all(sum(n in text for text in shop.paper) <= 1 for n in printed), "never twice by itself"


def _settled(shop: Shop) -> bool:
    counts = shop.ask("GET", "/v1/spool")["counts"]
    return not counts.get("queued") and not counts.get("sending")


async def test_paper_out_loses_no_receipt(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.printer.paper_out()
        for _ in range(2):
            assert await shop.scan(CANDLE) == "green"
            assert await shop.cards("CASH") == ["green"]
        assert shop.paper == []
        shop.printer.load_paper()
        await receipts(shop, 2)
        assert ["BH-1-R000001" in shop.paper[0], "BH-1-R000002" in shop.paper[1]] == [True, True]


async def test_an_open_cart_survives_kill_9_and_the_scan_after_it_goes_on(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        assert await shop.scan(CANDLE) == "green"
        await ScannerSimulator(shop.scanner.link).scan(HONEY, aim="")
        await shop.kill()
        await shop.start()
        carts = (await shop.asked("GET", "/v1/carts"))["carts"]
        lines = {line["sku"]: line["qty"] for line in carts[0]["lines"]}
        assert lines["CANDLE"] == 1
        if "HONEY" not in lines:
            assert await shop.scan(HONEY) == "green"
        assert await shop.cards("CASH") == ["green"]
        await receipts(shop, 1)
        assert "27.48" in shop.paper[0]


async def test_inv_10_1_the_end_of_power_is_an_orderly_stop_and_a_start_says_how_long(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        assert await shop.scan(CANDLE) == "green"
        await shop.bench._command("mains off")
        await shop.bench._command("charge 3")
        assert shop.daemon is not None
        assert await asyncio.wait_for(shop.daemon.wait(), 60) == 0
        await shop.bench._command("mains on")
        await shop.bench._command("charge 60")
        await shop.start()
        carts = (await shop.asked("GET", "/v1/carts"))["carts"]
        assert [cart["parked"] for cart in carts] == [True]
        assert await shop.cards("RESUME", "CASH") == ["green", "green"]
        log = await asyncio.to_thread((tmp_path / "hub.log").read_text)
        assert "stopping: power" in log


async def test_g_4_the_light_comes_after_the_commit(tmp_path: Path) -> None:
    """The lamp's time is never before the record's: both on the machine's clocks."""
    async with open_shop(tmp_path) as shop:
        before = (await shop.asked("GET", "/v1/status"))["journal"]["seq"]
        assert await shop.scan(CANDLE) == "green"
        after = (await shop.asked("GET", "/v1/status"))["journal"]["seq"]
        assert after == before + 2, "cart opened and line added were committed when the lamp was seen"
        assert await shop.scan(barcode_of(BY_CODE["D1"])) == "amber"
        assert (await shop.asked("GET", "/v1/status"))["journal"]["seq"] == after
        assert await shop.cards("ABORT") == ["amber"]
