"""Replies are told apart by their bits alone, however the bytes arrive."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast_drivers.printers.dialect import hindrance
from holdfast_drivers.printers.status import (
    AutoStatus,
    Flow,
    Info,
    InOrder,
    JobDone,
    Junk,
    RealTime,
    Reply,
    StatusDecoder,
    fold_auto,
    fold_realtime,
    is_paper_reply,
    job_request,
    kick_pulse,
)
from holdfast_drivers.values import PrinterStatus, Tri

UNKNOWN = PrinterStatus()


def decode(data: bytes) -> list[Reply]:
    return StatusDecoder().feed(data)


def realtime(*values: int) -> PrinterStatus:
    one, two, three, four = values
    return fold_realtime(UNKNOWN, (one, two, three, four), 1.0, drawer_open_high=True)


def auto(data: str) -> PrinterStatus:
    (report,) = decode(bytes.fromhex(data))
    assert isinstance(report, AutoStatus)
    return fold_auto(UNKNOWN, report, 2.0, drawer_open_high=True)


@pytest.mark.parametrize(
    ("data", "replies"),
    [
        ("12", [RealTime(0x12)]),
        ("16", [RealTime(0x16)]),
        ("1a", [RealTime(0x1A)]),
        ("7e", [RealTime(0x7E)]),
        ("10000000", [AutoStatus(bytes(4).replace(b"\0", b"\x10", 1))]),
        ("3c000000", [AutoStatus(b"<\0\0\0")]),
        ("00", [InOrder(0)]),
        ("0c", [InOrder(0x0C)]),
        ("37223030343200", [JobDone(b"0042")]),
        ("5f544d2d54383800", [Info(0x5F, b"TM-T88")]),
        ("372000", [Info(0x37, b" ")]),
        ("1113", [Flow(ready=True), Flow(ready=False)]),
        ("1000110000", [Flow(ready=True), AutoStatus(b"\x10\0\0\0")]),
        ("3722303013343200", [Flow(ready=False), JobDone(b"0042")]),
        ("80ff", [Junk(b"\x80"), Junk(b"\xff")]),
        ("100012", [Junk(b"\x10\0"), RealTime(0x12)]),
        ("37223012", [Junk(b'7"0'), RealTime(0x12)]),
    ],
)
def test_each_kind_of_reply(data: str, replies: list[Reply]) -> None:
    assert decode(bytes.fromhex(data)) == replies


def test_a_block_without_end_is_let_go() -> None:
    decoder = StatusDecoder()
    replies = decoder.feed(b"_" + b"a" * 1000)
    assert max(len(reply.data) for reply in replies if isinstance(reply, Junk)) <= 128
    decoder.feed(bytes(1))
    assert decoder.feed(b'7"0042\0') == [JobDone(b"0042")]


VALID = st.one_of(
    st.sampled_from([b"\x12", b"\x1e", b"\x00", b"\x0f", b"\x11", b"\x13", b"\x10\0\0\0", b"\x3c\0\x0c\0", b"\x80"]),
    st.binary(min_size=4, max_size=4).map(lambda raw: b'7"' + bytes(0x20 + byte % 95 for byte in raw) + b"\0"),
    st.binary(max_size=20),
)


@given(st.lists(VALID, max_size=20).map(b"".join), st.lists(st.integers(1, 9), min_size=1, max_size=40))
@settings(max_examples=300)
def test_any_split_gives_the_same_replies(data: bytes, sizes: list[int]) -> None:
    decoder, replies, at = StatusDecoder(), [], 0
    for size in sizes * (len(data) + 1):
        replies += decoder.feed(data[at : at + size])
        at += size
        if at >= len(data):
            break
    assert replies == decode(data)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(10))
def test_a_million_bytes_of_noise_are_survived_and_all_accounted_for(seed: int) -> None:
    noise = Random(seed).randbytes(100_000)
    replies = decode(noise + bytes(5))
    counted = sum(
        len(reply.data) + (2 if isinstance(reply, Info) else 0)
        if isinstance(reply, AutoStatus | Junk | Info)
        else 7
        if isinstance(reply, JobDone)
        else 1
        for reply in replies
    )
    assert counted == len(noise) + 5


def test_idle_answers_say_that_all_is_well() -> None:
    assert realtime(0x12, 0x12, 0x12, 0x12) == PrinterStatus(
        online=Tri.YES,
        paper=Tri.YES,
        paper_low=Tri.NO,
        cover_open=Tri.NO,
        cutter_fault=Tri.NO,
        fault=Tri.NO,
        drawer_open=Tri.NO,
        at=1.0,
    )
    assert auto("10000000") == PrinterStatus(Tri.YES, Tri.YES, Tri.NO, Tri.NO, Tri.NO, Tri.NO, Tri.NO, at=2.0)


@pytest.mark.parametrize(
    ("status", "field", "value", "why"),
    [
        (realtime(0x16, 0x12, 0x12, 0x12), "drawer_open", Tri.YES, None),
        (realtime(0x1A, 0x12, 0x12, 0x12), "online", Tri.NO, "offline"),
        (realtime(0x1A, 0x16, 0x12, 0x12), "cover_open", Tri.YES, "cover_open"),
        (realtime(0x1A, 0x32, 0x12, 0x12), "paper", Tri.NO, "paper_end"),
        (realtime(0x12, 0x12, 0x12, 0x1E), "paper_low", Tri.YES, None),
        (realtime(0x1A, 0x12, 0x12, 0x72), "paper", Tri.NO, "paper_end"),
        (realtime(0x1A, 0x12, 0x12, 0x7E), "paper", Tri.NO, "paper_end"),
        (realtime(0x1A, 0x52, 0x1A, 0x12), "cutter_fault", Tri.YES, "error"),
        (realtime(0x1A, 0x52, 0x32, 0x12), "fault", Tri.YES, "error"),
        (realtime(0x1A, 0x52, 0x52, 0x12), "fault", Tri.NO, "offline"),
        (auto("3c000000"), "cover_open", Tri.YES, "cover_open"),
        (auto("3c000000"), "drawer_open", Tri.YES, "cover_open"),
        (auto("18000c00"), "paper", Tri.NO, "paper_end"),
        (auto("10000300"), "paper_low", Tri.YES, None),
        (auto("18080000"), "cutter_fault", Tri.YES, "error"),
        (auto("18200000"), "fault", Tri.YES, "error"),
        (auto("18400000"), "fault", Tri.NO, "offline"),
    ],
)
def test_what_each_bit_means(status: PrinterStatus, field: str, value: Tri, why: str | None) -> None:
    assert getattr(status, field) is value
    assert hindrance(status) == why


def test_without_a_configured_level_the_drawer_is_unknown() -> None:
    status = fold_realtime(UNKNOWN, (0x16, 0x12, 0x12, 0x12), 1.0, drawer_open_high=None)
    assert status.drawer_open is Tri.UNKNOWN
    low_is_open = fold_auto(UNKNOWN, AutoStatus(b"\x10\0\0\0"), 1.0, drawer_open_high=False)
    assert low_is_open.drawer_open is Tri.YES


def test_nothing_known_is_no_hindrance() -> None:
    assert hindrance(UNKNOWN) is None


def test_requests() -> None:
    assert job_request(b"0042") == bytes.fromhex("1d2848060030 3030303432")
    assert kick_pulse(0) == b"\x1bp\x00\x32\xfa"
    with pytest.raises(ValueError, match="job id"):
        job_request(b"42")
    with pytest.raises(ValueError, match="pin"):
        kick_pulse(2)


def test_only_sensible_bytes_answer_the_paper_question() -> None:
    assert [value for value in range(0x80) if is_paper_reply(InOrder(value))] == [0x00, 0x03, 0x0C, 0x0F]
