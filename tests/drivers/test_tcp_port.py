"""A device's end of TCP: whoever connects last is served, and nobody's going ends the device."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from holdfast_drivers.links.tcp import tcp_opener
from holdfast_drivers.links.tcp_port import TcpPort
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.escpos import EscPosPrinter
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.values import DeviceError, Printed


async def nothing() -> None: ...


async def test_a_new_connection_ends_the_one_before_and_the_link_lasts() -> None:
    port = TcpPort()
    await port.plug()
    try:
        first = await tcp_opener("127.0.0.1", port.port)()
        await first.write(b"one", timeout=1)
        assert await asyncio.wait_for(port.link.read(8), 5) == b"one"
        second = await tcp_opener("127.0.0.1", port.port)()
        reading = asyncio.create_task(port.link.read(8))
        await second.write(b"two", timeout=1)
        assert await asyncio.wait_for(reading, 5) == b"two"
        with pytest.raises(DeviceError, match="unplugged"):
            await asyncio.wait_for(first.read(8), 5)
        await first.close()
        await second.close()
        await port.link.write(b"to nobody", timeout=1)
        with pytest.raises(OSError, match="in use"):
            await TcpPort(port.port).plug()
    finally:
        await port.unplug()
    with pytest.raises(DeviceError, match="refused"):
        await tcp_opener("127.0.0.1", port.port)()
    await port.plug()
    await (await tcp_opener("127.0.0.1", port.port)()).close()
    await port.unplug()


async def test_a_network_printer_serves_one_hub_after_the_other(tmp_path: Path) -> None:
    command = ["-m", "holdfast_drivers.sim", "printer", "--tcp", "0", "--out", str(tmp_path), "--no-png"]
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=pipe, stdout=pipe)
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        ready = json.loads(await asyncio.wait_for(program.stdout.readline(), 20))
        host, _, port = ready["path"].partition(":")
        profile = load_profile("TM-T20II")
        clock = asyncio.get_running_loop().time
        for _ in range(2):
            link = await tcp_opener(host, int(port))()
            async with asyncio.timeout(20), EscPosPrinter(link, profile, monotonic=clock) as printer:
                job = encode(SAMPLE, profile)
                assert (await printer.print(job, 1, started=nothing)).outcome is Printed.PRINTED
    finally:
        program.stdin.write(b"quit\n")
        told, _ = await asyncio.wait_for(program.communicate(), 20)
    assert told.count(b'"cut"') == 2
