"""The link to `/dev/usb/lp*`, over stand-ins that behave as the kernel's driver does: no USB printer was there."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest

from holdfast_drivers.links.base import WriteError
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.links.thread import CallThread
from holdfast_drivers.links.usblp import UsbLpLink, usblp_opener
from holdfast_drivers.printers.escpos import EscPosPrinter
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.simulator import PrinterSimulator
from holdfast_drivers.values import DeviceError, Printed
from printer_rig import PROFILE, receipt


def link_over(fd: int, path: str = "/dev/usb/lp0") -> UsbLpLink:
    return UsbLpLink(fd, path, CallThread("usblp test"))


async def test_an_empty_packet_is_not_the_end(tmp_path: Path) -> None:
    """A FIFO without a writer reads as nothing, again and again, as a printer that sends empty packets does."""
    fifo = tmp_path / "lp0"
    os.mkfifo(fifo)
    link = link_over(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))
    reading = asyncio.create_task(link.read(100))
    before = os.times().user
    await asyncio.sleep(0.3)
    assert not reading.done()
    assert os.times().user - before < 0.2, "it does not spin"
    writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    os.write(writer, b"\x12")
    async with asyncio.timeout(2):
        assert await reading == b"\x12"
    os.close(writer)
    await link.close()


async def test_a_hang_up_is_no_empty_packet(tmp_path: Path) -> None:
    """A PTY reads as nothing in both cases; only the hang-up tells."""
    async with Pty(tmp_path / "lp0") as device:
        link = await usblp_opener(device.path)()
        reading = asyncio.create_task(link.read(10))
        await asyncio.sleep(0.05)
        await device.unplug()
        for read in (reading, link.read(10)):
            with pytest.raises(DeviceError, match="unplugged"):
                async with asyncio.timeout(2):
                    await read
        await link.close()


async def test_a_printer_that_cannot_talk_back_is_silent_until_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "lp0"
    node.touch()
    near, far = socket.socketpair()

    def no_answer(fd: int, limit: int) -> bytes:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr("holdfast_drivers.links.usblp.os.read", no_answer)
    monkeypatch.setattr("holdfast_drivers.links.usblp._LOOK_AGAIN", 0.05)
    link = link_over(near.detach(), str(node))
    far.send(b"x")
    reading = asyncio.create_task(link.read(10))
    await link.write(b"receipt", timeout=1)
    await asyncio.sleep(0.1)
    assert not reading.done()
    node.unlink()
    with pytest.raises(DeviceError, match="unplugged"):
        async with asyncio.timeout(2):
            await reading
    far.close()
    await link.close()


async def test_a_printer_that_takes_nothing_is_a_timeout_and_closing_does_not_wait_for_it() -> None:
    near, far = socket.socketpair()
    link = link_over(near.detach())
    with pytest.raises(WriteError) as caught:
        await link.write(bytes(1 << 22), timeout=0.1)
    assert caught.value.kind == "timeout"
    assert 0 < caught.value.taken < 1 << 22
    async with asyncio.timeout(0.5):
        await link.close()
    far.close()


async def test_closing_waits_for_the_last_transfer() -> None:
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    link = link_over(near.detach())
    taken = 0
    while True:
        try:
            taken += os.write(link._fd, bytes(1024))
        except BlockingIOError:
            break
    closing = asyncio.create_task(link.close())
    await asyncio.sleep(0.1)
    assert not closing.done()
    got = 0
    while got < taken:
        got += len(far.recv(1 << 16))
    async with asyncio.timeout(1):
        await closing
    far.close()


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOENT, "absent"), (errno.EBUSY, "busy"), (errno.EACCES, "refused")]
)
async def test_why_it_does_not_open(number: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("holdfast_drivers.links.usblp.os.open", refuse)
    with pytest.raises(DeviceError) as caught:
        await usblp_opener("/dev/usb/lp7")()
    assert caught.value.kind == kind


async def test_a_receipt_goes_over_it(tmp_path: Path) -> None:
    """A PTY in raw mode in the place of lp0."""
    async with Pty(tmp_path / "lp0") as device:
        link = await usblp_opener(device.path)()
        clock = asyncio.get_running_loop().time
        async with (
            PrinterSimulator(device.link),
            EscPosPrinter(link, PROFILE, monotonic=clock, limits=Limits(reply=5, probe=10)) as printer,
        ):

            async def started() -> None: ...

            assert (await printer.print(receipt(), 1, started=started)).outcome is Printed.PRINTED
            await device.unplug()
            assert (await printer.print(receipt(), 2, started=started)).outcome is Printed.NOT_PRINTED
