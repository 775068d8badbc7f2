"""USB HID POS: reports byte for byte as the manuals print them, and over sockets that keep messages apart."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import tracemalloc
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.links import hidraw
from holdfast_drivers.links.base import Link
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.hidraw import hidraw_opener
from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.framing import MAX_FRAME
from holdfast_drivers.scanners.hidpos import (
    GAP,
    MAX_DATA,
    REPORT,
    USAGE_PAGE,
    HidPosDecoder,
    HidPosScanner,
    Report,
    decode,
)
from holdfast_drivers.scanners.hidpos_sim import reports
from holdfast_drivers.values import DeviceError, Scan
from support.descriptors import open_descriptors

BOARDING_PASS = b"M1GATHERGOOD/MICHAEL  YABCDEF LHRDURAK 3542 052Y003D23  0000"
"""60 bytes, as long as the example of the Access-IS manuals."""


def fed(wire: list[bytes]) -> list[Scan | Garbled]:
    decoder = HidPosDecoder()
    return [frame for report in wire for frame in decoder.feed(report, 0.0)]


def test_a_report_is_the_manuals_byte_for_byte() -> None:
    first, second = reports("]Q0", BOARDING_PASS)
    assert (len(first), len(second)) == (REPORT, REPORT)
    assert first[:5] == bytes([0x02, 0x38, 0x5D, 0x51, 0x30])
    assert (first[63], second[63]) == (1, 0)
    assert second[1] == 4
    assert fed([first, second]) == [Scan(BOARDING_PASS, aim="]Q0")]


@given(st.sampled_from(["]E0", "]C1", "]d2"]), st.binary(min_size=1, max_size=MAX_FRAME // 4))
def test_every_read_survives_in_as_many_reports_as_it_takes(aim: str, data: bytes) -> None:
    whole = data.lstrip(b"\x02").rstrip(b"\r\n\t\x03")
    assert fed(reports(aim, data)) == ([Scan(whole, aim=aim)] if whole else [])


@given(st.sampled_from(["]E0", "]C1", "]d2"]), st.binary(max_size=MAX_DATA), st.booleans())
def test_every_report_survives_the_wire(aim: str, data: bytes, continued: bool) -> None:
    assert decode(Report(aim, data, continued).encode()) == Report(aim, data, continued)


def test_one_byte_more_before_the_identifier_is_understood() -> None:
    plain = Report("]E0", b"4006381333931").encode()
    shifted = plain[:2] + b"\x0b" + plain[2:62] + plain[63:]
    assert fed([shifted]) == [Scan(b"4006381333931", aim="]E0")]


def test_gs_survives_and_the_terminator_goes() -> None:
    assert fed(reports("]d2", b"0104006381333931\x1d10AB\r")) == [Scan(b"0104006381333931\x1d10AB", aim="]d2")]


@pytest.mark.parametrize(
    "report",
    [
        Report("]E0", b"4006381333931").encode()[:-1],
        bytes([2, 57]) + Report("]E0", b"X").encode()[2:],
        bytes([2, 5]) + bytes(62),
    ],
)
def test_a_damaged_report_is_no_scan(report: bytes) -> None:
    assert fed([report]) == [Garbled()]


def test_reports_of_another_kind_are_not_looked_at() -> None:
    assert fed([b"\x05\x02\x00", b"", Report("]E0", b"96385074").encode()]) == [Scan(b"96385074", aim="]E0")]


def test_a_read_whose_end_is_missing_is_no_scan() -> None:
    decoder = HidPosDecoder()
    begin, _ = reports("]Q1", b"x" * 60)
    assert decoder.feed(begin, 1.0) == []
    assert decoder.idle(1.0 + GAP / 2) == []
    assert decoder.idle(1.0 + GAP * 2) == [Garbled()]
    assert decoder.feed(begin, 9.0) == []
    assert decoder.feed(Report("]E0", b"96385074").encode(), 9.0) == [Garbled()]


def test_a_read_without_end_is_dropped_and_counted() -> None:
    decoder = HidPosDecoder()
    begin = Report("]Q1", b"x" * MAX_DATA, continued=True).encode()
    for _ in range(MAX_FRAME // MAX_DATA + 1):
        assert decoder.feed(begin, 0.0) == []
    assert decoder.oversize == 1


async def test_the_driver_over_a_link_that_keeps_reports_apart() -> None:
    hub, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    async def opener() -> Link:
        return DescriptorLink(hub.detach(), "hidraw")

    with device:
        async with HidPosScanner(opener) as scanner:
            for report in [*reports("]E0", b"4006381333931"), b"\x05\x01", *reports("]Q1", b"7" * 7089)]:
                await asyncio.to_thread(device.send, report)
            async with asyncio.timeout(5):
                first, second = await anext(scanner), await anext(scanner)
            assert (first.data, first.aim) == (b"4006381333931", "]E0")
            assert (second.data, second.aim) == (b"7" * 7089, "]Q1")
            await asyncio.to_thread(device.send, reports("]Q1", b"7" * 60)[0])
            device.shutdown(socket.SHUT_RDWR)
            with pytest.raises(DeviceError, match="unplugged"):
                await anext(scanner)
            assert (scanner.stats.reads, scanner.stats.fragments) == (2, 1)


async def test_what_is_no_hid_device_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "hidraw7").write_bytes(b"")
    for path, kind in ((tmp_path / "hidraw0", "absent"), (tmp_path / "hidraw7", "refused")):
        with pytest.raises(DeviceError) as caught:
            await hidraw_opener(str(path), usage_page=USAGE_PAGE)()
        assert caught.value.kind == kind


DESCRIPTOR = b"\x05\x8c\x09\x02\xa1\x01"
"""The beginning of a scanner's: usage page 8C, usage "bar code scanner", collection."""


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A HID device that says DESCRIPTOR."""

    def ioctl(fd: int, request: int, argument: bytes | bytearray) -> bytes:
        if request == hidraw.HIDIOCGRDESCSIZE:
            return struct.pack("@i", len(DESCRIPTOR))
        assert request == hidraw.HIDIOCGRDESC
        assert isinstance(argument, bytearray)
        argument[4 : 4 + len(DESCRIPTOR)] = DESCRIPTOR
        return b""

    monkeypatch.setattr("holdfast_drivers.links.hidraw.fcntl.ioctl", ioctl)
    path = tmp_path / "hidraw7"
    os.mkfifo(path)
    return str(path)


async def test_only_a_device_that_names_the_usage_is_opened_and_by_one_hub_alone(node: str) -> None:
    before = open_descriptors()
    link = await hidraw_opener(node, usage_page=USAGE_PAGE)()
    for usage, kind in ((USAGE_PAGE, "busy"), (b"\x05\x8d", "busy")):
        with pytest.raises(DeviceError, match=kind):
            await hidraw_opener(node, usage_page=usage)()
    await link.close()
    with pytest.raises(DeviceError, match="refused: its report descriptor names another usage"):
        await hidraw_opener(node, usage_page=b"\x05\x8d")()
    assert open_descriptors() == before


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_million_random_reports_in_flat_memory() -> None:
    rng = Random(4)
    decoder = HidPosDecoder()
    scans = garbled = 0
    warm = 0
    tracemalloc.start()
    for number in range(1_000_000):
        report = bytearray(
            Report(rng.choice(["]E0", "]Q1"]), rng.randbytes(rng.randrange(57)), rng.random() < 0.3).encode()
        )
        if rng.random() < 0.2:
            report[rng.randrange(64)] = rng.randrange(256)
        for frame in [*decoder.feed(bytes(report), number), *(decoder.idle(number + 1) if rng.random() < 0.1 else [])]:
            scans += isinstance(frame, Scan)
            garbled += isinstance(frame, Garbled)
        if number == 100_000:
            warm = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - warm
    tracemalloc.stop()
    print(f"HID POS: 1000000 reports, {scans} scans, {garbled} garbled; memory grown {grown} bytes")
    assert grown < 100_000
    assert scans > 300_000
