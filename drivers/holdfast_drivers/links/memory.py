"""An in-memory cable: two links, each reads what the other wrote. No descriptors, so it runs on a virtual clock."""

from __future__ import annotations

import asyncio

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.values import DeviceError

CAPACITY = 4096
"""Bytes under way in each direction before a writer has to wait, as in a kernel's tty."""


def memory_pair(name: str = "memory") -> tuple[Link, Link]:
    """Both ends of a cable. Closing either end unplugs the other once it has read what was under way."""
    there, back = _Lane(), _Lane()
    return _MemoryLink(f"{name}:a", there, back), _MemoryLink(f"{name}:b", back, there)


class _Lane:
    """One direction: a bounded buffer with a signal on either side."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.cut = False
        self.changed = asyncio.Event()

    def cut_off(self) -> None:
        self.cut = True
        self.changed.set()

    async def change(self) -> None:
        self.changed.clear()
        await self.changed.wait()


class _MemoryLink:
    def __init__(self, name: str, outward: _Lane, inward: _Lane) -> None:
        self._name = name
        self._outward = outward
        self._inward = inward
        self._closed = False

    @property
    def name(self) -> str:
        return self._name

    async def read(self, limit: int) -> bytes:
        lane = self._inward
        await asyncio.sleep(0)  # like a descriptor, never starve the loop
        while not lane.bytes or self._closed:
            if lane.cut:
                raise DeviceError("unplugged", f"{self._name}: end of stream")
            await lane.change()
        taken = bytes(lane.bytes[:limit])
        del lane.bytes[:limit]
        lane.changed.set()
        return taken

    async def write(self, data: bytes, *, timeout: float) -> None:
        taken = 0
        try:
            async with asyncio.timeout(timeout):
                while taken < len(data):
                    taken += await self._write_some(data[taken:], taken)
        except TimeoutError:
            detail = f"{self._name} took {taken} of {len(data)} bytes in {timeout:g} s"
            raise WriteError("timeout", detail, taken=taken) from None

    async def _write_some(self, data: bytes, before: int) -> int:
        lane = self._outward
        await asyncio.sleep(0)
        while not lane.cut and len(lane.bytes) >= CAPACITY:
            await lane.change()
        if lane.cut:
            raise WriteError("unplugged", f"{self._name}: nobody at the other end", taken=before)
        room = CAPACITY - len(lane.bytes)
        lane.bytes += data[:room]
        lane.changed.set()
        return min(room, len(data))

    async def close(self) -> None:
        self._closed = True
        self._inward.cut_off()
        self._outward.cut_off()
