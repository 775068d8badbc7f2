"""What every kind of printer promises, over every kind of link; and, with --port, with a real printer and a person."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from conformance.printer_kits import MARK, SAMPLES, PrinterKit
from conformance.rigs import LinkPair
from holdfast_drivers.links.base import Opener
from holdfast_drivers.printers.detect import KINDS, detect
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.simulator import Event, Kicked, PrinterSimulator
from holdfast_drivers.values import DeviceError, Printed, PrinterStatus, PrintResult, Proof, Tri

LONG = 8_000
"""Lines: longer than every buffer between hub and paper, but that of a "deep" link."""


@dataclass
class Bench:
    printer: ReceiptPrinter
    sim: PrinterSimulator
    receipts: list[str]
    """Text of every strip that left the printer."""
    kicks: list[Kicked] = field(default_factory=list)

    async def print(self, data: bytes, job: int = 1) -> PrintResult:
        return await self.printer.print(data, job, started=nothing)

    async def copies(self, mark: str, expected: int = 1) -> int:
        """How often a line is on paper, `expected` times or once the printer has had time to print more."""
        for _ in range(200):
            self.sim.tear_off()
            if (found := sum(mark in line for strip in self.receipts for line in strip.splitlines())) >= expected:
                break
            await asyncio.sleep(0.01)
        return found


Plugged = Callable[..., AbstractAsyncContextManager[Bench]]


async def nothing() -> None: ...


def may_be_out_of_hand(kit: PrinterKit, link_pair: LinkPair) -> bool:
    """The link may take it all, and the printer will never say what became of it: the job is over then, as unknown."""
    return "proofless" in kit.quirks and "deep" in link_pair.quirks


@pytest.fixture
def plugged(link_pair: LinkPair, printer_kit: PrinterKit) -> Plugged:
    """A simulated printer at the link's end, and the driver for the language that was found on it."""

    @asynccontextmanager
    async def plugged(speed: float | None = None) -> AsyncIterator[Bench]:
        receipts: list[str] = []
        kicks: list[Kicked] = []

        def keep(event: Event) -> None:
            if isinstance(event, Receipt):
                receipts.append(to_text(event))
            else:
                kicks.append(event)

        kit, clock = printer_kit, asyncio.get_running_loop().time
        hub = await link_pair.hub_opener()
        async with PrinterSimulator(link_pair.device_link, model=kit.model, speed=speed, on_event=keep) as sim:
            found = await detect(hub, first=kit.language, timeout=kit.limits.reply)
            assert found == (kit.language if kit.answers else None)
            driver = KINDS[found or "escpos"].driver
            async with driver(hub, kit.profile, monotonic=clock, limits=kit.limits, drawer_open_high=True) as printer:
                yield Bench(printer, sim, receipts, kicks)

    return plugged


async def status_where(printer: ReceiptPrinter, wanted: Callable[[PrinterStatus], bool]) -> None:
    async with asyncio.timeout(10):
        while not wanted(await printer.next_change()):
            pass


async def test_what_it_can_prove_is_learned_without_a_mark_on_paper(plugged: Plugged, printer_kit: PrinterKit) -> None:
    async with plugged() as at:
        assert at.printer.proof is printer_kit.proof
        assert at.printer.status.online is (Tri.YES if printer_kit.answers else Tri.UNKNOWN)
        at.sim.tear_off()
        assert "".join(at.receipts).strip() == ""


async def test_every_receipt_is_on_paper_once_and_printed_only_where_proved(
    plugged: Plugged, printer_kit: PrinterKit
) -> None:
    async with plugged() as at:
        for number in range(3):
            result = await at.print(SAMPLES[printer_kit.model], number)
            if printer_kit.proof is Proof.NONE:
                assert result == PrintResult(Printed.UNKNOWN, reason="no_proof")
            else:
                assert result == PrintResult(Printed.PRINTED, printer_kit.proof)
        assert await at.copies(MARK, 3) == 3


@pytest.mark.not_with("statusless")
@pytest.mark.parametrize(
    ("fault", "remedy", "reason"),
    [("paper_out", "load_paper", "paper_end"), ("open_cover", "close_cover", "cover_open")],
)
async def test_a_hindrance_is_seen_refused_and_over_when_it_is_put_right(
    plugged: Plugged, printer_kit: PrinterKit, fault: str, remedy: str, reason: str
) -> None:
    async with plugged() as at:
        getattr(at.sim, fault)()
        await status_where(at.printer, lambda status: Tri.NO is status.paper or Tri.YES is status.cover_open)
        assert await at.print(printer_kit.lines(5)) == PrintResult(Printed.NOT_PRINTED, reason=reason)
        getattr(at.sim, remedy)()
        assert (await at.print(printer_kit.lines(5))).outcome is not Printed.NOT_PRINTED
        assert await at.copies("line 4") == 1


@pytest.mark.not_with("statusless")
async def test_a_job_longer_than_every_buffer_waits_for_paper_and_goes_on(
    plugged: Plugged, printer_kit: PrinterKit, link_pair: LinkPair
) -> None:
    async with plugged() as at:
        at.sim.machine.paper_mm = 300
        printing = asyncio.create_task(at.print(printer_kit.lines(LONG)))
        await status_where(at.printer, lambda status: status.paper is Tri.NO)
        await asyncio.sleep(0.1)
        assert not printing.done() or may_be_out_of_hand(printer_kit, link_pair)
        at.sim.load_paper(1_000_000)
        async with asyncio.timeout(30):
            outcome = (await printing).outcome
        assert outcome is (Printed.UNKNOWN if printer_kit.proof is Proof.NONE else Printed.PRINTED)
        assert await at.copies(f"line {LONG - 1}") == 1


async def test_the_plug_pulled_during_a_job_leaves_it_unknown_and_the_next_one_not_printed(
    plugged: Plugged, printer_kit: PrinterKit, link_pair: LinkPair
) -> None:
    async with plugged(speed=50) as at:
        begun = asyncio.Event()

        async def started() -> None:
            begun.set()

        printing = asyncio.create_task(at.printer.print(printer_kit.lines(LONG), 1, started=started))
        await begun.wait()
        await asyncio.sleep(0.1)
        await link_pair.unplug()
        async with asyncio.timeout(10):
            result = await printing
        assert result.outcome is Printed.UNKNOWN
        assert result.reason == "unplugged" or may_be_out_of_hand(printer_kit, link_pair)
        assert (await at.print(printer_kit.lines(5))).outcome is Printed.NOT_PRINTED
        with pytest.raises(DeviceError, match="unplugged"):
            await at.printer.check()
        assert at.printer.status.online is Tri.UNKNOWN


async def test_the_plug_pulled_while_nothing_happens_is_noticed(plugged: Plugged, link_pair: LinkPair) -> None:
    async with plugged() as at:
        watching = asyncio.create_task(status_where(at.printer, lambda _: False))
        await asyncio.sleep(0.05)
        await link_pair.unplug()
        with pytest.raises(DeviceError, match="unplugged"):
            await watching


async def test_the_drawer_opens_once_and_is_seen_open_where_it_can_be(
    plugged: Plugged, printer_kit: PrinterKit
) -> None:
    async with plugged() as at:
        await at.printer.kick()
        async with asyncio.timeout(5):
            while not at.kicks:  # noqa: ASYNC110 - the far end of a link gives no signal
                await asyncio.sleep(0.005)
        if "statusless" not in printer_kit.quirks:
            await status_where(at.printer, lambda status: status.drawer_open is Tri.YES)
        assert len(at.kicks) == 1


async def test_a_drawer_kicked_twice_at_once_opens_once(plugged: Plugged) -> None:
    async with plugged() as at:
        await at.printer.kick()
        with pytest.raises(DeviceError, match="busy"):
            await at.printer.kick()
        await asyncio.sleep(0.05)
        assert len(at.kicks) == 1


async def test_off_and_on_again_the_next_receipt_is_whole(plugged: Plugged, printer_kit: PrinterKit) -> None:
    async with plugged() as at:
        await at.print(printer_kit.lines(3))
        assert await at.copies("line 2") == 1
        at.sim.power_cycle()
        assert (await at.print(printer_kit.lines(9))).outcome is not Printed.NOT_PRINTED
        assert await at.copies("line 8") == 1


async def test_noise_from_the_printer_prints_nothing_twice_and_proves_nothing(
    plugged: Plugged, printer_kit: PrinterKit
) -> None:
    async with plugged() as at:
        at.sim.garbage(3000)
        result = await at.print(printer_kit.lines(7))
        copies = await at.copies("line 6", 0 if result.outcome is Printed.NOT_PRINTED else 1)
        assert copies == (0 if result.outcome is Printed.NOT_PRINTED else 1)


async def test_a_person_watches_a_real_printer(real_port: Opener, capsys: pytest.CaptureFixture[str]) -> None:
    link = await real_port()
    kind = KINDS[await detect(link) or "escpos"]
    profile = load_profile("TM-T20II")
    async with kind.driver(link, profile, monotonic=asyncio.get_running_loop().time) as printer:
        with capsys.disabled():
            sys.stdout.write(f"\n{kind.driver.__name__}, proof: {printer.proof}, status: {printer.status}\n")
        result = await printer.print(await asyncio.to_thread(kind.encode, SAMPLE, profile), 1, started=nothing)
        with capsys.disabled():
            sys.stdout.write(f'{result}: one receipt from "Kelp & Co" to "Merci", once, cut?\n')
    assert result.outcome is not Printed.NOT_PRINTED
