"""A counter scale of the hub: kept connected, asked now and then whether it lives, asked for a weight when one is sold.

It counts as online once it has answered in its protocol, and no longer when it falls silent: an open port is no scale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from holdfast.config import Scale
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.ports import serial_link
from holdfast_drivers.scales import cas, driver, toledo
from holdfast_drivers.scales.base import ScaleProtocol
from holdfast_drivers.scales.driver import UNANSWERED
from holdfast_drivers.values import DeviceError, ScaleReading, ScaleState, Tri

LOOK_EVERY = 5.0
"""Seconds between two questions whether it lives."""
SILENCES = 2
"""Questions in a row without an answer after which it is lost."""
WITHIN = 8.0
"""Seconds after which whoever wants a weight is told that there is none."""
SCALE_FAULT = "scale_fault"
"""What keeps a scale that says so from weighing."""

PROTOCOLS: dict[str, ScaleProtocol] = {"toledo": toledo.protocol(), "cas": cas.PROTOCOL}


class ScaleDevice:
    """`run` is one life of the connection; the others may be called at any time."""

    def __init__(self, options: Scale, *, health: HealthBoard, weighed: Callable[[str], None] = lambda _: None) -> None:
        """`weighed` is told of every stable weight that was asked for."""
        self.name = options.name
        self.station = options.station
        self._options = options
        self._opener = serial_link(options.serial)
        self._health = health
        self._weighed = weighed
        self._live: driver.Scale | None = None
        self._doubt = asyncio.Event()
        """Set: look at once whether it is still there."""
        health.add(self.name, "scale", options.serial.port)

    async def run(self) -> None:
        """Raises DeviceError when the scale is absent, goes away, or does not answer."""
        async with driver.Scale(self._opener, PROTOCOLS[self._options.protocol]) as scale:
            self._live = scale
            try:
                await self._watch(scale)
            finally:
                self._live = None

    async def weigh(self) -> ScaleReading:
        """What lies on it once it rests; UNKNOWN when it does not say. Ends within WITHIN seconds, never raises."""
        scale = self._live
        if scale is None:
            return ScaleReading(detail="absent")
        try:
            async with asyncio.timeout(WITHIN):
                reading = await scale.weigh(patience=self._options.patience)
        except TimeoutError:
            reading = ScaleReading(detail="timeout")
        except DeviceError as error:
            reading = ScaleReading(detail=error.kind)
        if reading.weight is not None:
            self._weighed(self.name)
        if reading.state is ScaleState.UNKNOWN:
            self._doubt.set()
        return reading

    async def tare(self) -> None:
        """Take off what lies on it. Raises DeviceError within WITHIN seconds; detail of `refused` is the state."""
        await self._tell(driver.Scale.tare)

    async def zero(self) -> None:
        """Take what it bears for nothing. Raises as `tare` does."""
        await self._tell(driver.Scale.zero)

    async def check(self) -> Verdict:
        """CheckHealth, external: asks it afresh."""
        reading = await self.weigh()
        weight = reading.weight
        if weight is not None:
            return Tri.YES, f"it weighs {weight}, net {reading.net.value}: is that on its display?"
        healthy = {ScaleState.UNKNOWN: Tri.UNKNOWN, ScaleState.NOT_READY: Tri.NO}.get(reading.state, Tri.YES)
        return healthy, " ".join(filter(None, (reading.state.value, reading.detail)))

    async def _tell(self, what: Callable[[driver.Scale], Awaitable[None]]) -> None:
        if self._live is None:
            raise DeviceError("absent")
        try:
            async with asyncio.timeout(WITHIN):
                await what(self._live)
        except TimeoutError:
            raise DeviceError("timeout", f"not done within {WITHIN:g} s") from None

    async def _watch(self, scale: driver.Scale) -> None:
        silent = 0
        while True:
            self._doubt.clear()
            reading = await scale.read()
            silent = silent + 1 if reading.detail in UNANSWERED else 0
            if silent >= SILENCES:
                raise DeviceError(reading.detail, f"no answer to {silent} questions")
            if not silent:
                self._report(reading)
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if silent else LOOK_EVERY):
                    await self._doubt.wait()

    def _report(self, reading: ScaleReading) -> None:
        """How it is, not what lies on it: a weight is never kept."""
        ready = Tri.NO if reading.state is ScaleState.NOT_READY else Tri.YES
        self._health.online(
            self.name,
            hindrance=SCALE_FAULT,
            station=self.station,
            protocol=self._options.protocol,
            online=ready.value,
            answers=Tri.YES.value,
        )
