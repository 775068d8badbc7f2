"""Simulated USB scanners: their reports, and what the kernel makes of them where it has /dev/uhid."""

from __future__ import annotations

import asyncio
import lzma
import os
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from holdfast_drivers.links.evdev import evdev_opener
from holdfast_drivers.links.hidraw import hidraw_opener
from holdfast_drivers.links.uhid import UHID, UhidDevice, create, input_report, reply_to
from holdfast_drivers.scanners import hidpos_sim, keyboard_hid
from holdfast_drivers.scanners.hidpos import USAGE_PAGE, HidPosScanner
from holdfast_drivers.scanners.hidpos_sim import HidPosSimulator
from holdfast_drivers.scanners.keyboard import INPUT_EVENT, KeyboardDecoder, KeyboardScanner
from holdfast_drivers.scanners.keyboard_hid import USAGES, HidKeyboardSimulator, reports
from holdfast_drivers.scanners.keyboard_sim import keys
from holdfast_drivers.scanners.layouts import LAYOUTS, US, Layout
from holdfast_drivers.values import DeviceError, Scan

RECORDED = Path(__file__).parent / "data/evdev/hid-generic-1000-reports.xz"
CODES = [f"{number:012d}" for number in range(77)]
TYPEABLE = "".join(map(chr, range(32, 127)))
layouts = pytest.mark.parametrize("layout", list(LAYOUTS.values()), ids=lambda layout: layout.name)


def test_the_requests_are_the_kernels_byte_for_byte() -> None:
    made = create(b"\x05\x01", "name", "unique", 0x05E0, 0x1200)
    assert struct.unpack_from("=I128s64s64sHHIIII", made) == (
        11, b"name".ljust(128, b"\0"), bytes(64), b"unique".ljust(64, b"\0"), 2, 3, 0x05E0, 0x1200, 0, 0,
    )  # fmt: skip
    assert made[280:] == b"\x05\x01".ljust(4096, b"\0")
    assert input_report(b"\2\1") == b"\x0c\0\0\0\2\0" + b"\2\1".ljust(4096, b"\0")
    assert reply_to(struct.pack("=IIBB", 9, 77, 0, 0)) == struct.pack("=IIHH", 10, 77, 5, 0)
    assert reply_to(struct.pack("=II", 13, 78)) == struct.pack("=IIH", 14, 78, 5)
    assert reply_to(struct.pack("=IQ", 2, 0)) is None
    for too_long in (lambda: create(bytes(4097), "", "", 0, 0), lambda: input_report(bytes(4097))):
        with pytest.raises(ValueError, match="4097 bytes"):
            too_long()


def test_a_report_holds_what_is_held() -> None:
    assert [report.hex() for report in reports(keys("A"))] == [
        "0200000000000000", "0200040000000000", "0200000000000000", "0000000000000000",
    ]  # fmt: skip


@layouts
def test_every_key_a_layout_needs_is_on_the_keyboard(layout: Layout) -> None:
    for table in (layout.plain, layout.shift, layout.altgr):
        assert set(table) <= set(USAGES)


async def test_without_uhid_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_drivers.links.uhid.UHID", str(tmp_path / "uhid"))
    device = UhidDevice(keyboard_hid.DESCRIPTOR, "event")
    with pytest.raises(DeviceError, match="modprobe uhid"):
        await device.plug()
    with pytest.raises(RuntimeError, match="unplugged"):
        _ = device.link
    await device.unplug()


def test_a_thousand_reports_a_second_as_linux_handed_them_out() -> None:
    """Recorded on Linux 6.1 (Debian, x86-64): hid-generic's events for CODES, one report a millisecond, over uhid."""
    if INPUT_EVENT.size != 24:
        pytest.skip("recorded by a 64-bit process")
    wire = lzma.decompress(RECORDED.read_bytes())
    decoder = KeyboardDecoder(gap=1.0)
    heard = [frame for at in range(0, len(wire), 1000) for frame in decoder.feed(wire[at : at + 1000], 0.0)]
    assert heard == [Scan(code.encode()) for code in CODES]
    kinds = {kind for _, _, kind, _, _ in INPUT_EVENT.iter_unpack(wire)}
    assert kinds == {0, 1, 4}, "the scan codes that a reader without a mask gets are among them"


@asynccontextmanager
async def plugged(kind: Literal["event", "hidraw"], descriptor: bytes, symlink: Path) -> AsyncIterator[UhidDevice]:
    if not os.access(UHID, os.W_OK):
        pytest.skip(f"needs {UHID}")
    device = UhidDevice(descriptor, kind, symlink)
    await device.plug()
    try:
        yield device
    finally:
        await device.unplug()


@layouts
async def test_a_keyboard_scanner_through_the_kernel(layout: Layout, tmp_path: Path) -> None:
    async with plugged("event", keyboard_hid.DESCRIPTOR, tmp_path / "keys") as device:
        async with KeyboardScanner(evdev_opener(device.path), layout=layout, gap=2.0) as scanner:
            simulator = HidKeyboardSimulator(device.link, layout=layout)
            sending = asyncio.create_task(simulator.scan(TYPEABLE + "\x1d10", aim="]C1"))
            async with asyncio.timeout(10):
                scan = await anext(scanner)
            await sending
            assert (scan.data.decode(), scan.aim) == (TYPEABLE + "\x1d10", "]C1")
            with pytest.raises(DeviceError, match="busy"):
                await evdev_opener(device.path)()
            await device.unplug()
            with pytest.raises(DeviceError, match="unplugged"):
                await anext(scanner)
        with pytest.raises(DeviceError, match="absent"):
            await evdev_opener(device.path)()


async def test_a_hid_pos_scanner_through_the_kernel(tmp_path: Path) -> None:
    async with plugged("hidraw", hidpos_sim.DESCRIPTOR, tmp_path / "pos") as device:
        opener = hidraw_opener(device.path, usage_page=USAGE_PAGE)
        async with HidPosScanner(opener) as scanner:
            simulator = HidPosSimulator(device.link)
            sending = asyncio.create_task(simulator.scan("0104006381333931\x1d10" + "A" * 200, aim="]d2"))
            async with asyncio.timeout(10):
                scan = await anext(scanner)
            await sending
            assert (scan.data, scan.aim) == (b"0104006381333931\x1d10" + b"A" * 200, "]d2")
            with pytest.raises(DeviceError, match="busy"):
                await opener()
            await device.unplug()
            with pytest.raises(DeviceError, match="unplugged"):
                await anext(scanner)
        with pytest.raises(DeviceError, match="absent"):
            await opener()
    async with plugged("hidraw", keyboard_hid.DESCRIPTOR, tmp_path / "keys") as device:
        with pytest.raises(DeviceError, match="another usage"):
            await hidraw_opener(device.path, usage_page=USAGE_PAGE)()


async def test_holdfast_sim_makes_one(tmp_path: Path) -> None:
    if not os.access(UHID, os.W_OK):
        pytest.skip(f"needs {UHID}")
    port = str(tmp_path / "keys")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast_drivers.sim", "scanner", "--protocol", "keyboard", "--pty", port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    async with asyncio.timeout(60):
        assert await child.stdout.readline() == f"scanner at {port}\n".encode()
        async with KeyboardScanner(evdev_opener(port), layout=US) as scanner:
            child.stdin.write(b"4006381333931\n")
            assert (await anext(scanner)).data == b"4006381333931"
            child.stdin.write(b"!quit\n")
            with pytest.raises(DeviceError, match="unplugged"):
                await anext(scanner)
        assert await child.wait() == 0
