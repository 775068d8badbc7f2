"""The panel as its operator sees it: lamps that go on and off at a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
