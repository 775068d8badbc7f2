"""The kinds of GPIO lines the panel's suite runs over: in memory, at a bench's socket, and gpiozero's own mock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.gpio import HoldfastFactory
from holdfast_drivers.links.header import Header, gpio_header
from holdfast_drivers.links.lines import Edge, MemoryChip
from holdfast_drivers.links.thread import CallThread


class LineRig(ABC):
    """A header for the driver, and the far end of its lines."""

    def __init__(self, header: Header) -> None:
        self.header = header

    @abstractmethod
    def drive(self, line: int, *, high: bool | None) -> None:
        """Put a level on an input; None: let go of it."""

    @abstractmethod
    def changes(self, line: int) -> list[bool]:
        """What an output did, from its first high or low on."""


class _Memory(LineRig):
    def __init__(self, header: Header, chip: MemoryChip) -> None:
        super().__init__(header)
        self._chip = chip

    def drive(self, line: int, *, high: bool | None) -> None:
        self._chip.drive(line, high=True if high is None else high)

    def changes(self, line: int) -> list[bool]:
        return [edge.high for edge in self._chip.written if edge.line == line]


class BenchRig(LineRig):
    def __init__(self, header: Header, bench: BenchServer, edges: list[Edge]) -> None:
        super().__init__(header)
        self.bench = bench
        self._edges = edges

    def drive(self, line: int, *, high: bool | None) -> None:
        self.bench.drive(line, high=high)

    def changes(self, line: int) -> list[bool]:
        return [edge.high for edge in self._edges if edge.line == line]


class _Mock(LineRig):
    def __init__(self, header: Header, factory: Any) -> None:
        super().__init__(header)
        self._factory = factory

    def drive(self, line: int, *, high: bool | None) -> None:
        pin = self._factory.pin(line)
        pin.drive_high() if high is not False else pin.drive_low()

    def changes(self, line: int) -> list[bool]:
        states = [bool(state) for _, state in self._factory.pin(line).states]
        return [state for before, state in zip([False, *states], states, strict=False) if state is not before]


@asynccontextmanager
async def memory(_: Path) -> AsyncIterator[LineRig]:
    chip, thread = MemoryChip(), CallThread("memory lines")
    factory = await thread.call(lambda: HoldfastFactory(chip), timeout=5)
    yield _Memory(Header(factory, thread), chip)
    await thread.close(factory.close)


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[BenchRig]:
    edges: list[Edge] = []
    server = BenchServer(folder / "lines", on_output=edges.append)
    async with server, gpio_header(f"bench:{folder}/lines") as header:
        yield BenchRig(header, server, edges)


@asynccontextmanager
async def mock(_: Path) -> AsyncIterator[LineRig]:
    thread = CallThread("gpiozero's mock")
    factory: Any = await thread.call(MockFactory, timeout=5)
    yield _Mock(Header(factory, thread), factory)
    await thread.close(factory.reset)


RIGS: dict[str, Callable[[Path], Any]] = {"memory": memory, "bench": bench, "gpiozero mock": mock}
