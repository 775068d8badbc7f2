"""What the printer driver promises, over every kind of link; and, with --port, with a real printer and a person."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from conformance.rigs import LinkPair
from holdfast_drivers.links.base import Opener
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.escpos import EscPosPrinter
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.sim import Event, PrinterSimulator
from holdfast_drivers.values import DeviceError, Printed, PrinterStatus, PrintResult, Proof, Tri

PROFILE = load_profile("TM-T20II")
JOB = encode(SAMPLE, PROFILE)
LONG = b"\x1b@" + b"".join(b"line %d\n" % number for number in range(20_000)) + b"\x1dVB\x00"
PATIENT = Limits(reply=5, probe=10)

Plugged = Callable[..., AbstractAsyncContextManager[tuple[EscPosPrinter, PrinterSimulator]]]


async def nothing() -> None: ...


@pytest.fixture
def paper() -> list[str]:
    return []


@pytest.fixture
def plugged(link_pair: LinkPair, paper: list[str]) -> Plugged:
    def keep(event: Event) -> None:
        if isinstance(event, Receipt):
            paper.append(to_text(event))

    @asynccontextmanager
    async def plugged(
        model: Model = Model.FULL, speed: float | None = None, limits: Limits = PATIENT
    ) -> AsyncIterator[tuple[EscPosPrinter, PrinterSimulator]]:
        clock = asyncio.get_running_loop().time
        hub = await link_pair.hub_opener()
        async with (
            PrinterSimulator(link_pair.device_link, model=model, speed=speed, on_event=keep) as sim,
            EscPosPrinter(hub, PROFILE, monotonic=clock, limits=limits) as printer,
        ):
            yield printer, sim

    return plugged


async def status_where(printer: EscPosPrinter, wanted: Callable[[PrinterStatus], bool]) -> None:
    async with asyncio.timeout(10):
        while not wanted(await printer.next_change()):
            pass


@pytest.mark.parametrize(("model", "proof"), [(Model.FULL, Proof.PROCESS_ID), (Model.GS_R, Proof.IN_ORDER)])
async def test_a_proved_job_is_on_paper(plugged: Plugged, paper: list[str], model: Model, proof: Proof) -> None:
    async with plugged(model) as (printer, _):
        for job in range(3):
            assert await printer.print(JOB, job, started=nothing) == PrintResult(Printed.PRINTED, proof)
        assert [text.count("Tote bag »Ancre«") for text in paper] == [1, 1, 1]


async def test_a_mute_printer_proves_nothing(plugged: Plugged) -> None:
    async with plugged(Model.MUTE, limits=Limits(reply=0.05, probe=0.1)) as (printer, _):
        result = await printer.print(JOB, 1, started=nothing)
        assert result == PrintResult(Printed.UNKNOWN, reason="no_proof")


async def test_out_of_paper_is_seen_refused_and_over_when_paper_is_loaded(plugged: Plugged, paper: list[str]) -> None:
    async with plugged() as (printer, sim):
        sim.paper_out()
        await status_where(printer, lambda status: status.paper is Tri.NO)
        assert (await printer.print(JOB, 1, started=nothing)).reason == "paper_end"
        sim.load_paper()
        assert (await printer.print(JOB, 1, started=nothing)).outcome is Printed.PRINTED
        assert len(paper) == 1


async def test_a_job_longer_than_every_buffer_waits_for_paper_and_goes_on(plugged: Plugged, paper: list[str]) -> None:
    async with plugged() as (printer, sim):
        sim.machine.paper_mm = 300
        printing = asyncio.create_task(printer.print(LONG, 1, started=nothing))
        await status_where(printer, lambda status: status.paper is Tri.NO)
        await asyncio.sleep(0.1)
        assert not printing.done()
        sim.load_paper(1_000_000)
        async with asyncio.timeout(30):
            assert (await printing).outcome is Printed.PRINTED
        assert paper[0].splitlines().count("line 19999") == 1


async def test_the_plug_pulled_during_a_job_leaves_it_unknown_and_the_next_one_not_printed(
    plugged: Plugged, link_pair: LinkPair
) -> None:
    async with plugged(speed=50) as (printer, _):
        printing = asyncio.create_task(printer.print(LONG, 1, started=nothing))
        await asyncio.sleep(0.1)
        await link_pair.unplug()
        async with asyncio.timeout(10):
            assert await printing == PrintResult(Printed.UNKNOWN, reason="unplugged")
        assert (await printer.print(JOB, 2, started=nothing)).outcome is Printed.NOT_PRINTED
        with pytest.raises(DeviceError, match="unplugged"):
            await printer.check()


async def test_a_person_watches_a_real_printer(real_port: Opener, capsys: pytest.CaptureFixture[str]) -> None:
    async with EscPosPrinter(await real_port(), PROFILE, monotonic=asyncio.get_running_loop().time) as printer:
        with capsys.disabled():
            sys.stdout.write(f"\nproof: {printer.proof}, status: {printer.status}\n")
        result = await printer.print(JOB, 1, started=nothing)
        with capsys.disabled():
            sys.stdout.write(f'{result}: one receipt from "Kelp & Co" to "Merci", once, cut?\n')
    assert result.outcome is not Printed.NOT_PRINTED
