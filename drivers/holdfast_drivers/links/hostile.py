"""Links that misbehave as cables, adapters and plugs do. They wrap the side under test; what they do, real links do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.values import DeviceError

Mangle = Callable[[bytes], bytes]
"""What the line makes of bytes under way: `drop`, `duplicate`, `garbage`."""


class HostileLink:
    """`inner`, but reads come after `delay` seconds in pieces of `read_size` and through `mangle`, writes leave in
    pieces of `write_size` and through `mangle_out`, and the plug is pulled after `reads_until_unplug` or
    `writes_until_unplug` bytes.
    """

    def __init__(
        self,
        inner: Link,
        *,
        read_size: int | None = None,
        write_size: int | None = None,
        delay: float = 0.0,
        mangle: Mangle = bytes,
        mangle_out: Mangle = bytes,
        reads_until_unplug: int | None = None,
        writes_until_unplug: int | None = None,
    ) -> None:
        self._inner = inner
        self._read_size = read_size
        self._write_size = write_size
        self._delay = delay
        self.mangle = mangle
        self.mangle_out = mangle_out
        self._reads_left = reads_until_unplug
        self._writes_left = writes_until_unplug
        self._mangled = b""

    @property
    def name(self) -> str:
        return f"hostile {self._inner.name}"

    def unplug_after(self, *, reads: int | None = None, writes: int | None = None) -> None:
        """Pull the plug after so many bytes from now on."""
        self._reads_left, self._writes_left = reads, writes

    async def read(self, limit: int) -> bytes:
        await asyncio.sleep(self._delay)
        while not self._mangled:
            self._mangled = self.mangle(await self._read_inner(limit))
        taken, self._mangled = self._mangled[:limit], self._mangled[limit:]
        return taken

    async def _read_inner(self, limit: int) -> bytes:
        if self._reads_left == 0:
            await self._inner.close()
            raise DeviceError("unplugged", f"{self.name}: the plug was pulled")
        sizes = [size for size in (limit, self._read_size, self._reads_left) if size is not None]
        data = await self._inner.read(min(sizes))
        if self._reads_left is not None:
            data = data[: self._reads_left]  # the plug may have been pulled while this read waited
            self._reads_left -= len(data)
        return data

    async def write(self, data: bytes, *, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        taken = 0
        try:
            while taken < len(data):
                taken += await self._write_inner(data[taken:], max(0.0, deadline - loop.time()))
        except WriteError as error:
            raise WriteError(error.kind, error.detail, taken=taken + error.taken) from error

    async def _write_inner(self, data: bytes, left: float) -> int:
        if self._writes_left == 0:
            await self._inner.close()
            raise WriteError("unplugged", f"{self.name}: the plug was pulled")
        sizes = [size for size in (len(data), self._write_size, self._writes_left) if size is not None]
        piece = data[: min(sizes)]
        await self._write_whole(self.mangle_out(piece), piece, left)
        if self._writes_left is not None:
            self._writes_left -= len(piece)
        return len(piece)

    async def _write_whole(self, mangled: bytes, piece: bytes, left: float) -> None:
        """`taken` counts what the hub wrote, whatever the line made of it."""
        try:
            await self._inner.write(mangled, timeout=left)
        except WriteError as error:
            raise WriteError(error.kind, error.detail, taken=min(error.taken, len(piece))) from error

    async def close(self) -> None:
        await self._inner.close()


def drop(chance: float, rng: Random) -> Mangle:
    """Each byte is lost with probability `chance`."""
    return lambda data: bytes(byte for byte in data if rng.random() >= chance)


def duplicate(chance: float, rng: Random) -> Mangle:
    """Each byte comes twice with probability `chance`."""
    return lambda data: b"".join(bytes([byte]) * (2 if rng.random() < chance else 1) for byte in data)


def garbage(chance: float, rng: Random) -> Mangle:
    """Each byte becomes a random one with probability `chance`."""
    return lambda data: bytes(rng.randrange(256) if rng.random() < chance else byte for byte in data)
