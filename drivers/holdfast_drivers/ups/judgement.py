"""What a hub may rely on of its battery: filtered views in, charge, time left and draw out. Pure: no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace

from holdfast_drivers.ups.discharge import Discharge, Sample
from holdfast_drivers.ups.filter import PowerView
from holdfast_drivers.ups.learning import DOUBT, Known, Left, Pack, left, share_at, start_charge
from holdfast_drivers.values import Tri

CONVERSION = 0.9
"""Share of the battery's power that reaches a load which is planned, not measured at the battery."""
FLOOR_MW = 100
"""No hub draws less from its battery: a sensor that says so measures something else."""
GAP = 600.0
"""Seconds of silence after which a discharge is another one."""
UNHEARD_DOUBT = 0.5
"""Share of the time since the battery was last heard that is added to the half-width."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is believed at one moment. None is unknown; `why` says why."""

    charge_permille: int | None = None
    charge_by: str = ""
    """`gauge`, `voltage`, `model`."""
    minutes_left: int | None = None
    """On battery until the power is cut; on mains what would be left if they failed now."""
    minutes_within: int | None = None
    """Half-width of `minutes_left`; None: the UPS's own word, which has none."""
    draw_mw: int | None = None
    """What the loads take from the battery, smoothed, as last measured on battery."""
    temperature_dc: int | None = None
    why: str = ""
    """Why the time left is unknown: `silent`, `settling`, `no_charge`."""


class Judge:
    """Feed it every view in order of time. `known` may be replaced at any time."""

    def __init__(self, pack: Pack, *, planned_mw: float, known: Known | None = None) -> None:
        self.known = known or Known()
        self.pack = pack
        self.planned_mw = planned_mw
        """What the loads are expected to take, where nothing measures it."""
        self.discharge: Discharge | None = None
        """The present one; None on mains."""
        self._last: tuple[float, Judged] | None = None
        """The last time something was known."""

    def step(self, view: PowerView, now: float) -> Judged:
        """What is believed at monotonic second `now`."""
        if view.stale:
            return self._unheard(now)
        if view.mains is Tri.YES:
            self.discharge = None
        elif view.mains is Tri.NO and view.cell_mv is not None:
            self._drain(view, view.cell_mv, now)
        judged = self._judged(view)
        if judged.minutes_left is not None:
            self._last = (now, judged)
        return judged

    def _drain(self, view: PowerView, cell_mv: int, now: float) -> None:
        if self.discharge is None or (self.discharge.last and now - self.discharge.last.at > GAP):
            self.discharge = Discharge()
        charge = None if view.charge_permille is None or not _gauge_counts(view) else view.charge_permille / 1000
        self.discharge.add(Sample(now, cell_mv, self._drain_mw(view) / cell_mv * 1000, charge))

    def _drain_mw(self, view: PowerView) -> float:
        """Measured; else the worse of plan and gauge's rate."""
        if view.power_mw is not None and -view.power_mw > FLOOR_MW:
            return -view.power_mw
        drain = self.planned_mw / CONVERSION
        if view.rate_permille_per_hour is not None:
            drain = max(drain, -view.rate_permille_per_hour / 1000 * self.pack.label_mwh)
        return drain

    def _judged(self, view: PowerView) -> Judged:
        estimate = self._left(view)
        judged = Judged(
            draw_mw=self._draw_mw(view),
            temperature_dc=view.temperature_dc,
            why="" if estimate is not None else self._why(view),
        )
        if view.charge_permille is not None and not view.jumped:
            by = "voltage" if view.estimated else "gauge"
            judged = replace(judged, charge_permille=view.charge_permille, charge_by=by)
        elif estimate is not None and self.discharge is not None:
            judged = replace(judged, charge_permille=self._modelled(estimate, self.discharge), charge_by="model")
        if view.minutes_left is not None:
            return replace(judged, minutes_left=view.minutes_left, why="")
        if estimate is None:
            return judged
        return replace(judged, minutes_left=int(estimate.minutes), minutes_within=round(estimate.minutes_within))

    def _left(self, view: PowerView) -> Left | None:
        if self.discharge is not None:
            return left(self.discharge, self.known, self.pack, _celsius(view))
        if view.charge_permille is None or view.jumped:
            return None
        mwh = view.charge_permille / 1000 * self._size_mwh(view)
        hours = 60 / (self._draw_mw(view) or self.planned_mw / CONVERSION)
        return Left(mwh, DOUBT * mwh, mwh * hours, DOUBT * mwh * hours)

    def _modelled(self, estimate: Left, discharge: Discharge) -> int:
        """The charge in permille: what is left, of what there was at the start."""
        whole = estimate.mwh + discharge.used_mwh
        return round(start_charge(discharge, self.pack) * estimate.mwh / whole * 1000) if whole > 0 else 0

    def _size_mwh(self, view: PowerView) -> float:
        """Of the whole pack, > 0."""
        if self.known.finished:
            return max(finished.at(_celsius(view))[-1][1] for finished in self.known.finished) or self.pack.label_mwh
        share = 1.0 if (celsius := _celsius(view)) is None else share_at(celsius)
        return self.known.size_mwh or self.pack.label_mwh * share

    def _draw_mw(self, view: PowerView) -> int | None:
        if self.discharge is not None and view.power_mw is not None:
            return round(self.discharge.power_mw)
        return self._last[1].draw_mw if self._last is not None else None

    def _why(self, view: PowerView) -> str:
        return "settling" if view.charge_permille is None and view.cell_mv is None else "no_charge"

    def _unheard(self, now: float) -> Judged:
        """What was last known; on battery the minutes go on going by."""
        if self._last is None:
            return Judged(why="silent")
        at, judged = self._last
        passed = (now - at) / 60 if self.discharge is not None else 0.0
        if judged.minutes_left is None:
            return judged
        minutes = max(int(judged.minutes_left - passed), 0)
        return replace(
            judged, minutes_left=minutes, minutes_within=round((judged.minutes_within or 0) + passed * UNHEARD_DOUBT)
        )


def _gauge_counts(view: PowerView) -> bool:
    return not view.estimated and not view.jumped


def _celsius(view: PowerView) -> float | None:
    return None if view.temperature_dc is None else view.temperature_dc / 10
