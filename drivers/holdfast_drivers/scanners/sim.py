"""A scanner without a scanner, for a hub to open: `python -m holdfast_drivers.scanners.sim --pty PATH` reads codes
from standard input, one a line; a line may begin with its AIM identifier, and `{GS}` stands for FNC1. What the hub
tells the scanner (`--protocol`) is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TextIO

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scanners.datalogic_sim import DatalogicSimulator
from holdfast_drivers.scanners.honeywell_sim import HoneywellSimulator
from holdfast_drivers.scanners.newland_sim import NewlandSimulator
from holdfast_drivers.scanners.simulator import ObedientSimulator, ScannerSimulator
from holdfast_drivers.scanners.ssi_sim import SsiSimulator

__all__ = ["PROTOCOLS", "ScannerSimulator", "main", "serve_lines"]

PROTOCOLS: dict[str, Callable[[Link], ScannerSimulator]] = {
    "plain": ScannerSimulator,
    "ssi": SsiSimulator,
    "honeywell": HoneywellSimulator,
    "datalogic": DatalogicSimulator,
    "newland": NewlandSimulator,
}

_LINGER = 0.5
"""Seconds plugged in after the last line: what the hub has not read by then vanishes with the PTY."""


async def serve_lines(lines: AsyncIterator[str], symlink: Path | None, *, protocol: str = "plain") -> None:
    """Plugs a scanner in at `symlink` (None: a path of the kernel's choice) and scans each line until they end."""
    async with Pty(symlink) as pty, AsyncExitStack() as listening:
        _say(f"scanner at {pty.path}")
        simulator = PROTOCOLS[protocol](pty.link)
        if isinstance(simulator, ObedientSimulator):
            simulator.told = _say
            await listening.enter_async_context(simulator)
        async for line in lines:
            aim, text = (line[:3], line[3:]) if line.startswith("]") else ("", line)
            await simulator.scan(text.replace("{GS}", "\x1d"), aim=aim)
        await asyncio.sleep(_LINGER)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _lines(source: TextIO) -> AsyncIterator[str]:
    """Lines as they are typed. A daemon thread waits for them, so that an interrupt need not."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)

    def put(line: str | None) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()

    def pump() -> None:
        for line in source:
            put(line.rstrip("\r\n"))
        put(None)

    threading.Thread(target=pump, name="standard input", daemon=True).start()
    while (line := await queue.get()) is not None:
        if line:
            yield line


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m holdfast_drivers.scanners.sim", description=__doc__)
    parser.add_argument("--pty", type=Path, metavar="PATH", help="symlink to make for the hub to open")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="plain", help="what it speaks")
    options = parser.parse_args()
    asyncio.run(serve_lines(_lines(sys.stdin), options.pty, protocol=options.protocol))


if __name__ == "__main__":
    main()
