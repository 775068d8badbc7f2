"""The operator panel of the hub. Signals shown while it is away are lost, as light is; standing states come back."""

from __future__ import annotations

from enum import Enum

from holdfast.config import Panel
from holdfast.devices.health import HealthBoard, Verdict
from holdfast_drivers.links.header import gpio_header
from holdfast_drivers.panel import panel as driver
from holdfast_drivers.panel.signals import Lamp, Signal
from holdfast_drivers.values import Tri

TEST_LIGHT = 0.6
"""Seconds each lamp is lit in a test."""

LINK_SIGNALS = {
    "online": Signal.ONLINE,
    "degraded": Signal.ONLINE,
    "offline": Signal.OFFLINE,
    "catching_up": Signal.CATCHING_UP,
}


class NoPanel:
    """A hub without lights."""

    def signal(self, station: str, signal: Enum) -> None:
        pass

    def show_link(self, state: str) -> None:
        pass

    def show_power(self, *, saving: bool) -> None:
        pass

    def show_stopping(self) -> None:
        pass


class PanelDevice(NoPanel):
    """`run` is one life of the lines."""

    def __init__(self, options: Panel, *, health: HealthBoard, pace: float = 1.0) -> None:
        self.name = "panel"
        self._chip = options.chip
        self._pins = {lamp: getattr(options, lamp.value) for lamp in Lamp}
        self._pace = pace
        self._health = health
        self._panel: driver.Panel | None = None
        self._standing: dict[str, Signal] = {}
        health.add(self.name, "panel", options.chip)

    async def run(self) -> None:
        """Raises DeviceError when the lines are absent or fail."""
        async with gpio_header(self._chip) as header, driver.open_panel(header, self._pins, pace=self._pace) as panel:
            self._panel = panel
            self._health.online(self.name)
            for signal in self._standing.values():
                panel.show(signal)
            try:
                await panel.run()
            finally:
                self._panel = None

    async def check(self) -> Verdict:
        """CheckHealth, external: each lamp in turn. Only a person can say whether it shone."""
        if self._panel is None:
            return Tri.NO, "its lines are not open"
        lit = await self._panel.light_in_turn(TEST_LIGHT * self._pace)
        return Tri.UNKNOWN, f"one after the other: {', '.join(lamp.value for lamp in lit)}. Did you notice each?"

    def signal(self, station: str, signal: Enum) -> None:  # noqa: ARG002 - one panel serves every station
        """A signal of the counter, once; its value names ours. Never blocks, never raises."""
        self._play(Signal(signal.value))

    def show_link(self, state: str) -> None:
        """The state of the link to headquarters, from now on."""
        self._stand("link", LINK_SIGNALS[state])

    def show_power(self, *, saving: bool) -> None:
        self._stand("power", Signal.SAVING_POWER if saving else Signal.POWER_NORMAL)

    def show_stopping(self) -> None:
        self._stand("stop", Signal.STOPPING)

    def _stand(self, what: str, signal: Signal) -> None:
        if self._standing.get(what) is not signal:
            self._standing[what] = signal
            self._play(signal)

    def _play(self, signal: Signal) -> None:
        if self._panel is not None:
            self._panel.show(signal)
