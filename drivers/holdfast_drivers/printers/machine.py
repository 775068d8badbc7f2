"""The mechanics a printer reports on: paper, cover, drawer, cutter, and the status bytes that say so. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

DOTS_PER_MM = 8
"""203 dpi."""


@dataclass(slots=True)
class Machine:
    """State of one printer; any field may be set at any time."""

    paper_mm: float = 80_000.0
    """Left on the roll."""
    near_end_mm: float = 3_000.0
    cover_open: bool = False
    cutter_jammed: bool = False
    drawer_high: bool = False
    """Level of the drawer connector's pin 3."""

    @property
    def paper_end(self) -> bool:
        return self.paper_mm <= 0

    @property
    def near_end(self) -> bool:
        return self.paper_mm < self.near_end_mm

    @property
    def ready(self) -> bool:
        """Whether it would print now."""
        return not (self.paper_end or self.cover_open or self.cutter_jammed)

    def realtime(self, n: int) -> int | None:
        """The answer to DLE EOT n; None: no such n."""
        fixed = 0x12
        if n == 1:
            return fixed | 0x04 * self.drawer_high | 0x08 * (not self.ready)
        if n == 2:
            return fixed | 0x04 * self.cover_open | 0x20 * self.paper_end | 0x40 * self.cutter_jammed
        if n == 3:
            return fixed | 0x08 * self.cutter_jammed
        if n == 4:
            return fixed | 0x0C * self.near_end | 0x60 * self.paper_end
        return None

    def auto_status(self) -> bytes:
        """The four bytes of automatic status back."""
        first = 0x10 | 0x04 * self.drawer_high | 0x08 * (not self.ready) | 0x20 * self.cover_open
        return bytes((first, 0x08 * self.cutter_jammed, self.paper_sensor(), 0))

    def star_status(self, counter: int, *, executed: bool) -> bytes:
        """Star's automatic status: nine bytes, version 3."""
        printer = 0x20 * self.cover_open | 0x08 * (not self.ready) | 0x04 * self.drawer_high | 0x02 * executed
        paper = 0x08 * self.paper_end | 0x06 * self.near_end
        counted = (counter & 0x18) << 2 | (counter & 0x07) << 1
        return bytes((0x23, 0x06, printer, 0x08 * self.cutter_jammed, 0, paper, 0, counted, 0))

    def paper_sensor(self) -> int:
        """The answer to GS r 1."""
        return 0x03 * self.near_end | 0x0C * self.paper_end


_REALTIME = re.compile(
    rb"\x10(?:\x04[\x01-\x04]|\x05[\x00-\x02]|\x14\x01[\x00\x01][\x01-\x08]|\x14\x07\x01)", re.DOTALL
)
_LONGEST = 5


class RealtimeScanner:
    """Finds DLE EOT, DLE ENQ and DLE DC4 in what is received, inside other data too, as printers do."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The commands that `data` completes."""
        seen = self._tail + data
        end = max(0, len(seen) - _LONGEST + 1)
        commands = []
        for match in _REALTIME.finditer(seen):
            commands.append(match.group())
            end = max(end, match.end())
        self._tail = seen[end:]
        return commands
