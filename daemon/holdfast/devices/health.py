"""How each device is, as its supervisor last saw it. Silence is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from holdfast.runtime.clock import Clock
from holdfast_drivers.values import DeviceError, DeviceState

UNSUPPORTED = "unsupported"
"""Kind of a device that nothing here can drive, and reason of it."""
NOT_CONFIGURED = "not_configured"
"""Reason of a device that could be used and is in no configuration."""
PORT_SWAP = "port_swap"
"""Reason of a device at whose port there is another one. Its fact `finding` says which."""


@dataclass(frozen=True, slots=True)
class Health:
    """One device now."""

    name: str
    kind: str
    """`scanner`, `printer`, `panel`, `battery`; UNSUPPORTED among the others."""
    where: str
    """The stable name of its port."""
    state: DeviceState = DeviceState.UNKNOWN
    reason: str = ""
    """Kind of the last DeviceError while it is not online."""
    since: float = 0.0
    """Monotonic seconds of the last change of state."""
    facts: dict[str, str] = field(default_factory=dict)


class HealthBoard:
    """The one place where device states are kept. `changed` is told of every change."""

    def __init__(self, clock: Clock, changed: Callable[[Health], None] = lambda _: None) -> None:
        self._clock = clock
        self._changed = changed
        self._devices: dict[str, Health] = {}
        self._others: dict[str, Health] = {}

    def add(self, name: str, kind: str, where: str) -> None:
        self._devices[name] = Health(name, kind, where, since=self._clock.monotonic())

    def online(self, name: str, **facts: str) -> None:
        """It answers. `facts` replace what was known."""
        self._set(replace(self._devices[name], state=DeviceState.ONLINE, reason="", facts=facts))

    def lost(self, name: str, error: Exception) -> None:
        """It failed or went away; what it said before is no longer known."""
        kind = error.kind if isinstance(error, DeviceError) else type(error).__name__
        facts = {"finding": error.detail} if isinstance(error, DeviceError) and kind == PORT_SWAP else {}
        self._set(replace(self._devices[name], state=DeviceState.OFF_OFFLINE, reason=kind, facts=facts))

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
