"""A display without a display: keeps its cells, and may be slow, stuck or gone."""

from __future__ import annotations

import asyncio

from holdfast_drivers.displays.screen import Screen
from holdfast_drivers.links.base import Link
from holdfast_drivers.links.listening import Listening


class DisplaySimulator(Listening):
    """Takes what comes on the device's side of a link while it is entered."""

    def __init__(self, link: Link, screen: Screen | None = None) -> None:
        self.screen = screen or Screen()
        self.takes = asyncio.Event()
        """Cleared: it takes nothing more."""
        self.takes.set()
        self.changed = asyncio.Event()
        super().__init__(link)

    async def say(self, data: bytes) -> None:
        """A display with a port for another device sends what that says."""
        await self._link.write(data, timeout=5.0)

    async def _listen(self) -> None:
        while True:
            await self.takes.wait()
            self.screen.feed(await self._link.read(256))
            self.changed.set()
