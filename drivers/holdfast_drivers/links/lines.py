"""GPIO lines: what a chip of lines is, and one in memory.

Lines are numbered as the chip numbers them; on a Raspberry Pi's header chip that is the BCM number. Every method may
be called from any thread, blocks for one system call at most, and raises DeviceError (`absent`, `busy`, `refused`,
`unplugged`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from holdfast_drivers.values import DeviceError


class Pull(Enum):
    """The resistor inside the chip, in gpiozero's words."""

    FLOATING = "floating"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Edge:
    """One change of level."""

    line: int
    high: bool
    """The level after it."""
    at: float
    """Monotonic seconds, stamped where the change was seen: in the kernel where there is one."""


OnEdge = Callable[[Edge], None]
"""Called in the chip's own thread; must not block."""


@dataclass(frozen=True, slots=True)
class LineConfig:
    """How a line is used."""

    output: bool = False
    high: bool = False
    """The level an output starts with."""
    pull: Pull = Pull.FLOATING
    """Of an input."""
    debounce: float = 0.0
    """Seconds an input must hold a level before it counts; 0: every edge counts."""


class LineChip(Protocol):
    """A chip of GPIO lines."""

    @property
    def name(self) -> str:
        """Where it is, for people and logs."""
        ...

    def configure(self, line: int, config: LineConfig, on_edge: OnEdge | None = None) -> None:
        """Take the line, or change how it is used, in one step. With `on_edge`, report an input's edges."""
        ...

    def read(self, line: int) -> bool:
        """The level of a configured line: True is high."""
        ...

    def write(self, line: int, *, high: bool) -> None:
        """Drive a line configured as output."""
        ...

    def release(self, line: int) -> None:
        """Give the line back. Idempotent; never raises."""
        ...

    def close(self) -> None:
        """Give every line back. Idempotent; never raises."""
        ...


@dataclass(slots=True)
class _Cell:
    config: LineConfig
    on_edge: OnEdge | None
    high: bool
    settling: threading.Timer | None = None


class MemoryChip:
    """Lines in this process: a test drives the inputs and sees what was written to the outputs."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.written: list[Edge] = []
        """Every change of an output's level, in order; its first level counts when high."""
        self._lock = threading.RLock()
        self._cells: dict[int, _Cell] = {}
        self._driven: dict[int, bool] = {}

    def drive(self, line: int, *, high: bool) -> None:
        """Put a level on an input from outside. A shorter hold than the line's debounce goes unseen."""
        with self._lock:
            self._driven[line] = high
            cell = self._cells.get(line)
            if cell is None or cell.config.output:
                return
            if cell.settling is not None:
                cell.settling.cancel()
            if cell.config.debounce:
                cell.settling = threading.Timer(cell.config.debounce, self._settle, (line, cell))
                cell.settling.daemon = True
                cell.settling.start()
                return
        self._settle(line, cell)

    def configure(self, line: int, config: LineConfig, on_edge: OnEdge | None = None) -> None:
        with self._lock:
            old = self._cells.get(line)
            if config.output:
                was_high = old is not None and old.config.output and old.high
                if config.high != was_high:
                    self.written.append(Edge(line, config.high, time.monotonic()))
                level = config.high
            else:
                level = self._driven.get(line, config.pull is Pull.UP)
            self._cells[line] = _Cell(config, on_edge, level)

    def read(self, line: int) -> bool:
        return self._cell(line).high

    def write(self, line: int, *, high: bool) -> None:
        with self._lock:
            cell = self._cell(line)
            if not cell.config.output:
                raise DeviceError("refused", f"{self.name} line {line} is an input")
            if cell.high != high:
                cell.high = high
                self.written.append(Edge(line, high, time.monotonic()))

    def release(self, line: int) -> None:
        with self._lock:
            cell = self._cells.pop(line, None)
            if cell is not None and cell.settling is not None:
                cell.settling.cancel()

    def close(self) -> None:
        for line in list(self._cells):
            self.release(line)

    def _cell(self, line: int) -> _Cell:
        cell = self._cells.get(line)
        if cell is None:
            raise DeviceError("refused", f"{self.name} line {line} is not configured")
        return cell

    def _settle(self, line: int, cell: _Cell) -> None:
        with self._lock:
            high = self._driven[line]
            if self._cells.get(line) is not cell or cell.high == high:
                return
            cell.high = high
        if cell.on_edge is not None:
            cell.on_edge(Edge(line, high, time.monotonic()))
