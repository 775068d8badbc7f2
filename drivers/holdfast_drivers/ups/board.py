"""A battery board: its gauge and its AC-loss line as one stream of readings."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Protocol

from holdfast_drivers.values import DeviceError, PowerReading, Tri

ON_BATTERY = 1.0
"""Seconds between readings; a gauge has nothing new earlier."""
ON_MAINS = 2.0
"""Seconds between readings, and between looks at the line, whose edges can be missed."""
FAILURES = 5
"""This many readings in a row must fail before the charge is unknown."""
PROBES = (5.0, 10.0, 20.0, 30.0)
"""Seconds between looks for a gauge that is lost; the last repeats."""

_log = logging.getLogger(__name__)


class Gauge(Protocol):
    """What measures the battery: a fuel gauge such as Max17048, a board's controller, a UPS known to NUT."""

    async def read(self) -> PowerReading:
        """One sample, with `mains` where the board can tell. Raises DeviceError."""
        ...


class Mains(Protocol):
    """What tells of AC, e.g. MainsLine."""

    async def read(self) -> Tri:
        """AC present, now. Raises DeviceError("unplugged")."""
        ...

    async def wait(self, limit: float) -> None:
        """Returns when it may have changed, at the latest after `limit` seconds."""
        ...


class PowerBoard:
    """One gauge, and a mains line if the board has one; the line's word on AC counts before the gauge's."""

    def __init__(
        self, gauge: Gauge, mains: Mains | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.failures = 0
        """Readings of the gauge that failed in a row."""
        self._gauge = gauge
        self._mains = mains
        self._clock = clock
        self._due = float("-inf")
        self._missed_for = ""

    async def readings(self) -> AsyncIterator[PowerReading]:
        """A reading every second on battery, every other on mains, and at once when AC goes or comes.

        A gauge that misses fewer than FAILURES readings in a row is waited for; from then on its fields are None.
        Raises DeviceError("unplugged") when bus or lines are gone: open them anew.
        """
        known = None
        while True:
            mains = await self._mains.read() if self._mains is not None else Tri.UNKNOWN
            sample = await self._sample() if self._clock() >= self._due else None
            if self._mains is None:
                mains = sample.mains if sample is not None else Tri.UNKNOWN
            elif sample is not None:
                sample = replace(sample, mains=mains, mains_inferred=False)
            if sample is not None or mains is not known or self.failures >= FAILURES:
                yield sample or PowerReading(self._clock(), mains=mains, missed=self._missed_for)
            known = mains
            await self._rest(ON_MAINS if mains is Tri.YES else ON_BATTERY)

    async def _sample(self) -> PowerReading | None:
        """The gauge's word; None for a miss."""
        try:
            reading = await self._gauge.read()
        except DeviceError as error:
            if error.kind == "unplugged":
                raise
            self._missed(error)
            return None
        if self.failures >= FAILURES:
            _log.warning("battery gauge is back after %d failures", self.failures)
        self.failures, self._missed_for = 0, ""
        return reading

    def _missed(self, error: DeviceError) -> None:
        self.failures += 1
        self._missed_for = error.kind
        _log.log(logging.WARNING if self.failures in (1, FAILURES) else logging.DEBUG, "battery gauge: %s", error)
        if self.failures >= FAILURES:
            self._due = self._clock() + PROBES[min(self.failures - FAILURES, len(PROBES) - 1)]

    async def _rest(self, seconds: float) -> None:
        if self._mains is None:
            await asyncio.sleep(seconds)
        else:
            await self._mains.wait(seconds)
