"""A test of the battery: some minutes on it, watched, with the mains at hand. Pure: no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from holdfast_drivers.ups.ending import Ended
from holdfast_drivers.ups.judgement import Judged
from holdfast_drivers.values import Tri

EVERY_MS = 7 * 24 * 3600 * 1000
"""A week without a discharge makes a test due."""
LASTS = 600.0
"""Seconds on battery that show how it holds."""
PATIENCE = 300.0
"""Seconds a person, or a UPS, has to begin."""
SOME_SECONDS = 300.0
SOME_PERMILLE = 50
"""A discharge this long, or this deep, is as good as a test."""
FULL_PERMILLE = 900
"""Charge a test begins at; what fails from there is the battery's fault."""
STOP_PERMILLE = 700
"""Charge at which a test ends early."""
ENOUGH_MINUTES = 30
"""On battery that a full pack must be good for: the critical stage begins there."""


class Phase(Enum):
    """How far a test is."""

    IDLE = "idle"
    WAITING = "waiting"
    """For the mains to go."""
    RUNNING = "running"
    RETURNING = "returning"
    """Long enough; for the mains to come back."""


def is_test(ended: Ended) -> bool:
    """Whether a discharge shows anything of the battery."""
    used = ended.start_permille * (1000 - ended.left_permille) // 1000
    return ended.seconds >= SOME_SECONDS or used >= SOME_PERMILLE


def passed(ended: Ended) -> bool:
    """A battery that began full must have lasted, or still have had, the minutes the critical stage needs."""
    lasts = ended.seconds / 60 + ended.minutes_left
    return ended.start_permille < FULL_PERMILLE or lasts >= ENOUGH_MINUTES


def is_due(now_ms: int, *, last_ms: int) -> bool:
    """A week has passed since the last test or discharge; never while that time is unknown."""
    return last_ms > 0 and now_ms - last_ms >= EVERY_MS


@dataclass(slots=True)
class SelfTest:
    """One that somebody asked for. Feed it the end of the discharge, then the moment."""

    phase: Phase = Phase.IDLE
    since: float = 0.0
    """Monotonic second the phase began."""
    by: str = ""
    """`person` pulls the plug, `ups` does it by itself."""
    verdict: str = ""
    """Of the last one: `passed`, `failed`, `given_up`."""

    def ask(self, by: str, now: float) -> None:
        """Begin."""
        self._enter(Phase.WAITING, now)
        self.by, self.verdict = by, ""

    def step(self, judged: Judged, now: float) -> None:
        """What follows from how things are."""
        passed_s = now - self.since
        if self.phase is Phase.WAITING and judged.mains is Tri.NO:
            self._enter(Phase.RUNNING, now)
        elif self.phase is Phase.WAITING and passed_s >= PATIENCE:
            self._give_up(now)
        elif self.phase in (Phase.RUNNING, Phase.RETURNING) and judged.mains is Tri.YES:
            self._give_up(now)  # nothing was drained, or `over` would have been told before
        elif self.phase is Phase.RUNNING and (passed_s >= LASTS or _is_low(judged)):
            self._enter(Phase.RETURNING, now)

    def over(self, ended: Ended, now: float) -> None:
        """The discharge ended."""
        if self.phase in (Phase.RUNNING, Phase.RETURNING):
            if is_test(ended):
                self.verdict = "passed" if passed(ended) else "failed"
                self._enter(Phase.IDLE, now)
            else:
                self._give_up(now)

    def _give_up(self, now: float) -> None:
        self.verdict = "given_up"
        self._enter(Phase.IDLE, now)

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase, self.since = phase, now


def _is_low(judged: Judged) -> bool:
    low = judged.charge_permille is not None and judged.charge_permille < STOP_PERMILLE
    return low or (judged.minutes_left is not None and judged.minutes_left < ENOUGH_MINUTES)
