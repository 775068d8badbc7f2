"""A scan waits for the light that goes with the display; every other light is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

import till as till_module
from devices import Bench, Light
from hub import STATION, HubAwayError, Item
from till import Till

GREEN: Item = {"kind": "outcome", "station": STATION, "do": "cart.add_item", "data": {"qty": 1}}
RED: Item = {"kind": "refusal", "station": STATION, "reason": "no_price", "data": {}}
AMBER: Item = {"kind": "prompt", "station": STATION, "need": "quantity", "data": {}}
GONE: Item = {"kind": "gone"}


class Rig:
    """A till whose scanner, lamps and display are in the hands of a test; also its scanner and its hub."""

    def __init__(self) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self.bench = Bench()
        self.scanned: list[str] = []
        self.answer: Callable[[], None] = lambda: None
        self.till = Till(self, self.bench, self)  # type: ignore[arg-type]  # the rig plays scanner and hub

    def scan(self, text: str) -> float:
        self.scanned.append(text)
        at = time.monotonic()
        asyncio.get_running_loop().call_soon(self.answer)
        return at

    def says(self, item: Item, *lamps: str) -> None:
        """The hub answers with an item and with lamps."""

        def answer() -> None:
            for lamp in lamps:
                self.bench.hear({"event": "lamp", "lamp": lamp, "on": True, "at": time.monotonic()})
                self.bench.hear({"event": "lamp", "lamp": lamp, "on": False, "at": time.monotonic()})
            self.till.hear(item)

        self.answer = answer


@pytest.mark.parametrize(
    ("item", "lamp", "word"), [(GREEN, "green", ""), (RED, "red", "no_price"), (AMBER, "amber", "quantity")]
)
async def test_light_and_display_belong_together(item: Item, lamp: str, word: str) -> None:
    rig = Rig()
    rig.says(item, lamp)
    seen = await rig.till.card("QTY")
    assert (seen.light, seen.word, seen.data) == (Light(lamp), word, item["data"])
    assert rig.scanned == ["]C0HFCQTYW"]
    assert 0 <= rig.till.latencies[0] < 5
    assert rig.bench.strays == 0


async def test_a_light_that_belongs_to_nothing_is_counted() -> None:
    rig = Rig()
    rig.says(GREEN, "amber", "green", "red")
    assert (await rig.till.card("QTY")).light is Light.GREEN
    rig.says(GREEN, "green")
    await rig.till.card("QTY")
    assert rig.bench.strays == 2


@pytest.mark.parametrize("lamps", [(), ("red",)])
async def test_without_its_light_a_scan_is_given_up(monkeypatch: pytest.MonkeyPatch, lamps: tuple[str, ...]) -> None:
    monkeypatch.setattr(till_module, "LIGHT_S", 0.05)
    rig = Rig()
    rig.says(GREEN, *lamps)
    with pytest.raises(HubAwayError):
        await rig.till.card("QTY")
    assert rig.till.excused == 1
    assert rig.till.latencies == []


@pytest.mark.parametrize("before", [[], [GREEN]])
async def test_nobody_waits_for_a_hub_that_is_gone(before: list[Any]) -> None:
    """Also when it had already told the display."""
    rig = Rig()

    def end() -> None:
        for item in (*before, GONE):
            rig.till.hear(item)

    rig.answer = end
    async with asyncio.timeout(1):
        with pytest.raises(HubAwayError):
            await rig.till.card("QTY")
    rig.up.clear()
    with pytest.raises(HubAwayError):
        await rig.till.card("QTY")
    assert len(rig.scanned) == 1


async def test_what_the_hub_does_by_itself_answers_no_scan() -> None:
    rig = Rig()
    park: Item = {"kind": "outcome", "station": STATION, "do": "cart.park", "data": {}}
    rig.till.hear(park)
    rig.till.hear({"kind": "outcome", "station": "till2", "do": "cart.add_item", "data": {}})
    rig.says(GREEN, "green")
    assert (await rig.till.card("QTY")).data == {"qty": 1}


async def test_a_flash_is_still_seen_a_moment_later() -> None:
    bench = Bench()
    bench.hear({"event": "lamp", "lamp": "white", "on": True, "at": time.monotonic()})
    bench.hear({"event": "lamp", "lamp": "white", "on": False, "at": time.monotonic()})
    bench.hear({"event": "lamp", "lamp": "blue", "on": True, "at": time.monotonic() - 60})
    assert bench.lit(30.0) == {"white", "blue"}
    assert bench.lit(-1.0) == {"blue"}
