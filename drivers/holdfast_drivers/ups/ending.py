"""What a discharge teaches when it has ended. Pure.

Only one that really went deep gives a curve: the power was cut at a low voltage, or little was left when the hub
stopped; what was then judged to be left is added to it, or the next would be learnt shorter each time. One that went
part of the way gives the pack's size, while nothing better is known. Anything less teaches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

from holdfast_drivers.ups.battery import interpolated
from holdfast_drivers.ups.curves import Curve
from holdfast_drivers.ups.discharge import Discharge
from holdfast_drivers.ups.learning import KEPT, Known, Pack, left, share_at, start_charge

DEEP = 0.25
"""Share of what there was at the start that may be left in a discharge from which a curve is learnt."""
FROM = 0.7
"""Charge it must have begun at; a curve of less says too little of a full pack."""
PARTLY = 0.3
"""Share of the pack a discharge must have used to say anything of its size."""
CUT_WITHIN_MV = 250
"""Above the configured cut-off, within which a cut is the battery's end, not somebody's hand: boards cut at 3.45 V."""
ENOUGH = 2
"""Finished discharges before anything is said of the pack's health."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A discharge that is over."""

    seconds: float
    used_mwh: float
    start_permille: int
    left_permille: int
    """Of what there was at the start."""
    minutes_left: int
    """What it would still have lasted."""
    deep: bool
    """A curve was learnt."""


def concluded(discharge: Discharge, known: Known, pack: Pack, *, cut: bool) -> tuple[Ended, Known]:
    """`cut`: it ended because the power was gone; else the mains came back or the hub stopped in order."""
    found = left(discharge, known, pack)
    beyond = 0.0 if found is None else found.mwh
    whole = discharge.used_mwh + beyond
    remaining = beyond / whole if whole > 0 else 1.0
    start = start_charge(discharge, pack) if discharge.track else 0.0
    low = discharge.last is not None and discharge.last.cell_mv <= pack.cutoff_mv + CUT_WITHIN_MV
    deep = start >= FROM and (low if cut else remaining <= DEEP)
    minutes = 0 if cut or found is None else int(found.minutes)
    ended = Ended(discharge.elapsed, discharge.used_mwh, round(start * 1000), round(remaining * 1000), minutes, deep)
    if deep:
        return ended, _with_curve(discharge, known, pack, 0.0 if cut else beyond, start)
    return ended, _with_size(discharge, known, pack)


def _with_curve(discharge: Discharge, known: Known, pack: Pack, beyond: float, start: float) -> Known:
    curve: Curve = tuple((mv, mwh + beyond) for mv, mwh in discharge.curve())
    if beyond and curve[0][0] > pack.cutoff_mv:
        curve = ((pack.cutoff_mv, 0.0), *curve)
    learnt = known.learnt(curve, discharge.celsius)
    if not discharge.measured:
        return learnt
    capacity = (discharge.used_mwh + beyond) / start / _share(discharge)
    return replace(learnt, capacities_mwh=(*known.capacities_mwh, capacity)[-KEPT:])


def _with_size(discharge: Discharge, known: Known, pack: Pack) -> Known:
    fall = _fall(discharge, pack)
    if known.finished or fall is None or fall < PARTLY:
        return known
    return replace(known, size_mwh=discharge.used_mwh / fall / _share(discharge))


def _fall(discharge: Discharge, pack: Pack) -> float | None:
    """The share of the charge that went: by the gauge where it is believed, else by published curves."""
    told, charge = discharge.told, discharge.charge
    if told is not None and charge is not None and told.used_mwh == 0 and not discharge.doubted:
        return told.charge - charge
    flat = pack.chemistry.flat_above_mv
    if not discharge.track or (flat is not None and discharge.rest_mv > flat):
        return None
    falls = [interpolated(c, discharge.start_mv) - interpolated(c, discharge.rest_mv) for c in pack.chemistry.curves]
    return median(falls)


def _share(discharge: Discharge) -> float:
    return 1.0 if discharge.celsius is None else share_at(discharge.celsius)


def health_permille(known: Known, pack: Pack) -> int | None:
    """What the pack holds of its label; None before ENOUGH finished discharges with a measured load."""
    if len(known.capacities_mwh) < ENOUGH:
        return None
    return round(median(known.capacities_mwh) / pack.label_mwh * 1000)
