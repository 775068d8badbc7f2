"""A customer display of the hub. It shows the newest it was given; what came meanwhile is never seen."""

from __future__ import annotations

import asyncio

from holdfast.config import Display
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.ports import serial_link
from holdfast_drivers.displays.commands import COMMON_PAGES, Dialect, Language
from holdfast_drivers.displays.driver import LineDisplay
from holdfast_drivers.values import Columns, Tri

TEST_SHOWN = 3.0
"""Seconds a test pattern stays."""
PATTERN = Columns("ABCDEFGHIJKLMNOPQRST", ""), Columns("01234567890123456789", "")


def language(options: Display) -> Language:
    """As configured; a CD5220 without a page gets ASCII. Raises ValueError for what does not go together."""
    dialect = Dialect(options.dialect)
    common = COMMON_PAGES if dialect is Dialect.EPSON else ()
    return Language(dialect, common if options.code_pages is None else options.code_pages)


class DisplayDevice:
    """`run` is one life of the connection; `show` may be called at any time."""

    def __init__(self, options: Display, *, health: HealthBoard) -> None:
        self.name = options.name
        self.station = options.station
        self._opener = serial_link(options.serial)
        self._language = language(options)
        self._health = health
        self._live: LineDisplay | None = None
        self._wanted: tuple[Columns, Columns] | None = None
        self._new = asyncio.Event()
        health.add(self.name, "display", options.serial.port)

    def show(self, upper: Columns, lower: Columns) -> None:
        """From now on. Never blocks, never raises; what it was to show before is forgotten."""
        if self._wanted != (upper, lower):
            self._wanted = upper, lower
            self._new.set()

    async def run(self) -> None:
        """Raises DeviceError when the display is absent, takes nothing, or goes away."""
        async with LineDisplay(self._opener, self._language) as display:
            self._health.online(self.name, station=self.station, answers=Tri.UNKNOWN.value)
            self._live = display
            works = [asyncio.create_task(work, name=self.name) for work in (self._play(display), display.lost())]
            try:
                await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._live = None
                for work in works:
                    work.cancel()
                ended = await asyncio.gather(*works, return_exceptions=True)
            for end in ended:
                if isinstance(end, Exception):
                    raise end

    async def check(self) -> Verdict:
        """CheckHealth, external: every cell in use for a while. Only a person can say whether it was legible."""
        display = self._live
        if display is None:
            return Tri.NO, "its port is not open"
        await display.show(*PATTERN)
        await asyncio.sleep(TEST_SHOWN)
        self._new.set()
        return Tri.UNKNOWN, "letters above, digits below, twenty of each: did you read them?"

    async def _play(self, display: LineDisplay) -> None:
        """What is wanted, at once and whenever it changes."""
        while True:
            self._new.clear()
            if self._wanted is not None:
                await display.show(*self._wanted)
            await self._new.wait()
