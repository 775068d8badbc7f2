"""How each device is, as its supervisor last saw it. Silence is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from holdfast.runtime.clock import Clock
from holdfast_drivers.values import DeviceError, DeviceState, Tri

UNSUPPORTED = "unsupported"
"""Kind of a device that nothing here can drive, and reason of it."""
NOT_CONFIGURED = "not_configured"
"""Reason of a device that could be used and is in no configuration."""
RELEASED = "released"
"""Reason of a device that a technician had the hub let go of."""
PORT_SWAP = "port_swap"
"""Reason of a device at whose port there is another one. Its fact `finding` says which."""
DETACHED = frozenset({"absent", "unplugged"})
"""Reasons of a device that is not there at all."""
HERE = (DeviceState.ONLINE, DeviceState.OFFLINE)
"""States of a device whose port is open."""
OFFLINE = "offline"
"""Reason of a device that says so without saying why."""

CATEGORIES: Mapping[str, str] = {
    "scanner": "Scanner",
    "printer": "POSPrinter",
    "drawer": "CashDrawer",
    "panel": "Lights",
    "battery": "POSPower",
    "scale": "Scale",
    "display": "LineDisplay",
}
"""UnifiedPOS's DeviceCategory (1.16) of each kind of device."""

Verdict = tuple[Tri, str]
"""Of a check: is the device healthy, and why so, for people."""


@dataclass(frozen=True, slots=True)
class Health:
    """One device now."""

    name: str
    kind: str
    """A key of CATEGORIES; UNSUPPORTED or NOT_CONFIGURED among the others."""
    where: str
    """The stable name of its port."""
    state: DeviceState = DeviceState.UNKNOWN
    reason: str = ""
    """Kind of the last DeviceError, or what keeps it from its work, while it is not online."""
    since: float = 0.0
    """Monotonic seconds of the last change of state."""
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def category(self) -> str:
        """UnifiedPOS's DeviceCategory; empty for what has none."""
        return CATEGORIES.get(self.kind, "")


class HealthBoard:
    """The one place where device states are kept. `changed` is told of every change."""

    def __init__(self, clock: Clock, changed: Callable[[Health], None] = lambda _: None) -> None:
        self._clock = clock
        self._changed = changed
        self._devices: dict[str, Health] = {}
        self._others: dict[str, Health] = {}
        self._parts: dict[str, list[str]] = {}

    def add(self, name: str, kind: str, where: str, *, part_of: str | None = None) -> None:
        """A device; one that hangs on another (a drawer on its printer) is lost with it."""
        self._devices[name] = Health(name, kind, where, since=self._clock.monotonic())
        if part_of is not None:
            self._parts.setdefault(part_of, []).append(name)

    def online(self, name: str, *, hindrance: str | None = None, **facts: str) -> None:
        """It answers. `facts` replace what was known; with `online` "no" it is offline, for `hindrance`."""
        offline = facts.get("online") == Tri.NO.value
        state = DeviceState.OFFLINE if offline else DeviceState.ONLINE
        reason = (hindrance or OFFLINE) if offline else ""
        self._set(replace(self._devices[name], state=state, reason=reason, facts=facts))

    def lost(self, name: str, error: Exception) -> None:
        """It failed or went away, with all that hangs on it; what it said before is no longer known."""
        kind = error.kind if isinstance(error, DeviceError) else type(error).__name__
        facts = {"finding": error.detail} if isinstance(error, DeviceError) and kind == PORT_SWAP else {}
        state = DeviceState.OFF if kind in DETACHED else DeviceState.OFF_OFFLINE
        for each in (name, *self._parts.get(name, ())):
            self._set(replace(self._devices[each], state=state, reason=kind, facts=facts))

    def released(self, name: str) -> None:
        """The hub has let go of it and all that hangs on it: PowerState is unknown, as of a UnifiedPOS device that is
        not enabled.
        """
        self._unknown(name, RELEASED)

    def claimed(self, name: str) -> None:
        """The hub wants it back; nothing was heard of it yet."""
        self._unknown(name, "")

    def _unknown(self, name: str, reason: str) -> None:
        for each in (name, *self._parts.get(name, ())):
            self._set(replace(self._devices[each], state=DeviceState.UNKNOWN, reason=reason, facts={}))

    def others(self) -> list[Health]:
        """What is plugged in and not configured."""
        return list(self._others.values())

    def found(self, others: Iterable[Health]) -> None:
        """All that is plugged in and not configured, in place of what was found before."""
        now = {other.name: other for other in others}
        for name, other in now.items():
            before = self._others.get(name)
            if before is None or replace(other, since=before.since) != before:
                now[name] = replace(other, since=self._clock.monotonic())
                self._changed(now[name])
            else:
                now[name] = before
        self._others = now

    def all(self) -> list[Health]:
        return list(self._devices.values())

    def __getitem__(self, name: str) -> Health:
        return self._devices[name]

    def _set(self, health: Health) -> None:
        before = self._devices[health.name]
        if replace(health, since=before.since) == before:
            return
        if health.state is not before.state:
            health = replace(health, since=self._clock.monotonic())
        self._devices[health.name] = health
        self._changed(health)
