"""The operator panel: five lights and a buzzer on GPIO lines, through gpiozero.

`show` only notes what is wanted; one task, `run`, plays every lamp, and the header's thread does the switching. What
the colours mean stands in panel/signals.py; which lines are fitted is configuration.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from functools import partial
from math import inf
from typing import NoReturn, Protocol

from holdfast_drivers.links.header import Header
from holdfast_drivers.panel.signals import Cue, Lamp, Sequence, Signal, Step, Timing, scores
from holdfast_drivers.values import DeviceError

Pins = Mapping[Lamp, int | None]
"""BCM number of each lamp's line; None or left out: not fitted."""


class Switch(Protocol):
    """gpiozero's LED or Buzzer."""

    def on(self) -> None: ...
    def off(self) -> None: ...
    def close(self) -> None: ...


class Panel:
    """Shows signals on the lamps that are fitted. Made by `open_panel`."""

    def __init__(self, header: Header, switches: Mapping[Lamp, Switch], timing: Timing) -> None:
        self._header = header
        self._switches = switches
        self._bright, self._dim = scores(timing), scores(timing, dim=True)
        self._scores = self._bright
        self._lit = dict.fromkeys(switches, False)
        self._wanted = asyncio.Event()
        self._sequences = {lamp: Sequence(interrupts=lamp is not Lamp.BUZZER, gap=timing.gap) for lamp in switches}

    def dim(self, *, on: bool) -> None:
        """Shorter light where it would be long. What stands already changes when it is shown again."""
        self._scores = self._dim if on else self._bright

    def show(self, signal: Signal) -> None:
        """Have `signal` shown, from now. Returns at once; call it in the loop."""
        for cue in self._scores[signal]:
            if cue.lamp in self._sequences:
                self._sequences[cue.lamp].play(cue)
        self._wanted.set()

    async def light_in_turn(self, seconds: float) -> list[Lamp]:
        """Have each lamp that is fitted lit alone for `seconds`, while `run` plays. Which they were."""
        for lamp, sequence in self._sequences.items():
            sequence.play(Cue(lamp, (Step(on=True, seconds=seconds),)))
            self._wanted.set()
            await asyncio.sleep(2 * seconds)
        return list(self._sequences)

    async def run(self) -> NoReturn:
        """Play until cancelled. Raises DeviceError(`timeout`|`unplugged`) when the lines fail."""
        clock = asyncio.get_running_loop().time
        while True:
            self._wanted.clear()
            wake = inf
            changes = {}
            for lamp, sequence in self._sequences.items():
                on, until = sequence.advance(clock())
                wake = min(wake, until)
                if on is not self._lit[lamp]:
                    changes[lamp] = on
            if changes:
                await self._header.call(partial(self._switch, changes))
            with suppress(TimeoutError):
                async with asyncio.timeout_at(None if wake == inf else wake):
                    await self._wanted.wait()

    def _switch(self, changes: Mapping[Lamp, bool]) -> None:
        for lamp, on in changes.items():
            if on:
                self._switches[lamp].on()
            else:
                self._switches[lamp].off()
            self._lit[lamp] = on


@asynccontextmanager
async def open_panel(
    header: Header, pins: Pins, *, timing: Timing | None = None, pace: float = 1.0
) -> AsyncIterator[Panel]:
    """Take the lines and give them back dark. `pace` scales every time: 0.1 plays ten times as fast.

    Raises DeviceError, and gpiozero's GPIOPinInUse or PinInvalidPin for a pin that cannot be had.
    """
    fitted = {lamp: pin for lamp, pin in pins.items() if pin is not None}
    switches = await header.call(lambda: _take(header, fitted))
    try:
        yield Panel(header, switches, _scaled(timing or Timing(), pace))
    finally:
        with suppress(DeviceError):
            await header.call(lambda: _give_back(switches))


def _scaled(timing: Timing, pace: float) -> Timing:
    return Timing(**{field.name: getattr(timing, field.name) * pace for field in fields(timing)})


def _take(header: Header, pins: Mapping[Lamp, int]) -> dict[Lamp, Switch]:
    from gpiozero import LED, Buzzer  # noqa: PLC0415 - in the header's thread, which has imported it

    switches: dict[Lamp, Switch] = {}
    try:
        for lamp, pin in pins.items():
            switches[lamp] = (Buzzer if lamp is Lamp.BUZZER else LED)(pin, pin_factory=header.factory)
    except BaseException:
        _give_back(switches)
        raise
    return switches


def _give_back(switches: Mapping[Lamp, Switch]) -> None:
    """Off first: a line that is merely released may keep its level."""
    for switch in switches.values():
        with suppress(DeviceError):
            switch.off()
        switch.close()
