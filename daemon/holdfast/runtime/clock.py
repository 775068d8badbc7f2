"""Time is passed in. Monotonic for every interval; wall clock only as a label, with its quality."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from holdfast_contract.record import ClockQuality

TIMESYNC_MARK = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches this after each synchronisation (systemd-timesyncd.service(8))."""
SYNC_VALID_S = 24 * 3600
LOOK_EVERY = 1.0
RTC = Path("/sys/class/rtc/rtc0")


class Clock(Protocol):
    """Seconds for intervals, milliseconds for labels."""

    def monotonic(self) -> float: ...

    def wall_ms(self) -> int: ...

    def quality(self) -> ClockQuality: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._looked = float("-inf")
        self._quality = ClockQuality.UNSET

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def quality(self) -> ClockQuality:
        """`synced` within 24 h of a time synchronisation, `holdover` after it or with a battery-backed clock."""
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._looked = time.monotonic()
            self._quality = self._look()
        return self._quality

    def _look(self) -> ClockQuality:
        try:
            age = time.time() - TIMESYNC_MARK.stat().st_mtime
        except OSError:
            return ClockQuality.HOLDOVER if RTC.exists() else ClockQuality.UNSET
        return ClockQuality.SYNCED if age <= SYNC_VALID_S else ClockQuality.HOLDOVER

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ShopClock:
    """A demonstration's counter clock: `speed` times real time, so that a trading day passes in minutes.

    Survives a restart because both ends of the scale are given: at `real_start_ms` it shows `shop_start_ms`.
    """

    def __init__(self, *, speed: int, shop_start_ms: int, real_start_ms: int, base: Clock) -> None:
        self._speed = speed
        self._shop_start_ms = shop_start_ms
        self._real_start_ms = real_start_ms
        self._base = base

    def monotonic(self) -> float:
        return self._base.monotonic() * self._speed

    def wall_ms(self) -> int:
        return self._shop_start_ms + (self._base.wall_ms() - self._real_start_ms) * self._speed

    def quality(self) -> ClockQuality:
        return self._base.quality()

    async def sleep(self, seconds: float) -> None:
        await self._base.sleep(seconds / self._speed)


class ManualClock:
    """Time that moves only when told to: for tests and replays."""

    def __init__(
        self, *, monotonic: float = 0.0, wall_ms: int = 0, quality: ClockQuality = ClockQuality.SYNCED
    ) -> None:
        self._monotonic = monotonic
        self._wall_ms = wall_ms
        self._quality = quality
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def monotonic(self) -> float:
        return self._monotonic

    def wall_ms(self) -> int:
        return self._wall_ms

    def quality(self) -> ClockQuality:
        return self._quality

    def advance(self, seconds: float) -> None:
        """Move both clocks and wake who is due."""
        self._monotonic += seconds
        self._wall_ms += round(seconds * 1000)
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._monotonic]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._monotonic]
        for _, event in due:
            event.set()

    def step_wall(self, seconds: float) -> None:
        """The wall clock jumps, the monotonic one does not."""
        self._wall_ms += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        self._sleepers.append((self._monotonic + seconds, event))
        await event.wait()


def business_day(at_ms: int, offset_ms: Callable[[int], int], cut_ms: int) -> int:
    """Days since 1970-01-01 of the business date `at_ms` falls in: local time less the day cut.

    `offset_ms` gives the hub zone's UTC offset at an instant.
    """
    return (at_ms + offset_ms(at_ms) - cut_ms) // 86_400_000
