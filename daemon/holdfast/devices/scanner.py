"""A scanner of the hub: opened, read, and opened again after every loss by the supervisor."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.config import Scanner
from holdfast.devices.health import HealthBoard
from holdfast.devices.ports import serial_link
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.values import Scan


class ScannerDevice:
    """`run` is one life of the connection. `scanned` gets every read, at once; it must not block."""

    def __init__(self, options: Scanner, *, health: HealthBoard, scanned: Callable[[str, Scan], None]) -> None:
        self.name = options.name
        self._station = options.station
        self._opener = serial_link(options.serial)
        self._gap = options.idle_gap_ms / 1000
        self._health = health
        self._scanned = scanned
        health.add(self.name, "scanner", options.serial.port)

    async def run(self) -> None:
        """Raises DeviceError when the scanner is absent or goes away."""
        async with SerialScanner(self._opener, gap=self._gap) as scanner:
            self._health.online(self.name, station=self._station)
            async for scan in scanner:
                self._scanned(self._station, scan)
