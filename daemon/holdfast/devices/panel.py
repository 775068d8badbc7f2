"""The operator panel of the hub. Signals shown while it is away are lost, as light is; standing states come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from holdfast.config import Button, Panel
from holdfast.devices.health import HealthBoard, Verdict
from holdfast_drivers.links.header import gpio_header
from holdfast_drivers.panel import buttons as buttons_driver
from holdfast_drivers.panel import panel as driver
from holdfast_drivers.panel.buttons import Gesture
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
STOP = "stop"
"""What stands before anything else on the lamp it shares."""

Pressed = Callable[[Button, Gesture], None]


class NoPanel:
    """A hub without lights."""

    def signal(self, station: str, signal: Enum) -> None:
        pass

    def show_link(self, state: str) -> None:
        pass

    def show_power(self, *, saving: bool) -> None:
        pass

    def show_drawer(self, left: bool) -> None:
        pass

    def show_stopping(self) -> None:
        pass


class PanelDevice(NoPanel):
    """`run` is one life of the lines."""

    def __init__(self, options: Panel, *, health: HealthBoard, pressed: Pressed, pace: float = 1.0) -> None:
        """`pressed` is told of every press of a button, in the loop."""
        self.name = "panel"
        self._chip = options.chip
        self._pins = {lamp: getattr(options, lamp.value) for lamp in Lamp}
        self._buttons = {str(button.pin): button for button in options.buttons}
        self._pressed = pressed
        self._pace = pace
        self._health = health
        self._panel: driver.Panel | None = None
        self._standing: dict[str, Signal] = {}
        health.add(self.name, "panel", options.chip)

    async def run(self) -> None:
        """Raises DeviceError when the lines are absent or fail."""
        async with (
            gpio_header(self._chip) as header,
            driver.open_panel(header, self._pins, pace=self._pace) as panel,
            buttons_driver.open_buttons(header, self._lines()) as buttons,
        ):
            self._panel = panel
            self._health.online(self.name)
            self._show_standing()
            try:
                await self._play_and_listen(panel, buttons)
            finally:
                self._panel = None

    def _lines(self) -> dict[str, buttons_driver.Button]:
        return {
            name: buttons_driver.Button(button.pin, button.active, button.hold_seconds if button.hold else None)
            for name, button in self._buttons.items()
        }

    async def _play_and_listen(self, panel: driver.Panel, buttons: buttons_driver.Buttons) -> None:
        """Both at once; whichever fails, its error is the life's."""
        playing = asyncio.create_task(panel.run(), name="panel: lamps")
        listening = asyncio.create_task(buttons.run(self._on_press, self._on_hold), name="panel: buttons")
        try:
            done, _ = await asyncio.wait({playing, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            playing.cancel()
            listening.cancel()
            await asyncio.wait({playing, listening})
        for task in done:
            task.result()

    def _on_press(self, name: str, gesture: Gesture) -> None:
        self._pressed(self._buttons[name], gesture)

    def _on_hold(self, _: str) -> None:
        self._play(Signal.HOLDING)

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
        """Power stage S1 or worse, or not: what shines for long is dimmed."""
        signal = Signal.SAVING_POWER if saving else Signal.POWER_NORMAL
        if self._standing.get("power") is not signal:
            self._standing["power"] = signal
            self._show_standing()

    def show_drawer(self, left: bool) -> None:
        """The drawer has been left open, or is no more."""
        self._stand("drawer", Signal.DRAWER_LEFT if left else Signal.DRAWER_SHUT)

    def show_stopping(self) -> None:
        self._stand(STOP, Signal.STOPPING)

    def _stand(self, what: str, signal: Signal) -> None:
        if self._standing.get(what) is not signal:
            self._standing[what] = signal
            if what == STOP or STOP not in self._standing:
                self._play(signal)

    def _show_standing(self) -> None:
        """All that stands, as bright as the power allows; the stop last."""
        if self._panel is not None:
            self._panel.dim(on=self._standing.get("power") is Signal.SAVING_POWER)
        for what in sorted(self._standing, key=lambda what: what == STOP):
            self._play(self._standing[what])

    def _play(self, signal: Signal) -> None:
        if self._panel is not None:
            self._panel.show(signal)
