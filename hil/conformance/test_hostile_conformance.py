"""Scanners and printers on lines that misbehave: slow, lossy, doubling, garbling, cut. Scales have theirs beside them.

Over every link with a kernel in it. What a line may do to an answer, no driver can undo; what it must never do is
invent a scan, print twice, claim a print that was not, hang, or raise what a caller does not expect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import pytest

from conformance.printer_kits import HASTY, PrinterKit
from conformance.rigs import LinkPair
from conformance.scanner_kits import ScannerKit
from holdfast_drivers.links.base import Link
from holdfast_drivers.links.hostile import HostileLink, Mangle, drop, duplicate, garbage
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.simulator import Event, PrinterSimulator
from holdfast_drivers.scanners.base import Capability
from holdfast_drivers.scanners.framing import MAX_FRAME
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.scanners.simulator import ObedientSimulator, ScannerSimulator
from holdfast_drivers.scanners.ssi_sim import SsiSimulator
from holdfast_drivers.values import DeviceError, Printed, PrintResult

SLOW = pytest.mark.parametrize("how", [{"read_size": 1, "write_size": 1}, {"delay": 0.005}], ids=["byte", "delay"])
DAMAGE = pytest.mark.parametrize("damage", [drop, duplicate, garbage], ids=lambda damage: damage.__name__)
WITHOUT = ("memory",)
"""tests/drivers/test_hostile_links.py and test_printer_driver.py have these."""
CODES = [f"{number:013}" for number in range(8)]
LAST = "9999999999994"
Damage = Callable[[float, Random], Mangle]


class HostileOpener:
    """Opens `pair`'s link through a hostile one, which stays within reach."""

    def __init__(self, pair: LinkPair, **how: Any) -> None:
        self._pair = pair
        self._how = how
        self.present: HostileLink

    async def __call__(self) -> Link:
        self.present = HostileLink(await self._pair.hub_opener(), **self._how)
        return self.present

    def heal(self) -> None:
        self.present.mangle = self.present.mangle_out = bytes


@asynccontextmanager
async def scanning(
    kit: ScannerKit, pair: LinkPair, **how: Any
) -> AsyncIterator[tuple[LineScanner, ScannerSimulator, HostileOpener]]:
    opener = HostileOpener(pair, **how)
    simulator = kit.simulator(pair.device_link)
    if isinstance(simulator, ObedientSimulator):
        async with simulator, kit.driver(opener) as scanner:
            yield scanner, simulator, opener
    else:
        async with kit.driver(opener) as scanner:
            yield scanner, simulator, opener


async def send_codes(simulator: ScannerSimulator, codes: list[str]) -> None:
    with suppress(DeviceError):
        for code in codes:
            await simulator.scan(code)


async def told(ask: Callable[[], Awaitable[object]]) -> None:
    """Asks; in time it is answered, or refused as a scanner refuses."""
    with suppress(DeviceError):
        async with asyncio.timeout(15):
            await ask()


async def heard_until(scanner: LineScanner, last: str) -> list[bytes]:
    """Everything it delivers, down to `last` or to its loss."""
    heard: list[bytes] = []
    with suppress(DeviceError):
        async with asyncio.timeout(20):
            while not heard or heard[-1] != last.encode():
                heard.append((await anext(scanner)).data)
    return heard


@SLOW
async def test_a_slow_line_costs_no_scan(kit: ScannerKit, link_pair: LinkPair, how: dict[str, Any]) -> None:
    if "reports" in kit.quirks:
        how = {"delay": 0.005}
    async with scanning(kit, link_pair, **how) as (scanner, simulator, _):
        sending = asyncio.create_task(send_codes(simulator, CODES))
        assert await heard_until(scanner, CODES[-1]) == [code.encode() for code in CODES]
        await sending
        if Capability.FEEDBACK in scanner.capabilities and not getattr(simulator, "deaf", True):
            await scanner.good_read()
    assert (scanner.stats.garbled, scanner.stats.fragments) == (0, 0)


@pytest.mark.not_with("whole")
@DAMAGE
async def test_a_damaging_line_invents_nothing_and_once_healed_all_is_heard(
    kit: ScannerKit, link_pair: LinkPair, damage: Damage
) -> None:
    rng = Random(8)
    async with scanning(kit, link_pair) as (scanner, simulator, opener):
        opener.present.mangle = opener.present.mangle_out = damage(0.02, rng)
        if isinstance(simulator, SsiSimulator):
            simulator._reply_within = 0.05
        hearing = asyncio.create_task(heard_until(scanner, LAST))
        await send_codes(simulator, CODES)
        await asyncio.gather(*(told(ask) for ask in (scanner.good_read, scanner.bad_read, scanner.alive)))
        opener.heal()
        if Capability.SWITCH in scanner.capabilities:
            await told(scanner.enable)  # one more try: noise may have switched it off
        while not hearing.done():
            await send_codes(simulator, ["", LAST])
            await asyncio.wait({hearing}, timeout=0.1)
        heard = await hearing
    assert heard[-1:] == [LAST.encode()]
    assert all(0 < len(data) <= MAX_FRAME for data in heard)
    if isinstance(simulator, ObedientSimulator) and getattr(scanner, "packeted", False):
        packets = [data for data in heard if data.isdigit()]
        assert set(packets) <= {code.encode() for code in (*CODES, LAST)}, "a checksum lets no wrong code through"
        assert all(packets.count(code.encode()) <= 1 for code in CODES), "what is sent again is no second scan"


@pytest.mark.parametrize("bytes_left", [0, 1, 9, 17, 40])
async def test_a_plug_pulled_after_any_number_of_bytes_leaves_whole_scans_or_none(
    kit: ScannerKit, link_pair: LinkPair, bytes_left: int
) -> None:
    async with scanning(kit, link_pair) as (scanner, simulator, opener):
        opener.present.unplug_after(reads=bytes_left)
        sending = asyncio.create_task(send_codes(simulator, CODES))
        heard = await heard_until(scanner, LAST)
        sending.cancel()
        await asyncio.wait({sending})
        with pytest.raises(DeviceError, match="unplugged"):
            await anext(scanner)
    assert heard == [code.encode() for code in CODES[: len(heard)]]


class Paper:
    def __init__(self) -> None:
        self.strips: list[str] = []

    def keep(self, event: Event) -> None:
        if isinstance(event, Receipt):
            self.strips.append(to_text(event))

    async def copies(self, sim: PrinterSimulator, mark: str, expected: int) -> int:
        """How often a line is on paper: `expected` times, or once the printer has had time to print more."""
        for _ in range(30 if not expected else 300):
            sim.tear_off()
            found = sum(mark in strip.splitlines() for strip in self.strips)
            if found >= expected and expected:
                break
            await asyncio.sleep(0.01)
        return found


@asynccontextmanager
async def printing(
    kit: PrinterKit, pair: LinkPair, **how: Any
) -> AsyncIterator[tuple[ReceiptPrinter, PrinterSimulator, Paper, HostileOpener]]:
    opener, paper = HostileOpener(pair, **how), Paper()
    hub = await opener()
    driver = kit.driver(hub, kit.profile, monotonic=asyncio.get_running_loop().time, limits=kit.limits)
    async with (
        PrinterSimulator(pair.device_link, model=kit.model, on_event=paper.keep) as sim,
        driver as printer,
    ):
        yield printer, sim, paper, opener


async def nothing() -> None: ...


@SLOW
async def test_a_slow_line_costs_no_receipt_and_no_proof(
    printer_kit: PrinterKit, link_pair: LinkPair, how: dict[str, Any]
) -> None:
    async with printing(printer_kit, link_pair, **how) as (printer, sim, paper, _):
        assert printer.proof is printer_kit.proof
        result = await printer.print(printer_kit.lines(20), 1, started=nothing)
        proved = "proofless" not in printer_kit.quirks
        assert result.outcome is (Printed.PRINTED if proved else Printed.UNKNOWN)
        assert await paper.copies(sim, "line 19", 1) == 1


@DAMAGE
async def test_damaged_answers_print_nothing_twice_and_prove_nothing_wrong(
    printer_kit: PrinterKit, link_pair: LinkPair, damage: Damage
) -> None:
    """What goes to the printer arrives; what it says is damaged, while jobs run and between them."""
    rng = Random(5)
    async with printing(printer_kit, link_pair) as (printer, sim, paper, opener):
        printer._limits = HASTY
        printer._dialect._limits = HASTY
        for job in range(2):
            opener.present.mangle = damage(0.3, rng)
            doc = printer_kit.lines(5).replace(b"line 0", b"job %d" % job)
            result = await printer.print(doc, job, started=nothing)
            opener.heal()
            expected = int(result.outcome is not Printed.NOT_PRINTED)
            assert await paper.copies(sim, f"job {job}", expected) == expected
        await printer.check()
        doc = printer_kit.lines(5).replace(b"line 0", b"healed")
        tries = [await printer.print(doc, 9, started=nothing)]
        while tries[-1].outcome is Printed.NOT_PRINTED and len(tries) < 20:
            tries.append(await printer.print(doc, 9, started=nothing))
        assert await paper.copies(sim, "healed", 1) == 1


@pytest.mark.not_with("proofless")
async def test_noise_from_a_printer_that_has_fallen_silent_proves_nothing(
    printer_kit: PrinterKit, link_pair: LinkPair
) -> None:
    async with printing(printer_kit, link_pair) as (printer, sim, _, _):
        printer._limits = printer._dialect._limits = HASTY
        sim.slow(1)
        job = asyncio.create_task(printer.print(printer_kit.lines(50), 1, started=nothing))
        await asyncio.sleep(0.1)
        sim.go_silent()
        sim.garbage(2000)
        async with asyncio.timeout(10):
            assert (await job).outcome is Printed.UNKNOWN


@pytest.mark.parametrize("bytes_left", [0, 1, 40, 300])
async def test_a_plug_pulled_after_any_number_of_bytes_is_told_as_far_as_it_is_known(
    printer_kit: PrinterKit, link_pair: LinkPair, bytes_left: int
) -> None:
    async with printing(printer_kit, link_pair) as (printer, sim, paper, opener):

        async def started() -> None:
            opener.present.unplug_after(writes=bytes_left)

        result = await printer.print(printer_kit.lines(100), 1, started=started)
        assert result.reason == "unplugged"
        assert result.outcome is Printed.NOT_PRINTED or bytes_left
        assert await paper.copies(sim, "line 99", 0) == 0
        again = await printer.print(printer_kit.lines(100), 2, started=nothing)
        assert again == PrintResult(Printed.NOT_PRINTED, reason="unplugged")
        with pytest.raises(DeviceError, match="unplugged"):
            await printer.check()
