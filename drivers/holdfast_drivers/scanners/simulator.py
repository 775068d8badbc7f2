"""Scanners without a scanner: what one sends when its trigger is pulled, and what it does when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.listening import Listening

_WRITE_TIMEOUT = 5.0
_TICK = 0.01


class ScannerSimulator:
    """Speaks on the device's side of a link. A hub that does not read makes it raise WriteError("timeout")."""

    def __init__(self, link: Link, *, seed: int = 0) -> None:
        self._link = link
        self._rng = Random(seed)
        self._sending = asyncio.Lock()

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
        async with self._sending:
            await self._link.write(data, timeout=_WRITE_TIMEOUT)


class ObedientSimulator(Listening, ScannerSimulator):
    """A scanner that takes commands while it is entered. It gives each thing it is told to do to `told`, at first a
    list: `heard`.

    `deaf` makes it one that takes none. While it is disabled, `scan` does nothing.
    """

    def __init__(self, link: Link, *, seed: int = 0) -> None:
        Listening.__init__(self, link)
        ScannerSimulator.__init__(self, link, seed=seed)
        self.heard: list[str] = []
        self.told: Callable[[str], object] = self.heard.append
        self.deaf = False
        self.enabled = True

    async def scan(
        self, text: str, *, aim: str = "]E0", terminator: str = "\r", per_byte_delay: float | None = None
    ) -> None:
        if self.enabled:
            await super().scan(text, aim=aim, terminator=terminator, per_byte_delay=per_byte_delay)

    async def _listen(self) -> None:
        while True:
            data = await self._link.read(4096)
            if not self.deaf:
                await self._obey(data)

    async def _obey(self, data: bytes) -> None:
        """Do what `data` says; it may hold half a command, or several."""
