"""A scanner without a scanner: sends what one would send. `python -m holdfast_drivers.scanners.sim --pty PATH` reads
codes from standard input, one a line; a line may begin with its AIM identifier, and `{GS}` stands for FNC1.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import TextIO

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.pty import Pty

_WRITE_TIMEOUT = 5.0
_TICK = 0.01
_LINGER = 0.5
"""Seconds plugged in after the last line: what the hub has not read by then vanishes with the PTY."""


class ScannerSimulator:
    """Speaks on the device's side of a link. A hub that does not read makes it raise WriteError("timeout")."""

    def __init__(self, link: Link, *, seed: int = 0) -> None:
        self._link = link
        self._rng = Random(seed)

    async def scan(
        self, text: str, *, aim: str = "]E0", terminator: str = "\r", per_byte_delay: float | None = None
    ) -> None:
        """One pull of the trigger. `per_byte_delay` in seconds: a slow line; None: all in one piece."""
        data = (aim + text + terminator).encode()
        if per_byte_delay is None:
            await self._send(data)
            return
        for byte in data:
            await self._send(bytes([byte]))
            await asyncio.sleep(per_byte_delay)

    async def garbage(self, count: int) -> None:
        """`count` random bytes: a wrong baud rate, a bad cable."""
        await self._send(self._rng.randbytes(count))

    async def babble(self, rate: int) -> None:
        """About `rate` random bytes a second until cancelled: a broken device that never stops."""
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while True:
            due = int((loop.time() - began) * rate) - sent
            await self.garbage(due)
            sent += due
            await asyncio.sleep(_TICK)

    async def _send(self, data: bytes) -> None:
        await self._link.write(data, timeout=_WRITE_TIMEOUT)


async def serve_lines(lines: AsyncIterator[str], symlink: Path | None) -> None:
    """Plugs a scanner in at `symlink` (None: a path of the kernel's choice) and scans each line until they end."""
    async with Pty(symlink) as pty:
        sys.stdout.write(f"scanner at {pty.path}\n")
        sys.stdout.flush()
        simulator = ScannerSimulator(pty.link)
        async for line in lines:
            await simulator.scan(line.replace("{GS}", "\x1d"), aim="")
        await asyncio.sleep(_LINGER)


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
    asyncio.run(serve_lines(_lines(sys.stdin), parser.parse_args().pty))


if __name__ == "__main__":
    main()
