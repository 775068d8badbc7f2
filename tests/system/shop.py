"""A whole shop: the daemon as a process, its devices simulated here on real PTYs and a bench socket."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.counter.commands import BY_CODE, barcode_of
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.simulator import PrinterSimulator
from holdfast_drivers.scanners.sim import ScannerSimulator
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.sim import BoardBench
from system.daemon import Caller

CATALOGUE = """sku,gtin,name,price,tax_category,tax_rate
CANDLE,4006381333931,Candle,19.99,S,20
HONEY,4012345678901,Honey,7.49,S,20
"""
CANDLE, HONEY = "4006381333931", "4012345678901"

CONFIG = """
[hub]
id = "bench-hub"
code = "BH"
name = "Bench & Co"
[storage]
directory = "{d}/state"
[api]
socket = "{d}/hub.sock"
metrics_port = 0
[[stations]]
name = "t1"
print_slips = false
repeat_ms = 0
[[scanners]]
name = "scanner"
station = "t1"
serial = {{ port = "{d}/scanner" }}
[printer]
serial = {{ port = "{d}/printer" }}
[panel]
chip = "bench:{d}/bench"
green = 17
amber = 27
red = 22
[power]
settle = 0
poweroff = ["true"]
bus = "bench:{d}/bench"
mains_chip = "bench:{d}/bench"
mains_pin = 6
"""


@dataclass
class Shop:
    directory: Path
    scanner: Pty
    printer: PrinterSimulator
    bench: BoardBench
    paper: list[str] = field(default_factory=list)
    """Text of every receipt that was cut."""
    lamps: list[tuple[str, float]] = field(default_factory=list)
    """Lamps going on, with the monotonic second."""
    daemon: Process | None = None

    async def start(self) -> None:
        log = await asyncio.to_thread((self.directory / "hub.log").open, "ab")
        with log:
            self.daemon = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "holdfast.main", "--config", str(self.directory / "holdfast.toml"),
                stdout=DEVNULL, stderr=log,
            )  # fmt: skip
        await self.until(self.open, "the daemon to open")

    def open(self) -> bool:
        try:
            devices = self.ask("GET", "/v1/devices")["devices"]
        except OSError:
            return False
        return all(device["state"] == "online" for device in devices)

    async def kill(self) -> None:
        assert self.daemon is not None
        self.daemon.kill()
        await self.daemon.wait()

    async def stop(self) -> int:
        assert self.daemon is not None
        if self.daemon.returncode is None:
            self.daemon.terminate()
        return await self.daemon.wait()

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        with Caller(self.directory / "hub.sock") as caller:
            return caller.ask(method, path, body)

    async def asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return await asyncio.to_thread(self.ask, method, path, body)

    async def scan(self, text: str) -> str:
        """Pull the trigger and wait for the light: its colour."""
        seen = len(self.lamps)
        await ScannerSimulator(self.scanner.link).scan(text, aim="")
        await self.until(lambda: len(self.lamps) > seen, f"a light for {text}")
        return self.lamps[seen][0]

    async def cards(self, *codes: str) -> list[str]:
        return [await self.scan(barcode_of(BY_CODE[code])) for code in codes]

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(condition):
            if self.daemon is not None and self.daemon.returncode is not None:
                raise AssertionError(f"the daemon ended while waiting for {what}")
            if time.monotonic() > deadline:
                log = await asyncio.to_thread((self.directory / "hub.log").read_text)
                raise AssertionError(f"no {what}; log: {log[-1500:]}")
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_shop(directory: Path, *, config: str = CONFIG, more: str = "", **printer: Any) -> AsyncIterator[Shop]:
    """Devices plugged in, daemon up, catalogue in, badge signed in, shift open. `more` goes into the configuration."""
    await asyncio.to_thread((directory / "holdfast.toml").write_text, (config + more).format(d=directory))
    commands: asyncio.Queue[str | None] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        scanner = await stack.enter_async_context(Pty(directory / "scanner"))
        port = await stack.enter_async_context(Pty(directory / "printer"))
        lamps: list[tuple[str, float]] = []
        paper: list[str] = []

        def lamp(event: dict[str, Any]) -> None:
            if event.get("event") == "lamp" and event["on"] and event["lamp"] in ("green", "amber", "red"):
                lamps.append((event["lamp"], event["at"]))

        def cut(event: Any) -> None:
            if isinstance(event, Receipt):
                paper.append(to_text(event))

        bench = BoardBench(directory / "bench", Battery(charge=0.9), lamp)
        simulator = await stack.enter_async_context(PrinterSimulator(port.link, on_event=cut, **printer))
        playing = asyncio.create_task(bench.run(commands))
        shop = Shop(directory, scanner, simulator, bench, paper, lamps)
        try:
            await asyncio.sleep(0)
            await shop.start()
            await _open_for_business(shop)
            yield shop
        finally:
            if shop.daemon is not None:
                await shop.stop()
            await commands.put("quit")
            await playing


async def _open_for_business(shop: Shop) -> None:
    assert (await shop.asked("POST", "/v1/catalogue", CATALOGUE))["ok"]
    issued = await shop.asked("POST", "/v1/badges", {"name": "Ada", "role": "supervisor"})
    assert await shop.scan(issued["data"]["text"]) == "green"
    assert await shop.cards("SHIFTOPEN", "D1", "D0", "D0", "DONE") == ["amber"] * 4 + ["green"]
