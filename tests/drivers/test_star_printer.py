"""Star printers: their reports byte by byte, the counter that proves a job, and documents in their language."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Cut, Line, Picture, Pulse, Receipt, Symbol
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.render import symbol_text, to_text
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.star_encode import encode
from holdfast_drivers.printers.star_interpreter import STAR
from holdfast_drivers.printers.star_status import AutoStatus, Flow, Junk, Reply, StarDecoder, Version, fold
from holdfast_drivers.values import (
    Align,
    Barcode,
    Block,
    Columns,
    DeviceError,
    Document,
    Image,
    Printed,
    PrinterStatus,
    PrintResult,
    Proof,
    Text,
    Tri,
)
from holdfast_drivers.values import Symbol as Code
from printer_rig import bench, receipt, turns_until
from virtual_time import run

IDLE = "23 06 00 00 00 00 00 00 00"
WIDE = load_profile("TSP600", columns=48)
HEAD = b"\x1b@\x1b\x1eF\x00\x1b \x00\x1bR\x00\x1bz\x01"
CUT = b"\x1bd\x03"


def decode(data: bytes) -> list[Reply]:
    return StarDecoder().feed(data)


def report(data: str) -> AutoStatus:
    (found,) = decode(bytes.fromhex(data))
    assert isinstance(found, AutoStatus)
    return found


def status(data: str, *, drawer_open_high: bool | None = True) -> PrinterStatus:
    return fold(PrinterStatus(), report(data), 2.0, drawer_open_high=drawer_open_high)


def test_the_headers_tell_length_and_version() -> None:
    assert (len(report(IDLE).data), report(IDLE).version) == (9, 3)
    longer = report("23 86 00 00 00 00 00 00 00 00 00")
    assert (len(longer.data), longer.version) == (11, 3)
    assert report("2f 28 00 00 00 00 00 00 00 00 00 00 00 00 00").version == 12


@pytest.mark.parametrize(
    ("data", "replies"),
    [
        (IDLE + "11", [AutoStatus(bytes.fromhex(IDLE)), Flow(ready=True)]),
        ("23 06 00 13 00 00 00 00 00 00", [Flow(ready=False), AutoStatus(bytes.fromhex(IDLE))]),
        ("1b232a2c 41 42 0a 00", [Version(bytes.fromhex("1b232a2c41420a00"))]),
        ("1b 23 80", [Junk(b"\x1b#"), Junk(b"\x80")]),
        ("12 80", [Junk(b"\x12"), Junk(b"\x80")]),
        ("23 06 00 ff" + IDLE, [Junk(b"\x23\x06\0"), Junk(b"\xff"), AutoStatus(bytes.fromhex(IDLE))]),
        ("23 06 00" + IDLE, [Junk(b"\x23\x06\0"), AutoStatus(bytes.fromhex(IDLE))]),
        ("0b 06 00 00 00", [Junk(b"\x0b\x06\0\0\0")]),
        ("01 00", [Junk(b"\x01\0")]),
    ],
)
def test_each_kind_of_reply(data: str, replies: list[Reply]) -> None:
    assert decode(bytes.fromhex(data)) == replies


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        (IDLE, "online", Tri.YES),
        (IDLE, "paper", Tri.YES),
        (IDLE, "fault", Tri.NO),
        ("23 06 08 00 00 00 00 00 00", "online", Tri.NO),
        ("23 06 20 00 00 00 00 00 00", "cover_open", Tri.YES),
        ("23 06 04 00 00 00 00 00 00", "drawer_open", Tri.YES),
        ("23 06 00 08 00 00 00 00 00", "cutter_fault", Tri.YES),
        ("23 06 00 08 00 00 00 00 00", "fault", Tri.YES),
        ("23 06 00 20 00 00 00 00 00", "fault", Tri.YES),
        ("23 06 00 04 00 00 00 00 00", "fault", Tri.YES),
        ("23 06 00 40 00 00 00 00 00", "fault", Tri.NO),
        ("23 06 00 00 02 00 00 00 00", "fault", Tri.YES),
        ("23 06 00 00 40 00 00 00 00", "fault", Tri.NO),
        ("23 06 00 00 00 08 00 00 00", "paper", Tri.NO),
        ("23 06 00 00 00 02 00 00 00", "paper_low", Tri.YES),
        ("23 06 00 00 00 02 00 00 00", "paper", Tri.YES),
    ],
)
def test_what_each_bit_means(data: str, field: str, value: Tri) -> None:
    assert getattr(status(data), field) is value


def test_without_a_configured_level_the_drawer_is_unknown() -> None:
    assert status(IDLE, drawer_open_high=None).drawer_open is Tri.UNKNOWN
    assert status(IDLE, drawer_open_high=False).drawer_open is Tri.YES


@pytest.mark.parametrize(("byte", "count"), [(0x00, 0), (0x02, 1), (0x0E, 7), (0x20, 8), (0x40, 16), (0x6E, 31)])
def test_the_counter_of_executed_etbs(byte: int, count: int) -> None:
    assert report(f"23 06 02 00 00 00 00 {byte:02x} 00").counter == count
    assert report("0f 06 02 00 00 00 00").counter is None, "a model that does not count"


PIECE = st.one_of(
    st.sampled_from(
        [
            bytes.fromhex(IDLE),
            bytes.fromhex("238600000000000000 0000"),
            b"\x11",
            b"\x13",
            b"\x23",
            b"\x80",
            b"\x1b#*,AB 1\n\0",
        ]
    ),
    st.binary(max_size=20),
)


@given(st.lists(PIECE, max_size=20).map(b"".join), st.integers(1, 9))
@settings(max_examples=300)
def test_any_split_gives_the_same_reports(data: bytes, size: int) -> None:
    decoder = StarDecoder()
    assert [r for at in range(0, len(data), size) for r in decoder.feed(data[at : at + size])] == decode(data)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(10))
def test_a_million_bytes_of_noise_are_survived_and_all_accounted_for(seed: int) -> None:
    noise = Random(seed).randbytes(100_000)
    replies = decode(noise + b"\xff")
    assert sum(1 if isinstance(reply, Flow) else len(reply.data) for reply in replies) == len(noise) + 1


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(10))
def test_a_million_bytes_of_noise_on_the_virtual_star(seed: int) -> None:
    random, printer = Random(seed), Interpreter(language=STAR)
    seasoning = (b"\x1b", b"\x1b\x1d", b"\x1b\x1dy", b"\x1b\x1dS", b"\x1bX", b"\x1bk", b"\x1bb", b"\x1b\x1e", b"\n")
    for _ in range(1000):
        found = printer.feed(random.choice(seasoning) + random.randbytes(100))
        to_text(Receipt(576, tuple(found)))
    printer.feed(bytes(1 << 21))
    assert "still here" in to_text(Receipt(576, tuple(printer.feed(b"\x1e\n\x1b@still here\n"))))


def test_forty_jobs_go_once_round_the_counter() -> None:
    async def main() -> None:
        async with bench(model=Model.STAR) as at:
            for job in range(40):
                assert await at.print(receipt(2, f"job{job}"), job) == PrintResult(Printed.PRINTED, Proof.COUNTER)
            assert [at.copies(f"job{job} 1") for job in range(40)] == [1] * 40

    run(main)


@pytest.mark.parametrize("jobs", range(28, 34))
def test_a_printer_switched_off_and_on_proves_nothing(jobs: int) -> None:
    """Its counter begins again at nought, which once in 32 jobs is where it stood, and once the number waited for.

    In the first case the next job is refused once, after `stall`: a late answer might have been on its way.
    """

    async def main() -> None:
        async with bench(model=Model.STAR, speed=50) as at:
            for _ in range(jobs):
                await at.print(receipt(1))
            printing = asyncio.create_task(at.print(receipt(60)))
            await asyncio.sleep(2)
            at.sim.power_cycle()
            at.sim._say(at.sim.machine.star_status(0, executed=False))
            assert await printing == PrintResult(Printed.UNKNOWN, reason="no_proof")
            result = await at.print(receipt(5, "next"))
            if jobs == 31:
                assert result == PrintResult(Printed.NOT_PRINTED, reason="timeout")
                result = await at.print(receipt(5, "next"))
            assert result.outcome is Printed.PRINTED
            assert at.copies("next 4") == 1

    run(main)


def test_it_is_never_asked_while_automatic_status_is_on() -> None:
    async def main() -> None:
        async with bench(model=Model.STAR, speed=50) as at:
            sent = bytearray()
            write = at.printer._port.write

            async def tapped(data: bytes, *, timeout: float | None = None) -> None:
                sent.extend(data)
                await write(data, timeout=timeout)

            at.printer._port.write = tapped  # type: ignore[method-assign]  # a tap on the wire
            await at.print(receipt(40))
            await at.printer.check()
            await at.print(receipt(40))
            assert sent.count(b"\x1b\x06\x01") >= 3
            for stretch in bytes(sent).split(b"\x1b\x1ea\x01")[1:]:
                assert b"\x1b\x06\x01" not in stretch.partition(b"\x1b\x1ea\x00")[0]

    run(main)


@pytest.mark.parametrize(("pin", "on_ms"), [(0, 200), (1, 200)])
def test_both_drawers_open(pin: int, on_ms: int) -> None:
    async def main() -> None:
        async with bench(model=Model.STAR, drawer_open_high=True) as at:
            await at.printer.kick(pin)
            async with asyncio.timeout(4):
                while (await at.printer.next_change()).drawer_open is not Tri.YES:
                    pass
            assert [(kick.pin, kick.on_ms) for kick in at.kicks] == [(pin, on_ms)]
            with pytest.raises(ValueError, match="pin"):
                await at.printer.kick(2)

    run(main)


def test_a_torn_picture_does_not_swallow_the_next_job() -> None:
    picture = b"\x1b@" + (b"\x1bX\x40\x02" + bytes(576 * 3)) * 20 + CUT

    async def main() -> None:
        async with bench(model=Model.STAR, speed=100, limits=Limits(chunk=512)) as at:
            printing = asyncio.create_task(at.print(picture))
            await turns_until(lambda: at.sim._firmware.interpreter.pending > 500)
            printing.cancel()
            await asyncio.sleep(1)
            assert (await at.print(receipt(5, "next"))).outcome is Printed.PRINTED
            assert at.copies("next 0") == 1

    run(main)


def test_an_escpos_printer_is_no_star() -> None:
    async def main() -> None:
        async with bench(model=Model.STAR) as at:
            at.sim._model = Model.FULL
            at.sim.power_cycle()
            assert (await at.printer.check()).online is Tri.UNKNOWN
            assert (await at.print(receipt())).outcome is Printed.NOT_PRINTED
            with pytest.raises(DeviceError, match="refused"):
                await at.printer.kick()

    run(main)


def one(*blocks: Block) -> bytes:
    """The body of a document, without preamble and cut."""
    data = encode(Document(blocks), WIDE)
    assert data.startswith(HEAD)
    assert data.endswith(CUT)
    return data[len(HEAD) : -len(CUT)]


@pytest.mark.parametrize(
    ("block", "data"),
    [
        (Text("Hi"), b"\x1b\x1dt\x01Hi\n"),
        (Text("Hi", Align.CENTRE, bold=True, big=True), b"\x1b\x1da\x01\x1bE\x1bi\x01\x01\x1b\x1dt\x01Hi\n"),
        (Text("4 €"), b"\x1b\x1dt\x044 \xd5\n"),
        (Text("λάδι"), b"\x1b\x1dt\x0f\xa2\xe1\x9b\xa0\n"),
        (Columns("Tea", "2,00"), b"\x1b\x1dt\x01Tea" + b" " * 41 + b"2,00\n"),
        (
            Barcode(Code.EAN13, "4006381333931"),
            b"\x1bJ\x0a\x1b\x1da\x01\x1bb\x03\x02\x02\x504006381333931\x1e",
        ),
        (
            Barcode(Code.CODE128, "50%", caption=False),
            b"\x1bJ\x0a\x1b\x1da\x01\x1bb\x06\x01\x02\x5050%0\x1e",
        ),
        (
            Barcode(Code.QR, "abc", caption=False),
            b"\x1bJ\x0a\x1b\x1da\x01\x1b\x1dyS0\x02\x1b\x1dyS1\x01\x1b\x1dyS2\x06\x1b\x1dyD1\x00\x03\x00abc\x1b\x1dyP",
        ),
    ],
)
def test_golden_bytes(block: Block, data: bytes) -> None:
    assert one(block) == data


def on_paper(document: Document) -> Receipt:
    interpreter = Interpreter(WIDE.dots, language=STAR)
    items = interpreter.feed(encode(document, WIDE))
    assert (interpreter.unknown, interpreter.pending) == (0, 0)
    return Receipt(WIDE.dots, tuple(items))


def test_the_sample_receipt_is_on_paper() -> None:
    printed = on_paper(SAMPLE)
    text = to_text(printed)
    for line in ("Tote bag »Ancre«, organic cotton, hand", "Ελαιόλαδο 0,5 l (Καλαμάτα)               12,80 €"):
        assert line in text
    qr = next(item for item in printed.items if isinstance(item, Symbol))
    assert symbol_text(qr).startswith("HFT1:MRS-1-S000123:")
    assert isinstance(printed.items[-1], Cut)
    assert not [item for item in printed.items if isinstance(item, Pulse)]


def test_what_no_code_page_holds_and_what_no_command_draws_become_dots() -> None:
    picture = Image(8, 30, bytes([0b10000001]) * 30)
    document = Document((Text("漢字"), Barcode(Code.GS1_128, "(01)09506000134352(10)AB"), picture))
    stripes = [p for item in on_paper(document).items if isinstance(item, Line) for p in item.pieces]
    dots = [piece for piece in stripes if isinstance(piece, Picture)]
    assert {(piece.width, piece.height) for piece in dots} == {(576, 24)}
    assert len(dots) == 1 + 4 + 2
    assert sum(byte.bit_count() for byte in dots[-2].rows + dots[-1].rows) == 60
