"""A device's end of TCP, for simulators: a port that listens, and a link that outlives whoever connects."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.values import DeviceError


class TcpPort:
    """Listens on loopback while plugged. One connection at a time: a new one ends the one before."""

    def __init__(self, port: int = 0) -> None:
        """`port` 0: any that is free, the same at each `plug`."""
        self.port = port
        self.link = _Lasting()
        self._accepting: asyncio.Task[None] | None = None

    @property
    def path(self) -> str:
        """As in the configuration."""
        return f"127.0.0.1:{self.port}"

    async def plug(self) -> None:
        """Raises OSError when another program listens there."""
        if self._accepting is None:
            listener = _listening(self.port)
            self.port = listener.getsockname()[1]
            self._accepting = asyncio.create_task(self._accept(listener), name=self.path)
            await asyncio.sleep(0)  # a task cancelled before it began would not close the listener

    async def unplug(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait({self._accepting})
            self._accepting = None
        await self.link.close()

    async def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                connected, _ = await asyncio.get_running_loop().sock_accept(listener)
                await self.link.connect(DescriptorLink(connected.detach(), self.path))


class _Lasting:
    """Waits for somebody to read from; what is said while nobody listens is lost, as a printer's status is."""

    name = "tcp port"

    def __init__(self) -> None:
        self._link: Link | None = None
        self._connected = asyncio.Event()

    async def connect(self, link: Link) -> None:
        await self.close()
        self._link = link
        self._connected.set()

    async def read(self, limit: int) -> bytes:
        while True:
            await self._connected.wait()
            link = self._link
            if link is None:
                continue
            try:
                return await link.read(limit)
            except DeviceError:
                await self._lost(link)

    async def write(self, data: bytes, *, timeout: float) -> None:
        if (link := self._link) is not None:
            try:
                await link.write(data, timeout=timeout)
            except DeviceError:
                await self._lost(link)

    async def close(self) -> None:
        if self._link is not None:
            await self._lost(self._link)

    async def _lost(self, link: Link) -> None:
        if self._link is link:
            self._link = None
            self._connected.clear()
        with suppress(DeviceError):
            await link.close()


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
