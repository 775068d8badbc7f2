"""What a technician does with a device: look for it, test it, record it, make it talk in the log.

Tests are UnifiedPOS's CheckHealth: `internal` changes nothing, `external` makes the device do something a person can
perceive, or measure afresh; `interactive` asks a person to do something and waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from holdfast.devices.claims import Claims
from holdfast.devices.finder import Finder
from holdfast.devices.health import RELEASED, Health, HealthBoard, Verdict
from holdfast.devices.statistics import Statistics
from holdfast.devices.suggestions import configuration
from holdfast.devices.taps import TAPS
from holdfast.runtime import supervise
from holdfast_contract.reasons import FAULTS
from holdfast_drivers.discovery.identify import Finding
from holdfast_drivers.values import DeviceError, DeviceState, Scan, Tri

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


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person does, and the fact of the device that shows it."""

    fact: str
    value: str
    words: str


DEEDS: Mapping[str, tuple[Deed, ...]] = {
    "printer": (
        Deed("cover_open", Tri.YES.value, "the cover opened"),
        Deed("cover_open", Tri.NO.value, "the cover closed"),
    ),
    "drawer": (Deed("open", Tri.YES.value, "the drawer opened"), Deed("open", Tri.NO.value, "the drawer closed")),
    "battery": (
        Deed("mains", Tri.NO.value, "the mains plug pulled"),
        Deed("mains", Tri.YES.value, "the mains plug put back"),
    ),
}
"""Interactive tests by kind of device, in order. A scanner's is a scan."""


class Workbench:
    """Methods raise KeyError for a device that is not configured, ValueError for a level that is none."""

    def __init__(
        self,
        *,
        health: HealthBoard,
        finder: Finder,
        statistics: Statistics,
        claims: Claims,
        external: Mapping[str, Callable[[], Awaitable[Verdict]]],
        boards: Callable[[str | None], Coroutine[Any, Any, Mapping[str, Any]]],
        patience: float = PATIENCE,
    ) -> None:
        """`external`: what each device does for an external test, by its name; `boards`: see there."""
        self._health = health
        self._finder = finder
        self._statistics = statistics
        self.release = claims.release
        self.claim = claims.claim
        self.boards = boards
        self._external = external
        self._patience = patience
        self._awaited: dict[str, asyncio.Future[Scan]] = {}

    def found(self) -> list[dict[str, Any]]:
        """Everything plugged in, with what it may be; of a printer and its drawer, at one port, the printer."""
        configured = {device.where: device.name for device in reversed(self._health.all())}
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
        if wanted is not Level.INTERNAL and not _away(device):
            healthy, words = await self._perceived(device, wanted)
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
        known = await self._finder.forget(self._health[name].name)
        return self._statistics.replaced(name) or known

    def reset_statistics(self, name: str) -> Mapping[str, int]:
        """UnifiedPOS's ResetStatistics. What they were."""
        return self._statistics.reset(self._health[name].name)

    async def _perceived(self, device: Health, level: Level) -> Verdict:
        if level is Level.EXTERNAL and device.name in self._external:
            try:
                return await self._external[device.name]()
            except DeviceError as error:
                return Tri.NO, str(error)
        if level is Level.INTERACTIVE and device.kind == "scanner":
            return await self._scan(device.name)
        if level is Level.INTERACTIVE and device.kind in DEEDS:
            return await self._deeds(device)
        return Tri.UNKNOWN, "this kind of device has no such test"

    async def _scan(self, name: str) -> Verdict:
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

    async def _deeds(self, device: Health) -> Verdict:
        deeds = DEEDS[device.kind]
        for deed in deeds:
            if not await self._seen(device.name, deed):
                return Tri.NO, f"{deed.words}: not seen within {self._patience:.0f} s"
        return Tri.YES, f"seen: {', '.join(deed.words for deed in deeds)}"

    async def _seen(self, name: str, deed: Deed) -> bool:
        for _ in range(math.ceil(self._patience / LOOK_EVERY)):
            if self._health[name].facts.get(deed.fact, "").split(" ")[0] == deed.value:
                return True
            await asyncio.sleep(LOOK_EVERY)
        return False


def _away(device: Health) -> bool:
    return device.state in (DeviceState.OFF, DeviceState.OFF_OFFLINE) or device.reason == RELEASED


def _internal(device: Health) -> Verdict:
    """What is known without touching the device."""
    facts = ", ".join(f"{name} {value}" for name, value in device.facts.items())
    if _away(device) or device.state is DeviceState.OFFLINE:
        told = (f"{device.reason}:", *FAULTS.get(device.reason, ()), facts)
        return Tri.NO, " ".join(told).rstrip(": ")
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
        "configuration": configuration(finding),
        "configured": next((name for where, name in configured.items() if where in names), ""),
        "learnt": finding.device,
        "guesses": [
            {"role": guess.role.value, "confidence": guess.confidence.name.lower(), "why": guess.why}
            for guess in finding.guesses
        ],
    }
