"""What a technician does with a device: look for it, test it, record it, make it talk in the log.

Tests are UnifiedPOS's CheckHealth: `internal` changes nothing, `external` makes the device do something a person can
perceive, `interactive` asks a person to do something and waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from holdfast.devices.finder import Finder
from holdfast.devices.health import Health, HealthBoard
from holdfast.devices.taps import TAPS
from holdfast.runtime import supervise
from holdfast_drivers.discovery.identify import Finding
from holdfast_drivers.values import DeviceError, DeviceState, Printed, PrintResult, Scan, Tri

PATIENCE = 30.0
"""Seconds an interactive test waits for a person."""
LOOK_EVERY = 0.1
MAX_SECONDS = 3600.0
"""Of a recording."""
LEVELS = ("debug", "info", "warning", "error")


class Level(Enum):
    INTERNAL = "internal"
    EXTERNAL = "external"
    INTERACTIVE = "interactive"


class Workbench:
    """Methods raise KeyError for a device that is not configured, ValueError for a level that is none."""

    def __init__(
        self,
        *,
        health: HealthBoard,
        finder: Finder,
        print_test: Callable[[], Awaitable[PrintResult]],
        beep: Callable[[str], bool],
        patience: float = PATIENCE,
    ) -> None:
        """`beep` asks a scanner for a good tone; False: it has none."""
        self._health = health
        self._finder = finder
        self._print_test = print_test
        self._beep = beep
        self._patience = patience
        self._awaited: dict[str, asyncio.Future[Scan]] = {}

    def found(self) -> list[dict[str, Any]]:
        """Everything plugged in, with what it may be."""
        configured = {device.where: device.name for device in self._health.all()}
        return [_told(finding, configured) for finding in self._finder.findings]

    def takes(self, name: str, scan: Scan) -> bool:
        """A test waits for this scan: it is not for the counter."""
        awaited = self._awaited.pop(name, None)
        if awaited is None or awaited.done():
            return False
        awaited.set_result(scan)
        return True

    async def test(self, name: str, level: str) -> dict[str, Any]:
        """`{level, healthy, text, words}`; `healthy` is yes, no or unknown, `text` UnifiedPOS's CheckHealthText."""
        wanted, device = Level(level), self._health[name]
        healthy, words = _internal(device)
        if wanted is not Level.INTERNAL and healthy is not Tri.NO:
            tests = {
                ("scanner", Level.EXTERNAL): self._scanner_external,
                ("scanner", Level.INTERACTIVE): self._scanner_interactive,
                ("printer", Level.EXTERNAL): self._printer_external,
                ("printer", Level.INTERACTIVE): self._printer_interactive,
            }
            test = tests.get((device.kind, wanted))
            healthy, words = (Tri.UNKNOWN, "this kind of device has no such test") if test is None else await test(name)
        text = {Tri.YES: "Successful", Tri.NO: "Not Responding", Tri.UNKNOWN: "Complete"}[healthy]
        return {
            "level": wanted.value,
            "healthy": healthy.value,
            "text": f"{wanted.value.capitalize()} HCheck: {text}",
            "words": words,
        }

    async def record(self, name: str, seconds: float) -> str:
        """A tape of the device's traffic, its text masked. Raises DeviceError(`refused`): its link has no ear."""
        place = self._health[name].where
        if not TAPS.covers(place):
            raise DeviceError("refused", f"{name} is on no byte link that can be recorded")
        return (await TAPS.record(place, min(seconds, MAX_SECONDS))).dumps()

    def log_level(self, name: str, level: str) -> None:
        """From now on, until the next start. `debug` shows the traffic, its text masked."""
        if level not in LEVELS:
            raise ValueError(level)
        place = self._health[name].where
        logger = logging.getLogger(f"{__name__}.{name}")
        for each in (logger, supervise.log.getChild(name)):
            each.setLevel(level.upper())
        if TAPS.covers(place):
            TAPS.log(place, logger if level == "debug" else None)

    async def forget(self, name: str) -> bool:
        """Learn the device anew: it was replaced. False: nothing was known."""
        return await self._finder.forget(self._health[name].name)

    async def _scanner_external(self, name: str) -> tuple[Tri, str]:
        await asyncio.sleep(0)
        if self._beep(name):
            return Tri.UNKNOWN, "a tone was asked for: did you hear it?"
        return Tri.UNKNOWN, "this scanner cannot be made to sound: try --level interactive"

    async def _scanner_interactive(self, name: str) -> tuple[Tri, str]:
        awaited: asyncio.Future[Scan] = asyncio.get_running_loop().create_future()
        if name in self._awaited:
            return Tri.UNKNOWN, "another test waits for this scanner already"
        self._awaited[name] = awaited
        try:
            async with asyncio.timeout(self._patience):
                scan = await awaited
        except TimeoutError:
            return Tri.NO, f"no scan came within {self._patience:.0f} s"
        finally:
            self._awaited.pop(name, None)
        ended = "ended by its terminator" if scan.terminated else "ended by silence: program a terminator"
        return Tri.YES, f"{len(scan.data)} bytes, AIM {scan.aim or 'not sent'}, {ended}"

    async def _printer_external(self, _: str) -> tuple[Tri, str]:
        result = await self._print_test()
        if result.outcome is Printed.PRINTED:
            return Tri.YES, f"the test page is proved by {result.proof.name.lower().replace('_', ' ')}"
        if result.outcome is Printed.NOT_PRINTED:
            return Tri.NO, f"nothing was printed: {result.reason}"
        return Tri.UNKNOWN, f"look at the paper: {result.reason}"

    async def _printer_interactive(self, name: str) -> tuple[Tri, str]:
        for value in (Tri.YES, Tri.NO):
            if not await self._becomes(name, "cover_open", value.value):
                what = "opened" if value is Tri.YES else "closed"
                return Tri.NO, f"the cover was not seen to be {what} within {self._patience:.0f} s"
        return Tri.YES, "the cover was opened and closed, and the printer said so"

    async def _becomes(self, name: str, fact: str, value: str) -> bool:
        for _ in range(math.ceil(self._patience / LOOK_EVERY)):
            if self._health[name].facts.get(fact) == value:
                return True
            await asyncio.sleep(LOOK_EVERY)
        return False


def _internal(device: Health) -> tuple[Tri, str]:
    """What is known without touching the device."""
    facts = ", ".join(f"{name} {value}" for name, value in device.facts.items())
    if device.state is DeviceState.OFF_OFFLINE:
        return Tri.NO, f"{device.reason}{': ' if facts else ''}{facts}"
    if device.state is DeviceState.UNKNOWN:
        return Tri.UNKNOWN, "nothing was heard of it yet"
    if Tri.YES.value in (device.facts.get("fault"), device.facts.get("cover_open")):
        return Tri.NO, facts
    answers = device.facts.get("answers", device.facts.get("online", device.facts.get("mains")))
    return (Tri.UNKNOWN if answers in (None, Tri.UNKNOWN.value) else Tri.YES), facts or "its port is open"


def _told(finding: Finding, configured: dict[str, str]) -> dict[str, Any]:
    port = finding.port
    names = {port.node, port.stable, *port.names}
    return {
        "where": port.stable,
        "node": port.node,
        "path": port.path,
        "names": list(port.names),
        "subsystem": port.subsystem.value,
        "usb": None if port.usb is None else port.usb.id,
        "serial": "" if port.usb is None else port.usb.serial,
        "manufacturer": "" if port.usb is None else port.usb.manufacturer,
        "product": port.label if port.usb is None else port.usb.name,
        "supported": finding.supported,
        "configured": next((name for where, name in configured.items() if where in names), ""),
        "learnt": finding.device,
        "guesses": [
            {"role": guess.role.value, "confidence": guess.confidence.name.lower(), "why": guess.why}
            for guess in finding.guesses
        ],
    }
