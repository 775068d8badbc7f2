"""Scanner bounce: what a scanner reads twice in a moment is one read."""

from __future__ import annotations

from collections import deque

from holdfast_drivers.values import Scan

MEMORY = 16
"""Different codes that can lie in a presentation scanner's view at once."""


class Repeats:
    """Knows the last few reads. Seconds are the scanner's own (`Scan.at`)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._recent: deque[tuple[bytes, float]] = deque(maxlen=MEMORY)

    def is_repeat(self, scan: Scan, *, digit: bool) -> bool:
        """Whether this is the same read as one less than `seconds` ago, which it then keeps alive.

        A digit card is one only when no other code came between: 1 2 1 is a number.
        """
        before = list(self._recent)[-1:] if digit else self._recent
        repeat = any(data == scan.data and scan.at - at < self._seconds for data, at in before)
        self._recent.append((scan.data, scan.at))
        return repeat
