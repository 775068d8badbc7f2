"""What every scanner driver promises, over every kind of link; and, with --port, with a real scanner and a person."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from random import Random

import pytest

from conformance.rigs import LinkPair
from conformance.scanner_kits import KITS, ScannerKit
from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.base import Capability, Scanner
from holdfast_drivers.scanners.line import WAITING, LineScanner
from holdfast_drivers.scanners.simulator import ObedientSimulator, ScannerSimulator
from holdfast_drivers.values import DeviceError, Scan, Tri

CODE = "4006381333931"


@pytest.fixture
async def simulator(kit: ScannerKit, link_pair: LinkPair) -> AsyncIterator[ScannerSimulator]:
    simulator = kit.simulator(link_pair.device_link)
    if isinstance(simulator, ObedientSimulator):
        async with simulator:
            yield simulator
        assert not getattr(simulator, "lasting", None), "a setting was changed for good"
    else:
        yield simulator


@pytest.fixture
async def scanner(kit: ScannerKit, link_pair: LinkPair, simulator: ScannerSimulator) -> AsyncIterator[LineScanner]:
    async with kit.driver(link_pair.hub_opener) as scanner:
        yield scanner


async def next_scan(scanner: Scanner) -> Scan:
    async with asyncio.timeout(5):
        return await anext(scanner)


def obedient(simulator: ScannerSimulator) -> ObedientSimulator:
    assert isinstance(simulator, ObedientSimulator), "it has capabilities, and a simulator that takes no commands"
    return simulator


async def has_heard(simulator: ObedientSimulator, *words: str) -> None:
    """Waits until these `words` are all that the simulator was told; it hears in its own time."""
    async with asyncio.timeout(5):
        while simulator.heard != list(words):  # noqa: ASYNC110 - the far end of a link gives no signal
            await asyncio.sleep(0.002)


async def test_scans_come_in_order_with_aim_and_separators(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    await simulator.scan(CODE)
    await simulator.scan("0104006381333931\x1d10AB", aim="]C1", terminator="\r\n")
    await simulator.scan("HELLO", aim="]C0", terminator="\t")
    first, second, third = [await next_scan(scanner) for _ in range(3)]
    assert (first.data, first.aim, first.terminated) == (CODE.encode(), "]E0", True)
    assert (second.data, second.aim) == (b"0104006381333931\x1d10AB", "]C1")
    assert (third.data, third.aim) == (b"HELLO", "]C0")
    assert (scanner.stats.reads, scanner.stats.garbled, scanner.stats.fragments) == (3, 0, 0)


async def test_a_slow_line_is_still_one_scan(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    sending = asyncio.create_task(simulator.scan(CODE, per_byte_delay=0.001))
    scan = await next_scan(scanner)
    await sending
    assert (scan.data, scan.terminated) == (CODE.encode(), True)


@pytest.mark.not_with("packets")
async def test_silence_ends_a_read_without_terminator(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    await simulator.scan(CODE, terminator="")
    scan = await next_scan(scanner)
    assert (scan.data, scan.terminated) == (CODE.encode(), False)
    assert scanner.stats.fragments == 1


@pytest.mark.not_with("packets")
@pytest.mark.not_with("sluggish")
async def test_a_code_cut_off_by_an_unplug_never_becomes_a_scan(
    link_pair: LinkPair, scanner: LineScanner, simulator: ScannerSimulator
) -> None:
    await simulator.scan(f"WHOLE\r{CODE[:6]}", aim="", terminator="")
    assert (await next_scan(scanner)).data == b"WHOLE"
    await link_pair.unplug()
    for _ in range(2):
        with pytest.raises(DeviceError) as caught:
            await next_scan(scanner)
        assert caught.value.kind == "unplugged"
    assert (scanner.stats.reads, scanner.stats.fragments) == (1, 1)


@pytest.mark.not_with("whole")
async def test_it_finds_its_feet_after_garbage(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    await simulator.garbage(3000)
    await simulator.scan("!", aim="")
    await simulator.scan(CODE)
    while (scan := await next_scan(scanner)).data != CODE.encode():
        pass
    assert scan.aim == "]E0"


async def test_giving_up_on_a_scan_loses_none(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    """`anext` inside any time-out: every code still comes, once."""
    rng = Random(5)
    codes = [f"CODE{number}" for number in range(100)]

    async def device() -> None:
        for code in codes:
            await simulator.scan(code, aim="]C0")
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


@pytest.mark.not_with("whole")
async def test_a_babbling_scanner_is_survived_in_bounded_memory(
    scanner: LineScanner, simulator: ScannerSimulator
) -> None:
    babbling = asyncio.create_task(simulator.babble(200_000))
    async with asyncio.timeout(10):
        while scanner.stats.bytes < 50_000:
            await anext(scanner)
    babbling.cancel()
    await asyncio.wait({babbling})
    assert scanner.stats.reads > 0


async def test_a_scanner_nobody_reads_holds_back_and_loses_none(
    scanner: LineScanner, simulator: ScannerSimulator
) -> None:
    codes = [f"CODE{number}" for number in range(200)]

    async def device() -> None:
        for code in codes:
            await simulator.scan(code, aim="]C0")

    talking = asyncio.create_task(device())
    await asyncio.sleep(0.1)
    assert len(scanner._scans) <= WAITING
    got = [(await next_scan(scanner)).data.decode() for _ in codes]
    await talking
    assert got == codes


async def test_feedback_is_heard_at_the_scanner_or_refused(
    kit: ScannerKit, scanner: LineScanner, simulator: ScannerSimulator
) -> None:
    if Capability.FEEDBACK not in scanner.capabilities:
        for tell in (scanner.good_read(), scanner.bad_read()):
            with pytest.raises(DeviceError, match="refused"):
                await tell
    elif not obedient(simulator).deaf:
        await scanner.good_read()
        await scanner.good_read(beeps=2)
        await scanner.bad_read()
        again = ["enable"] if kit.name == "datalogic" else []
        await has_heard(obedient(simulator), "good", "good", "good", "bad", *again)


async def test_a_bad_read_does_not_stop_the_scanner(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    if Capability.FEEDBACK not in scanner.capabilities or obedient(simulator).deaf:
        pytest.skip("no feedback")
    await scanner.bad_read()
    async with asyncio.timeout(5):
        while "bad" not in obedient(simulator).heard or not obedient(simulator).enabled:  # noqa: ASYNC110 - see has_heard
            await asyncio.sleep(0.002)
    await simulator.scan(CODE)
    assert (await next_scan(scanner)).data == CODE.encode()


async def test_disabled_it_reads_nothing_until_enabled(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    if Capability.SWITCH not in scanner.capabilities:
        for switch in (scanner.disable(), scanner.enable()):
            with pytest.raises(DeviceError, match="refused"):
                await switch
    elif not obedient(simulator).deaf:
        await scanner.disable()
        await has_heard(obedient(simulator), "disable")
        await simulator.scan("NOT READ")
        await scanner.enable()
        await has_heard(obedient(simulator), "disable", "enable")
        await simulator.scan(CODE)
        assert (await next_scan(scanner)).data == CODE.encode()


async def test_it_knows_life_from_silence(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    answers = Capability.QUERY in scanner.capabilities and not obedient(simulator).deaf
    assert await scanner.alive() is (Tri.YES if answers else Tri.UNKNOWN)
    assert (scanner.stats.reads, scanner.stats.garbled) == (0, 0)


async def test_questions_and_scans_do_not_mix(scanner: LineScanner, simulator: ScannerSimulator) -> None:
    codes = [f"CODE{number}" for number in range(50)]

    async def device() -> None:
        for code in codes:
            await simulator.scan(code, aim="]C0")
            await asyncio.sleep(0.001)

    async def asking() -> list[Tri]:
        return [await scanner.alive() for _ in range(20)]

    scanning, answers = asyncio.create_task(device()), asyncio.create_task(asking())
    got = [(await next_scan(scanner)).data.decode() for _ in codes]
    await scanning
    assert got == codes
    assert len(set(await answers)) == 1
    assert scanner.stats.garbled == 0


async def test_after_an_unplug_every_question_says_so(
    link_pair: LinkPair, scanner: LineScanner, simulator: ScannerSimulator
) -> None:
    await link_pair.unplug()
    with pytest.raises(DeviceError, match="unplugged"):
        await next_scan(scanner)
    if Capability.QUERY in scanner.capabilities:
        async with asyncio.timeout(5):
            with pytest.raises(DeviceError, match="unplugged"):
                await scanner.alive()


async def test_a_person_scans_a_code(
    real_port: Opener, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reads with the driver of --scanner, asks whether it lives, and lets the person hear both tones."""
    kit = next(kit for kit in KITS if kit.name == pytestconfig.getoption("--scanner"))

    def say(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}")
            sys.stdout.flush()

    async with kit.driver(real_port) as scanner:
        say(f"answers: {(await scanner.alive()).value}; scan any code within 60 s: ")
        async with asyncio.timeout(60):
            scan = await anext(scanner)
        say(str(scan))
        if Capability.FEEDBACK in scanner.capabilities:
            await scanner.good_read(beeps=2)
            await asyncio.sleep(2)
            await scanner.bad_read()
            say("it should have beeped twice, then sounded a refusal")
    assert scan.data
    assert scan.terminated, "the scanner sends no terminator: program the suffix CR"
