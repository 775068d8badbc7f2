"""A scanner that sends plain text over a byte link: RS-232, USB in COM mode, a device server.

It reads and says when the scanner is gone. It does not configure the scanner, beep, drop repeated reads, or come back
by itself: its owner opens a fresh one.
"""

from __future__ import annotations

from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.framing import GAP, Framer
from holdfast_drivers.scanners.line import LineScanner


class SerialScanner(LineScanner):
    """A `Scanner` without capabilities."""

    def __init__(self, opener: Opener, *, gap: float = GAP) -> None:
        super().__init__(opener, Framer(gap=gap))
