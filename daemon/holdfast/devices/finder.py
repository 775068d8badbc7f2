"""What is plugged in: wakes a device's task when its port appears, learns what works, keeps swapped devices apart."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

from holdfast.devices.health import HERE, NOT_CONFIGURED, PORT_SWAP, UNSUPPORTED, Health, HealthBoard
from holdfast.runtime.clock import Clock
from holdfast_drivers.discovery.catalogue import Role
from holdfast_drivers.discovery.fingerprint import Fingerprint, FingerprintFile, Misplaced, fingerprint, misplaced
from holdfast_drivers.discovery.identify import Finding, identify_all
from holdfast_drivers.discovery.sysfs import ROOT, Port, ports
from holdfast_drivers.discovery.uevents import Uevents, uevents
from holdfast_drivers.values import DeviceError, DeviceState

GLANCE_EVERY = 0.25
"""Seconds between looks for the ports of devices that are away: udev makes a link after the kernel's announcement, and
nobody announces a PTY."""
LOOK_EVERY = 30.0
"""Seconds between full looks without an announcement."""
ROLES = {"scanner": Role.SCANNER, "printer": Role.PRINTER}
"""Of the kinds of device that are learnt."""
SETTLE = 0.3
"""Seconds after an announcement before a full look: a device announces its parts one by one."""


class Finder:
    """`run` looks for as long as the hub does."""

    def __init__(
        self,
        *,
        health: HealthBoard,
        clock: Clock,
        store: Path,
        root: Path = ROOT,
        listen: Callable[[], Uevents | None] = uevents,
        learnt: Callable[[str, Fingerprint], None] = lambda *_: None,
    ) -> None:
        """`store` keeps what was learnt. Reads it. `learnt` hears what each device looks like, at every start too."""
        self.findings: list[Finding] = []
        self._health = health
        self._clock = clock
        self._file = FingerprintFile(store)
        self._root = root
        self._listen = listen
        self._learnt = learnt
        self._wakes: dict[str, asyncio.Event] = {}
        self._there: set[str] = set()
        self._proved: set[str] = set()
        """Devices to be learnt at the next look."""
        self._judged: set[str] = set()
        """Devices that were, or that have nothing to learn; what comes to their ports later is not proved by it."""
        self._look_at = 0.0

    def wake(self, name: str) -> asyncio.Event:
        """Set when the device's port appears."""
        return self._wakes.setdefault(name, asyncio.Event())

    def guarded(self, name: str, run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """`run`, but while another device is at this one's port DeviceError(`port_swap`), and nothing is opened."""

        async def checked() -> None:
            wrong = await asyncio.to_thread(self._misplaced, name)
            if wrong is not None:
                raise DeviceError(PORT_SWAP, wrong.words)
            await run()

        return checked

    def proved(self, name: str) -> None:
        """The device did what only it can: what is at its port is it. Learnt at the next look. Never blocks."""
        if name not in self._judged:
            self._judged.add(name)
            self._proved.add(name)
            self._look_at = min(self._look_at, self._clock.monotonic() + SETTLE)

    def port(self, name: str) -> Port | None:
        """What was last seen at the device's place; None for what has no port of its own."""
        node = _node(self._health[name].where)
        return next((finding.port for finding in self.findings if _is_at(finding.port, node)), None)

    async def forget(self, name: str) -> bool:
        """The device was replaced: learn it anew. False: nothing was known."""
        known = await asyncio.to_thread(self._file.forget, name)
        self._judged.discard(name)
        self.wake(name).set()
        return known

    async def run(self) -> None:
        """Ends only with the hub."""
        for name, mark in self._file.learnt.items():
            self._learnt(name, mark)
        events = self._listen()
        listening = None if events is None else asyncio.create_task(self._follow(events), name="hot-plug")
        try:
            while True:
                if self._clock.monotonic() >= self._look_at:
                    self._look_at = self._clock.monotonic() + LOOK_EVERY
                    await self._look()
                await self._glance()
                await self._clock.sleep(GLANCE_EVERY)
        finally:
            if listening is not None and events is not None:
                listening.cancel()
                await asyncio.wait({listening})
                events.close()

    async def _follow(self, events: Uevents) -> None:
        """An announcement brings the next full look forward; without them there is one now and then."""
        with suppress(OSError):
            while True:
                await events.next()
                self._look_at = min(self._look_at, self._clock.monotonic() + SETTLE)

    async def _glance(self) -> None:
        """Wake whoever waits for a port that was not there and now is."""
        away = {device.name: device.where for device in self._health.all() if device.state not in HERE}
        there = await asyncio.to_thread(_present, away) if away else set[str]()
        for name in there - self._there:
            self.wake(name).set()
        self._there = there | {name for name in self._there if name not in away}

    async def _look(self) -> None:
        found = await asyncio.to_thread(ports, self._root)
        await asyncio.to_thread(self._learn, found)
        roles = {device.name: ROLES[device.kind] for device in self._health.all() if device.kind in ROLES}
        self.findings = identify_all(found, self._file.learnt, roles)
        places = {_node(device.where) for device in self._health.all()}
        self._health.found(_others(self.findings, places))

    def _learn(self, found: Iterable[Port]) -> None:
        by_node = {_node(port.node): port for port in found if port.node}
        proved, self._proved = self._proved, set()
        for name in proved - self._file.learnt.keys():
            port = by_node.get(_node(self._health[name].where))
            mark = None if port is None else fingerprint(port)
            if mark is not None:
                with suppress(OSError):  # a full disk costs the memory of one device, not the device
                    self._file.learn(name, mark)
                self._learnt(name, mark)

    def _misplaced(self, name: str) -> Misplaced | None:
        node = _node(self._health[name].where)
        seen = next((port for port in ports(self._root) if _is_at(port, node)), None)
        return misplaced(name, self._file.learnt, seen)


def _present(places: dict[str, str]) -> set[str]:
    return {name for name, where in places.items() if Path(where).exists()}


def _node(where: str) -> str:
    return os.path.realpath(where)


def _is_at(port: Port, node: str) -> bool:
    return bool(port.node) and _node(port.node) == node


def _others(findings: Iterable[Finding], places: set[str]) -> Iterable[Health]:
    """USB devices in nobody's configuration, each once however many nodes it has."""
    found = [finding for finding in findings if finding.port.usb is not None]
    configured = {finding.port.device for finding in found if finding.port.node and _node(finding.port.node) in places}
    by_device: dict[str, Finding] = {}
    for finding in found:
        if finding.port.device not in configured and (finding.supported or finding.port.device not in by_device):
            by_device[finding.port.device] = finding
    return [_other(finding) for finding in by_device.values()]


def _other(finding: Finding) -> Health:
    port, usb = finding.port, finding.port.usb
    assert usb is not None, "others are USB devices"
    reason = NOT_CONFIGURED if finding.supported else UNSUPPORTED
    facts = {"usb": usb.id}
    if finding.guesses:
        facts["may_be"] = finding.guesses[0].why
    name = f"{usb.name or usb.id} at {port.device}"
    return Health(name, reason, port.stable, DeviceState.UNKNOWN, reason, facts=facts)
