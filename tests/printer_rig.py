"""A driver and the simulated printer it talks to, over a cable in memory; both speak the language of the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.hostile import HostileLink
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.escpos import EscPosPrinter
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.pace import Line
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.profiles import Profile, load_profile
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.simulator import Event, Kicked, PrinterSimulator
from holdfast_drivers.printers.star import StarPrinter
from holdfast_drivers.values import PrintResult

LANGUAGES = pytest.mark.parametrize("model", [Model.FULL, Model.STAR])
PROFILE = load_profile("TM-T20II")


CUT = b"\x1dVB\x00"
STAR_CUT = b"\x1bd\x03"


def receipt(lines: int = 20, mark: str = "line") -> bytes:
    """A plain document, as the encoder would begin and end it; `Bench.print` changes the cut for a Star."""
    body = "".join(f"{mark} {number}\n" for number in range(lines))
    return b"\x1b@" + body.encode() + CUT


async def turns_until(condition: Callable[[], bool]) -> None:
    """Lets the others work, a step at a time, until `condition` holds; no time passes."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


@dataclass
class Bench:
    printer: ReceiptPrinter
    sim: PrinterSimulator
    paper: list[str]
    """Text of every strip that left the printer."""
    kicks: list[Kicked]
    started: list[int] = field(default_factory=list)

    async def print(self, data: bytes, job: int = 1) -> PrintResult:
        async def started() -> None:
            self.started.append(job)

        if isinstance(self.printer, StarPrinter):
            data = data.replace(CUT, STAR_CUT)
        return await self.printer.print(data, job, started=started)

    def copies(self, mark: str) -> int:
        """How often a line is on paper, torn off or still in the printer."""
        self.sim.tear_off()
        return sum(strip.splitlines().count(mark) for strip in self.paper)


@asynccontextmanager
async def bench(
    *,
    model: Model = Model.FULL,
    limits: Limits | None = None,
    drawer_open_high: bool | None = None,
    line: Line | None = None,
    profile: Profile = PROFILE,
    hub_link: dict[str, Any] | None = None,
    **sim: Any,
) -> AsyncIterator[Bench]:
    """`sim` goes to the simulator, `hub_link` to a HostileLink on the driver's side."""
    hub, device = memory_pair()
    link: Link = HostileLink(hub, **hub_link) if hub_link else hub
    paper: list[str] = []
    kicks: list[Kicked] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Receipt):
            paper.append(to_text(event))
        else:
            kicks.append(event)

    clock = asyncio.get_running_loop().time
    kind = StarPrinter if model is Model.STAR else EscPosPrinter
    driver = kind(link, profile, monotonic=clock, limits=limits, drawer_open_high=drawer_open_high, line=line)
    sim.setdefault("drawer_open_high", drawer_open_high is not False)
    async with PrinterSimulator(device, model=model, on_event=on_event, **sim) as simulator, driver as printer:
        yield Bench(printer, simulator, paper, kicks)
