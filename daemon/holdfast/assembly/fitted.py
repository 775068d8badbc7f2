"""The devices of the configuration, each built once, and what the counter hears of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from holdfast.config import Button, Config
from holdfast.counter.ports import PaperPort, Signal
from holdfast.devices.board import BoardDevice
from holdfast.devices.display import DisplayDevice
from holdfast.devices.drawer import DrawerDevice, PaperAndDrawer
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.panel import NoPanel, PanelDevice
from holdfast.devices.printer import DRAWER, NoPrinter, PrinterDevice
from holdfast.devices.scale import ScaleDevice
from holdfast.devices.scanner import ScannerDevice
from holdfast.devices.statistics import GOOD_WEIGHTS, CountedPrinter, Statistics
from holdfast.runtime.clock import Clock
from holdfast.uplink.link import Link
from holdfast_contract.board import Change, State
from holdfast_drivers.panel.buttons import Gesture
from holdfast_drivers.values import PrintResult, Scan


class Device(Protocol):
    """What is supervised: `run` is one life of it."""

    name: str

    async def run(self) -> None: ...

    async def check(self) -> Verdict:
        """CheckHealth, external: does what a person can perceive, or measures afresh. Raises DeviceError."""
        ...


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what people and the machine do, and asked what only the counter knows."""

    scanned: Callable[[str, str, Scan], None]
    """(scanner, station, scan)."""
    pressed: Callable[[Button, Gesture], None]
    board_changed: Callable[[Change], None]
    board_shown: Callable[[State], None]
    printing: Callable[[], bool]
    """Is a document on its way to paper now."""
    print_test: Callable[[], Awaitable[PrintResult]]


class Fitted:
    """Building it starts nothing."""

    def __init__(
        self,
        config: Config,
        *,
        health: HealthBoard,
        real: Clock,
        pace: float,
        statistics: Statistics,
        listener: Listener,
    ) -> None:
        """`pace`: seconds of the lights' patterns for one of the counter's."""
        self._config, self._health, self._real = config, health, real
        self._pace, self._statistics, self._listener = pace, statistics, listener

    @cached_property
    def panel(self) -> NoPanel:
        if self._config.panel is None:
            return NoPanel()
        panel = PanelDevice(self._config.panel, health=self._health, pressed=self._listener.pressed, pace=self._pace)
        if self._config.uplink is not None:
            panel.show_link(Link.OFFLINE.value)  # until headquarters is heard; the uplink tells only of changes
        return panel

    @cached_property
    def printer(self) -> NoPrinter:
        printer = self._config.printer
        if printer is None:
            return NoPrinter()
        return PrinterDevice(printer, health=self._health, clock=self._real, test=self._listener.print_test)

    @cached_property
    def scanners(self) -> list[ScannerDevice]:
        return [
            ScannerDevice(s, health=self._health, scanned=partial(self._listener.scanned, s.name))
            for s in self._config.scanners
        ]

    @cached_property
    def scales(self) -> dict[str, ScaleDevice]:
        """By station."""
        weighed = partial(self._statistics.count, statistic=GOOD_WEIGHTS)
        return {s.station: ScaleDevice(s, health=self._health, weighed=weighed) for s in self._config.scales}

    @cached_property
    def displays(self) -> dict[str, DisplayDevice]:
        """By station."""
        return {d.station: DisplayDevice(d, health=self._health) for d in self._config.displays}

    @cached_property
    def drawer(self) -> DrawerDevice | None:
        """One on the hub's own lines."""
        if self._config.drawer is None:
            return None
        return DrawerDevice(
            self._config.drawer,
            health=self._health,
            clock=self._real,
            left=self.panel.show_drawer,
            pulsed=partial(self._statistics.pulsed, DRAWER),
        )

    @cached_property
    def board(self) -> BoardDevice:
        return BoardDevice(
            self._config.storage,
            health=self._health,
            clock=self._real,
            printing=self._listener.printing,
            changed=self._listener.board_changed,
            shown=self._listener.board_shown,
            root=Path(self._config.board.root),
        )

    @cached_property
    def paper(self) -> PaperPort:
        printer = self.printer
        paper: PaperPort = printer
        if isinstance(printer, PrinterDevice):
            paper = CountedPrinter(printer, printer.name, self._statistics)
        return paper if self.drawer is None else PaperAndDrawer(paper, self.drawer)

    @property
    def all(self) -> list[Device]:
        """In the order in which people look for them."""
        one_of_a_kind = (self.printer, self.panel, self.drawer)
        fitted: list[Device] = [o for o in one_of_a_kind if isinstance(o, PrinterDevice | PanelDevice | DrawerDevice)]
        return [*self.scanners, *self.scales.values(), *self.displays.values(), *fitted, self.board]

    def busy(self, name: str) -> bool:
        """A document is on its way through this device."""
        return isinstance(self.printer, PrinterDevice) and name == self.printer.name and self.printer.busy

    def signal(self, station: str, signal: Signal) -> None:
        """An outcome, by lights and by the scanners that can sound it."""
        self.panel.signal(station, signal)
        for scanner in self.scanners:
            scanner.signal(station, signal)
