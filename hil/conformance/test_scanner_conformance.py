"""What every scanner driver promises, over every kind of link; and, with --port, with a real scanner and a person."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from random import Random

import pytest

from conformance.rigs import LinkPair
from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.scanners.sim import ScannerSimulator
from holdfast_drivers.values import DeviceError, Scan

CODE = "4006381333931"


@pytest.fixture
async def scanner(link_pair: LinkPair) -> AsyncIterator[SerialScanner]:
    async with SerialScanner(link_pair.hub_opener) as scanner:
        yield scanner


@pytest.fixture
def simulator(link_pair: LinkPair) -> ScannerSimulator:
    return ScannerSimulator(link_pair.device_link)


async def next_scan(scanner: SerialScanner) -> Scan:
    async with asyncio.timeout(5):
        return await anext(scanner)


async def test_scans_come_in_order_with_aim_and_separators(scanner: SerialScanner, simulator: ScannerSimulator) -> None:
    await simulator.scan(CODE)
    await simulator.scan("0104006381333931\x1d10AB", aim="]C1", terminator="\r\n")
    await simulator.scan("HELLO", aim="", terminator="\x03")
    first, second, third = [await next_scan(scanner) for _ in range(3)]
    assert (first.data, first.aim, first.terminated) == (CODE.encode(), "]E0", True)
    assert (second.data, second.aim) == (b"0104006381333931\x1d10AB", "]C1")
    assert (third.data, third.aim) == (b"HELLO", "")
    assert scanner.stats.reads == 3


async def test_a_slow_line_is_still_one_scan(scanner: SerialScanner, simulator: ScannerSimulator) -> None:
    sending = asyncio.create_task(simulator.scan(CODE, per_byte_delay=0.001))
    scan = await next_scan(scanner)
    await sending
    assert (scan.data, scan.terminated) == (CODE.encode(), True)


async def test_silence_ends_a_read_without_terminator(scanner: SerialScanner, simulator: ScannerSimulator) -> None:
    await simulator.scan(CODE, terminator="")
    scan = await next_scan(scanner)
    assert (scan.data, scan.terminated) == (CODE.encode(), False)
    assert scanner.stats.fragments == 1


async def test_a_code_cut_off_by_an_unplug_never_becomes_a_scan(
    link_pair: LinkPair, scanner: SerialScanner, simulator: ScannerSimulator
) -> None:
    await simulator.scan(f"WHOLE\r{CODE[:6]}", aim="", terminator="")
    assert (await next_scan(scanner)).data == b"WHOLE"
    await link_pair.unplug()
    for _ in range(2):
        with pytest.raises(DeviceError) as caught:
            await next_scan(scanner)
        assert caught.value.kind == "unplugged"
    assert (scanner.stats.reads, scanner.stats.fragments) == (1, 1)


async def test_it_finds_its_feet_after_garbage(scanner: SerialScanner, simulator: ScannerSimulator) -> None:
    await simulator.garbage(3000)
    await simulator.scan("", aim="")
    await simulator.scan(CODE)
    while (scan := await next_scan(scanner)).data != CODE.encode():
        pass
    assert scan.aim == "]E0"


async def test_giving_up_on_a_scan_loses_none(scanner: SerialScanner, simulator: ScannerSimulator) -> None:
    """`anext` inside any time-out: every code still comes, once."""
    rng = Random(5)
    codes = [f"CODE{number}" for number in range(100)]

    async def device() -> None:
        for code in codes:
            await simulator.scan(code, aim="")
            await asyncio.sleep(rng.choice((0, 0.001)))

    talking = asyncio.create_task(device())
    got: list[str] = []
    async with asyncio.timeout(10):
        while len(got) < len(codes):
            try:
                async with asyncio.timeout(rng.random() * 0.001):
                    got.append((await anext(scanner)).data.decode())
            except TimeoutError:
                continue
    await talking
    assert got == codes


async def test_a_babbling_scanner_is_survived_in_bounded_memory(
    scanner: SerialScanner, simulator: ScannerSimulator
) -> None:
    babbling = asyncio.create_task(simulator.babble(200_000))
    async with asyncio.timeout(10):
        while scanner.stats.bytes < 50_000:
            await anext(scanner)
    babbling.cancel()
    await asyncio.wait({babbling})
    assert scanner.stats.reads > 0


async def test_a_person_scans_a_code(real_port: Opener, capsys: pytest.CaptureFixture[str]) -> None:
    async with SerialScanner(real_port) as scanner:
        with capsys.disabled():
            sys.stdout.write("\nscan any code within 60 s: ")
            sys.stdout.flush()
        async with asyncio.timeout(60):
            scan = await anext(scanner)
        with capsys.disabled():
            sys.stdout.write(f"{scan}\n")
    assert scan.data
    assert scan.terminated, "the scanner sends no terminator: program the suffix CR"
