"""What a battery's earlier discharges say of its present one: energy left and time left, with their uncertainty. Pure.

A finished discharge gives a curve from resting voltage to energy left. The present one is judged by counting what has
been drawn since its start and by that curve; the deeper the discharge, the more the voltage counts, for it is then
steep. A pack with no finished discharge is judged by its label, by published curves and by its gauge's own fall, which
disagree; their difference is the uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean, median

from holdfast_drivers.ups.battery import CAPACITY_AT, interpolated
from holdfast_drivers.ups.curves import LI_ION, Chemistry, Curve
from holdfast_drivers.ups.discharge import Discharge

KEPT = 3
"""Finished discharges remembered: a cell ages, so older ones mislead."""
IDLE_MW = 1.0
"""Below this nothing is drawn, and the time left has no meaning."""
NOTICEABLE = 0.05
"""Share of the charge that must be gone before its fall says anything of the pack's size."""
GAUGE_NOTICEABLE = 0.1
"""The same of a gauge's own fall, which is steeper when the load begins."""
DOUBT = 0.2
"""Half-width of what is judged without experience, at least, as a share of it: so far do published curves differ."""
SLACK = 0.25
"""How far the size on the label may lie outside of what the published curves make of the fall so far."""
SURE = 0.1
"""Half-width of what is judged with experience, at least: the median error on real cells (docs/power.md)."""


@dataclass(frozen=True, slots=True)
class Pack:
    """What the configuration says of the pack."""

    label_mwh: float
    cutoff_mv: float
    """Loaded voltage of a cell at which the power is cut."""
    chemistry: Chemistry = LI_ION


@dataclass(frozen=True, slots=True)
class Left:
    """What is left; both with the half-width of what they may be."""

    mwh: float
    mwh_within: float
    minutes: float
    minutes_within: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A discharge that ran until the power was cut."""

    curve: Curve
    """Energy left, in mWh, over resting voltage."""
    celsius: float | None = None

    def at(self, celsius: float | None) -> Curve:
        """As it would be at another temperature of the pack."""
        if celsius is None or self.celsius is None:
            return self.curve
        share = share_at(celsius) / share_at(self.celsius)
        return tuple((mv, mwh * share) for mv, mwh in self.curve)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one pack. See holdfast_drivers.ups.ending for how it comes to be known."""

    finished: tuple[Finished, ...] = ()
    """The latest last."""
    size_mwh: float | None = None
    """At 25 °C, by a discharge that went only some of the way; it stands in for the label until one is finished."""
    capacities_mwh: tuple[float, ...] = ()
    """At 25 °C, of each finished discharge whose load was measured; the latest last."""

    def learnt(self, curve: Curve, celsius: float | None = None) -> Known:
        """With the curve of one more discharge that went to its end."""
        return replace(self, finished=(*self.finished, Finished(curve, celsius))[-KEPT:]) if len(curve) > 1 else self


def size_mwh(known: Known, pack: Pack, celsius: float | None) -> float:
    """Of the whole pack at this temperature; > 0."""
    tops = [finished.at(celsius)[-1][1] for finished in known.finished]
    if tops and max(tops) > 0:
        return max(tops)
    return (known.size_mwh or pack.label_mwh) * (1.0 if celsius is None else share_at(celsius))


def left(discharge: Discharge, known: Known, pack: Pack) -> Left | None:
    """What is left until the power is cut: where earlier discharges ended, or at the cut-off when there are none.

    None while nothing is drawn.
    """
    if not discharge.track or discharge.power_mw < IDLE_MW:
        return None
    if known.finished:
        mwh, within = _by_experience(discharge, known, pack)
    else:
        mwh, within = _by_the_book(discharge, known, pack)
    hours = 60 / discharge.power_mw
    return Left(mwh, within, mwh * hours, within * hours)


def _by_experience(discharge: Discharge, known: Known, pack: Pack) -> tuple[float, float]:
    """One guess for each earlier discharge; all that counting and voltage say apart is the doubt."""
    guesses, apart = [], []
    for finished in known.finished:
        curve = finished.at(discharge.celsius)
        whole = _whole(curve, discharge.start_mv, pack)
        counted, shown = max(whole - discharge.used_mwh, 0.0), interpolated(curve, discharge.rest_mv)
        if _mute(discharge, pack):
            depth, shown = 0.0, counted
        else:
            depth = min(discharge.used_mwh / whole, 1.0) if whole > 0 else 1.0
        guesses.append(counted * (1 - depth) + shown * depth)
        apart += [guesses[-1], (counted + shown) / 2]
    mwh = median(guesses)
    return mwh, max((max(apart) - min(apart)) / 2, SURE * mwh)


def _whole(curve: Curve, start_mv: float, pack: Pack) -> float:
    """Energy at `start_mv` by a curve that may have begun lower: beyond it, as published curves go on."""
    top_mv, top_mwh = curve[-1]
    if start_mv <= top_mv:
        return interpolated(curve, start_mv)
    shares = [interpolated(book, start_mv) / max(interpolated(book, top_mv), SURE) for book in pack.chemistry.curves]
    return top_mwh * max(median(shares), 1.0)


def _by_the_book(discharge: Discharge, known: Known, pack: Pack) -> tuple[float, float]:
    """The label at first, the deeper the more what published curves show; the gauge's fall as far as they allow."""
    sizes, guesses, depth = _by_curves(discharge, pack)
    size = size_mwh(known, pack, discharge.celsius)
    if sizes:
        size = min(max(size, min(sizes) * (1 - SLACK)), max(sizes) * (1 + SLACK))
    counted = _counted(discharge, size, pack)
    mwh = counted * (1 - depth) + mean(guesses) * depth if guesses else counted
    by_gauge = _by_gauge(discharge)
    apart = [mwh, *guesses]
    if by_gauge is not None:
        mwh = min(max(by_gauge, min(apart)), max(apart)) if guesses else by_gauge
    return mwh, max((max(apart) - min(apart)) / 2, DOUBT * mwh)


def _by_curves(discharge: Discharge, pack: Pack) -> tuple[list[float], list[float], float]:
    """By each published curve, the pack's size and what is left; and the mean fall, 0..1. Nothing until all have
    fallen: where one is flat, a few millivolts of noise are a fall.

    What has been used is to the fall as the size is to the whole.
    """
    sizes, guesses, falls = [], [], []
    for curve in () if _mute(discharge, pack) else pack.chemistry.curves:
        start, now = interpolated(curve, discharge.start_mv), interpolated(curve, discharge.rest_mv)
        if start - now >= NOTICEABLE:
            falls.append(start - now)
            sizes.append(discharge.used_mwh / falls[-1])
            guesses.append(sizes[-1] * max(now - _end(discharge, curve, pack), 0.0))
    if len(falls) < len(pack.chemistry.curves):
        return [], [], 0.0
    return sizes, guesses, mean(falls)


def _by_gauge(discharge: Discharge) -> float | None:
    told, charge = discharge.told, discharge.charge
    if discharge.doubted or told is None or charge is None or told.charge - charge < GAUGE_NOTICEABLE:
        return None
    return (discharge.used_mwh - told.used_mwh) / (told.charge - charge) * charge


def _counted(discharge: Discharge, size: float, pack: Pack) -> float:
    """What a pack of this size held at the start, less what has been used."""
    end = median(_end(discharge, curve, pack) for curve in pack.chemistry.curves)
    return max(size * (start_charge(discharge, pack) - end) - discharge.used_mwh, 0.0)


def start_charge(discharge: Discharge, pack: Pack) -> float:
    """The charge it began at, 0..1: the gauge's word, full where it is known, else by voltage and published curves."""
    if discharge.told is not None and discharge.told.used_mwh == 0 and not discharge.doubted:
        return discharge.told.charge
    if discharge.full:
        return 1.0
    return median(interpolated(curve, discharge.start_mv) for curve in pack.chemistry.curves)


def _end(discharge: Discharge, curve: Curve, pack: Pack) -> float:
    """The charge by `curve` at which the loaded voltage is the cut-off."""
    sag = discharge.power_mw / pack.cutoff_mv * 1000 * discharge.resistance_ohm
    return interpolated(curve, pack.cutoff_mv + sag)


def _mute(discharge: Discharge, pack: Pack) -> bool:
    """The voltage says nothing."""
    flat = pack.chemistry.flat_above_mv
    return flat is not None and discharge.rest_mv > flat


def share_at(celsius: float) -> float:
    """Share of the capacity that can be drawn."""
    return interpolated(CAPACITY_AT, celsius)


def median_error(pairs: Sequence[tuple[float, float]]) -> float:
    """Median of |estimate - truth| / truth over (estimate, truth)."""
    errors = sorted(abs(estimate - truth) / truth for estimate, truth in pairs)
    return errors[len(errors) // 2]
