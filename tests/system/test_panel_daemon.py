"""The real daemon on a bench: a button becomes a command and a light, a sale a pulse of the drawer's relay."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from holdfast_contract.record import decode_record
from holdfast_drivers.links.lines import Edge
from system.shop import CANDLE, CONFIG, Shop, open_shop

pytestmark = pytest.mark.timeout(120)

CASH_BUTTON, HOLD_BUTTON = 10, 9
COUNTER = (
    CONFIG.replace('/printer" }}\n', '/printer" }}\ndrawer = "none"\n').replace(
        "red = 22\n",
        f"""red = 22
buttons = [
    {{{{ pin = {CASH_BUTTON}, station = "t1", card = "CASH" }}}},
    {{{{ pin = {HOLD_BUTTON}, station = "t1", card = "ABORT", hold = "SHUTDOWN", hold_seconds = 1.5 }}}},
]
""",
    )
    + """
[drawer]
chip = "bench:{d}/bench"
relay = 21
sensor = 19
left_open_seconds = 2.0
"""
)


async def facts(shop: Shop) -> dict[str, Any]:
    devices = (await shop.asked("GET", "/v1/devices"))["devices"]
    return dict(next(device for device in devices if device["name"] == "drawer")["facts"])


async def becomes(shop: Shop, **wanted: str) -> None:
    async with asyncio.timeout(30):
        while not wanted.items() <= (await facts(shop)).items():  # noqa: ASYNC110 - another process changes them
            await asyncio.sleep(0.05)


async def press(shop: Shop, line: int, seconds: float = 0.1) -> str:
    """Push a button and wait for the light: its colour."""
    seen = len(shop.lamps)
    await shop.bench.obey(f"press {line} {seconds}")
    await shop.until(lambda: len(shop.lamps) > seen, f"a light for button {line}")
    return shop.lamps[seen][0]


async def test_inv_4_7_a_button_sells_and_the_relay_pulls_once_after_the_commit(tmp_path: Path) -> None:
    async with open_shop(tmp_path, config=COUNTER) as shop:
        watch, committed = shop.bench.drawer, []
        output = watch.output

        def watched(edge: Edge) -> None:
            if edge.line == 21 and edge.high:
                committed.append(sales_on_disk(tmp_path / "state"))
            output(edge)

        watch.output = watched  # type: ignore[method-assign]  # an ear on the coil's line
        assert await shop.scan(CANDLE) == "green"
        assert (await facts(shop))["open"] == "no"
        assert await press(shop, CASH_BUTTON) == "green"
        await shop.until(lambda: watch.is_open, "the drawer to open")
        assert committed == [1], "the first edge of the only pulse came when its reason was on disk"
        assert len((await shop.asked("GET", "/v1/sales"))["sales"]) == 1
        began, ended = watch.pulses[-1]
        assert ended - began >= 0.15
        await becomes(shop, open="yes", left_open="yes")
        assert "shut it" in (await facts(shop))["finding"]
        await shop.bench.obey("drawer shut")
        await becomes(shop, open="no", left_open="no")
        assert await shop.cards("NOSALE", "NOSALE") == ["amber", "green"]
        await shop.until(lambda: watch.is_open, "the drawer to open for no sale")
        assert len(watch.pulses) == 2


def sales_on_disk(state: Path) -> int:
    """What another process sees committed."""
    with sqlite3.connect(f"file:{state}/journal.db?mode=ro", uri=True) as db:
        rows = db.execute("SELECT record FROM journal").fetchall()
    return sum(decode_record(record).type == "sale.completed" for (record,) in rows)


async def test_a_button_held_shuts_down_in_order_and_a_short_press_does_not(tmp_path: Path) -> None:
    async with open_shop(tmp_path, config=COUNTER) as shop:
        assert await press(shop, HOLD_BUTTON) == "amber", "ABORT: ready"
        assert shop.daemon is not None
        assert shop.daemon.returncode is None
        await shop.bench.obey(f"press {HOLD_BUTTON} 3")
        await asyncio.wait_for(shop.daemon.wait(), 60)
        assert shop.daemon.returncode == 0
        log = await asyncio.to_thread((tmp_path / "hub.log").read_text)
        assert "stopping: card at t1" in log
