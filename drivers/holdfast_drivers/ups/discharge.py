"""One discharge of a pack as it goes on: energy used, resting voltage, load, the pack's resistance. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import exp

from holdfast_drivers.ups.curves import Curve

VOLTAGE_SECONDS = 60.0
POWER_SECONDS = 900.0
"""Time constants of the smoothing of the voltage, and of the load that is expected to go on."""
STEP = 0.05
"""Share of the load that is a step; a slower change is the cell's own: a constant power draws ever more current."""
MOST_OHM = 0.5
DOUBTED = 2e4
"""Squared milliamperes of steps that must be outweighed: noise of a few samples is no resistance."""
POINTS = 64
"""Of a remembered curve; a discharge remembers at most twice as many of its moments."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment of a discharge."""

    at: float
    """Seconds."""
    cell_mv: float
    drain_ma: float
    """The pack's power over the cell's voltage; ≥ 0."""
    charge: float | None = None
    """0..1 by a gauge of its own; not what somebody computed from the voltage."""


@dataclass(slots=True)
class Moment:
    """One remembered moment, smoothed."""

    used_mwh: float
    mv: float
    ma: float


@dataclass(frozen=True, slots=True)
class Told:
    """A gauge's word."""

    charge: float
    used_mwh: float


@dataclass(slots=True)
class Discharge:
    """Feed it every sample in order of time. Its cells count as one: energies are the pack's, voltages a cell's."""

    used_mwh: float = 0.0
    elapsed: float = 0.0
    """Seconds."""
    power_mw: float = 0.0
    """The load, smoothed; at first the mean so far."""
    track: list[Moment] = field(default_factory=list)
    """Thinned, evenly over the energy used; the first is the start."""
    now: Moment | None = None
    told: Told | None = None
    """What the gauge said first, and ..."""
    charge: float | None = None
    """... last."""
    doubted: bool = False
    """The gauge is not believed now."""
    full: bool = False
    """It began at a full pack."""
    measured: bool = True
    """The load was measured all the time, not planned."""
    celsius: float | None = None
    """The pack's temperature, latest."""
    steps: tuple[float, float] = (DOUBTED, 0.0)
    """Sums of dI² and of -dV·dI: their ratio is the resistance, by least squares. What no pack has is no step of the
    load, but a wrong voltage.
    """
    last: Sample | None = None

    @property
    def resistance_ohm(self) -> float:
        """Of the pack, from the load's own steps; 0 until it has made some."""
        return min(max(self.steps[1] / self.steps[0], 0.0), MOST_OHM)

    @property
    def start_mv(self) -> float:
        """The resting voltage it began at; 0 before it began."""
        return max((self.resting(moment) for moment in self.track[:2]), default=0.0)

    @property
    def rest_mv(self) -> float:
        """The resting voltage now; 0 before it began."""
        return self.resting(self.now) if self.now is not None else 0.0

    def resting(self, moment: Moment) -> float:
        return moment.mv + moment.ma * self.resistance_ohm

    def add(self, sample: Sample) -> None:
        """Take one sample into account."""
        last, self.last = self.last, sample
        power = sample.cell_mv * sample.drain_ma / 1000
        if last is None or self.now is None:
            self.power_mw = power
            self.now = Moment(0.0, sample.cell_mv, sample.drain_ma)
        else:
            self._go_on(last, sample, power, self.now)
        if sample.charge is not None and self.told is None:
            self.told = Told(sample.charge, self.used_mwh)
        self.charge = sample.charge if sample.charge is not None else self.charge
        self._remember(self.now)

    def _go_on(self, last: Sample, sample: Sample, power: float, now: Moment) -> None:
        dt = max(sample.at - last.at, 0.0)
        between = (power + last.cell_mv * last.drain_ma / 1000) / 2
        self.used_mwh += between * dt / 3600
        self.elapsed += dt
        di = sample.drain_ma - last.drain_ma
        dv = sample.cell_mv - last.cell_mv
        if abs(di) > STEP * max(sample.drain_ma, last.drain_ma) and abs(dv) <= MOST_OHM * abs(di):
            squares, products = self.steps
            self.steps = (squares + di * di, products - dv * di)
        weight = 1 - exp(-dt / VOLTAGE_SECONDS)
        now.used_mwh = self.used_mwh
        now.mv += (sample.cell_mv - now.mv) * weight
        now.ma += (sample.drain_ma - now.ma) * weight
        if dt > 0:
            self.power_mw += (between - self.power_mw) * min(dt / min(self.elapsed, POWER_SECONDS), 1.0)

    def _remember(self, now: Moment) -> None:
        apart = self.used_mwh / (2 * POINTS) if len(self.track) >= 2 else 0.0
        if not self.track or now.used_mwh - self.track[-1].used_mwh >= apart:
            self.track.append(replace(now))
        if len(self.track) > 2 * POINTS:
            self.track = self.track[:2] + self.track[2::2]

    def curve(self) -> Curve:
        """Energy left over resting voltage, taking the last sample for the end."""
        if self.now is None:
            return ()
        step = max(len(self.track) // POINTS, 1)
        points: list[tuple[float, float]] = []
        for moment in reversed([*self.track[::step], self.now]):
            rest = self.resting(moment)
            if not points or rest > points[-1][0]:
                points.append((rest, self.used_mwh - moment.used_mwh))
        return tuple(points)


def discharged(samples: Iterable[Sample]) -> Discharge:
    """A whole discharge."""
    made = Discharge()
    for sample in samples:
        made.add(sample)
    return made
