"""A cash drawer on a relay, with its switch: opened by one short pulse, and seen to be open.

The coil of a drawer burns when it is driven for long or often. A pulse is timed in the header's own thread, so that a
loop that stalls makes none longer, and after each one there is rest: 20 % of the time at most, as receipt printers
allow their drawers (Epson TM-T88V Technical Reference Guide, drawer kick connector).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from holdfast_drivers.links.header import Header, handed_over
from holdfast_drivers.values import DeviceError, Tri

DUTY = 0.2
"""Of the time the coil may be driven."""
DEBOUNCE = 0.05
"""Seconds the switch must hold a level."""


@dataclass(frozen=True, slots=True)
class DrawerLines:
    """How it is wired; BCM numbers."""

    relay: int
    relay_active: Literal["high", "low"] = "high"
    """Level that drives the coil."""
    pulse: float = 0.15
    """Seconds."""
    sensor: int | None = None
    """None: nobody can tell whether it is open."""
    open_level: Literal["high", "low"] = "high"
    """Level of the switch while the drawer is open; the line is pulled up."""


class Drawer:
    """Made by `open_drawer`."""

    def __init__(self, header: Header, lines: DrawerLines, relay: Any, sensor: Any, changed: asyncio.Event) -> None:
        self._header = header
        self._lines = lines
        self._relay = relay
        self._sensor = sensor
        self._changed = changed
        self._rests_until = float("-inf")
        self._broken: DeviceError | None = None

    async def kick(self) -> bool:
        """One pulse. False: the coil must rest. Raises DeviceError; at `timeout` there may have been one.

        Calls do not overlap: the header's thread does one thing at a time.
        """
        return await self._header.call(self._pulse)

    def _pulse(self) -> bool:
        if time.monotonic() < self._rests_until:
            return False
        self._rests_until = time.monotonic() + self._lines.pulse / DUTY
        self._relay.on()
        time.sleep(self._lines.pulse)
        try:
            self._relay.off()
        except DeviceError as error:
            self._broken = error
        return True

    async def is_open(self) -> Tri:
        """By the level now; UNKNOWN without a switch, or while its line does not answer.

        Raises DeviceError(`unplugged`), and what the end of a pulse raised: the lines must be taken anew.
        """
        if self._broken is not None:
            raise self._broken
        if self._sensor is None:
            return Tri.UNKNOWN
        try:
            high = await self._header.call(lambda: bool(self._sensor.pin.state))
        except DeviceError as error:
            if error.kind == "unplugged":
                raise
            return Tri.UNKNOWN
        return Tri.YES if high == (self._lines.open_level == "high") else Tri.NO

    async def wait(self, limit: float) -> None:
        """Returns at the switch's next edge since the last wait, at the latest after `limit` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._changed.wait()
        self._changed.clear()


@asynccontextmanager
async def open_drawer(header: Header, lines: DrawerLines) -> AsyncIterator[Drawer]:
    """Take the lines, the coil at rest, and give them back. Raises DeviceError, GPIOPinInUse, PinInvalidPin."""
    changed = asyncio.Event()
    tell = handed_over(changed.set)
    taken: list[Any] = []
    try:
        relay, sensor = await header.call(lambda: _take(header, lines, tell, taken))
        yield Drawer(header, lines, relay, sensor, changed)
    finally:
        with suppress(DeviceError):
            await header.call(lambda: [device.close() for device in taken])


def _take(header: Header, lines: DrawerLines, tell: Any, taken: list[Any]) -> tuple[Any, Any]:
    from gpiozero import DigitalInputDevice, DigitalOutputDevice  # noqa: PLC0415 - in the header's thread

    relay = DigitalOutputDevice(lines.relay, active_high=lines.relay_active == "high", pin_factory=header.factory)
    taken.append(relay)
    if lines.sensor is None:
        return relay, None
    sensor = DigitalInputDevice(lines.sensor, pull_up=True, bounce_time=DEBOUNCE, pin_factory=header.factory)
    taken.append(sensor)
    sensor.when_activated = sensor.when_deactivated = tell
    return relay, sensor
