"""Scan to green light: bytes on the scanner's PTY, the real daemon, a lamp; beside a bare read() loop on a PTY."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from itertools import cycle, islice
from statistics import median
from typing import Self

from counter import Counter
from holdfast_drivers.links.pty import Pty
from measure import Beside, Row, Run, percentile
from selling import articles, open_shop
from services import Daemon, running

LIMIT_MS = 15.0
LINES = 3
ECHO = """
import os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
seen = b""
while data := os.read(port, 64):
    seen += data
    if seen.endswith(b"\\r"):
        os.write(port, b"!")
        seen = b""
"""
"""What a script for one scanner comes down to."""


class ReadLoop:
    """A process that does nothing but read a PTY and answer each read with a byte."""

    def __init__(self) -> None:
        self._pty = Pty()

    async def __aenter__(self) -> Self:
        await self._pty.plug()
        self._process = await asyncio.create_subprocess_exec(sys.executable, "-c", ECHO, self._pty.path)
        await self.scan("0000000000000")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        await self._process.wait()
        await self._pty.unplug()

    async def scan(self, text: str) -> float:
        """Milliseconds from the first byte to the answer."""
        began = time.monotonic()
        await self._pty.link.write(f"]E0{text}\r".encode(), timeout=1)
        await self._pty.link.read(16)
        return (time.monotonic() - began) * 1e3


async def run(bench: Run) -> list[Row]:
    state = bench.disk / "light"
    async with open_shop(state) as shop:
        await shop.sign_in()
    lines, payments, bare = [], [], []
    async with AsyncExitStack() as stack:
        counter = await stack.enter_async_context(Counter(bench.sockets))
        await stack.enter_async_context(running(Daemon(state, bench.sockets / "light.sock", counter.config())))
        loop = await stack.enter_async_context(ReadLoop())
        wares = cycle(articles())
        for _ in range(bench.pick(300, 40)):
            for ware in islice(wares, LINES):
                lines.append(await counter.product(ware.gtin))
                bare.append(await loop.scan(ware.gtin))
            payments.append(await counter.card("CASH"))
    ours = lines + payments
    return [
        Row(
            what=f"scan to green light, P{percent}",
            value=percentile(ours, percent),
            unit="ms",
            beside=(Beside("a bare read() loop that answers with a byte", percentile(bare, percent)),),
            goal=f"<= {LIMIT_MS:g} ms" if percent == 99 else "",
            met=percentile(ours, percent) <= LIMIT_MS if percent == 99 else None,
            note=f"{len(ours)} scans; P50 of products {median(lines):.2f}, of CASH cards {median(payments):.2f} ms"
            if percent == 50
            else "",
        )
        for percent in (50, 99)
    ]
