"""How each device is, as its supervisor last saw it. Silence is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from holdfast.runtime.clock import Clock
from holdfast_drivers.values import DeviceError, DeviceState


@dataclass(frozen=True, slots=True)
class Health:
    """One device now."""

    name: str
    kind: str
    """`scanner`, `printer`, `panel`, `battery`."""
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

    def add(self, name: str, kind: str, where: str) -> None:
        self._devices[name] = Health(name, kind, where, since=self._clock.monotonic())

    def online(self, name: str, **facts: str) -> None:
        """It answers. `facts` replace what was known."""
        self._set(replace(self._devices[name], state=DeviceState.ONLINE, reason="", facts=facts))

    def lost(self, name: str, error: Exception) -> None:
        """It failed or went away; what it said before is no longer known."""
        kind = error.kind if isinstance(error, DeviceError) else type(error).__name__
        self._set(replace(self._devices[name], state=DeviceState.OFF_OFFLINE, reason=kind, facts={}))

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
