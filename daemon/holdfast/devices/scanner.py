"""A scanner of the hub: opened, read, told how its scans fared, and opened again after every loss by the supervisor."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import Enum

from holdfast.config import PROTOCOLS, Scanner
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.ports import serial_link
from holdfast.devices.thirdparty import added, refusals
from holdfast_drivers.links.evdev import evdev_opener
from holdfast_drivers.links.hidraw import hidraw_opener
from holdfast_drivers.registry import SCANNERS, ScannerDriver
from holdfast_drivers.scanners import base as scanners
from holdfast_drivers.scanners.base import Capability
from holdfast_drivers.scanners.hidpos import USAGE_PAGE, HidPosScanner
from holdfast_drivers.scanners.keyboard import KeyboardScanner
from holdfast_drivers.scanners.layouts import LAYOUTS
from holdfast_drivers.values import DeviceError, Scan, Tri

log = logging.getLogger(__name__)

ASK_EVERY = 300.0
"""Seconds without feedback after which a scanner that can be asked is asked whether it lives."""
BACKLOG = 2
"""Signals that wait for a scanner; a later one is dropped, for it would be heard with another code."""
BEEPS = {"committed": 1, "need_input": 2}
"""Good tones by the counter's signal; any other is a bad read."""


def driver(options: Scanner) -> scanners.Scanner:
    """One of ours."""
    gap = options.idle_gap_ms / 1000
    if options.protocol == "keyboard":
        layout = LAYOUTS[options.layout]
        opener = evdev_opener(options.input or "")
        return KeyboardScanner(opener, layout=layout, gs_substitute=options.gs_substitute, gap=gap)
    if options.protocol == "hidpos":
        return HidPosScanner(hidraw_opener(options.input or "", usage_page=USAGE_PAGE))
    assert options.serial is not None, "the configuration is checked"
    return SCANNERS[options.protocol].make(serial_link(options.serial), {"gap": gap})


async def added_driver(options: Scanner) -> scanners.Scanner:
    """Somebody else's. Raises DeviceError `refused`."""
    assert options.serial is not None, "the configuration is checked"
    found = await added(ScannerDriver, options.protocol)
    with refusals(found.name):
        return found.make(serial_link(options.serial), options.options)


class ScannerDevice:
    """`run` is one life of the connection. `scanned` gets every read, at once; it must not block."""

    def __init__(self, options: Scanner, *, health: HealthBoard, scanned: Callable[[str, Scan], None]) -> None:
        self.name = options.name
        self._options = options
        self._station = options.station
        self._health = health
        self._scanned = scanned
        self._terminates = False
        self._live: scanners.Scanner | None = None
        self._signals: asyncio.Queue[str] = asyncio.Queue(BACKLOG)
        place = options.serial.port if options.serial is not None else options.input or ""
        health.add(self.name, "scanner", place)

    async def run(self) -> None:
        """Raises DeviceError when the scanner is absent or goes away; and whatever an added driver raises."""
        options = self._options
        made = driver(options) if options.protocol in PROTOCOLS else await added_driver(options)
        async with made as scanner:
            self._health.online(self.name, station=self._station, protocol=options.protocol)
            telling = asyncio.create_task(self._tell(scanner), name=f"{self.name} feedback")
            self._live = scanner
            try:
                async for scan in scanner:
                    if not isinstance(scan, Scan):
                        raise DeviceError("garbled", f"its driver gave a {type(scan).__name__} for a scan")
                    self._scanned(self._station, self._judged(scan))
            finally:
                self._live = None
                telling.cancel()
                await asyncio.wait({telling})

    async def check(self) -> Verdict:
        """CheckHealth, external: a good tone, and the answer of a scanner that can be asked. Raises DeviceError."""
        scanner = self._live
        if scanner is None:
            return Tri.NO, "its port is not open"
        answers = await scanner.alive() if Capability.QUERY in scanner.capabilities else Tri.UNKNOWN
        told = "it answered" if answers is Tri.YES else "it was not heard"
        if Capability.FEEDBACK not in scanner.capabilities:
            return answers, f"{told} and cannot be made to sound: try --level interactive"
        await scanner.good_read()
        return answers, f"{told}; a tone was asked for: did you hear it?"

    def _judged(self, scan: Scan) -> Scan:
        """Silence ends a whole read only of a scanner that never sends a terminator; of another it is one cut short."""
        self._terminates = self._terminates or scan.terminated
        return scan if self._terminates else replace(scan, terminated=True)

    def signal(self, station: str, signal: Enum) -> None:
        """A signal of the counter, for the person at this scanner if it is theirs. Never blocks, never raises."""
        if station == self._station:
            with suppress(asyncio.QueueFull):
                self._signals.put_nowait(signal.value)

    async def _tell(self, scanner: scanners.Scanner) -> None:
        """Until the scanner is gone; `run` sees that too."""
        self._forget_signals()
        while True:
            try:
                if Capability.QUERY in scanner.capabilities:
                    await self._ask(scanner)
                while (signal := await self._next_signal()) is not None:
                    await _pass_on(scanner, signal)
            except DeviceError as error:
                if error.kind == "unplugged":
                    return
                self._forget_signals()  # those that waited meanwhile would be heard too late
            except (Exception, SystemExit):  # the supervision edge of foreign code: a tone costs nobody a scan
                log.exception("%s: its driver failed at a tone; there are no more until it is opened again", self.name)
                return

    async def _ask(self, scanner: scanners.Scanner) -> None:
        answers = (await scanner.alive()).value
        self._health.online(self.name, station=self._station, protocol=self._options.protocol, answers=answers)

    async def _next_signal(self) -> str | None:
        """None after ASK_EVERY seconds without one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ASK_EVERY):
                return await self._signals.get()
        return None

    def _forget_signals(self) -> None:
        while not self._signals.empty():
            self._signals.get_nowait()


async def _pass_on(scanner: scanners.Scanner, signal: str) -> None:
    """Raises DeviceError."""
    if Capability.FEEDBACK not in scanner.capabilities:
        return
    if signal in BEEPS:
        await scanner.good_read(beeps=BEEPS[signal])
    else:
        await scanner.bad_read()
