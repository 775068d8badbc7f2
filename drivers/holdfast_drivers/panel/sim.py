"""The panel as its operator sees it: lamps that go on and off at a bench, buttons to push, a drawer that opens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.lines import Edge
from holdfast_drivers.panel.signals import Lamp


@dataclass(frozen=True, slots=True)
class LampChange:
    """One lamp went on or off."""

    lamp: Lamp
    on: bool
    at: float
    """Monotonic seconds, when the bench saw it; one clock for all processes of a machine."""


class PanelWatch:
    """Turns a bench's changes of lines into changes of lamps; give `output` to BenchServer as `on_output`."""

    def __init__(self, pins: Mapping[Lamp, int], report: Callable[[LampChange], None]) -> None:
        self.lit: set[Lamp] = set()
        """The lamps that are on."""
        self._lamps = {pin: lamp for lamp, pin in pins.items()}
        self._report = report

    def output(self, edge: Edge) -> None:
        """A line changed; one that is no lamp's is passed over."""
        lamp = self._lamps.get(edge.line)
        if lamp is None:
            return
        if edge.high:
            self.lit.add(lamp)
        else:
            self.lit.discard(lamp)
        self._report(LampChange(lamp, edge.high, edge.at))


LEAST_PULSE = 0.04
"""Seconds for which a drawer's coil must pull before its latch lets go."""


async def press(bench: BenchServer, line: int, seconds: float = 0.1, *, active_high: bool = False) -> None:
    """Push a button and let it go again."""
    bench.drive(line, high=active_high)
    await asyncio.sleep(seconds)
    bench.drive(line, high=None)


@dataclass(frozen=True, slots=True)
class DrawerChange:
    """A drawer opened, or was shut."""

    is_open: bool
    at: float
    """Monotonic seconds of its cause."""


class DrawerWatch:
    """A drawer whose coil is one line and whose switch another; give `output` to BenchServer as `on_output`."""

    def __init__(
        self,
        bench: BenchServer,
        *,
        relay: int,
        sensor: int | None,
        report: Callable[[DrawerChange], None],
        relay_high: bool = True,
        open_high: bool = True,
    ) -> None:
        self.is_open = False
        self.jammed = False
        self.pulses: list[tuple[float, float]] = []
        """Begin and end of each time the coil was driven."""
        self._bench = bench
        self._relay = relay
        self._sensor = sensor
        self._report = report
        self._relay_high = relay_high
        self._open_high = open_high
        self._driven_at: float | None = None

    def begin(self) -> None:
        """Put the switch where it belongs; call it once the bench serves."""
        if self._sensor is not None:
            self._bench.drive(self._sensor, high=self.is_open == self._open_high)

    def output(self, edge: Edge) -> None:
        """A line changed; one that is not the coil's is passed over."""
        if edge.line != self._relay:
            return
        if edge.high == self._relay_high:
            self._driven_at = edge.at
        elif self._driven_at is not None:
            self.pulses.append((self._driven_at, edge.at))
            pulled, self._driven_at = edge.at - self._driven_at, None
            if pulled >= LEAST_PULSE and not self.jammed:
                self._move(is_open=True, at=edge.at)

    def obey(self, word: str) -> None:
        """`shut`: somebody pushes it shut; `jam`: it will not open; `free`: it will. Raises ValueError."""
        if word not in ("shut", "jam", "free"):
            raise ValueError(f"nothing is done to a drawer that is called {word!r}")
        if word == "shut":
            self._move(is_open=False, at=time.monotonic())
        else:
            self.jammed = word == "jam"

    def _move(self, *, is_open: bool, at: float) -> None:
        if self.is_open is not is_open:
            self.is_open = is_open
            self.begin()
            self._report(DrawerChange(is_open, at))
