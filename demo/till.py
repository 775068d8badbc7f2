"""The counter as the cashier knows it: a trigger, three lights, a display. Every scan waits for its light."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from devices import Bench, Light, Scanner
from holdfast_drivers.barcodes.commands import encode
from hub import STATION, Hub, HubAwayError, Item

LIGHT_S = 10.0
"""Seconds after which a scan without a light is given up: a storage card can stall for seconds."""
PRODUCT, CARD = "]E0", "]C0"
"""AIM identifiers of EAN-13 and Code 128."""
_DUE = {"prompt": Light.AMBER, "refusal": Light.RED}
_BY_ITSELF = frozenset({"cart.park", "cart.void"})
"""What the hub may do at a station nobody touches; this cashier never asks for it."""

After = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a scan."""

    light: Light
    word: str
    """Reason of a refusal, need of a prompt, else empty."""
    data: Mapping[str, Any]


class Till:
    """One station. Give `hear` the live feed."""

    def __init__(self, scanner: Scanner, bench: Bench, hub: Hub) -> None:
        self.latencies: list[float] = []
        """Seconds from the scan's bytes leaving us to its light, as the bench saw it."""
        self.scans = 0
        self.excused = 0
        """Lights that may have come on without having been waited for: an interrupted scan's, a stopping hub's."""
        self._scanner = scanner
        self._bench = bench
        self._hub = hub
        self._said: asyncio.Queue[Item] = asyncio.Queue()

    def hear(self, item: Item) -> None:
        """An item of the live feed; `gone` is its end."""
        if item["kind"] == "gone":
            self._bench.give_up()
        if item["kind"] == "gone" or (item.get("station") == STATION and item.get("do") not in _BY_ITSELF):
            self._said.put_nowait(item)

    async def card(self, code: str, after: After | None = None) -> Seen:
        """Scan a command card, e.g. `QTY`."""
        return await self.scan(CARD + encode(code), after)

    async def scan(self, text: str, after: After | None = None) -> Seen:
        """Scan, wait for the light, read the display. `after` happens when the scan has left.

        The light must be the one that goes with what the display says; any other is counted by the bench.
        Raises HubAwayError.
        """
        if not self._hub.up.is_set():
            raise HubAwayError("down")
        self._bench.forget()
        while not self._said.empty():
            self._said.get_nowait()
        self.scans += 1
        sent = self._scanner.scan(text)
        if after is not None:
            await after()
        seen, at = None, None
        with suppress(TimeoutError):
            async with asyncio.timeout(LIGHT_S):
                seen, at = await self._answer()
        if seen is None or at is None:
            self.excused += 1
            raise HubAwayError("no light")
        self.latencies.append(at - sent)
        return seen

    async def _answer(self) -> tuple[Seen | None, float | None]:
        """What the display says, and the second its light came on; None for what will not come."""
        item = await self._said.get()
        if item["kind"] == "gone":
            return None, None
        seen = Seen(_DUE.get(item["kind"], Light.GREEN), item.get("reason") or item.get("need") or "", item["data"])
        return seen, await self._bench.light(seen.light)
