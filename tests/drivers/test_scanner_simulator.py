"""The stand-ins: a PTY that can be unplugged and replugged under one name, and the simulator that speaks on it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.scanners.framing import GAP
from holdfast_drivers.scanners.honeywell import HoneywellScanner
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.scanners.sim import ScannerSimulator
from holdfast_drivers.values import DeviceError, Scan, Tri


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def target(symlink: str) -> str:
    return str(Path(symlink).readlink())


def point_elsewhere(symlink: str) -> None:
    Path(symlink).unlink()
    Path(symlink).symlink_to("/dev/null")


async def scan_one(path: str) -> Scan:
    async with asyncio.timeout(10), SerialScanner(serial_opener(path)) as scanner:
        return await anext(scanner)


async def test_the_name_outlives_a_replug(tmp_path: Path) -> None:
    async with Pty(tmp_path / "scanner") as device:
        for number in range(3):
            scanning = asyncio.create_task(scan_one(device.path))
            while not scanning.done():
                await ScannerSimulator(device.link).scan(str(number))
                await asyncio.wait({scanning}, timeout=0.02)
            assert (await scanning).data == str(number).encode()
            await device.unplug()
            assert not (tmp_path / "scanner").is_symlink()
            with pytest.raises(DeviceError, match="absent"):
                await serial_opener(device.path)()
            with pytest.raises(RuntimeError, match="unplugged"):
                _ = device.link
            await device.plug()
    assert entries(tmp_path) == []


async def test_a_stale_name_of_a_killed_simulator_is_taken_over_and_a_strangers_left(tmp_path: Path) -> None:
    (tmp_path / "scanner").symlink_to("/dev/pts/999")
    async with Pty(tmp_path / "scanner") as device:
        assert target(device.path) not in {"/dev/pts/999", "/dev/null"}
        point_elsewhere(device.path)
    assert target(device.path) == "/dev/null"


async def test_without_a_name_the_path_is_the_kernels() -> None:
    async with Pty() as device:
        first = device.path
        assert first.startswith("/dev/pts/")
        await device.plug()
        assert device.path == first
    await device.unplug()


async def test_a_device_is_not_echoed_before_the_hub_has_opened_it() -> None:
    async with Pty() as device:
        await device.link.write(b"MUG\r", timeout=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await device.link.read(100)


async def test_a_loop_that_was_late_does_not_cut_a_code_in_two() -> None:
    """Bytes that came in time wait in the kernel while the loop is held up for longer than the gap."""
    async with Pty() as device, SerialScanner(serial_opener(device.path)) as scanner:
        await device.link.write(b"MUG\r]E04006", timeout=1)
        assert (await anext(scanner)).data == b"MUG"
        scanning = asyncio.create_task(anext(scanner))
        await asyncio.sleep(0)
        assert isinstance(device.link, DescriptorLink)
        os.write(device.link._fd, b"381333931\r")
        time.sleep(2 * GAP)  # noqa: ASYNC251 - holding up the loop is the point
        assert (await scanning).data == b"4006381333931"


async def test_a_scan_on_the_wire_byte_for_byte() -> None:
    hub, device = memory_pair()
    simulator = ScannerSimulator(device)
    await simulator.scan("4006381333931")
    await simulator.scan("MUG", aim="", terminator="\r\n", per_byte_delay=0.0)
    await device.close()
    assert await hub.read(100) == b"]E04006381333931\rMUG\r\n"


async def test_garbage_is_the_same_for_the_same_seed() -> None:
    streams = []
    for seed in (1, 1, 2):
        hub, device = memory_pair()
        await ScannerSimulator(device, seed=seed).garbage(32)
        streams.append(await hub.read(100))
    assert len(streams[0]) == 32
    assert streams[0] == streams[1] != streams[2]


async def test_alone_it_scans_the_lines_it_is_given(tmp_path: Path) -> None:
    """`python -m holdfast_drivers.scanners.sim`, as a technician would use it."""
    path = tmp_path / "scanner"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast_drivers.scanners.sim", "--pty", str(path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == f"scanner at {path}\n".encode()
    async with asyncio.timeout(20), SerialScanner(serial_opener(str(path))) as scanner:
        process.stdin.write(b"]C10104006381333931{GS}10AB\n\nMUG-BLUE\n")
        first, second = await anext(scanner), await anext(scanner)
        assert (first.aim, first.data) == ("]C1", b"0104006381333931\x1d10AB")
        assert (second.aim, second.data) == ("", b"MUG-BLUE")
        process.stdin.close()
        with pytest.raises(DeviceError, match="unplugged"):
            await anext(scanner)
    assert await process.wait() == 0
    assert not path.is_symlink()


async def test_alone_it_speaks_a_protocol_and_says_what_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "scanner"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast_drivers.scanners.sim", "--pty", str(path), "--protocol", "honeywell"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == f"scanner at {path}\n".encode()
    async with asyncio.timeout(20), HoneywellScanner(serial_opener(str(path))) as scanner:
        assert await scanner.alive() is Tri.YES
        process.stdin.write(b"]E04006381333931\n")
        assert (await anext(scanner)).data == b"4006381333931"
        await scanner.bad_read()
        assert await process.stdout.readline() == b"bad\n"
        process.stdin.close()
    assert await process.wait() == 0
