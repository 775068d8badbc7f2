"""What a battery's earlier discharges say of its present one: energy left and time left, with their uncertainty. Pure.

A discharge is a series of samples of one cell. Its resting voltage is estimated from the loaded one; a finished
discharge gives a curve from resting voltage to energy left. The present one is judged by counting what has been drawn
since its start and by that curve; the deeper the discharge, the more the voltage counts, for it is then steep. A pack
with no finished discharge is judged by two published curves, which disagree; their difference is the uncertainty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from statistics import median

from holdfast_drivers.ups.battery import OPEN_CIRCUIT_MV, interpolated

KEPT = 3
"""Finished discharges remembered: a cell ages, so older ones mislead."""
VOLTAGE_SECONDS = 60.0
POWER_SECONDS = 900.0
"""Time constants of the smoothing of the voltage, and of the load that is expected to go on."""
STEP = 0.05
"""Share of the load that is a step; a slower change is the cell's own: a constant power draws ever more current."""
IDLE_MW = 1.0
"""Below this nothing is drawn, and the time left has no meaning."""
MOST_OHM = 0.5
NOTICEABLE = 0.05
"""Share of a published curve that must be gone before it says anything of the pack's size."""
POINTS = 64
"""Of a remembered curve."""

Curve = tuple[tuple[float, float], ...]
"""(resting millivolts, energy left), rising in both."""

MESHTASTIC: Curve = tuple((mv, i / 10) for i, mv in enumerate(OPEN_CIRCUIT_MV))
ROHM: Curve = tuple(
    zip(
        (3581, 3691, 3697, 3742, 3781, 3809, 3837, 3878, 3954, 4024, 4099, 4200),
        (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        strict=True,
    )
)
"""Resting millivolts of a Li-ion cell over its charge: as in Meshtastic's firmware, and Rohm's in Linux's bindings."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment of a discharge."""

    at: float
    """Seconds."""
    cell_mv: float
    drain_ma: float
    """Per cell in series; ≥ 0."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left; both with the half-width of what they may be."""

    mwh: float
    mwh_within: float
    minutes: float
    minutes_within: float


@dataclass(frozen=True, slots=True)
class Known:
    """Finished discharges of this cell, the latest last."""

    curves: tuple[Curve, ...] = ()

    def learnt(self, discharge: Discharge) -> Known:
        """With one more, which ran until the power was cut."""
        curve = discharge.curve()
        return self if len(curve) < 2 else Known((*self.curves, curve)[-KEPT:])


class Discharge:
    """One discharge as it goes on. Feed it every sample in order of time."""

    def __init__(self) -> None:
        self.used_mwh = 0.0
        self.rest_mv = 0.0
        self.power_mw = 0.0
        self.track: list[tuple[float, float]] = []
        """(used mWh, resting millivolts), one for every sample."""
        self._last: Sample | None = None
        self._steps = [1e-9, 0.0]
        """Sums of dI² and of -dV·dI: their ratio is the resistance, by least squares."""

    @property
    def resistance_ohm(self) -> float:
        """Of the cell, from the load's own steps; 0 until it has made one."""
        return min(max(self._steps[1] / self._steps[0], 0.0), MOST_OHM)

    def add(self, sample: Sample) -> None:
        """Take one sample into account."""
        power = sample.cell_mv * sample.drain_ma / 1000
        last, self._last = self._last, sample
        if last is None:
            self.power_mw = power
            self.rest_mv = sample.cell_mv
        else:
            dt = max(sample.at - last.at, 0.0)
            self.used_mwh += (power + last.cell_mv * last.drain_ma / 1000) / 2 * dt / 3600
            di = sample.drain_ma - last.drain_ma
            if abs(di) > STEP * max(sample.drain_ma, last.drain_ma):
                self._steps[0] += di * di
                self._steps[1] -= (sample.cell_mv - last.cell_mv) * di
            rest = sample.cell_mv + sample.drain_ma * self.resistance_ohm
            self.rest_mv += (rest - self.rest_mv) * (1 - exp(-dt / VOLTAGE_SECONDS))
            self.power_mw += (power - self.power_mw) * (1 - exp(-dt / POWER_SECONDS))
        self.track.append((self.used_mwh, self.rest_mv))

    def curve(self) -> Curve:
        """Energy left over resting voltage, taking the last sample for the end."""
        thinned = self.track[:: max(len(self.track) // POINTS, 1)] + self.track[-1:]
        points: list[tuple[float, float]] = []
        for used, rest in reversed(thinned):
            if not points or rest > points[-1][0]:
                points.append((rest, self.used_mwh - used))
        return tuple(points)

    def left(self, known: Known, *, cutoff_mv: float) -> Left | None:
        """What is left until the power is cut: where earlier discharges ended, or at `cutoff_mv` when there are none.

        None while nothing can be said.
        """
        if not self.track or self.power_mw < IDLE_MW:
            return None
        guesses = self._by_experience(known) if known.curves else self._by_the_book(cutoff_mv)
        if not guesses:
            return None
        mwh = max(median(guesses), 0.0)
        within = (max(guesses) - min(guesses)) / 2
        hours = 60 / self.power_mw
        return Left(mwh, within, mwh * hours, within * hours)

    def _by_experience(self, known: Known) -> list[float]:
        """One guess for each earlier discharge."""
        start_mv = max(rest for _, rest in self.track[:2])
        guesses = []
        for curve in known.curves:
            whole = interpolated(curve, start_mv)
            counted, shown = whole - self.used_mwh, interpolated(curve, self.rest_mv)
            depth = min(self.used_mwh / whole, 1.0) if whole > 0 else 1.0
            guesses.append(counted * (1 - depth) + shown * depth)
        return guesses

    def _by_the_book(self, cutoff_mv: float) -> list[float]:
        """One guess for each published curve: what has been used is to what it fell as the rest is to what remains."""
        guesses = []
        for curve in (MESHTASTIC, ROHM):
            start, now = interpolated(curve, self.track[0][1]), interpolated(curve, self.rest_mv)
            if start - now < NOTICEABLE:
                return []
            end = interpolated(curve, cutoff_mv + self.power_mw / cutoff_mv * 1000 * self.resistance_ohm)
            guesses.append(self.used_mwh / (start - now) * max(now - end, 0.0))
        return guesses


def discharged(samples: Iterable[Sample]) -> Discharge:
    """A whole discharge."""
    made = Discharge()
    for sample in samples:
        made.add(sample)
    return made


def median_error(pairs: Sequence[tuple[float, float]]) -> float:
    """Median of |estimate - truth| / truth over (estimate, truth)."""
    errors = sorted(abs(estimate - truth) / truth for estimate, truth in pairs)
    return errors[len(errors) // 2]
