"""UnifiedPOS's claim and release: the hub lets go of a device's port, another program has it, the hub takes it back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from holdfast.devices.health import HealthBoard
from holdfast_drivers.values import DeviceError

LET_GO_WITHIN = 5.0
"""Seconds a device may take to close its port."""


@dataclass
class _Hold:
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: the hub wants the device, as it does from the start."""
    life: asyncio.Task[None] | None = None


class Claims:
    """Which devices the hub has for itself: all, until one is released; until the next start or `claim`."""

    def __init__(
        self, *, health: HealthBoard, wake: Callable[[str], asyncio.Event], busy: Callable[[str], bool]
    ) -> None:
        """`wake` is set when a device is claimed; `busy`: letting go of it now would leave something half done."""
        self._health = health
        self._wake = wake
        self._busy = busy
        self._holds: dict[str, _Hold] = {}

    def around(self, name: str, run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """`run`, but while the device is released nothing runs."""
        hold = self._holds[name] = _Hold()
        hold.wanted.set()

        async def held() -> None:
            if not hold.wanted.is_set():
                self._health.released(name)
                await hold.wanted.wait()
            await self._live(hold, run)

        return held

    async def release(self, name: str) -> None:
        """Returns once the port is closed. Raises KeyError; DeviceError `busy`, or `refused` for a part of another."""
        hold = self._hold(name)
        if self._busy(name):
            raise DeviceError("busy", f"{name} is at work: wait until it has finished, then ask again")
        hold.wanted.clear()
        if hold.life is not None:
            hold.life.cancel()
            _, late = await asyncio.wait({hold.life}, timeout=LET_GO_WITHIN)
            if late:
                raise DeviceError("busy", f"{name} has not closed its port after {LET_GO_WITHIN:.0f} s")
        if not hold.wanted.is_set():
            self._health.released(name)

    def claim(self, name: str) -> None:
        """Take it back. Raises KeyError, DeviceError(`refused`) as `release` does."""
        hold = self._hold(name)
        if not hold.wanted.is_set():
            self._health.claimed(name)
            hold.wanted.set()
            self._wake(name).set()

    def _hold(self, name: str) -> _Hold:
        where = self._health[name].where
        if name not in self._holds:
            raise DeviceError("refused", f"{name} has no port of its own: it hangs on the device at {where}")
        return self._holds[name]

    async def _live(self, hold: _Hold, run: Callable[[], Awaitable[None]]) -> None:
        """One life of the device, ended early by a release, which is no failure."""
        life = hold.life = asyncio.create_task(_task(run))
        try:
            await asyncio.wait({life})
        finally:
            life.cancel()
            await asyncio.wait({life})
            hold.life = None
        if life.cancelled():
            if hold.wanted.is_set():
                raise DeviceError("refused", "its driver cancelled itself")
        elif (error := life.exception()) is not None and hold.wanted.is_set():
            raise error


async def _task(run: Callable[[], Awaitable[None]]) -> None:
    """An added driver may raise anything; what would end the process becomes its device's fault."""
    try:
        await run()
    except (SystemExit, KeyboardInterrupt) as error:
        raise DeviceError("refused", "its driver wanted to end the process") from error
