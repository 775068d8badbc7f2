"""A scanner whose driver came from elsewhere. Whatever it does, the hub and its other devices go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from holdfast.config import AddedScanner
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.ports import serial_link
from holdfast_drivers.registry import Driver, Registry, load_drivers
from holdfast_drivers.values import DeviceError, Scan, Tri


class AddedScannerDevice:
    """`run` is one life of the connection. A driver that is missing or broken is a device that is not there."""

    def __init__(
        self,
        options: AddedScanner,
        *,
        health: HealthBoard,
        scanned: Callable[[str, Scan], None],
        registry: Callable[[], Registry] = load_drivers,
    ) -> None:
        self.name = options.name
        self._options = options
        self._opener = serial_link(options.serial)
        self._health = health
        self._scanned = scanned
        self._registry = registry
        health.add(self.name, "scanner", options.serial.port)

    async def run(self) -> None:
        """Raises DeviceError, `refused` without a usable driver; and whatever the driver raises."""
        registry = await asyncio.to_thread(self._registry)  # an import may take its time
        try:
            await self._live(registry[self._options.driver])
        except (KeyError, ValueError) as error:
            raise DeviceError("refused", str(error.args[0] if error.args else error)) from error
        except SystemExit as error:
            raise DeviceError("refused", f"driver {self._options.driver} wanted to end the process") from error

    async def check(self) -> Verdict:
        """CheckHealth, external: nothing can be asked of it."""
        await asyncio.sleep(0)
        return Tri.UNKNOWN, "it cannot be made to sound: try --level interactive"

    async def _live(self, driver: Driver) -> None:
        async with driver.make(self._opener, self._options.options) as scanner:
            self._health.online(self.name, station=self._options.station, driver=driver.name)
            async for scan in scanner:
                if not isinstance(scan, Scan):
                    raise DeviceError("garbled", f"driver {driver.name} gave a {type(scan).__name__} for a scan")
                self._scanned(self._options.station, scan)
