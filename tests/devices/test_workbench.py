"""Testing, recording and counting a device: the technician's bench over live parts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast.devices.finder import Finder
from holdfast.devices.health import HealthBoard
from holdfast.devices.printer import NoPrinter
from holdfast.devices.statistics import CountedPrinter, Statistics
from holdfast.devices.taps import TAPS
from holdfast.devices.workbench import Workbench
from holdfast.runtime.clock import ManualClock
from holdfast_drivers.links.base import Link
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.links.tape import Tape
from holdfast_drivers.values import DeviceError, Document, Printed, PrintResult, Proof, Scan

PLACE = "bench place"


@dataclass
class Bench:
    clock: ManualClock
    health: HealthBoard
    work: Workbench
    statistics: Statistics
    printed: PrintResult = field(default_factory=lambda: PrintResult(Printed.PRINTED, Proof.PROCESS_ID))
    beeps: list[str] = field(default_factory=list)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    clock = ManualClock()
    statistics = Statistics(clock)
    health = HealthBoard(clock, statistics.changed)
    health.add("scanner", "scanner", PLACE)
    health.add("printer", "printer", "nowhere")

    async def print_test() -> PrintResult:
        return made.printed

    def beep(name: str) -> bool:
        made.beeps.append(name)
        return True

    finder = Finder(health=health, clock=clock, store=tmp_path / "known.json", root=tmp_path)
    work = Workbench(health=health, finder=finder, print_test=print_test, beep=beep, patience=0.2)
    made = Bench(clock, health, work, statistics)
    return made


async def verdict(bench: Bench, name: str, level: str) -> str:
    return str((await bench.work.test(name, level))["healthy"])


async def test_an_internal_check_tells_what_is_known(bench: Bench) -> None:
    assert await verdict(bench, "printer", "internal") == "unknown", "silence is unknown"
    bench.health.online("printer", online="yes", cover_open="no")
    told = await bench.work.test("printer", "internal")
    assert told["text"] == "Internal HCheck: Successful"
    bench.health.online("printer", online="yes", cover_open="yes")
    assert await verdict(bench, "printer", "internal") == "no"
    bench.health.lost("printer", DeviceError("unplugged"))
    assert (await bench.work.test("printer", "external"))["words"] == "unplugged", "not even tried"
    with pytest.raises(KeyError):
        await bench.work.test("nobody", "internal")


@pytest.mark.parametrize(
    ("outcome", "told"), [(Printed.PRINTED, "yes"), (Printed.NOT_PRINTED, "no"), (Printed.UNKNOWN, "unknown")]
)
async def test_an_external_check_of_a_printer_is_a_page(bench: Bench, outcome: Printed, told: str) -> None:
    bench.health.online("printer", online="yes")
    bench.printed = PrintResult(outcome, reason="x")
    assert await verdict(bench, "printer", "external") == told


async def test_an_external_check_of_a_scanner_is_a_tone(bench: Bench) -> None:
    bench.health.online("scanner")
    assert await verdict(bench, "scanner", "external") == "unknown"
    assert bench.beeps == ["scanner"]


async def test_an_interactive_check_of_a_scanner_keeps_the_code_from_the_counter(bench: Bench) -> None:
    bench.health.online("scanner")
    assert not bench.work.takes("scanner", Scan(b"1"))
    testing = asyncio.create_task(bench.work.test("scanner", "interactive"))
    await asyncio.sleep(0)
    assert bench.work.takes("scanner", Scan(b"4006381333931", "]E0"))
    assert (await testing)["words"] == "13 bytes, AIM ]E0, ended by its terminator"
    assert not bench.work.takes("scanner", Scan(b"1")), "one code alone"
    assert await verdict(bench, "scanner", "interactive") == "no", "nobody scanned"


async def test_an_interactive_check_of_a_printer_watches_its_cover(bench: Bench) -> None:
    bench.health.online("printer", online="yes", cover_open="no")
    assert await verdict(bench, "printer", "interactive") == "no"
    testing = asyncio.create_task(bench.work.test("printer", "interactive"))
    await asyncio.sleep(0)
    bench.health.online("printer", online="no", cover_open="yes")
    await asyncio.sleep(0.15)
    bench.health.online("printer", online="yes", cover_open="no")
    assert (await testing)["healthy"] == "yes"


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Link, Link]]:
    ours, device = memory_pair()

    async def opener() -> Link:
        await asyncio.sleep(0)
        return ours

    link = await TAPS.around(PLACE, opener)()
    yield link, device
    await link.close()
    await device.close()


async def test_a_recording_is_a_masked_tape_of_both_directions(bench: Bench) -> None:
    async with opened() as (link, device):
        recording = asyncio.create_task(bench.work.record("scanner", 0.1))
        await asyncio.sleep(0.01)
        await device.write(b"4111 Card\r", timeout=1)
        assert await link.read(100) == b"4111 Card\r", "the hub hears it unmasked"
        await link.write(b"OK", timeout=1)
        tape = Tape.loads(await recording)
        assert [(entry.data, entry.written) for entry in tape.entries] == [(b"0000 Xxxx\r", False), (b"XX", True)]
        await link.write(b"late", timeout=1)
        assert len(tape.entries) == 2
    with pytest.raises(DeviceError):
        await bench.work.record("printer", 0.1)


async def test_a_device_talks_in_the_log_when_told_to(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    async with opened() as (link, device):
        bench.work.log_level("scanner", "debug")
        await device.write(b"secret7", timeout=1)
        await link.read(100)
        bench.work.log_level("scanner", "info")
        await device.write(b"later", timeout=1)
        await link.read(100)
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    assert told == ["in b'xxxxxx0'"]


async def test_counters_bear_unified_pos_names(bench: Bench) -> None:
    bench.health.online("printer", online="yes", cover_open="no")
    bench.clock.advance(7200)
    bench.health.online("printer", online="no", cover_open="yes")
    bench.health.online("printer", online="no", cover_open="yes", paper="no")
    bench.health.lost("printer", DeviceError("timeout"))
    bench.clock.advance(7200)
    bench.health.lost("printer", DeviceError("absent"))
    assert bench.statistics.of("printer") == {
        "HoursPoweredCount": 2,
        "ReceiptCoverOpenCount": 1,
        "HUB_PaperEndCount": 1,
        "CommunicationErrorCount": 1,
    }


class Scripted(NoPrinter):
    result = PrintResult(Printed.PRINTED)

    async def print(self, *_: object, **__: object) -> PrintResult:  # type: ignore[override]  # whatever is asked
        return self.result


async def test_cuts_are_counted_when_the_paper_is_proved() -> None:
    statistics, printer = Statistics(ManualClock()), Scripted()
    counted = CountedPrinter(printer, "printer", statistics)

    async def started() -> None: ...

    for outcome in (Printed.PRINTED, Printed.UNKNOWN):
        printer.result = PrintResult(outcome)
        await counted.print(Document(()), 1, started=started)
    counts = statistics.of("printer")
    assert counts["PaperCutCount"] == counts["HUB_JobPrintedCount"] == counts["HUB_JobUnknownCount"] == 1
