"""Capped, fully random delay between attempts, so that a thousand hubs do not come back at once."""

from __future__ import annotations

import random


class Backoff:
    """`next()` draws uniformly from 0 to a limit that doubles from `first` to `cap` seconds."""

    def __init__(self, *, first: float = 0.5, cap: float = 30.0, source: random.Random | None = None) -> None:
        self.cap = cap
        self._first = first
        self._limit = first
        self._random = source or random.Random()

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        limit, self._limit = self._limit, min(self._limit * 2, self.cap)
        return self._random.uniform(0, limit)

    def reset(self) -> None:
        """An attempt lasted: begin again from `first`."""
        self._limit = self._first
