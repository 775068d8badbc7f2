"""Hostile links misbehave as told, and keep a link's contract while doing so; a scanner over them survives."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.hostile import HostileLink, Mangle, drop, duplicate, garbage
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.scanners.sim import ScannerSimulator
from holdfast_drivers.values import DeviceError

CODE = b"]E04006381333931\r"


async def read_all(link: Link, *, limit: int = 100) -> list[bytes]:
    pieces = []
    try:
        while True:
            pieces.append(await link.read(limit))
    except DeviceError:
        return pieces


async def through(mangle: Mangle, data: bytes) -> bytes:
    inner, device = memory_pair()
    await device.write(data, timeout=1)
    await device.close()
    return b"".join(await read_all(HostileLink(inner, mangle=mangle), limit=7))


async def test_one_byte_at_a_time() -> None:
    inner, device = memory_pair()
    await device.write(CODE, timeout=1)
    await device.close()
    assert await read_all(HostileLink(inner, read_size=1)) == [bytes([byte]) for byte in CODE]


async def test_a_line_that_drops_doubles_and_garbles() -> None:
    data = Random(0).randbytes(2000)
    assert len(await through(drop(0.1, Random(1)), data)) == pytest.approx(1800, abs=100)
    assert await through(drop(1.0, Random(1)), data) == b""
    assert await through(duplicate(1.0, Random(1)), b"abc") == b"aabbcc"
    garbled = await through(garbage(0.5, Random(1)), data)
    assert len(garbled) == len(data)
    assert sum(a != b for a, b in zip(garbled, data, strict=True)) == pytest.approx(1000, abs=150)


async def test_the_plug_is_pulled_after_so_many_bytes() -> None:
    inner, device = memory_pair()
    await device.write(CODE, timeout=1)
    assert b"".join(await read_all(HostileLink(inner, reads_until_unplug=5))) == CODE[:5]
    with pytest.raises(WriteError, match="unplugged"):
        await device.write(b"x", timeout=1)


async def test_the_plug_is_pulled_while_a_read_waits() -> None:
    inner, device = memory_pair()
    hub = HostileLink(inner)
    reading = asyncio.create_task(hub.read(100))
    await asyncio.sleep(0.001)
    hub.unplug_after(reads=5)
    await device.write(CODE, timeout=1)
    assert await reading == CODE[:5]
    with pytest.raises(DeviceError, match="unplugged"):
        await hub.read(100)


async def test_a_line_that_damages_what_leaves_counts_what_was_written() -> None:
    inner, device = memory_pair()
    await HostileLink(inner, mangle_out=duplicate(1.0, Random(1))).write(b"abc", timeout=1)
    assert await device.read(100) == b"aabbcc"
    with pytest.raises(WriteError) as caught:
        await HostileLink(inner, mangle_out=duplicate(1.0, Random(1))).write(bytes(10_000), timeout=0.02)
    assert 0 < caught.value.taken < 10_000


async def test_a_write_through_the_pulled_plug_says_how_many_bytes_went() -> None:
    inner, device = memory_pair()
    hub = HostileLink(inner, write_size=3, writes_until_unplug=7)
    with pytest.raises(WriteError) as caught:
        await hub.write(CODE, timeout=1)
    assert (caught.value.kind, caught.value.taken) == ("unplugged", 7)
    assert b"".join(await read_all(device)) == CODE[:7]


async def test_a_write_nobody_takes_still_counts_right() -> None:
    inner, device = memory_pair()
    with pytest.raises(WriteError) as caught:
        await HostileLink(inner, write_size=100).write(bytes(10_000), timeout=0.02)
    assert caught.value.kind == "timeout"
    await inner.close()
    assert len(b"".join(await read_all(device, limit=10_000))) == caught.value.taken


async def scans_until_loss(scanner: SerialScanner) -> list[str]:
    scans = []
    try:
        while True:
            scans.append((await anext(scanner)).data.decode())
    except DeviceError:
        return scans


async def test_a_scanner_on_a_lossy_line_delivers_only_what_came_whole_or_not_at_all() -> None:
    """Every scan is some codes' bytes with losses, never bytes from nowhere, and the driver lives on."""
    inner, device = memory_pair()
    simulator = ScannerSimulator(device)

    async def opener() -> Link:
        return HostileLink(inner, read_size=1, mangle=drop(0.05, Random(3)))

    async with SerialScanner(opener) as scanner:
        for number in range(50):
            await simulator.scan(f"{number:013}", aim="")
        await device.close()
        scans = await scans_until_loss(scanner)
    whole = [data for data in scans if len(data) == 13]
    assert 10 < len(whole) < 50
    assert set(whole) <= {f"{number:013}" for number in range(50)}


async def test_a_slow_line_delays_and_loses_nothing() -> None:
    inner, device = memory_pair()
    await device.write(b"ab", timeout=1)
    slow = HostileLink(inner, delay=0.02)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.005):
            await slow.read(2)
    assert await slow.read(2) == b"ab"
    assert slow.name == f"hostile {inner.name}"


async def test_a_link_at_rest_leaves_nothing_registered_with_the_loop() -> None:
    """Else bytes nobody waits for would wake the loop for ever: a core at full speed."""
    loop = asyncio.get_running_loop()
    async with Pty() as device:
        link = device.link
        assert isinstance(link, DescriptorLink)
        reading = asyncio.create_task(link.read(1))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        await link.write(b"x", timeout=1)
        assert not loop.remove_reader(link._fd)
        assert not loop.remove_writer(link._fd)
