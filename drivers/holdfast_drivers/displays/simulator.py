"""A display without a display: keeps its cells, and may be slow, stuck or gone."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from holdfast_drivers.displays.screen import Screen
from holdfast_drivers.links.base import Link
from holdfast_drivers.values import DeviceError


class DisplaySimulator:
    """Takes what comes on the device's side of a link while it is entered."""

    def __init__(self, link: Link, screen: Screen | None = None) -> None:
        self.screen = screen or Screen()
        self.takes = asyncio.Event()
        """Cleared: it takes nothing more."""
        self.takes.set()
        self.changed = asyncio.Event()
        self._link = link
        self._taking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._taking = asyncio.create_task(self._take(), name=f"simulator {self._link.name}")
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._taking is not None
        self._taking.cancel()
        ended = await asyncio.gather(self._taking, return_exceptions=True)
        if isinstance(ended[0], Exception) and not isinstance(ended[0], DeviceError):
            raise ended[0]

    async def say(self, data: bytes) -> None:
        """A display with a port for another device sends what that says."""
        await self._link.write(data, timeout=5.0)

    async def _take(self) -> None:
        while True:
            await self.takes.wait()
            self.screen.feed(await self._link.read(256))
            self.changed.set()
