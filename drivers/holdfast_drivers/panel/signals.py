"""What the panel says and how: signals, the light or sound each one uses, and one lamp's sequence of steps. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import inf

QUEUED = 4
"""Beep patterns waiting behind the one that sounds; a fifth drops the oldest, or the buzzer would tell of the past."""


class Lamp(Enum):
    """A light, or the buzzer."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    BLUE = "blue"
    WHITE = "white"
    BUZZER = "buzzer"


class Signal(Enum):
    """What the hub tells people."""

    COMMITTED = "committed"
    """Green and one short beep: it is on disk."""
    NEED_INPUT = "need_input"
    """Amber and two beeps: more is needed."""
    REFUSED = "refused"
    """Red and a long beep."""
    OFFLINE = "offline"
    """Blue, steady."""
    CATCHING_UP = "catching_up"
    """Blue, blinking."""
    ONLINE = "online"
    """Blue off."""
    SAVING_POWER = "saving_power"
    """White pulse: power stage S1 or worse."""
    POWER_NORMAL = "power_normal"
    """White off."""
    STOPPING = "stopping"
    """Amber, steady, until the power goes."""
    HOLDING = "holding"
    """Amber, one flicker: a button is held; asked for again and again while it is."""
    DRAWER_LEFT = "drawer_left"
    """Two beeps, then amber pulses: the drawer has been open for long."""
    DRAWER_SHUT = "drawer_shut"
    """Amber off."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds."""

    flash: float = 0.6
    """Green, amber and red stay on for so long."""
    gap: float = 0.06
    """Dark or silent between two of the same kind, so that they are two."""
    short_beep: float = 0.08
    long_beep: float = 0.7
    blink: float = 0.5
    """Blue: so long on, so long off."""
    pulse: float = 0.15
    """White on ..."""
    pulse_every: float = 2.0
    """... once in so many seconds."""
    flicker: float = 0.1
    """A held button: so long on, so long off."""


@dataclass(frozen=True, slots=True)
class Step:
    on: bool
    seconds: float
    """> 0; inf: until something else is wanted."""


Steps = tuple[Step, ...]

DARK: Steps = (Step(on=False, seconds=inf),)
STEADY: Steps = (Step(on=True, seconds=inf),)


@dataclass(frozen=True, slots=True)
class Cue:
    """A lamp's part in a signal."""

    lamp: Lamp
    steps: Steps
    once: bool = True
    """Played once, then the lamp returns to what it did; else this is what it does from now on, over and over."""


def scores(timing: Timing, *, dim: bool = False) -> dict[Signal, tuple[Cue, ...]]:
    """The parts of every signal. `dim`: what would shine for long pulses instead; answers and the stop stay bright."""
    flash = (Step(on=True, seconds=timing.flash),)
    short = (Step(on=True, seconds=timing.short_beep), Step(on=False, seconds=timing.gap))
    long = (Step(on=True, seconds=timing.long_beep), Step(on=False, seconds=timing.gap))
    blink = (Step(on=True, seconds=timing.blink), Step(on=False, seconds=timing.blink))
    pulse = (Step(on=True, seconds=timing.pulse), Step(on=False, seconds=timing.pulse_every - timing.pulse))
    twice = (pulse[0], Step(on=False, seconds=timing.pulse), *pulse)
    flicker = (Step(on=True, seconds=timing.flicker), Step(on=False, seconds=timing.flicker))
    return {
        Signal.COMMITTED: (Cue(Lamp.GREEN, flash), Cue(Lamp.BUZZER, short)),
        Signal.NEED_INPUT: (Cue(Lamp.AMBER, flash), Cue(Lamp.BUZZER, short + short)),
        Signal.REFUSED: (Cue(Lamp.RED, flash), Cue(Lamp.BUZZER, long)),
        Signal.OFFLINE: (Cue(Lamp.BLUE, pulse if dim else STEADY, once=False),),
        Signal.CATCHING_UP: (Cue(Lamp.BLUE, twice if dim else blink, once=False),),
        Signal.ONLINE: (Cue(Lamp.BLUE, DARK, once=False),),
        Signal.SAVING_POWER: (Cue(Lamp.WHITE, pulse, once=False),),
        Signal.POWER_NORMAL: (Cue(Lamp.WHITE, DARK, once=False),),
        Signal.STOPPING: (Cue(Lamp.AMBER, STEADY, once=False),),
        Signal.HOLDING: (Cue(Lamp.AMBER, flicker),),
        Signal.DRAWER_LEFT: (Cue(Lamp.AMBER, pulse, once=False), Cue(Lamp.BUZZER, short + short)),
        Signal.DRAWER_SHUT: (Cue(Lamp.AMBER, DARK, once=False),),
    }


class Sequence:
    """What one lamp plays: a resting pattern over and over, and what is to be played once in between.

    Time is passed in. A step is never skipped, however late `advance` is called: a signal asked for is a signal shown.
    """

    def __init__(self, *, interrupts: bool, gap: float) -> None:
        """`interrupts`: a new pattern begins at once (lights); else it waits its turn (sound)."""
        self.on = False
        self._interrupts = interrupts
        self._gap = Step(on=False, seconds=gap)
        self._rest: Steps = DARK
        self._waiting: deque[Steps] = deque(maxlen=1 if interrupts else QUEUED)
        self._playing: deque[Step] = deque()
        self._resting = True
        self._until = -inf

    def play(self, cue: Cue) -> None:
        """Take up a part. A light that is on goes dark for the gap first, so that two signals are seen as two."""
        if not cue.once:
            self._rest = cue.steps
        elif self._interrupts and self.on:
            self._waiting.append((self._gap, *cue.steps))
        elif self._resting or not self._interrupts:
            self._waiting.append(cue.steps)
        else:
            return  # in the gap before a flash: that flash is this one, too
        if self._resting or (cue.once and self._interrupts):
            self._playing.clear()
            self._until = -inf

    def advance(self, now: float) -> tuple[bool, float]:
        """On or off from `now` on, and the time of the next change."""
        if now >= self._until:
            step = self._next()
            self.on = step.on
            self._until = now + step.seconds
        return self.on, self._until

    def _next(self) -> Step:
        if not self._playing:
            self._resting = not self._waiting
            self._playing.extend(self._rest if self._resting else self._waiting.popleft())
        return self._playing.popleft()
