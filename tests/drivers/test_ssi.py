"""Zebra's SSI: packets byte for byte, raw scans between them, and the driver's manners against a simulator."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.ssi import (
    MAX_DATA,
    OPCODES,
    Nak,
    Opcode,
    Packet,
    Source,
    SsiDecoder,
    Status,
)
from holdfast_drivers.scanners.ssi_scanner import Limits, SsiScanner
from holdfast_drivers.scanners.ssi_scans import STALE, ScanAssembler
from holdfast_drivers.scanners.ssi_sim import REVISION, SsiSimulator
from holdfast_drivers.values import DeviceError, Scan, Tri

QUICK = Limits(reply=0.05, wake=0.001)
EAN13, CODE_128, QR = 0x0B, 0x03, 0x1C


def decoded(data: bytes, source: Source = Source.SCANNER) -> list[object]:
    decoder = SsiDecoder(source=source)
    return [*decoder.feed(data, 0.0), *decoder.idle(1.0)]


def decode_data(code_type: int, data: bytes, status: int = 0) -> Packet:
    return Packet(Opcode.DECODE_DATA, Source.SCANNER, bytes([code_type]) + data, status)


@pytest.mark.parametrize(
    ("packet", "frame"),
    [
        (Packet(Opcode.CMD_ACK, Source.HOST), "04 D0 04 00 FF 28"),
        (Packet(Opcode.CMD_NAK, Source.HOST, bytes([Nak.RESEND])), "05 D1 04 00 01 FF 25"),
        (Packet(Opcode.START_SESSION, Source.HOST), "04 E4 04 00 FF 14"),
        (Packet(Opcode.STOP_SESSION, Source.HOST), "04 E5 04 00 FF 13"),
        (Packet(Opcode.SCAN_ENABLE, Source.HOST), "04 E9 04 00 FF 0F"),
        (Packet(Opcode.SCAN_DISABLE, Source.HOST), "04 EA 04 00 FF 0E"),
        (Packet(Opcode.BEEP, Source.HOST, b"\0"), "05 E6 04 00 00 FF 11"),
        (Packet(Opcode.LED_ON, Source.HOST, b"\1"), "05 E7 04 00 01 FF 0F"),
        (Packet(Opcode.REQUEST_REVISION, Source.HOST), "04 A3 04 00 FF 55"),
        (Packet(Opcode.SSI_MGMT, Source.HOST, bytes.fromhex("00062000FFFF")), "0A 80 04 00 00 06 20 00 FF FF FD 4E"),
    ],
)
def test_packets_are_the_guides_byte_for_byte(packet: Packet, frame: str) -> None:
    assert packet.encode() == bytes.fromhex(frame)
    assert decoded(bytes.fromhex(frame), Source.HOST) == [packet]


@given(st.sampled_from(Source), st.data(), st.binary(max_size=MAX_DATA), st.integers(0, 15))
def test_every_kind_of_packet_survives_the_wire(source: Source, data: st.DataObject, body: bytes, status: int) -> None:
    packet = Packet(data.draw(st.sampled_from(sorted(OPCODES[source]))), source, body, status)
    assert decoded(packet.encode(), source) == [packet]


def test_what_fits_no_packet_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="252 bytes"):
        Packet(Opcode.BEEP, Source.HOST, bytes(252)).encode()


def test_raw_scans_come_between_packets() -> None:
    ack = Packet(Opcode.CMD_ACK, Source.SCANNER)
    wire = b"]E04006381333931\r\n" + ack.encode() + b"\x00\x00MUG\x1dX\r" + ack.encode()
    assert decoded(wire) == [Scan(b"4006381333931", aim="]E0"), ack, Scan(b"MUG\x1dX"), ack]


def test_a_raw_scan_without_terminator_ends_by_silence_and_a_packet_by_more_of_it() -> None:
    decoder = SsiDecoder(gap=0.05)
    assert decoder.feed(b"MUG", 1.0) == []
    assert decoder.idle(1.04) == []
    assert decoder.idle(1.06) == [Scan(b"MUG", terminated=False, at=1.0)]
    assert decoder.feed(decode_data(EAN13, b"4006381333931").encode()[:-1], 2.0) == []
    assert decoder.idle(2.1) == []
    assert decoder.idle(2.3) == [Garbled()]
    assert not decoder.open


def test_a_damaged_packet_is_dropped_whole() -> None:
    wire = bytearray(decode_data(EAN13, b"4006381333931").encode())
    wire[8] ^= 1
    assert decoded(bytes(wire) + b"MUG\r") == [Garbled(), Scan(b"MUG")]


hostile = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.builds(
            lambda kind, body: Packet(kind, 0, body).encode(), st.sampled_from([0xD0, 0xF3]), st.binary(max_size=20)
        ),
        st.sampled_from([b"MUG\r", b"\r\n", b"\x0a\xf3\x00", b"\x00", b"4006381333931\r\n", b"\x04\xd0"]),
    ),
    max_size=12,
).map(b"".join)


@given(hostile, st.lists(st.integers(0, 200), max_size=10))
def test_any_split_of_the_bytes_gives_the_same_frames(data: bytes, cuts: list[int]) -> None:
    whole, split = SsiDecoder(), SsiDecoder()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    got = [frame for start, end in pairwise(edges) for frame in split.feed(data[start:end], 0.0)]
    assert [*got, *split.idle(1.0)] == [*whole.feed(data, 0.0), *whole.idle(1.0)]
    assert not whole.open


@pytest.mark.parametrize(
    ("code_type", "data", "scan"),
    [
        (EAN13, b"4006381333931", Scan(b"4006381333931", aim="]E0")),
        (0x0A, b"96385074\r\n", Scan(b"96385074", aim="]E4")),
        (0x0F, b"0104006381333931\x1d10AB", Scan(b"0104006381333931\x1d10AB", aim="]C1")),
        (0xC1, b"0104006381333931\x1d10AB\r", Scan(b"0104006381333931\x1d10AB", aim="]d2")),
        (0x25, b"X", Scan(b"X")),
        (0x24, b"0104006381333931", Scan(b"0104006381333931")),
        (CODE_128, b"]C1X\r", Scan(b"X", aim="]C1")),
        (QR, b"two\r\nlines\r", Scan(b"two\r\nlines", aim="]Q1")),
    ],
)
def test_what_decode_data_says(code_type: int, data: bytes, scan: Scan) -> None:
    """The scanner's own AIM identifier comes before its code type; a disputed code type stands for nothing."""
    assert ScanAssembler().take(decode_data(code_type, data), 0.0) == scan


def test_a_retransmission_of_what_was_had_is_no_second_scan_but_the_same_code_again_is() -> None:
    first = decode_data(EAN13, b"4006381333931")
    again = decode_data(EAN13, b"4006381333931", Status.RETRANSMISSION)
    other = decode_data(EAN13, b"4006381333948", Status.RETRANSMISSION)
    one, two = ScanAssembler(), ScanAssembler()
    assert [one.take(packet, 0.0) is not None for packet in (first, again, again, first)] == [True, False, False, True]
    assert [two.take(packet, 0.0) is not None for packet in (first, other, again)] == [True, True, True]


@pytest.mark.parametrize("repeats_type", [True, False])
def test_a_continued_scan_is_joined(repeats_type: bool) -> None:
    assembler = ScanAssembler()
    first = decode_data(QR, b"A" * 250, Status.CONTINUATION)
    last = decode_data(QR, b"B\r") if repeats_type else Packet(Opcode.DECODE_DATA, Source.SCANNER, b"B\r")
    assert assembler.take(first, 0.0) is None
    assert assembler.take(last, 0.1) == Scan(b"A" * 250 + b"B", aim="]Q1", at=0.1)


def test_a_continued_scan_that_never_ends_is_given_up() -> None:
    assembler = ScanAssembler()
    assert assembler.take(decode_data(QR, b"HALF", Status.CONTINUATION), 0.0) is None
    assert assembler.take(decode_data(EAN13, b"4006381333931"), STALE + 1) == Scan(
        b"4006381333931", aim="]E0", at=STALE + 1
    )


def test_a_scan_continued_without_end_is_dropped_and_takes_no_room() -> None:
    assembler = ScanAssembler()
    for number in range(200):
        packet = decode_data(QR, number.to_bytes(2, "big") * 120, Status.CONTINUATION)
        assert assembler.take(packet, 0.0) is None
    assert len(assembler._data) < 9000
    assert assembler.take(decode_data(QR, b"end"), 0.0) == Garbled()


@asynccontextmanager
async def plugged(*, deaf: bool = False, reply_within: float = 0.2) -> AsyncIterator[tuple[SsiScanner, SsiSimulator]]:
    hub, device = memory_pair()

    async def opener() -> Link:
        return hub

    simulator = SsiSimulator(device, reply_within=reply_within)
    simulator.deaf = deaf
    async with simulator, SsiScanner(opener, limits=QUICK) as scanner:
        yield scanner, simulator


async def test_it_introduces_itself_and_asks_for_packets_until_the_next_power_cycle() -> None:
    async with plugged() as (scanner, simulator):
        assert (scanner.revision, scanner.packeted) == (REVISION.decode(), True)
        assert (simulator.packeted, simulator.lasting) == (True, 0)


async def test_a_scanner_that_takes_no_packets_is_read_raw_and_its_feedback_times_out() -> None:
    async with plugged(deaf=True) as (scanner, simulator):
        assert not scanner.packeted
        await simulator.scan("4006381333931")
        scan = await anext(scanner)
        assert (scan.data, scan.aim) == (b"4006381333931", "]E0")
        with pytest.raises(DeviceError, match="timeout"):
            await scanner.good_read()
        assert await scanner.alive() is Tri.UNKNOWN


async def test_every_scan_is_acknowledged_once_it_is_safe() -> None:
    async with plugged() as (scanner, simulator):
        assert await simulator.decode_data(QR, b"X" * 7000 + b"\r")
        assert len((await anext(scanner)).data) == 7000
        assert simulator.unacknowledged == 0


async def test_a_lost_acknowledgement_makes_no_second_scan() -> None:
    async with plugged(reply_within=0.05) as (scanner, simulator):
        simulator.deaf = True
        sending = asyncio.create_task(simulator.decode_data(EAN13, b"4006381333931"))
        await asyncio.sleep(0.07)
        simulator.deaf = False
        assert await sending
        assert await simulator.decode_data(EAN13, b"4006381333948")
        assert [(await anext(scanner)).data for _ in range(2)] == [b"4006381333931", b"4006381333948"]
        assert scanner.stats.reads == 2


async def test_a_damaged_packet_is_asked_for_again() -> None:
    async with plugged() as (scanner, simulator):
        spoilt = bytearray(decode_data(EAN13, b"4006381333931").encode())
        spoilt[-1] ^= 1
        await simulator._send(bytes(spoilt))
        assert await simulator.transmit(decode_data(EAN13, b"4006381333931", Status.RETRANSMISSION))
        assert (await anext(scanner)).data == b"4006381333931"
        assert scanner.stats.garbled == 1
        async with asyncio.timeout(1):
            while not simulator.naks:  # noqa: ASYNC110 - the far end gives no signal
                await asyncio.sleep(0.001)


async def test_a_refusal_is_said_in_the_scanners_words() -> None:
    async with plugged() as (scanner, _):
        with pytest.raises(DeviceError) as caught:
            await scanner._command(Opcode.BEEP, b"\xff")
        assert (caught.value.kind, caught.value.detail) == ("refused", "BEEP: denied")
        with pytest.raises(DeviceError, match="refused: AIM_ON: bad_context"):
            await scanner._command(Opcode.AIM_ON)


async def test_lamp_and_trigger() -> None:
    async with plugged() as (scanner, simulator):
        await scanner.led(on=True)
        await scanner.led(on=False)
        await scanner.trigger(on=True)
        await scanner.trigger(on=False)
        assert simulator.heard == ["led on", "led off", "trigger on", "trigger off"]


async def hears(link: Link) -> Sequence[object]:
    """What the hub sends within a moment."""
    data = bytearray()
    try:
        async with asyncio.timeout(0.4):
            while True:
                data += await link.read(4096)
    except TimeoutError:
        return SsiDecoder(source=Source.HOST).feed(bytes(data), 0.0)


async def test_a_sleeper_is_woken_and_asked_three_times() -> None:
    hub, device = memory_pair()

    async def opener() -> Link:
        return hub

    async with SsiScanner(opener, limits=QUICK) as scanner:
        first = SsiDecoder(source=Source.HOST).feed(await device.read(100), 0.0)
        listening = asyncio.create_task(hears(device))
        with pytest.raises(DeviceError, match="timeout"):
            await scanner.enable()
        enable = Packet(Opcode.SCAN_ENABLE, Source.HOST)
        again = Packet(Opcode.SCAN_ENABLE, Source.HOST, b"", Status.RETRANSMISSION)
        assert [*first, *await listening][-3:] == [enable, again, again]


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_million_random_frames_in_flat_memory() -> None:
    rng = Random(31)
    decoder, assembler = SsiDecoder(), ScanAssembler()
    kinds = sorted(OPCODES[Source.SCANNER])
    frames = packets = scans = 0
    warm = 0
    tracemalloc.start()
    while frames < 1_000_000:
        burst = bytearray()
        for _ in range(20):
            kind = rng.randrange(6)
            if kind == 0:
                burst += rng.randbytes(rng.randrange(40))
            elif kind == 1:
                burst += b"]E04006381333931\r\n"
            else:
                burst += Packet(rng.choice(kinds), 0, rng.randbytes(rng.randrange(60)), rng.randrange(16)).encode()
        for _ in range(rng.randrange(3)):
            burst[rng.randrange(len(burst))] = rng.randrange(256)
        cut = rng.randrange(len(burst))
        heard = [*decoder.feed(bytes(burst[:cut]), frames), *decoder.feed(bytes(burst[cut:]), frames)]
        heard += decoder.idle(frames + 1)
        for frame in heard:
            frames += 1
            if isinstance(frame, Packet):
                packets += 1
                assembler.take(frame, frames)
            scans += isinstance(frame, Scan)
        if not warm and frames > 100_000:
            warm = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - warm
    tracemalloc.stop()
    print(f"SSI: {frames} frames, {packets} packets, {scans} raw scans; memory grown {grown} bytes")
    assert grown < 100_000
    assert packets > frames // 3
    assert scans > frames // 20
