"""Push-buttons on GPIO lines: short and long presses, told by the kernel's time stamps.

A button's line is debounced where its edges are stamped. A press begins with an edge: a button that is down at the
start is passed over until it is let go. Edges can be missed, so levels are read every few seconds, too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from math import inf
from typing import Any, Literal, NoReturn

from holdfast_drivers.links.header import Header
from holdfast_drivers.values import DeviceError

DEBOUNCE = 0.03
"""Seconds a level must hold: contacts of push-buttons bounce for some milliseconds."""
CHECK_EVERY = 2.0
"""Seconds between looks at the levels."""
HINT_AFTER = 0.4
"""Seconds down after which a long press is on its way ..."""
HINT_EVERY = 0.4
"""... and said so this often."""
QUEUED = 64
"""Edges kept; a button in working order makes a few a second."""


class Gesture(Enum):
    """What was done with a button."""

    SHORT = auto()
    LONG = auto()


@dataclass(frozen=True, slots=True)
class Button:
    """A button's line."""

    pin: int
    """BCM number."""
    active: Literal["low", "high"] = "low"
    """Level while it is down; the pull inside the chip is the other way."""
    hold: float | None = None
    """Seconds down that make a long press; None: every press is short, and counts when it begins."""


class Presses:
    """One button's gestures. Time is passed in; every method returns what that moment decides."""

    def __init__(self, hold: float | None) -> None:
        self._hold = hold
        self._down = False
        self._since: float | None = None
        """When the press began that is not decided yet."""

    def edge(self, *, down: bool, at: float) -> Gesture | None:
        """It was pressed or let go. An edge that changes nothing is none."""
        if down is self._down:
            return None
        self._down = down
        if down:
            self._since = at if self._hold is not None else None
            return Gesture.SHORT if self._hold is None else None
        began, self._since = self._since, None
        if began is None or self._hold is None:
            return None
        return Gesture.LONG if at - began >= self._hold else Gesture.SHORT

    def level(self, *, down: bool) -> None:
        """What the line is now. Where edges were missed, the press they belonged to is given up."""
        if down is not self._down:
            self._down, self._since = down, None

    def due(self, now: float) -> Gesture | None:
        """A press becomes long while it is still down."""
        if self._since is None or self._hold is None or now - self._since < self._hold:
            return None
        self._since = None
        return Gesture.LONG

    def hint(self, last: float, now: float) -> bool:
        """Between `last` and `now`: is it time to say that a long press is on its way?"""
        if self._since is None:
            return False
        return _hints(now - self._since) > _hints(last - self._since)

    def wake(self, now: float) -> float:
        """Seconds until `due` or `hint` may have something."""
        if self._since is None or self._hold is None:
            return inf
        down = now - self._since
        following = HINT_AFTER + _hints(down) * HINT_EVERY
        return max(0.0, min(following, self._hold) - down)


def _hints(down: float) -> int:
    """How many hints so many seconds have seen."""
    return max(0, int((down - HINT_AFTER) / HINT_EVERY) + 1) if down >= HINT_AFTER else 0


class Buttons:
    """Made by `open_buttons`."""

    def __init__(self, header: Header, lines: Mapping[str, _Line], wake: asyncio.Event) -> None:
        self._header = header
        self._lines = lines
        self._wake = wake

    async def run(
        self, pressed: Callable[[str, Gesture], None], hinted: Callable[[str], None] = lambda _: None
    ) -> NoReturn:
        """Tell of presses until cancelled. `hinted`: that button is being held. Raises DeviceError when lines fail."""
        clock = asyncio.get_running_loop().time
        last = checked = clock()
        while True:
            self._wake.clear()
            for name, line in self._lines.items():
                for gesture in line.decided(clock()):
                    pressed(name, gesture)
                if line.presses.hint(last, clock()):
                    hinted(name)
            last = clock()
            if last - checked >= CHECK_EVERY:
                checked = last
                await self._check()
            patience = min([CHECK_EVERY, *(line.presses.wake(last) for line in self._lines.values())])
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._wake.wait()

    async def _check(self) -> None:
        """Levels, unless edges wait that explain them."""
        levels = await self._header.call(lambda: {name: line.read() for name, line in self._lines.items()})
        for name, line in self._lines.items():
            if not line.edges:
                line.presses.level(down=levels[name])


class _Line:
    """One line, its gpiozero device, and the edges that came from the chip's thread."""

    def __init__(self, button: Button, device: Any, wake: Callable[[], None]) -> None:
        self.edges: deque[tuple[bool, float]] = deque(maxlen=QUEUED)
        self._button = button
        self._device = device
        self._wake = wake
        self.presses = Presses(button.hold)
        device.pin.bounce = DEBOUNCE
        device.pin.edges = "both"
        device.pin.when_changed = self.changed

    def changed(self, ticks: float, state: Any) -> None:
        """Called by gpiozero, in the chip's thread, with the edge's own time."""
        self.edges.append((self._is_down(bool(state)), ticks))
        self._wake()

    def read(self) -> bool:
        """Is it down."""
        return self._is_down(bool(self._device.pin.state))

    def decided(self, now: float) -> list[Gesture]:
        """What the edges so far, and the time, decide."""
        found = [self.presses.edge(down=down, at=at) for down, at in self._take()]
        return [gesture for gesture in (*found, self.presses.due(now)) if gesture is not None]

    def close(self) -> None:
        """Give the line back."""
        self._device.close()

    def _take(self) -> list[tuple[bool, float]]:
        taken = []
        while self.edges:
            taken.append(self.edges.popleft())
        return taken

    def _is_down(self, high: bool) -> bool:
        return high == (self._button.active == "high")


@asynccontextmanager
async def open_buttons(header: Header, buttons: Mapping[str, Button]) -> AsyncIterator[Buttons]:
    """Take the lines and give them back. Raises DeviceError, gpiozero's GPIOPinInUse, PinInvalidPin or PinFixedPull."""
    loop, wake = asyncio.get_running_loop(), asyncio.Event()

    def woken() -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(wake.set)

    lines: dict[str, _Line] = {}
    try:
        await header.call(lambda: _take(header, buttons, lines, woken))
        yield Buttons(header, lines, wake)
    finally:
        with suppress(DeviceError):
            await header.call(lambda: _give_back(lines))


def _give_back(lines: Mapping[str, _Line]) -> None:
    for line in lines.values():
        line.close()


def _take(header: Header, buttons: Mapping[str, Button], lines: dict[str, _Line], wake: Callable[[], None]) -> None:
    from gpiozero import InputDevice  # noqa: PLC0415 - in the header's thread, which has imported it

    for name, button in buttons.items():
        device = InputDevice(button.pin, pull_up=button.active == "low", pin_factory=header.factory)
        lines[name] = _Line(button, device, wake)
