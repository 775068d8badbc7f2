"""The platform of a simulated scale: what lies on it, and what a scale makes of that. Grams; no clock, no wire."""

from __future__ import annotations

from dataclasses import dataclass

ZERO_RANGE = 50
"""A scale sets itself to zero within 1/50 of its capacity either way (OIML R 76-1, 4.5.1: 4 % in all)."""
OVER = 9
"""Divisions above the capacity at which it shows nothing any more (OIML R 76-1, 4.2.3)."""


@dataclass(slots=True)
class Platform:
    capacity: int = 15_000
    division: int = 1
    load: int = 0
    moving: bool = False
    faulty: bool = False
    """Its memory does not add up."""
    can_tare: bool = True
    tared: int = 0
    zeroed: int = 0
    """The load taken for nothing."""

    @property
    def gross(self) -> int:
        half = self.division // 2
        return (self.load - self.zeroed + half) // self.division * self.division

    @property
    def shown(self) -> int:
        return self.gross - self.tared

    @property
    def over(self) -> bool:
        return self.gross > self.capacity + OVER * self.division

    @property
    def within_zero_range(self) -> bool:
        return abs(self.load - self.zeroed) * ZERO_RANGE <= self.capacity

    def zero(self) -> None:
        """Ignored while it moves, out of range, or with a tare."""
        if not self.moving and not self.tared and self.within_zero_range:
            self.zeroed = self.load

    def tare(self) -> None:
        """Ignored while it moves, and with nothing on it."""
        if self.can_tare and not self.moving and not self.over and self.gross > 0:
            self.tared = self.gross

    def clear_tare(self) -> None:
        if not self.moving:
            self.tared = 0
