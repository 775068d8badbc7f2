"""Who is believed when sensors contradict each other: gauge beside voltage and count, mains beside voltage. Pure.

A gauge can sit at 0 % while its cell is fine, or at 100 % for ever; a board's mains line can be dead, or its jumper not
fitted. The voltage has no opinion of its own to defend, and a cell that feeds a hub falls.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from holdfast_drivers.ups.battery import interpolated
from holdfast_drivers.ups.curves import Chemistry
from holdfast_drivers.ups.discharge import Discharge
from holdfast_drivers.ups.learning import Pack
from holdfast_drivers.values import Tri

BESIDE = 0.3
"""So far outside of all published curves, which differ by 0.2, a gauge contradicts the voltage ..."""
AGAINST = 60.0
"""... and loses when it does so for so many seconds; it must agree as long ..."""
AGAIN = 300.0
"""... to be believed again."""
LIFTED_MV = 200
"""By which a charger may lift the voltage."""
SAG_OHM = 0.1
"""Resistance a pack may have while the load's steps have not yet shown it."""
STUCK_AFTER = 900.0
"""Seconds on battery after which a gauge must have moved ..."""
STUCK_DEPTH = 0.02
"""... once this share of the pack has been counted out ..."""
STUCK_PACE = 0.25
"""... by this much of what was counted."""
MINUTE = 60.0
HALF_HOUR = 30
"""Windows of a minute."""
TREND = 10
"""Windows of a rising or falling voltage, from each to the next of which it must go, all but two."""
NOISE_MV = 2.0


class GaugeVote:
    """Feed it every moment; `against` says why the gauge is not believed, empty while it is."""

    def __init__(self) -> None:
        self.against = ""
        """`gauge_contradicted`, `gauge_stuck`, `gauge_jumped`."""
        self._since: float | None = None
        """Since when it has said the opposite of what is held."""

    def step(self, doubt: str, now: float) -> None:
        """`doubt`: what speaks against the gauge at this moment."""
        if bool(doubt) == bool(self.against):
            self._since = None
            return
        self._since = now if self._since is None else self._since
        patience = AGAIN if self.against else 0.0 if doubt == "gauge_jumped" else AGAINST
        if now - self._since >= patience:
            self.against, self._since = doubt, None


def gauge_doubt(charge: float, cell_mv: float, discharge: Discharge | None, pack: Pack, size_mwh: float) -> str:
    """What speaks against a gauge that says `charge`, 0..1; empty: nothing does."""
    if _contradicts(charge, cell_mv, discharge, pack.chemistry):
        return "gauge_contradicted"
    if discharge is not None and discharge.elapsed >= STUCK_AFTER and discharge.told is not None:
        counted = (discharge.used_mwh - discharge.told.used_mwh) / size_mwh
        if counted >= STUCK_DEPTH and discharge.told.charge - charge < counted * STUCK_PACE:
            return "gauge_stuck"
    return ""


def _contradicts(charge: float, cell_mv: float, discharge: Discharge | None, chemistry: Chemistry) -> bool:
    """A charger lifts the voltage and a load pulls it down, by more than is known: each time in the gauge's favour."""
    least_mv = cell_mv - LIFTED_MV if discharge is None else discharge.rest_mv
    if chemistry.flat_above_mv is not None and least_mv > chemistry.flat_above_mv:
        return False
    if charge < min(interpolated(curve, least_mv) for curve in chemistry.curves) - BESIDE:
        return True
    if discharge is None or discharge.now is None:
        return False
    most_mv = discharge.now.mv + discharge.now.ma * max(discharge.resistance_ohm, SAG_OHM)
    return charge > max(interpolated(curve, most_mv) for curve in chemistry.curves) + BESIDE


class MainsVote:
    """The mains by the voltage's course, where it contradicts the board's word. Feed it every moment."""

    def __init__(self, chemistry: Chemistry) -> None:
        self._chemistry = chemistry
        self._means: deque[float] = deque(maxlen=HALF_HOUR)
        self._sum, self._count, self._until = 0.0, 0, 0.0
        self._told = Tri.UNKNOWN
        """The board's word, of which the course so far is."""
        self._was_full = False
        """When the board last said that the mains went."""

    def step(self, cell_mv: float | None, mains: Tri, now: float) -> Tri:
        """What is believed of the mains."""
        if cell_mv is None:
            return mains
        if mains is not self._told:
            self._was_full = self._told is Tri.YES and self._is_full()
            self._told, self._until = mains, float("-inf")
        if now >= self._until:
            if self._count:
                self._means.append(self._sum / self._count)
            if now - self._until > MINUTE:
                self._means.clear()
            self._sum, self._count, self._until = 0.0, 0, now + MINUTE
        self._sum, self._count = self._sum + cell_mv, self._count + 1
        if mains is Tri.NO and (self._is_fed() or self._goes(up=True)):
            return Tri.YES
        if mains is Tri.YES and self._means and self._means[-1] <= self._chemistry.half_mv and self._goes(up=False):
            return Tri.NO
        return mains

    @property
    def full(self) -> bool:
        """The pack is full, or was when the mains went."""
        return self._is_full() if self._told is Tri.YES else self._was_full

    def _is_full(self) -> bool:
        """As high as a charger holds it, and neither rising nor falling for half an hour."""
        return self._is_fed() and self._means[-1] <= self._means[0] + NOISE_MV

    def _is_fed(self) -> bool:
        """As high as a charger holds it, and not falling for half an hour."""
        if len(self._means) < HALF_HOUR or min(self._means) < self._chemistry.full_mv:
            return False
        return self._means[-1] >= self._means[0] - NOISE_MV

    def _goes(self, *, up: bool) -> bool:
        """Steadily, for TREND windows."""
        recent = list(self._means)[-TREND:] if up else [-mean for mean in list(self._means)[-TREND:]]
        if len(recent) < TREND:
            return False
        steps = sum(later > earlier for earlier, later in pairwise(recent))
        return steps >= TREND - 3 and recent[-1] - recent[0] > NOISE_MV * TREND / 2
