"""A counter's devices for a daemon elsewhere: scanner and printer on PTYs, lamps, battery and mains at a bench."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from holdfast_drivers.barcodes.commands import encode
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.printers.simulator import PrinterSimulator
from holdfast_drivers.scanners.sim import ScannerSimulator
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.sim import DEFAULT_PINS, BoardBench
from selling import STATION

PRODUCT, CARD = "]E0", "]C0"
"""AIM identifiers of EAN-13 and Code 128."""
ANSWER_S = 10.0
SPEED = 20
"""Of the shop's clock: lamps flash so much shorter, or most of the time would pass waiting for one to go dark."""


class Counter:
    """`async with Counter(directory) as counter`; `config` wires a daemon to it."""

    def __init__(self, directory: Path) -> None:
        self._scanner, self._printer = Pty(directory / "scanner"), Pty(directory / "printer")
        self._bench = directory / "bench.sock"
        self._lamps: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._rng = Random(1)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._scanner)
        await self._stack.enter_async_context(self._printer)
        await self._stack.enter_async_context(PrinterSimulator(self._printer.link))
        commands: asyncio.Queue[str | None] = asyncio.Queue()
        board = BoardBench(self._bench, Battery(charge=0.9), self._lamps.put_nowait)
        running = asyncio.create_task(board.run(commands))

        async def end() -> None:
            commands.put_nowait(None)
            await running

        self._stack.push_async_callback(end)
        self._trigger = ScannerSimulator(self._scanner.link)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def config(self, speed: int = SPEED) -> str:
        """Sections of a daemon's configuration: every device that there is. `speed` 1 is an ordinary hub's."""
        chip = json.dumps(f"bench:{self._bench}")
        lamps = "\n".join(f"{lamp.value} = {pin}" for lamp, pin in DEFAULT_PINS.items())
        return f"""
[[stations]]
name = "{STATION}"
idle_timeout = 43200
park_timeout = 86400
print_slips = false
[[scanners]]
name = "scanner"
station = "{STATION}"
serial = {{ port = {json.dumps(self._scanner.path)} }}
[printer]
serial = {{ port = {json.dumps(self._printer.path)} }}
[panel]
chip = {chip}
{lamps}
[power]
bus = {chip}
mains_chip = {chip}
mains_pin = 6
{shop_time(speed) if speed > 1 else ""}
"""

    async def product(self, gtin: str) -> float:
        return await self._scan(PRODUCT, gtin)

    async def card(self, code: str) -> float:
        return await self._scan(CARD, encode(code))

    async def _scan(self, aim: str, text: str) -> float:
        """Milliseconds from the scan's first byte to the green lamp. Returns when the lamp is dark again, and a bit."""
        while not self._lamps.empty():
            self._lamps.get_nowait()
        began = time.monotonic()
        await self._trigger.scan(text, aim=aim)
        async with asyncio.timeout(ANSWER_S):
            lit = await self._green(on=True)
            await self._green(on=False)
        await asyncio.sleep(self._rng.uniform(0.005, 0.02))
        return (lit - began) * 1e3

    async def _green(self, *, on: bool) -> float:
        """The monotonic second at which the green lamp went on, or off. Raises RuntimeError when red comes instead."""
        while True:
            event = await self._lamps.get()
            if event["event"] != "lamp":
                continue
            if event["lamp"] in ("red", "amber") and event["on"]:
                raise RuntimeError(f"{event['lamp']} where green was due")
            if event["lamp"] == "green" and event["on"] is on:
                return float(event["at"])


def shop_time(speed: int) -> str:
    """The section that makes the shop's clock run faster from now on."""
    now = datetime.now(UTC)
    start = now.replace(tzinfo=None).isoformat(timespec="seconds")
    return f'[demo]\nspeed = {speed}\nshop_start = "{start}"\nreal_start = {now.timestamp():.3f}'
