"""Power stages S0..S4: a pure function of what is known and for how long it has held (INV-10.2).

A worse stage is entered after its condition held for ENTER seconds (S4: ENTER_STOP). A better one only after the
condition for it, with a margin, held for LEAVE seconds; one stage at a time. While the mains are there nothing but
`stop_asked` makes a stage worse: a gauge can sit at 0 % while its cell is fine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum


class Stage(IntEnum):
    """What the hub still does: S1 saves, S2 sheds, S3 keeps only the money path, S4 stops in order."""

    NORMAL = 0
    CONSERVE = 1
    SHED = 2
    CRITICAL = 3
    STOP = 4


ENTER = 10.0
ENTER_STOP = 2.0
ENTER_VOLTAGE = 20.0
"""A burst of load pulls a tired cell down for seconds; a voltage that holds this long is the cell's own."""
LEAVE = 300.0
STALE_STOP = 600.0
"""Seconds of silence on battery after which the hub stops though nothing says it must."""
NOMINAL_MV = 3700
MARGIN_PERMILLE = 100
MARGIN_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the stages begin. Charge in permille, runtime in minutes, voltage in millivolts a cell."""

    conserve_charge: int = 500
    shed_charge: int = 300
    critical_charge: int = 150
    critical_minutes: int = 30
    stop_minutes: int = 8
    cutoff_mv: int = 3200


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the power now; None is unknown."""

    mains: bool | None = None
    charge: int | None = None
    minutes: int | None = None
    """Modelled runtime."""
    cell_mv: int | None = None
    silent_s: float = 0.0
    """Seconds since the battery was last heard."""
    stop_asked: bool = False
    """A command, or the board itself, asks for the stop."""


@dataclass(frozen=True, slots=True)
class Change:
    old: Stage
    new: Stage
    why: str
    """Stable key: `charge`, `runtime`, `voltage`, `silent`, `asked`, `mains`."""


def demanded(known: Known, limits: Limits, *, margin: bool = False) -> tuple[Stage, str]:
    """The stage these values ask for, and why. With `margin` the limits are further away, for leaving."""
    charge_margin, minutes_margin = (MARGIN_PERMILLE, MARGIN_MINUTES) if margin else (0, 0)
    if known.stop_asked:
        return Stage.STOP, "asked"
    if known.mains:
        return Stage.NORMAL, "mains"
    if known.silent_s > STALE_STOP:
        return Stage.STOP, "silent"
    asks = [(Stage.NORMAL, "charge")]
    if known.cell_mv is not None and known.cell_mv <= limits.cutoff_mv:
        asks.append((Stage.STOP, "voltage"))
    if known.minutes is not None:
        asks += [
            (stage, "runtime")
            for stage, limit in ((Stage.CRITICAL, limits.critical_minutes), (Stage.STOP, limits.stop_minutes))
            if known.minutes <= limit + minutes_margin
        ]
    if known.charge is not None:
        asks += [
            (stage, "charge")
            for stage, limit in (
                (Stage.CONSERVE, limits.conserve_charge),
                (Stage.SHED, limits.shed_charge),
                (Stage.CRITICAL, limits.critical_charge),
            )
            if known.charge < limit + charge_margin
        ]
    if known.charge is None and known.minutes is None and known.cell_mv is None and known.mains is False:
        asks.append((Stage.CRITICAL, "silent"))
    return max(asks, key=lambda ask: (ask[0], ask[1] != "voltage"))


class StageMachine:
    """Feed it what is known, at any pace, with a monotonic clock's seconds."""

    def __init__(self, limits: Limits, *, stage: Stage = Stage.NORMAL) -> None:
        self.stage = stage
        self._limits = limits
        self._worse_since: dict[Stage, float] = {}
        self._better_since: float | None = None

    def step(self, known: Known, now: float) -> Change | None:
        """The change that is due now, if any."""
        return self._worsen(known, now) or self._improve(known, now)

    def _worsen(self, known: Known, now: float) -> Change | None:
        asked, why = demanded(known, self._limits)
        calm, _ = demanded(replace(known, cell_mv=known.cell_mv and NOMINAL_MV), self._limits)
        wanted = [s for s in Stage if self.stage < s and (s <= calm or s is asked)]
        self._worse_since = {s: self._worse_since.get(s, now) for s in wanted}
        stop_after = ENTER_VOLTAGE if why == "voltage" else ENTER_STOP
        due = [s for s, since in self._worse_since.items() if now - since >= (stop_after if s is Stage.STOP else ENTER)]
        if not due:
            return None
        return self._go(max(due), why, now)

    def _improve(self, known: Known, now: float) -> Change | None:
        if self.stage in (Stage.NORMAL, Stage.STOP):
            return None
        asked, why = demanded(known, self._limits, margin=True)
        unknown = known.mains is None and known.charge is None
        if asked >= self.stage or unknown:
            self._better_since = None
            return None
        self._better_since = now if self._better_since is None else self._better_since
        if now - self._better_since < LEAVE:
            return None
        return self._go(Stage(self.stage - 1), why, now)

    def _go(self, new: Stage, why: str, now: float) -> Change:
        change = Change(self.stage, new, why)
        self.stage = new
        self._worse_since = {}
        self._better_since = now if new < change.old else None
        return change


def runtime_minutes(
    *, charge: int | None, rate_permille_per_hour: int | None, capacity_wh: float, load_w: float
) -> int | None:
    """Minutes until empty: the worse of the gauge's own rate and the planned load; None when the charge is unknown.

    Usable energy is depth 0.8 x conversion 0.9 of the pack.
    """
    if charge is None:
        return None
    planned = charge / 1000 * capacity_wh * 0.8 * 0.9 / load_w * 60
    if rate_permille_per_hour is not None and rate_permille_per_hour < 0:
        planned = min(planned, charge / -rate_permille_per_hour * 60)
    return int(planned)
