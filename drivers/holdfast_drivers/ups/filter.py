"""What several readings together say. Pure: no clock, no I/O. Nothing here, and nobody on its word, acts on one sample.

Numbers are the median of the last three samples, unknown before there are three; mains is what two samples in a row
agree on. What is older than STALE seconds is not known.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median_low

from holdfast_drivers.values import PowerReading, Tri

STALE = 15.0
"""Seconds after which a reading says nothing any more."""
SAMPLES = 3
JUMP_PERMILLE = 100
"""No load and no charger moves a hub's pack by more than this ..."""
JUMP_WINDOW = 60.0
"""... in this many seconds; the gauge has re-learnt, or lies."""
HISTORY = 128
"""Medians kept for the window, at one a second and edges besides."""


@dataclass(frozen=True, slots=True)
class PowerView:
    """What is known at one moment. None and UNKNOWN mean just that."""

    stale: bool = True
    """Nothing was heard for STALE seconds, or ever."""
    age: float | None = None
    """Seconds since the last reading of any kind."""
    cell_mv: int | None = None
    charge_permille: int | None = None
    rate_permille_per_hour: int | None = None
    mains: Tri = Tri.UNKNOWN
    jumped: bool = False
    """Within the last minute the charge moved by more than it can."""
    estimated: bool = False
    """The charge was computed from the voltage."""
    power_mw: int | None = None
    """Of the battery; + charging."""
    temperature_dc: int | None = None
    minutes_left: int | None = None
    """A UPS's own estimate."""
    stop_asked: bool = False
    """The board or UPS said so, every one of the last SAMPLES times."""
    replace_asked: bool = False
    """A UPS wants a new battery, and said so every one of the last SAMPLES times."""
    tested: str = ""
    """A UPS's own word on its last test."""


class PowerFilter:
    """Feed it every reading in order of time."""

    def __init__(self) -> None:
        self._last: PowerReading | None = None
        self._mains = Tri.UNKNOWN
        self._gauge: deque[PowerReading] = deque(maxlen=SAMPLES)
        self._charges: deque[tuple[float, int]] = deque(maxlen=HISTORY)
        self._stops: deque[bool] = deque(maxlen=SAMPLES)
        self._replaces: deque[bool] = deque(maxlen=SAMPLES)

    def add(self, reading: PowerReading) -> None:
        """Take one reading into account. A silence longer than STALE before it voids what was known."""
        if self._last is None or reading.at - self._last.at > STALE:
            self._mains = Tri.UNKNOWN
            self._stops.clear()
        elif self._last.mains is reading.mains:
            self._mains = reading.mains
        self._last = reading
        self._stops.append(reading.stop_asked)
        self._replaces.append(reading.replace_asked)
        if reading.charge_permille is not None or reading.cell_mv is not None:
            self._add_gauge(reading)

    def view(self, now: float) -> PowerView:
        """What is known at monotonic second `now`."""
        if self._last is None:
            return PowerView()
        age = now - self._last.at
        if age > STALE:
            return PowerView(age=age)
        if not self._gauge or now - self._gauge[-1].at > STALE:
            return PowerView(stale=False, age=age, mains=self._mains, stop_asked=_all(self._stops))
        return PowerView(
            stale=False,
            age=age,
            cell_mv=_median([r.cell_mv for r in self._gauge]),
            charge_permille=_median([r.charge_permille for r in self._gauge]),
            rate_permille_per_hour=_median([r.rate_permille_per_hour for r in self._gauge]),
            mains=self._mains,
            jumped=self._jumped(now),
            estimated=self._gauge[-1].estimated,
            power_mw=_median([_power_mw(r) for r in self._gauge]),
            temperature_dc=_median([r.temperature_dc for r in self._gauge]),
            minutes_left=_median([r.minutes_left for r in self._gauge]),
            stop_asked=_all(self._stops),
            replace_asked=_all(self._replaces),
            tested=self._last.tested,
        )

    def _add_gauge(self, reading: PowerReading) -> None:
        if self._gauge and reading.at - self._gauge[-1].at > STALE:
            self._gauge.clear()
        self._gauge.append(reading)
        charge = _median([r.charge_permille for r in self._gauge])
        if charge is not None:
            self._charges.append((reading.at, charge))

    def _jumped(self, now: float) -> bool:
        recent = [charge for at, charge in self._charges if now - at <= JUMP_WINDOW]
        return bool(recent) and max(recent) - min(recent) > JUMP_PERMILLE


def _all(said: deque[bool]) -> bool:
    return len(said) == SAMPLES and all(said)


def _power_mw(reading: PowerReading) -> int | None:
    if reading.power_mw is not None or reading.current_ma is None:
        return reading.power_mw
    volts = reading.pack_mv if reading.pack_mv is not None else reading.cell_mv
    return None if volts is None else volts * reading.current_ma // 1000


def _median(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return median_low(known) if len(known) == SAMPLES else None
