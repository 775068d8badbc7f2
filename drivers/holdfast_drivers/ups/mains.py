"""Is AC there: a battery board's AC-loss line. Its polarity is configuration, for boards of one maker differ.

On an X728 or X708 high means lost, on an X120x low means lost. An X728 without its PLD jumper says "there" for ever,
and a dead output stage "lost" for ever: who acts on this must weigh the gauge's voltage, too.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self

from holdfast_drivers.links.header import Header, handed_over
from holdfast_drivers.links.lines import Pull
from holdfast_drivers.values import DeviceError, Tri

DEBOUNCE = 0.05
"""Seconds a supply line must hold before it counts."""

_PULL_UP = {Pull.FLOATING: None, Pull.UP: True, Pull.DOWN: False}


def mains_from_level(*, high: bool, active: Literal["high", "low"]) -> Tri:
    """AC present? `active` is the level that means it is lost."""
    return Tri.NO if high == (active == "high") else Tri.YES


class MainsLine:
    """The line at BCM number `pin`; an async context manager. Opening raises DeviceError and gpiozero.GPIOPinInUse."""

    def __init__(
        self,
        header: Header,
        pin: int,
        *,
        active: Literal["high", "low"],
        pull: Pull = Pull.FLOATING,
        debounce: float = DEBOUNCE,
    ) -> None:
        self._header = header
        self._pin = pin
        self._active: Literal["high", "low"] = active
        self._pull = pull
        self._debounce = debounce
        self._changed = asyncio.Event()
        self._device: Any = None

    async def __aenter__(self) -> Self:
        changed = handed_over(self._changed.set)

        def listen() -> Any:
            from gpiozero import DigitalInputDevice  # noqa: PLC0415 - in the header's thread, which has imported it

            device = DigitalInputDevice(
                self._pin,
                pull_up=_PULL_UP[self._pull],
                active_state=True if self._pull is Pull.FLOATING else None,
                bounce_time=self._debounce,
                pin_factory=self._header.factory,
            )
            device.when_activated = device.when_deactivated = changed
            return device

        self._device = await self._header.call(listen)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(DeviceError):
            await self._header.call(self._device.close)

    async def read(self) -> Tri:
        """AC present, by the level now; UNKNOWN when the line does not answer. Raises DeviceError("unplugged")."""
        try:
            high = await self._header.call(lambda: self._device.pin.state)
        except DeviceError as error:
            if error.kind == "unplugged":
                raise
            return Tri.UNKNOWN
        return mains_from_level(high=high, active=self._active)

    async def wait(self, limit: float) -> None:
        """Returns at the next edge since the last wait, at the latest after `limit` seconds: edges can be missed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._changed.wait()
        self._changed.clear()
