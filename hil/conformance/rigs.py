"""The kinds of link the suite runs over: each gives the hub an opener and the simulator the device's end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.links.tcp import tcp_opener
from holdfast_drivers.links.usblp import usblp_opener
from holdfast_drivers.values import DeviceError

QUIRKS = {
    "shared": "a second opener is let in",
    "deep": "takes in a whole job before a writer has to wait",
    "sluggish": "its plug takes longer to come out than a scanner's silence lasts",
    "reports": "carries whole reports, not a stream of bytes",
}
"""What a backend cannot help. A test that needs the opposite is marked `not_with` and skipped there."""


@dataclass(frozen=True)
class LinkPair:
    """A hub's way to a device, and the device's end of it."""

    hub_opener: Opener
    device_link: Link
    """Waits for the hub to open; after a loss, for it to open again."""
    backend: str
    plug: Callable[[], Awaitable[None]]
    unplug: Callable[[], Awaitable[None]]
    quirks: frozenset[str] = frozenset()


class DeviceEnd:
    """The device's link, whichever connection is the present one."""

    name = "device end"

    def __init__(self) -> None:
        self._connected = asyncio.Event()
        self._link: Link | None = None

    def connect(self, link: Link) -> None:
        self._link = link
        self._connected.set()

    async def disconnect(self) -> None:
        if self._link is not None:
            await self._link.close()
        self._link = None
        self._connected.clear()

    async def read(self, limit: int) -> bytes:
        return await (await self._present()).read(limit)

    async def write(self, data: bytes, *, timeout: float) -> None:
        await (await self._present()).write(data, timeout=timeout)

    async def close(self) -> None:
        await self.disconnect()

    async def _present(self) -> Link:
        await self._connected.wait()
        assert self._link is not None
        return self._link


class MemoryRig:
    name = "memory"
    quirks = frozenset({"shared"})

    def __init__(self, _: Path) -> None:
        self.device = DeviceEnd()
        self._plugged = True

    async def opener(self) -> Link:
        if not self._plugged:
            raise DeviceError("absent", "unplugged")
        hub, device = memory_pair()
        self.device.connect(device)
        return hub

    async def plug(self) -> None:
        self._plugged = True

    async def unplug(self) -> None:
        self._plugged = False
        await self.device.disconnect()


class PtyRig:
    name = "pty"
    quirks: frozenset[str] = frozenset()

    def __init__(self, symlink: Path) -> None:
        self.device = DeviceEnd()
        self._pty = Pty(symlink)
        self.opener = serial_opener(self._pty.path)

    async def plug(self) -> None:
        await self._pty.plug()
        self.device.connect(self._pty.link)

    async def unplug(self) -> None:
        await self._pty.unplug()
        await self.device.disconnect()


class UsbLpRig(PtyRig):
    """`/dev/usb/lp0`, played by a PTY in raw mode: the calls are the same. That usblp lets one process in is not."""

    name = "usblp"
    quirks = frozenset({"shared"})

    def __init__(self, symlink: Path) -> None:
        super().__init__(symlink)
        self.opener = usblp_opener(str(symlink))


class TcpRig:
    name = "tcp"
    quirks = frozenset({"shared", "deep"})

    def __init__(self, _: Path) -> None:
        self.device = DeviceEnd()
        self._port = 0
        self._listening: asyncio.Task[None] | None = None

    async def opener(self) -> Link:
        return await tcp_opener("127.0.0.1", self._port)()

    async def plug(self) -> None:
        if self._listening is None:
            listener = _listen(self._port)
            self._port = listener.getsockname()[1]
            self._listening = asyncio.create_task(self._accept(listener), name="tcp rig")
            await asyncio.sleep(0)  # a task cancelled before it began would not close the listener

    async def unplug(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})
            self._listening = None
        await self.device.disconnect()

    async def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                sock, _ = await asyncio.get_running_loop().sock_accept(listener)
                await self.device.disconnect()
                self.device.connect(DescriptorLink(sock.detach(), "tcp device"))


class HidrawRig:
    """`/dev/hidraw0`, played by a socket that keeps messages apart: one write is one report is one read."""

    name = "hidraw"
    quirks = frozenset({"shared", "reports"})

    def __init__(self, _: Path) -> None:
        self.device = DeviceEnd()
        self._plugged = True

    async def opener(self) -> Link:
        if not self._plugged:
            raise DeviceError("absent", "unplugged")
        hub, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.device.connect(DescriptorLink(device.detach(), "hid device"))
        return DescriptorLink(hub.detach(), "hidraw")

    async def plug(self) -> None:
        self._plugged = True

    async def unplug(self) -> None:
        self._plugged = False
        await self.device.disconnect()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.setblocking(False)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


Rig = MemoryRig | PtyRig | UsbLpRig | TcpRig | HidrawRig
LINES: tuple[type[Rig], ...] = (MemoryRig, PtyRig, TcpRig)
"""What a device that speaks a line of bytes may stand at."""
STREAMS: tuple[type[Rig], ...] = (*LINES, UsbLpRig)
"""A printer has one kind of link more."""
