"""A scanner that sends plain text over a byte link: RS-232, USB in COM mode, a device server.

It reads and says when the scanner is gone. It does not configure the scanner, beep, drop repeated reads, or come back
by itself: its owner opens a fresh one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.scanners.framing import GAP, Framer
from holdfast_drivers.values import DeviceError, Scan

_CHUNK = 4096

_GRACE = 0.005
"""Seconds. When the loop itself was late, bytes that came in time are still in the kernel: one more look, then idle."""


@dataclass(slots=True)
class ScannerStats:
    """Counts since the scanner was opened."""

    bytes: int = 0
    reads: int = 0
    """Scans delivered."""
    fragments: int = 0
    """Reads that silence, not a terminator, ended; and reads cut off by an unplug, which are dropped."""
    oversize: int = 0
    """Reads dropped for their length."""


class SerialScanner:
    """`async with SerialScanner(opener) as scanner: async for scan in scanner: ...`

    Entering raises what the opener raises. Iterating raises DeviceError("unplugged") when the scanner is gone; what it
    had begun to send is then dropped, for half a code must never become a scan.
    """

    def __init__(self, opener: Opener, *, gap: float = GAP) -> None:
        self.stats = ScannerStats()
        self._opener = opener
        self._framer = Framer(gap=gap)
        self._ready: deque[Scan] = deque()
        self._link: Link | None = None

    async def __aenter__(self) -> Self:
        self._link = await self._opener()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._link is not None:
            await self._link.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Scan:
        """The next scan, in the order of the wire. Cancelling loses none."""
        while not self._ready:
            await self._receive()
        self.stats.reads += 1
        return self._ready.popleft()

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        data = await self._read()
        if data is None:
            scan = self._framer.idle(loop.time())
            self._ready.extend([scan] if scan else [])
            self.stats.fragments += scan is not None
            return
        self.stats.bytes += len(data)
        self._ready.extend(self._framer.feed(data, loop.time()))
        self.stats.oversize = self._framer.oversize

    async def _read(self) -> bytes | None:
        """Bytes, or None when a read has begun and the line fell silent."""
        assert self._link is not None, "use the scanner as an async context manager"
        try:
            if not self._framer.open:
                return await self._link.read(_CHUNK)
            for patience in (self._framer.gap, _GRACE):
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        return await self._link.read(_CHUNK)
        except DeviceError:
            self.stats.fragments += self._framer.drop()
            raise
        return None
