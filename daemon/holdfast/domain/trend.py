"""Does the cell's voltage rise? Then something charges it, whatever a mains line says whose output stage is dead."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import fmean

PARTS = 4
PART = 12
"""Points of each part of the window."""
SPACING = 5.0
"""Seconds between points. A load that ends lifts the voltage too, but in one part, not from each to the next."""
LEAST_MV = 2.0
"""From part to part, which is a minute. A pack charged in four hours rises by 3 mV a minute."""


class Trend:
    """Feed it the filtered voltage, at any pace, with a monotonic clock's seconds."""

    def __init__(self) -> None:
        self.rising = False
        """From part to part of a whole window."""
        self._points: deque[tuple[float, int]] = deque(maxlen=PARTS * PART)

    def add(self, cell_mv: int | None, now: float) -> None:
        """Take the voltage of now into account; None or a gap begins anew."""
        if cell_mv is None or (self._points and now - self._points[-1][0] > PART * SPACING):
            self._points.clear()
            self.rising = False
        if cell_mv is not None and (not self._points or now - self._points[-1][0] >= SPACING):
            self._points.append((now, cell_mv))
            self.rising = self._rises()

    def _rises(self) -> bool:
        if len(self._points) < PARTS * PART:
            return False
        volts = [mv for _, mv in self._points]
        means = [fmean(volts[at : at + PART]) for at in range(0, len(volts), PART)]
        return all(later - earlier >= LEAST_MV for earlier, later in pairwise(means))
