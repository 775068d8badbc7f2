"""What a hub may rely on of its battery: filtered views in; charge, time left, draw and mains out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from holdfast_drivers.ups.discharge import Discharge, Sample
from holdfast_drivers.ups.ending import Ended, concluded, health_permille
from holdfast_drivers.ups.filter import PowerView
from holdfast_drivers.ups.learning import DOUBT, Known, Left, Pack, left, size_mwh, start_charge
from holdfast_drivers.ups.vote import GaugeVote, MainsVote, gauge_doubt
from holdfast_drivers.values import Tri

CONVERSION = 0.9
"""Share of the battery's power that reaches a load which is planned, not measured at the battery."""
FLOOR_MW = 100
"""No hub draws less from its battery: a sensor that says so measures something else."""
NOMINAL_MV = 3700
"""Of a cell whose voltage nobody tells, as a UPS's whose cells are not known: it says nothing, and never falls."""
GAP = 600.0
"""Seconds of silence after which a discharge is another one."""
UNHEARD_DOUBT = 0.5
"""Share of the time since the battery was last heard that is added to the half-width."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is believed at one moment. None is unknown; `why` says why."""

    mains: Tri = Tri.UNKNOWN
    """The board's word, unless the voltage's course contradicts it."""
    charge_permille: int | None = None
    charge_by: str = ""
    """`gauge`, `voltage`, `model`."""
    minutes_left: int | None = None
    """On battery until the power is cut; on mains what would be left if they failed now."""
    minutes_within: int | None = None
    """Half-width of `minutes_left`; None: the UPS's own word, which has none."""
    left_mwh: int | None = None
    """In the battery, until the power is cut."""
    draw_mw: int | None = None
    """What the loads take from the battery, smoothed, as last measured on battery."""
    temperature_dc: int | None = None
    health_permille: int | None = None
    why: str = ""
    """Why the time left is unknown: `silent`, `settling`, `no_charge`."""
    doubt: str = ""
    """What is not believed: `gauge_contradicted`, `gauge_stuck`, `gauge_jumped`, `mains_contradicted`."""


class Judge:
    """Feed it every view in order of time. What it has learnt and what is going on may be taken and set at any time."""

    def __init__(self, pack: Pack, *, planned_mw: float) -> None:
        self.pack = pack
        self.planned_mw = planned_mw
        """What the loads are expected to take, where nothing measures it."""
        self.known = Known()
        self.draw_mw: int | None = None
        """As last measured on battery."""
        self.discharge: Discharge | None = None
        """The present one; None on mains."""
        self.ended: Ended | None = None
        """The last that ended; whoever acts on it sets it to None."""
        self._gauge = GaugeVote()
        self._mains = MainsVote(pack.chemistry)
        self._last: tuple[float, Judged] | None = None
        """The last time something was known."""

    def step(self, view: PowerView, now: float) -> Judged:
        """What is believed at monotonic second `now`."""
        if view.stale or (self.discharge is not None and view.mains is Tri.NO and _is_deaf(view)):
            return self._unheard(now)
        mains = self._mains.step(view.cell_mv, view.mains, now)
        self._vote(view, now)
        if mains is Tri.YES:
            self.end(cut=False)
        elif mains is Tri.NO and not _is_deaf(view):
            self._drain(view, now)
        judged = replace(self._judged(view), mains=mains, doubt=self._doubt(view, mains))
        if judged.minutes_left is not None:
            self._last = (now, judged)
        return judged

    def end(self, *, cut: bool) -> None:
        """The present discharge is over. `cut`: the power was gone."""
        if self.discharge is not None and self.discharge.track:
            self.ended, self.known = concluded(self.discharge, self.known, self.pack, cut=cut)
        self.discharge = None

    def _vote(self, view: PowerView, now: float) -> None:
        if view.charge_permille is None or view.estimated or view.cell_mv is None:
            return
        size, before = size_mwh(self.known, self.pack, _celsius(view)), self._gauge.against
        doubt = gauge_doubt(view.charge_permille / 1000, view.cell_mv, self.discharge, self.pack, size)
        self._gauge.step("gauge_jumped" if view.jumped else doubt, now)
        if self.discharge is not None:
            self.discharge.doubted = bool(self._gauge.against)
            if before and not self._gauge.against:
                self.discharge.told = None

    def _doubt(self, view: PowerView, mains: Tri) -> str:
        return "mains_contradicted" if mains is not view.mains else self._gauge.against

    def _drain(self, view: PowerView, now: float) -> None:
        if self.discharge is not None and self.discharge.last and now - self.discharge.last.at > GAP:
            self.end(cut=False)
        if self.discharge is None:
            self.discharge = Discharge(full=self._mains.full, doubted=bool(self._gauge.against))
        discharge, (drain, measured) = self.discharge, self._drain_mw(view)
        last, charge = discharge.last, view.charge_permille
        cell_mv = view.cell_mv or (NOMINAL_MV if last is None else last.cell_mv)
        told = None if charge is None or not self._believed(view) else charge / 1000
        discharge.measured = discharge.measured and measured
        discharge.celsius = _celsius(view)
        discharge.add(Sample(now, cell_mv, drain / cell_mv * 1000, told))

    def _believed(self, view: PowerView) -> bool:
        return not (view.estimated or view.jumped or self._gauge.against)

    def _drain_mw(self, view: PowerView) -> tuple[float, bool]:
        """Measured, and True; else the worse of plan and gauge's rate."""
        if view.power_mw is not None and -view.power_mw > FLOOR_MW:
            return -view.power_mw, True
        drain = self.planned_mw / CONVERSION
        if view.rate_permille_per_hour is not None and self._believed(view):
            drain = max(drain, -view.rate_permille_per_hour / 1000 * self.pack.label_mwh)
        return drain, False

    def _judged(self, view: PowerView) -> Judged:
        charge, by = self._charge(view)
        estimate = self._left(view, charge)
        if self.discharge is not None and estimate is not None and by != "gauge":
            charge, by = _modelled(estimate, self.discharge, self.pack), "model"
        judged = Judged(
            charge_permille=charge,
            charge_by=by if charge is not None else "",
            draw_mw=self._draw_mw(),
            temperature_dc=view.temperature_dc,
            health_permille=health_permille(self.known, self.pack),
        )
        if view.minutes_left is not None and not self._gauge.against:
            mwh = view.minutes_left / 60 * (self._draw_mw() or self.planned_mw / CONVERSION)
            return replace(judged, minutes_left=view.minutes_left, left_mwh=round(mwh))
        if estimate is None:
            return replace(judged, why="settling" if view.cell_mv is None and charge is None else "no_charge")
        return replace(
            judged,
            minutes_left=int(estimate.minutes),
            minutes_within=round(estimate.minutes_within),
            left_mwh=round(estimate.mwh),
        )

    def _charge(self, view: PowerView) -> tuple[int | None, str]:
        """What a sensor says of the charge, and which."""
        if view.charge_permille is not None and self._believed(view):
            return view.charge_permille, "gauge"
        if self._mains.full:
            return 1000, "voltage"
        if view.estimated and self.pack.chemistry.flat_above_mv is None:
            return view.charge_permille, "voltage"
        return None, ""

    def _left(self, view: PowerView, charge: int | None) -> Left | None:
        if self.discharge is not None:
            return left(self.discharge, self.known, self.pack)
        if charge is None:
            return None
        mwh = charge / 1000 * size_mwh(self.known, self.pack, _celsius(view))
        hours = 60 / (self._draw_mw() or self.planned_mw / CONVERSION)
        return Left(mwh, DOUBT * mwh, mwh * hours, DOUBT * mwh * hours)

    def _draw_mw(self) -> int | None:
        if self.discharge is not None and self.discharge.measured and self.discharge.track:
            self.draw_mw = round(self.discharge.power_mw)
        return self.draw_mw

    def _unheard(self, now: float) -> Judged:
        """What was last known; on battery the minutes go on going by."""
        if self._last is None:
            return Judged(why="silent")
        at, judged = self._last
        if self.discharge is None or judged.minutes_left is None:
            return judged
        passed = (now - at) / 60
        within = (judged.minutes_within or 0) + passed * UNHEARD_DOUBT
        minutes = max(judged.minutes_left - passed, 0.0)
        left = round((judged.left_mwh or 0) * minutes / judged.minutes_left) if judged.minutes_left else 0
        return replace(judged, minutes_left=int(minutes), minutes_within=round(within), left_mwh=left)


def _modelled(estimate: Left, discharge: Discharge, pack: Pack) -> int:
    """The charge in permille: what is left, of what there was at the start."""
    whole = estimate.mwh + discharge.used_mwh
    return round(start_charge(discharge, pack) * estimate.mwh / whole * 1000) if whole > 0 else 0


def _is_deaf(view: PowerView) -> bool:
    return view.cell_mv is None and view.charge_permille is None


def _celsius(view: PowerView) -> float | None:
    return None if view.temperature_dc is None else view.temperature_dc / 10
