"""What a pack will do until an event's end: from what is typed, what the hub knows and what is typical."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from holdfast.cli.client import UsageError

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SPAN = re.compile(r"(?:(\d{1,2})h)?(?:(\d{1,3})min)?")
_LOAD = re.compile(r"([\w-]+)=(\d+(?:\.\d+)?)")
TYPICAL_H = 8


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person said; None: nothing."""

    until: str | None = None
    pack: float | None = None
    loads: dict[str, float] = field(default_factory=dict)
    charge: float | None = None
    """0..1."""
    celsius: float | None = None


@dataclass(frozen=True, slots=True)
class Assumed:
    """What the question is asked with."""

    now: int
    until: int
    loads: dict[str, float]
    pack_wh: float
    charge: float
    celsius: float
    health: float
    usable_wh: float | None = None
    """As the hub judges it; None: by the pack's label."""
    reserve_wh: float | None = None
    sources: tuple[str, ...] = ()
    """Where the figures come from, in words."""


def moment(text: str, now: int) -> int:
    """`22:00` (the next one), `6h`, `90min`, `6h30min`, in UTC milliseconds. Raises UsageError."""
    if clock := _CLOCK.fullmatch(text):
        local = datetime.fromtimestamp(now / 1000).astimezone()
        then = local.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return round((then if then > local else then + timedelta(days=1)).timestamp() * 1000)
    span = _SPAN.fullmatch(text)
    if span is not None and text:
        return now + (int(span[1] or 0) * 60 + int(span[2] or 0)) * 60_000
    raise UsageError(f"{text!r} is no time", "Write it like 22:00, 6h, 90min or 6h30min.")


def typed_loads(text: str | None) -> dict[str, float]:
    """Raises UsageError."""
    if text is None:
        return {}
    found: dict[str, float] = {}
    for part in text.split(","):
        match = _LOAD.fullmatch(part.strip())
        if match is None or match[1] in found:
            raise UsageError(f"{part!r} is no load", "Write NAME=WATTS, each name once, with commas between.")
        found[match[1]] = float(match[2])
    return found


def assumed(
    power: dict[str, Any] | None,
    typed: Typed,
    *,
    now: int,
    capacity_wh: float,
) -> Assumed:
    """What is typed counts, then the armed plan, then what is measured, then what is typical.

    `power` is what the hub says, None when there is none to ask; `capacity_wh` that of the configuration.
    """
    from holdfast.domain.energy import TYPICAL

    hub = power if power and power["battery"] else {}
    armed: dict[str, Any] = hub.get("plan") or {}
    planned = {name: mw / 1000 for name, mw in armed.get("loads", {}).items()}
    capacity = armed["pack_mwh"] / 1000 if armed else hub.get("capacity_wh", capacity_wh)
    as_it_is = typed.pack is None and typed.charge is None and typed.celsius is None
    judged = armed.get("usable_mwh") if as_it_is else None
    return Assumed(
        now=now,
        until=moment(typed.until, now) if typed.until else armed.get("end", now + TYPICAL_H * 3_600_000),
        loads=typed.loads or planned or _measured(hub) or dict(TYPICAL),
        pack_wh=typed.pack or capacity,
        charge=_first(typed.charge, hub.get("charge_permille"), 1.0, scale=1000),
        celsius=_first(typed.celsius, hub.get("temperature_dc"), 25.0, scale=10),
        health=_first(None, hub.get("health_permille"), 1.0, scale=1000),
        usable_wh=None if judged is None else judged / 1000,
        reserve_wh=armed["reserve_mwh"] / 1000 if armed and not typed.loads else None,
        sources=_sources(power, typed=typed, armed=bool(armed)),
    )


def _measured(hub: dict[str, Any]) -> dict[str, float]:
    """What the hub's battery gives its loads, all of it taken for what is never shed; empty: nothing measures it."""
    from holdfast.domain.energy import CONVERSION

    draw = hub.get("draw_mw")
    return {"board": draw / 1000 * CONVERSION} if draw else {}


def _first(typed: float | None, measured: int | None, typical: float, *, scale: int) -> float:
    if typed is not None:
        return typed
    return typical if measured is None else measured / scale


def _sources(power: dict[str, Any] | None, *, typed: Typed, armed: bool) -> tuple[str, ...]:
    if power is None:
        told = "no hub answers: a full pack at 25 °C where nothing is typed"
    elif not power["battery"]:
        told = "the hub has no battery: a full pack at 25 °C where nothing is typed"
    elif typed.charge is not None:
        told = "charge as typed"
    else:
        told = "charge as the hub knows it" if power["charge_permille"] is not None else "charge unknown: a full pack"
    planned = "loads of a typical till"
    if armed:
        planned = "loads of the armed plan, measured where they are"
    elif power and power["battery"] and power.get("draw_mw"):
        planned = "the draw as the hub measures it on battery"
    return told, "loads as typed" if typed.loads else planned


def reckoned(assumed: Assumed) -> dict[str, Any]:
    """The answer: verdict, figures, how long it lasts and what pack it would take."""
    from holdfast.domain.energy import Budget, Pack, drawable, pack_wh_for, reserve_wh

    pack = Pack(assumed.pack_wh, assumed.health, assumed.celsius, assumed.charge)
    hours = max(assumed.until - assumed.now, 0) / 3_600_000
    watts = sum(assumed.loads.values())
    usable = pack.wh * drawable(pack) if assumed.usable_wh is None else assumed.usable_wh
    reserve = reserve_wh(assumed.loads) if assumed.reserve_wh is None else assumed.reserve_wh
    budget = Budget(usable, watts * hours, reserve)
    lasting = max(usable - reserve, 0.0) / watts if watts else hours
    full = Pack(pack.wh, pack.health, pack.temperature_c)
    return {
        "verdict": budget.verdict,
        "now": assumed.now,
        "until": assumed.until,
        "lasts_until": assumed.now + round(lasting * 3_600_000),
        "margin_permille": budget.margin_permille,
        "usable_wh": round(usable, 1),
        "need_wh": round(budget.need_wh, 1),
        "reserve_wh": round(reserve, 1),
        "pack_wh": assumed.pack_wh,
        "charge_permille": round(assumed.charge * 1000),
        "temperature_c": assumed.celsius,
        "needed_pack_wh": round(pack_wh_for(full, assumed.loads, hours)),
        "watts": round(watts, 1),
        "loads": {name: round(load, 2) for name, load in assumed.loads.items()},
        "sources": list(assumed.sources),
    }
