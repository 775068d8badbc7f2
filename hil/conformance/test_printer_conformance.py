"""What the printer driver promises, over every kind of link; and, with --port, with a real printer and a person."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from conformance.rigs import LinkPair
from holdfast_drivers.links.base import Opener
from holdfast_drivers.printers.detect import KINDS, detect
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.sim import Event, PrinterSimulator
from holdfast_drivers.values import DeviceError, Printed, PrinterStatus, PrintResult, Proof, Tri

PROFILE = load_profile("TM-T20II")
NO_NAME = load_profile("POS-5890")
PATIENT = Limits(reply=5, probe=10)
LANGUAGES = pytest.mark.parametrize("model", [Model.FULL, Model.STAR])
CUTS = {"escpos": b"\x1dVB\x00", "star": b"\x1bd\x03"}

Plugged = Callable[..., AbstractAsyncContextManager[tuple[ReceiptPrinter, PrinterSimulator]]]


def language(model: Model) -> str:
    return "star" if model is Model.STAR else "escpos"


JOBS = {model: KINDS[language(model)].encode(SAMPLE, NO_NAME if model is Model.NO_NAME else PROFILE) for model in Model}
LONG_JOBS = {
    model: b"\x1b@" + b"".join(b"line %d\n" % number for number in range(20_000)) + CUTS[language(model)]
    for model in Model
}
"""Longer than every buffer between hub and paper."""


async def nothing() -> None: ...


@pytest.fixture
def paper() -> list[str]:
    return []


@pytest.fixture
def plugged(link_pair: LinkPair, paper: list[str]) -> Plugged:
    """A simulated printer at the link's end, and the driver for the language that was found on it."""

    def keep(event: Event) -> None:
        if isinstance(event, Receipt):
            paper.append(to_text(event))

    @asynccontextmanager
    async def plugged(
        model: Model = Model.FULL, speed: float | None = None, limits: Limits = PATIENT
    ) -> AsyncIterator[tuple[ReceiptPrinter, PrinterSimulator]]:
        clock = asyncio.get_running_loop().time
        hub = await link_pair.hub_opener()
        async with PrinterSimulator(link_pair.device_link, model=model, speed=speed, on_event=keep) as sim:
            found = await detect(hub, first=language(model), timeout=limits.reply)
            assert found == (None if model is Model.MUTE else language(model))
            driver = KINDS[found or "escpos"].driver
            async with driver(hub, PROFILE, monotonic=clock, limits=limits) as printer:
                yield printer, sim

    return plugged


async def status_where(printer: ReceiptPrinter, wanted: Callable[[PrinterStatus], bool]) -> None:
    async with asyncio.timeout(10):
        while not wanted(await printer.next_change()):
            pass


@pytest.mark.parametrize(
    ("model", "proof"),
    [(Model.FULL, Proof.PROCESS_ID), (Model.GS_R, Proof.IN_ORDER), (Model.STAR, Proof.COUNTER)],
)
async def test_a_proved_job_is_on_paper(plugged: Plugged, paper: list[str], model: Model, proof: Proof) -> None:
    async with plugged(model) as (printer, _):
        for number in range(3):
            assert await printer.print(JOBS[model], number, started=nothing) == PrintResult(Printed.PRINTED, proof)
        assert [text.count("Tote bag »Ancre«") for text in paper] == [1, 1, 1]


@pytest.mark.parametrize("model", [Model.MUTE, Model.NO_NAME])
async def test_a_printer_that_proves_nothing_still_prints(plugged: Plugged, paper: list[str], model: Model) -> None:
    async with plugged(model, limits=Limits(reply=0.2, probe=0.2)) as (printer, sim):
        result = await printer.print(JOBS[model], 1, started=nothing)
        assert result == PrintResult(Printed.UNKNOWN, reason="no_proof")
        async with asyncio.timeout(10):
            while not any("Merci" in strip for strip in paper):
                await asyncio.sleep(0.01)
                sim.tear_off()
        assert "".join(paper).count("Two for less") == 1


@LANGUAGES
async def test_out_of_paper_is_seen_refused_and_over_when_paper_is_loaded(
    plugged: Plugged, paper: list[str], model: Model
) -> None:
    async with plugged(model) as (printer, sim):
        sim.paper_out()
        await status_where(printer, lambda status: status.paper is Tri.NO)
        assert (await printer.print(JOBS[model], 1, started=nothing)).reason == "paper_end"
        sim.load_paper()
        assert (await printer.print(JOBS[model], 1, started=nothing)).outcome is Printed.PRINTED
        assert len(paper) == 1


@LANGUAGES
async def test_a_job_longer_than_every_buffer_waits_for_paper_and_goes_on(
    plugged: Plugged, paper: list[str], model: Model
) -> None:
    async with plugged(model) as (printer, sim):
        sim.machine.paper_mm = 300
        printing = asyncio.create_task(printer.print(LONG_JOBS[model], 1, started=nothing))
        await status_where(printer, lambda status: status.paper is Tri.NO)
        await asyncio.sleep(0.1)
        assert not printing.done()
        sim.load_paper(1_000_000)
        async with asyncio.timeout(30):
            assert (await printing).outcome is Printed.PRINTED
        assert paper[0].splitlines().count("line 19999") == 1


@LANGUAGES
async def test_the_plug_pulled_during_a_job_leaves_it_unknown_and_the_next_one_not_printed(
    plugged: Plugged, link_pair: LinkPair, model: Model
) -> None:
    async with plugged(model, speed=50) as (printer, _):
        printing = asyncio.create_task(printer.print(LONG_JOBS[model], 1, started=nothing))
        await asyncio.sleep(0.1)
        await link_pair.unplug()
        async with asyncio.timeout(10):
            assert await printing == PrintResult(Printed.UNKNOWN, reason="unplugged")
        assert (await printer.print(JOBS[model], 2, started=nothing)).outcome is Printed.NOT_PRINTED
        with pytest.raises(DeviceError, match="unplugged"):
            await printer.check()


async def test_a_person_watches_a_real_printer(real_port: Opener, capsys: pytest.CaptureFixture[str]) -> None:
    link = await real_port()
    kind = KINDS[await detect(link) or "escpos"]
    async with kind.driver(link, PROFILE, monotonic=asyncio.get_running_loop().time) as printer:
        with capsys.disabled():
            sys.stdout.write(f"\n{kind.driver.__name__}, proof: {printer.proof}, status: {printer.status}\n")
        result = await printer.print(await asyncio.to_thread(kind.encode, SAMPLE, PROFILE), 1, started=nothing)
        with capsys.disabled():
            sys.stdout.write(f'{result}: one receipt from "Kelp & Co" to "Merci", once, cut?\n')
    assert result.outcome is not Printed.NOT_PRINTED
