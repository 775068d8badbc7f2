"""Bytes into scans: terminators, AIM identifiers, silence, length, and independence of how the bytes were split."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.barcodes.classify import Code, classify
from holdfast_drivers.scanners.framing import Framer
from holdfast_drivers.values import Scan

# Bytes as hostile as they come: terminators, STX, GS and AIM flags far more often than chance would have them.
wire = st.lists(st.sampled_from(b"\r\n\t\x03\x02\x1d]E0C1Ad2Q\x00\xff"), max_size=80).map(bytes)


def frame(data: bytes) -> list[Scan]:
    return Framer().feed(data, 0.0)


@pytest.mark.parametrize("terminator", [b"\r", b"\n", b"\r\n", b"\t", b"\x03", b"\r\n\r\n"])
def test_each_terminator_ends_one_scan(terminator: bytes) -> None:
    assert frame(b"4006381333931" + terminator) == [Scan(b"4006381333931")]


def test_stx_in_front_is_stripped() -> None:
    assert frame(b"\x02]E04006381333931\x03\x02MUG\x03") == [Scan(b"4006381333931", aim="]E0"), Scan(b"MUG")]


def test_gs_survives() -> None:
    assert frame(b"]C10104006381333931\x1d10AB\r") == [Scan(b"0104006381333931\x1d10AB", aim="]C1")]


@pytest.mark.parametrize("data", [b"]", b"]E", b"]E0", b"]00X", b"[E0X", b"A]E0X"])
def test_what_is_no_aim_identifier_is_data(data: bytes) -> None:
    assert frame(data + b"\r") == [Scan(data)]


def test_two_scans_in_one_read_and_one_scan_in_two() -> None:
    framer = Framer()
    assert [scan.data for scan in framer.feed(b"ONE\rTWO\rTH", 1.0)] == [b"ONE", b"TWO"]
    assert framer.feed(b"REE\r", 2.0) == [Scan(b"THREE", at=2.0)]


def test_empty_reads_are_no_scans() -> None:
    assert frame(b"\r\n\t\x03\x02\x03\r\r") == []


def test_silence_ends_a_read_and_marks_it() -> None:
    framer = Framer(gap=0.05)
    assert framer.feed(b"]E04006", 1.0) == []
    assert framer.feed(b"381333931", 1.01) == []
    assert framer.idle(1.05) == []
    assert framer.idle(1.07) == [Scan(b"4006381333931", aim="]E0", terminated=False, at=1.01)]
    assert framer.idle(9.0) == []
    assert framer.feed(b"\r", 9.0) == []


def test_an_over_long_read_is_dropped_to_its_end_and_counted() -> None:
    framer = Framer(max_frame=10)
    assert framer.feed(b"12345678901", 0.0) == []
    assert framer.feed(b"more of it\rNEXT\r", 0.0) == [Scan(b"NEXT")]
    assert framer.oversize == 1
    assert framer.feed(b"1234567890\r", 0.0) == [Scan(b"1234567890")]


def test_silence_ends_an_over_long_read_too() -> None:
    framer = Framer(max_frame=10)
    framer.feed(b"12345678901", 0.0)
    assert framer.idle(1.0) == []
    assert framer.feed(b"NEXT\r", 1.0) == [Scan(b"NEXT", at=1.0)]


def test_a_dropped_read_never_comes_back() -> None:
    framer = Framer()
    framer.feed(b"HALF A CO", 0.0)
    assert framer.drop()
    assert not framer.drop()
    assert framer.idle(1.0) == []
    assert framer.feed(b"DE\r", 2.0) == [Scan(b"DE", at=2.0)]


@given(wire, st.lists(st.integers(0, 80), max_size=12), st.integers(1, 20))
def test_any_split_of_the_bytes_gives_the_same_scans(data: bytes, cuts: list[int], max_frame: int) -> None:
    whole, split = Framer(max_frame=max_frame), Framer(max_frame=max_frame)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    expected = [*whole.feed(data, 0.0), *whole.idle(1.0)]
    got = [scan for start, end in pairwise(edges) for scan in split.feed(data[start:end], 0.0)]
    assert [*got, *split.idle(1.0)] == expected
    assert split.oversize == whole.oversize


@given(wire)
def test_no_byte_of_data_is_invented_or_lost(data: bytes) -> None:
    """What is left of the wire after the framing bytes is what the scans hold."""
    framer = Framer()
    scans = [*framer.feed(data, 0.0), *framer.idle(1.0)]
    parts = [part.lstrip(b"\x02") for part in data.translate(bytes.maketrans(b"\n\t\x03", b"\r\r\r")).split(b"\r")]
    assert [scan.aim.encode() + scan.data for scan in scans] == [part for part in parts if part]


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_at_all_are_framed_and_classified(chunks: list[bytes]) -> None:
    framer = Framer(max_frame=64)
    for chunk in chunks:
        for scan in framer.feed(chunk, 0.0):
            assert 0 < len(scan.data) <= 64
            assert isinstance(classify(scan), Code)


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_million_random_reads_in_flat_memory() -> None:
    rng = Random(20)
    framer = Framer()
    alphabet = bytes(range(256)) + b"\r\n\x02\x03\x1d]]EC0123456789HFCBRPMLTKA1." * 4 + b"\r\n" * 40
    classify(Scan(b"0104006381333931", aim="]C1"))  # the GS1 dictionary is read once, when first needed
    tracemalloc.start()
    number = reads = warm = 0
    while reads < 1_000_000:
        number += 1
        scans = framer.feed(bytes(rng.choices(alphabet, k=rng.randrange(120))), number * 0.01)
        if rng.random() < 0.1:
            scans += framer.idle(number * 0.01 + 1)
        reads += len(scans)
        for scan in scans[:1]:
            assert isinstance(classify(scan), Code)
        if not warm and reads > 100_000:
            warm = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - warm
    tracemalloc.stop()
    print(f"plain text: {reads} reads; memory grown {grown} bytes")
    assert grown < 100_000
