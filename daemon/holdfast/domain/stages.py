"""Power stages S0..S4: a function of what is known and for how long it has held (INV-10.2, INV-10.5).

| stage | entered at the worst of |
|---|---|
| S0 normal | mains, or nothing below |
| S1 conserve | margin < 20 %, grid level 1 |
| S2 shed | margin < 5 %, charge < 30 %, grid level 2 |
| S3 critical | runtime ≤ 30 min, charge < 15 %, grid level 3, 15 s of silence on battery |
| S4 stop | runtime ≤ 8 min, the UPS or a command asks, the cell's floor, silence for too long |

Worse stages are entered one after another, each once asked for during ENTER seconds; S4 from any stage after
ENTER_STOP, and S3 at once when the battery falls silent. A better one only after what it asks, with a margin, held
for LEAVE seconds. While the mains are there the battery asks for nothing: a gauge can sit at 0 % while its cell is
fine. A grid signal asks for S3 at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
SILENT = 15.0
"""Seconds without a word on battery that count as S3."""
SILENT_STOP = 600.0
"""Longest silence on battery before the hub stops though nothing says it must."""
LEAVE_POINTS = 100
"""Permille of margin and of charge ..."""
LEAVE_MINUTES = 10
"""... and minutes of runtime by which a better stage must be exceeded."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the stages begin. Margin and charge in permille, runtime in minutes, voltage in millivolts a cell."""

    conserve_margin: int = 200
    shed_margin: int = 50
    shed_charge: int = 300
    critical_charge: int = 150
    critical_minutes: int = 30
    stop_minutes: int = 8
    cutoff_mv: int = 3200
    floor_mv: int = 3000
    """No cell is drawn below this, not even in the first minutes."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the power now; None is unknown."""

    mains: bool | None = None
    charge: int | None = None
    minutes: int | None = None
    """Modelled runtime."""
    margin: int | None = None
    """Of the event's plan, permille of the need; None without a plan."""
    cell_mv: int | None = None
    rising: bool = False
    """The cell's voltage rises: it is being charged, whatever the mains line says."""
    silent_s: float = 0.0
    """Seconds since the battery was last heard, while it was then the source."""
    lasts_s: float | None = None
    """Modelled runtime when it was last heard."""
    grid: int = 0
    """Level a grid signal asks for, 0..3."""
    stop_asked: bool = False
    """A command, or the board itself, asks for the stop."""
    settling: bool = False
    """The hub has only just started: no charge and no runtime stops it, or a dead mains line would at every start."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One voice: the stage it wants and why. Stable keys: those of `StageChanged.why`."""

    stage: Stage
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    old: Stage
    new: Stage
    why: str


def silence_allowed(lasts_s: float | None, limits: Limits) -> float:
    """Seconds of silence on battery before the stop, from the modelled runtime when it was last heard."""
    if lasts_s is None:
        return SILENT_STOP
    return max(min(SILENT_STOP, lasts_s - limits.stop_minutes * 60), SILENT)


def asks(known: Known, limits: Limits, *, leaving: bool = False) -> Iterator[Ask]:
    """Everything that wants a stage above S0. With `leaving` the battery's limits are further away."""
    if known.stop_asked:
        yield Ask(Stage.STOP, "asked")
    if known.grid > 0:
        yield Ask(Stage(min(known.grid, Stage.CRITICAL)), "grid")
    if known.mains:
        return
    if known.cell_mv is not None and known.cell_mv <= (limits.floor_mv if known.settling else limits.cutoff_mv):
        yield Ask(Stage.STOP, "voltage")
    for ask in () if known.rising else _battery(known, limits, leaving=leaving):
        yield Ask(min(ask.stage, Stage.CRITICAL), ask.why) if known.settling else ask


def _battery(known: Known, limits: Limits, *, leaving: bool) -> Iterator[Ask]:
    points, minutes = (LEAVE_POINTS, LEAVE_MINUTES) if leaving else (0, 0)
    if known.silent_s > SILENT:
        too_long = known.silent_s >= silence_allowed(known.lasts_s, limits)
        yield Ask(Stage.STOP if too_long else Stage.CRITICAL, "silent")
    if known.minutes is not None:
        for stage, limit in ((Stage.STOP, limits.stop_minutes), (Stage.CRITICAL, limits.critical_minutes)):
            if known.minutes <= limit + minutes:
                yield Ask(stage, "runtime")
    if known.charge is not None:
        for stage, limit in ((Stage.CRITICAL, limits.critical_charge), (Stage.SHED, limits.shed_charge)):
            if known.charge < limit + points:
                yield Ask(stage, "charge")
    if known.margin is not None:
        for stage, limit in ((Stage.SHED, limits.shed_margin), (Stage.CONSERVE, limits.conserve_margin)):
            if known.margin < limit + points:
                yield Ask(stage, "margin")


def demanded(known: Known, limits: Limits, *, leaving: bool = False) -> Ask:
    """The worst of what is asked."""
    return max(asks(known, limits, leaving=leaving), key=lambda ask: ask.stage, default=_calm(known))


def _calm(known: Known) -> Ask:
    if known.mains:
        return Ask(Stage.NORMAL, "mains")
    return Ask(Stage.NORMAL, "unknown" if _nothing_heard(known) else "battery")


def _nothing_heard(known: Known) -> bool:
    return known.mains is None and known.charge is None and known.minutes is None


class StageMachine:
    """Feed it what is known, at any pace, with a monotonic clock's seconds."""

    def __init__(self, limits: Limits, *, stage: Stage = Stage.NORMAL) -> None:
        self.stage = stage
        self.why = ""
        """Why it is the stage it is: what last changed it, in S0 what holds now; empty: never asked."""
        self._limits = limits
        self._since: dict[tuple[Stage, str], float] = {}
        """Since when a stage, or a worse one, has been asked for, in each lane."""
        self._better_since: float | None = None

    def step(self, known: Known, now: float) -> Change | None:
        """The change that is due now, if any."""
        change = self._worsen(known, now) or self._improve(known, now)
        if self.stage is Stage.NORMAL:
            self.why = _calm(known).why
        return change

    def _worsen(self, known: Known, now: float) -> Change | None:
        found = list(asks(known, self._limits))
        wanted = {(stage, _lane(ask)) for ask in found for stage in Stage if self.stage < stage <= ask.stage}
        self._since = {key: self._since.get(key, now) for key in wanted}
        due = [key for key, since in self._since.items() if self._is_due(*key, now - since)]
        if not due:
            return None
        stage, lane = max(due)
        worst = max((ask for ask in found if _lane(ask) == lane), key=lambda ask: ask.stage)
        return self._go(stage, worst.why, now)

    def _is_due(self, stage: Stage, lane: str, held: float) -> bool:
        """One stage after another, but for the stop and for silence."""
        if lane == "voltage":
            return stage is Stage.STOP and held >= ENTER_VOLTAGE
        if lane == "silent":
            return stage is Stage.CRITICAL or (stage is Stage.STOP and held >= ENTER_STOP)
        if stage is Stage.STOP:
            return held >= ENTER_STOP
        return stage == self.stage + 1 and held >= ENTER

    def _improve(self, known: Known, now: float) -> Change | None:
        if self.stage in (Stage.NORMAL, Stage.STOP):
            return None
        ask = demanded(known, self._limits, leaving=True)
        if ask.stage >= self.stage or _nothing_heard(known):
            self._better_since = None
            return None
        self._better_since = now if self._better_since is None else self._better_since
        if now - self._better_since < LEAVE:
            return None
        return self._go(Stage(self.stage - 1), ask.why, now)

    def _go(self, new: Stage, why: str, now: float) -> Change:
        change = Change(self.stage, new, why)
        self.stage, self.why = new, why
        self._since = {key: since for key, since in self._since.items() if key[0] is Stage.STOP}
        self._better_since = now if new < change.old else None
        return change


def _lane(ask: Ask) -> str:
    """Voices with a patience of their own do not count for the others."""
    return ask.why if ask.why in ("voltage", "silent") else ""
