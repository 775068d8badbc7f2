"""The virtual devices, each a process of its own: scanner and printer on PTYs, battery board and lamps on a bench."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from hub import Place
from processes import Child, Children, Event

START_S = 20.0
"""Seconds a simulator may take to say that it is there."""


class Light(Enum):
    """What a person sees after a scan."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Scanner:
    """The trigger is `scan`."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def scan(self, text: str) -> float:
        """Send one read, AIM identifier in front. Returns the monotonic second at which it left us."""
        self._child.say(text)
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Cut:
    """A paper that fell out of the printer."""

    number: int
    text: str
    png: Path | None


class Printer:
    """What it printed, and the hands that feed it."""

    def __init__(self, child: Child, cuts: list[Cut]) -> None:
        self.cuts = cuts
        """All papers, oldest first."""
        self._child = child

    def do(self, command: str) -> None:
        """A command of `python -m holdfast_drivers.printers.sim`, e.g. `paper_out`."""
        self._child.say(command)


@dataclass(slots=True)
class Bench:
    """Lamps as they go on and off, and the mains switch."""

    on: set[str] = field(default_factory=set)
    """Lamps that are on."""
    came_on: dict[str, float] = field(default_factory=dict)
    """The monotonic second at which each lamp last came on."""
    mains: bool = True
    strays: int = 0
    """Green, amber or red that came on while nobody was waiting for one, or that was not the one due."""
    _child: Child | None = None
    _lights: asyncio.Queue[tuple[Light, float] | None] = field(default_factory=asyncio.Queue)
    """None: no more will come, the hub is gone."""

    def do(self, command: str) -> None:
        """A command of `python -m holdfast_drivers.ups.sim`, e.g. `mains off`."""
        assert self._child is not None
        self._child.say(command)

    def hear(self, event: Event) -> None:
        """An event of the bench process."""
        match event:
            case {"event": "lamp", "lamp": str(lamp), "on": True, "at": at}:
                self.on.add(lamp)
                self.came_on[lamp] = float(at)
                if lamp in _LIGHTS:
                    self._lights.put_nowait((Light(lamp), float(at)))
            case {"event": "lamp", "lamp": str(lamp)}:
                self.on.discard(lamp)
            case {"event": "mains", "on": bool(on)}:
                self.mains = on
            case _:
                pass

    def lit(self, within: float) -> frozenset[str]:
        """Lamps that are on, or were in the last so many seconds: a flash is too short to be looked at."""
        since = time.monotonic() - within
        return frozenset(self.on | {lamp for lamp, at in self.came_on.items() if at >= since})

    def forget(self) -> None:
        """What came on before now is no answer to what is asked next."""
        while not self._lights.empty():
            self.strays += self._lights.get_nowait() is not None

    def give_up(self) -> None:
        """Whoever waits for a light waits in vain."""
        self._lights.put_nowait(None)

    async def light(self, due: Light) -> float | None:
        """The monotonic second at which the light that is due came on, as the bench saw it; None when it will not."""
        while (seen := await self._lights.get()) is not None:
            light, at = seen
            if light is due:
                return at
            self.strays += 1
        return None


_LIGHTS = frozenset(light.value for light in Light)


async def plug_in(
    children: Children, place: Place, *, charge: int, on_cut: Callable[[Cut], None]
) -> tuple[Scanner, Printer, Bench]:
    """Start all three and wait for their first words. `charge` is the battery's percent. Raises TimeoutError."""
    bench = Bench()
    cuts: list[Cut] = []

    def printed(event: Event) -> None:
        if event.get("event") == "cut":
            png = event.get("png")
            cuts.append(Cut(event["number"], event["text"], Path(png) if png else None))
            on_cut(cuts[-1])

    python = [sys.executable, "-m"]
    board = ["holdfast_drivers.ups.sim", "--socket", str(place.bench), "--charge", str(charge)]
    printer = ["holdfast_drivers.printers.sim", "--pty", str(place.printer), "--out", str(place.receipts)]
    scanner = ["holdfast_drivers.scanners.sim", "--pty", str(place.scanner)]
    trigger, paper, panel = await asyncio.gather(
        children.start("scanner", python + scanner, log=place.log("scanner"), hear=_ignore),
        children.start("printer", python + printer, log=place.log("printer"), hear=printed),
        children.start("bench", python + board, log=place.log("bench"), hear=bench.hear),
    )
    bench._child = panel
    async with asyncio.timeout(START_S):
        for child in (trigger, paper, panel):
            await child.spoken.wait()
    return Scanner(trigger), Printer(paper, cuts), bench


def _ignore(_: Event) -> None:
    """The scanner has nothing to tell."""
