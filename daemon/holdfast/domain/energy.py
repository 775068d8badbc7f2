"""Does the pack last for the event? The plan before it, and the margin while it goes on. Pure; watts and watt-hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp

DEPTH = 0.8
"""Share of a pack that is drawn before it is called empty."""
CONVERSION = 0.9
COLD = ((-20.0, 0.5), (0.0, 0.8), (10.0, 0.9), (25.0, 1.0))
"""(°C, share of the capacity that can be drawn)."""
RESERVE_H = 20 / 60
"""Hours at the critical stage that must remain at the end ..."""
SHUTDOWN_H = 60 / 3600
"""... and the ordered stop under full load (INV-10.1)."""
WARN_SHARE = 0.20
SMOOTHING_S = 600.0
"""Time constant of the measured watts."""
MOST_PERMILLE = 9999

TYPICAL = {
    "board": 5.0,
    "conversion": 0.5,
    "router": 8.0,
    "tablet": 7.0,
    "terminal": 4.0,
    "printer": 2.0,
    "scanner": 0.7,
    "lights": 2.0,
}
"""Watts of a till by class of load, until they are planned or measured."""
KEPT = ("board", "conversion", "router", "terminal", "printer", "scanner")
"""Never shed before the stop."""


@dataclass(frozen=True, slots=True)
class Pack:
    wh: float
    """When new, at 25 °C."""
    health: float = 1.0
    """0..1 of what it held when new."""
    temperature_c: float = 25.0
    charge: float = 1.0
    """0..1."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What there is against what is needed."""

    usable_wh: float
    need_wh: float
    reserve_wh: float

    @property
    def margin_wh(self) -> float:
        return self.usable_wh - self.need_wh - self.reserve_wh

    @property
    def margin(self) -> float:
        """As a share of the need; infinite when nothing is needed any more and there is enough."""
        if self.need_wh > 0:
            return self.margin_wh / self.need_wh
        return float("inf") if self.margin_wh >= 0 else float("-inf")

    @property
    def verdict(self) -> str:
        """`ok`, `plan_tight` below WARN_SHARE, `plan_short` when the pack does not last."""
        if self.margin < 0:
            return "plan_short"
        return "plan_tight" if self.margin < WARN_SHARE else "ok"

    @property
    def margin_permille(self) -> int:
        """The margin as the record has it, within MOST_PERMILLE."""
        return round(min(max(self.margin * 1000, -MOST_PERMILLE), MOST_PERMILLE))


def share_at(temperature_c: float) -> float:
    """Share of the capacity that can be drawn, linear between the points of COLD."""
    if temperature_c <= COLD[0][0]:
        return COLD[0][1]
    for (t0, s0), (t1, s1) in pairwise(COLD):
        if temperature_c <= t1:
            return s0 + (s1 - s0) * (temperature_c - t0) / (t1 - t0)
    return COLD[-1][1]


def drawable(pack: Pack) -> float:
    """Share of the pack's label that reaches the loads."""
    return DEPTH * CONVERSION * share_at(pack.temperature_c) * pack.health * pack.charge


def budget(pack: Pack, loads: Mapping[str, float], hours: float) -> Budget:
    """For `hours` still to go under `loads`, watts by class."""
    return Budget(pack.wh * drawable(pack), sum(loads.values()) * max(hours, 0.0), reserve_wh(loads))


def reserve_wh(loads: Mapping[str, float]) -> float:
    """What must be left at the end."""
    kept = sum(watts for name, watts in loads.items() if name in KEPT)
    return kept * RESERVE_H + sum(loads.values()) * SHUTDOWN_H


def pack_wh_for(pack: Pack, loads: Mapping[str, float], hours: float) -> float:
    """The label of the smallest pack, of this health and at this temperature, that lasts."""
    needed = budget(pack, loads, hours)
    return (needed.need_wh + needed.reserve_wh) / drawable(pack)


def expected(planned: Mapping[str, float], measured: Mapping[str, float]) -> dict[str, float]:
    """Watts by class: measured where measured, else planned."""
    return {**planned, **measured}


def smoothed(before: float | None, watts: float, seconds: float) -> float:
    """A class's measured watts with one more measurement, `seconds` after the last."""
    return watts if before is None else before + (watts - before) * (1 - exp(-max(seconds, 0.0) / SMOOTHING_S))


class Watts:
    """Watts by class as an event goes on: planned until measured.

    A board measures one sum, that of the classes `behind` it; the sum is shared out as it was planned. Loads that are
    switched off count nothing from then on.
    """

    def __init__(self, planned: Mapping[str, float], *, behind: Iterable[str] | None = None) -> None:
        self._planned = dict(planned)
        self._behind = set(planned) if behind is None else set(behind) & set(planned)
        self._off: set[str] = set()
        self._sum: float | None = None
        self._at = 0.0

    def measured(self, watts: float, now: float) -> None:
        """The board's sum at monotonic second `now`."""
        self._sum = smoothed(self._sum, watts, now - self._at)
        self._at = now

    def switch(self, name: str, *, on: bool) -> None:
        """A class was switched; the measured sum moves by what is planned for it, until it is measured anew."""
        if (name not in self._off) is on or name not in self._planned:
            return
        watts = self._planned[name]
        if on:
            self._off.discard(name)
        else:
            self._off.add(name)
        if self._sum is not None and name in self._behind:
            self._sum = max(self._sum + (watts if on else -watts), 0.0)

    def by_class(self) -> dict[str, float]:
        """Watts of every class that is on."""
        on = {name: watts for name, watts in self._planned.items() if name not in self._off}
        planned = sum(watts for name, watts in on.items() if name in self._behind)
        if self._sum is None or planned <= 0:
            return on
        share = self._sum / planned
        return expected(on, {name: watts * share for name, watts in on.items() if name in self._behind})
