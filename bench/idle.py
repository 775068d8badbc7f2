"""Idle: processor time of each device nobody uses, its driver alone in a process; beside a loop that sleeps."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from holdfast_drivers.links.pty import Pty
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.simulator import PrinterSimulator
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.sim import BoardBench
from measure import Beside, Row, Run, cpu_seconds, environment

SETTLE_S = 3.0
LIMIT_PERCENT = 0.5
READY = '    print("ready", flush=True)\n'
BARE = f"""
import asyncio
async def main():
{READY}    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""
SCANNER = f"""
import asyncio, sys
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.scanners.serial_scanner import SerialScanner
async def main():
  async with SerialScanner(serial_opener(sys.argv[1])) as scanner:
{READY}    async for scan in scanner:
        pass
asyncio.run(main())
"""
PRINTER = f"""
import asyncio, sys
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.printers.detect import KINDS
from holdfast_drivers.printers.profiles import load_profile
async def main():
  link, clock = await serial_opener(sys.argv[1])(), asyncio.get_running_loop().time
  async with KINDS[sys.argv[2]].driver(link, load_profile("TM-T20II"), monotonic=clock) as printer:
{READY}    while True:
        try:
            async with asyncio.timeout(10):
                await printer.next_change()
        except TimeoutError:
            await printer.check()
asyncio.run(main())
"""
"""As the daemon watches a printer."""
GAUGE = f"""
import asyncio, sys
from holdfast_drivers.links.i2c import i2c_bus
from holdfast_drivers.ups.max17048 import Max17048
async def main():
    gauge = await Max17048.detect(await i2c_bus(sys.argv[1]), clock=asyncio.get_running_loop().time)
{READY}    while True:
        await gauge.read()
        await asyncio.sleep(1)
asyncio.run(main())
"""


async def run(bench: Run) -> list[Row]:
    async with AsyncExitStack() as stack:
        socket = bench.sockets / "idle.sock"
        await stack.enter_async_context(_board(socket))
        scanner, epson, star = [await stack.enter_async_context(Pty()) for _ in range(3)]
        await stack.enter_async_context(PrinterSimulator(epson.link, model=Model.FULL))
        await stack.enter_async_context(PrinterSimulator(star.link, model=Model.STAR))
        programs = {
            "idle serial scanner": (SCANNER, scanner.path),
            "idle printer that reports by itself (ESC/POS)": (PRINTER, epson.path, "escpos"),
            "idle printer that must be asked (Star)": (PRINTER, star.path, "star"),
            "battery gauge read once a second": (GAUGE, f"bench:{socket}"),
        }
        bare, *ours = await percents(bench.pick(60, 10), [(BARE,), *programs.values()])
    return [
        Row(
            what=what,
            value=percent,
            unit="% of a core",
            beside=(Beside("an asyncio loop that sleeps by the second", bare),),
            goal=f"<= {LIMIT_PERCENT:g} %",
            met=percent <= LIMIT_PERCENT,
        )
        for what, percent in zip(programs, ours, strict=True)
    ]


@asynccontextmanager
async def _board(socket: Path) -> AsyncIterator[None]:
    """A fuel gauge on a bench socket."""
    commands: asyncio.Queue[str | None] = asyncio.Queue()
    running = asyncio.create_task(BoardBench(socket, Battery(charge=0.9), lambda _: None).run(commands))
    try:
        yield
    finally:
        commands.put_nowait(None)
        await running


async def percents(
    seconds: float, programs: Sequence[tuple[str, ...]], settled: Callable[[], None] = lambda: None
) -> list[float]:
    """Of a core, each over the same time once all have said that they are ready and `settled` was called."""
    async with AsyncExitStack() as stack:
        pids = [await stack.enter_async_context(_started(*program)) for program in programs]
        await asyncio.sleep(SETTLE_S)
        settled()
        before, began = [cpu_seconds(pid) for pid in pids], time.monotonic()
        await asyncio.sleep(seconds)
        passed = time.monotonic() - began
        return [(cpu_seconds(pid) - used) / passed * 100 for pid, used in zip(pids, before, strict=True)]


@asynccontextmanager
async def _started(program: str, *arguments: str) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *arguments), stdout=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            assert await process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
