"""The physics of a Li-ion pack behind a UPS board, for simulators: no chip, no clock, no chance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

OPEN_CIRCUIT_MV = (3100, 3300, 3420, 3530, 3630, 3720, 3800, 3890, 3990, 4050, 4190)
"""Resting millivolts of one cell at 0, 10, … 100 % and about 25 °C: an NMC curve in wide use for Meshtastic nodes.

Published curves differ by up to 20 points at one voltage; a real pack is judged by its gauge, not by this.
"""
FULL_MV = 4200
"""Where a Li-ion charger holds the cell."""
CAPACITY_AT = ((-20.0, 0.5), (0.0, 0.8), (10.0, 0.9), (25.0, 1.0))
"""(°C, share of the capacity that can be drawn)."""
RESISTANCE_AT = ((-20.0, 4.0), (0.0, 2.0), (10.0, 1.4), (25.0, 1.0))
"""(°C, times the resistance at 25 °C): round figures; data sheets of cells differ among each other by as much."""
FADE_PER_CYCLE = 0.2 / 500
"""Share of the new capacity that a full discharge costs: makers promise 80 % after 500."""
GROWTH_PER_CYCLE = 1 / 500
"""Share of the new resistance that it adds: doubled where the capacity is down to 80 %."""
LEAST_HEALTH = 0.1
CUTOFF_MV = 2500
"""Where a pack's protection commonly opens, millivolts a cell."""
SLICE = 5.0
"""Longest step of the integration, in seconds; a load of 1 C changes the charge by 0.14 % in it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a perfect board would measure of a pack at one moment."""

    cells: int
    cell_mv: float
    current_a: float
    """Into the pack; negative while it drains."""
    charge: float
    """0..1."""
    temperature_c: float
    mains: bool
    capacity_mah: float
    """What it can hold now."""
    health: float
    """0..1, of its capacity when new."""
    cycles: float
    permille_per_hour: float
    runtime_s: float


@dataclass(slots=True)
class Battery:
    """A pack of `cells` in series. Change the public fields at will, then `step`."""

    cells: int = 1
    capacity_mah: float = 6000.0
    """Of the new pack at 25 °C, i.e. of one string of cells."""
    resistance_ohm: float = 0.04
    """Inside each new cell at 25 °C, wires and protection included."""
    load_w: float = 5.0
    charge: float = 1.0
    """0..1 of what the pack can hold at its age and temperature."""
    temperature_c: float = 25.0
    mains: bool = True
    charger_a: float = 2.0
    """Limit of the charger."""
    cycles: float = 0.0
    """Full discharges it has been through, in parts; grows with use and ages it."""
    cutoff_mv: float = CUTOFF_MV
    """The board or the pack's protection opens when a draining cell is below; 0: never, and the cell is ruined."""
    cut: bool = False
    """It has opened, and stays so until the mains return."""

    def step(self, dt: float) -> None:
        """Let `dt` ≥ 0 seconds pass under the present load."""
        self._protect()
        while dt > 0:
            now = min(dt, SLICE)
            current = self.current_a
            moved = current * now / 3600 / self._capacity_ah()
            self.charge = min(max(self.charge + moved, 0.0), 1.0)
            self.cycles += max(-moved, 0.0)
            self._protect()
            dt -= now

    @property
    def output(self) -> bool:
        """The load is fed. Without it the hub is off."""
        return self.mains or (self.charge > 0 and not self.cut)

    @property
    def current_a(self) -> float:
        """Into the pack; negative while it drains; none into a full pack or out of an empty or cut one."""
        if self.mains:
            return self._charging_a() if self.charge < 1 else 0.0
        return -self._draining_a() if self.output else 0.0

    @property
    def cell_mv(self) -> float:
        """Voltage at one cell's terminals: at rest the curve's, sagging under load, lifted while charging."""
        return max(open_circuit_mv(self.charge) + self.current_a * self._ohm() * 1000, 0.0)

    @property
    def health(self) -> float:
        """Share of its capacity when new that the pack still has."""
        return max(1 - self.cycles * FADE_PER_CYCLE, LEAST_HEALTH)

    @property
    def permille_per_hour(self) -> float:
        """Rate of change of the charge; + charging."""
        return self.current_a / self._capacity_ah() * 1000

    @property
    def runtime_s(self) -> float:
        """Seconds to empty at the present current; infinite unless it drains."""
        return self.charge / -self.permille_per_hour * 3_600_000 if self.current_a < 0 else float("inf")

    def measured(self) -> Measured:
        """All of it, as of now."""
        return Measured(
            cells=self.cells,
            cell_mv=self.cell_mv,
            current_a=self.current_a,
            charge=self.charge,
            temperature_c=self.temperature_c,
            mains=self.mains,
            capacity_mah=self._capacity_ah() * 1000,
            health=self.health,
            cycles=self.cycles,
            permille_per_hour=self.permille_per_hour,
            runtime_s=self.runtime_s,
        )

    def _protect(self) -> None:
        self.cut = not self.mains and (self.cut or self.cell_mv < self.cutoff_mv)

    def _capacity_ah(self) -> float:
        return self.capacity_mah / 1000 * self.health * interpolated(CAPACITY_AT, self.temperature_c)

    def _ohm(self) -> float:
        aged = self.resistance_ohm * (1 + self.cycles * GROWTH_PER_CYCLE)
        return aged * interpolated(RESISTANCE_AT, self.temperature_c)

    def _charging_a(self) -> float:
        """Constant current, then constant voltage; none below freezing."""
        if self.temperature_c < 0:
            return 0.0
        headroom_v = (FULL_MV - open_circuit_mv(self.charge)) / 1000
        return min(headroom_v / self._ohm(), self.charger_a)

    def _draining_a(self) -> float:
        """The current at which sagging cells still deliver the load: P/n = (V - I·R)·I; at most what they can give."""
        volts = open_circuit_mv(self.charge) / 1000
        squared = volts**2 - 4 * self._ohm() * self.load_w / self.cells
        if squared < 0:
            return volts / (2 * self._ohm())
        return 2 * self.load_w / self.cells / (volts + sqrt(squared))


def open_circuit_mv(charge: float) -> float:
    """Resting millivolts of one cell at `charge` 0..1."""
    step = 1 / (len(OPEN_CIRCUIT_MV) - 1)
    return interpolated([(i * step, mv) for i, mv in enumerate(OPEN_CIRCUIT_MV)], charge)


def interpolated(points: tuple[tuple[float, float], ...] | list[tuple[float, float]], x: float) -> float:
    """Between neighbours linearly, beyond the ends the end's value."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
