"""Throughput shaping for a serial line without flow control: never more on the way than the printer can hold.

What comes when the receive buffer is full is lost without a word. So the driver follows, byte by byte, a printer as
slow as the slowest it may have at the other end: what the wire delivers when, and when its paper has moved.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Cut, Item, Pulse, Request

_DOTS_PER_MM = 8
_PIECE = 64
"""Bytes given to the line at once; fewer for a tiny buffer."""
_CUT_S = 1.0
"""A cut, generously."""
_PULSE_REST = 5
"""A drawer pulse counts this often: printers rest their coil and do not print meanwhile."""


@dataclass(frozen=True, slots=True)
class Line:
    """A wire, and the printer behind it."""

    bytes_per_s: float
    mm_per_s: float = 50.0
    """The slowest the printer may print."""
    buffer_bytes: int = 1024
    """What its receive buffer surely holds."""


class Pace:
    """Of one connection. `interpreter` must see every byte the printer sees, so its state is the printer's."""

    def __init__(self, line: Line, interpreter: Interpreter) -> None:
        self._line = line
        self._interpreter = interpreter
        self._piece = max(1, min(_PIECE, line.buffer_bytes // 2))
        self._dot_s = 1 / _DOTS_PER_MM / line.mm_per_s
        self._byte_s = self._dot_s / (interpreter.dots / 8)
        """Printing a byte of raster."""
        self._held: deque[tuple[float, int]] = deque()
        """When the printer is through with how many bytes."""
        self._wire_free = 0.0
        self._printer_free = 0.0

    async def admit(self, data: bytes) -> bytes:
        """The first bytes of `data`, as soon as the printer surely has room for them."""
        piece = data[: self._piece]
        await asyncio.sleep(self._until_room(len(piece)))
        return piece

    def took(self, data: bytes) -> None:
        """The line has taken `data`."""
        now = asyncio.get_running_loop().time()
        self._wire_free = max(now, self._wire_free) + len(data) / self._line.bytes_per_s
        self._printer_free = max(self._wire_free, self._printer_free) + self._seconds(data)
        self._held.append((self._printer_free, len(data)))

    def _until_room(self, count: int) -> float:
        now = asyncio.get_running_loop().time()
        while self._held and self._held[0][0] <= now:
            self._held.popleft()
        excess = sum(size for _, size in self._held) + count - self._line.buffer_bytes
        wait = 0.0
        for free_at, size in self._held:
            if excess <= 0:
                break
            excess -= size
            wait = free_at - now
        return wait

    def _seconds(self, data: bytes) -> float:
        """Printing time that `data` adds, at most.

        A picture counts twice: some printers print its rows as they come, others when the last one is there.
        """
        before = self._interpreter.pending
        items = self._interpreter.feed(data)
        rows = max(0, self._interpreter.pending - before) * self._byte_s
        return rows + sum(self._item_seconds(items))

    def _item_seconds(self, items: Iterable[Item]) -> Iterable[float]:
        for item in items:
            match item:
                case Cut():
                    yield _CUT_S
                case Pulse():
                    yield item.on_ms / 1000 * _PULSE_REST
                case Request():
                    pass
                case _:
                    yield item.height * self._dot_s
