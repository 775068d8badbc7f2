"""Where a simulator is plugged in: the hub opens `path`, the simulator speaks on `link`."""

from __future__ import annotations

import asyncio
import errno
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from holdfast_drivers.links.base import Link


class Socket(Protocol):
    """A device's own end, whatever it is made of."""

    @property
    def path(self) -> str:
        """What the hub opens."""
        ...

    @property
    def link(self) -> Link: ...

    async def plug(self) -> None: ...

    async def unplug(self) -> None: ...


class NodeSocket(ABC):
    """A socket that the kernel makes a device node for; plugged in on entering, gone on leaving.

    `symlink`, when given, is the name that stays the same over a replug, as udev's would; else `path` changes.
    """

    def __init__(self, symlink: Path | None = None) -> None:
        self._symlink = symlink
        self._node = Path()
        self._link: Link | None = None

    @property
    def path(self) -> str:
        """What the hub opens."""
        return str(self._symlink or self._node)

    @property
    def link(self) -> Link:
        """The device's side of the present plugging. Raises RuntimeError while unplugged."""
        if self._link is None:
            raise RuntimeError(f"{self.path} is unplugged")
        return self._link

    async def plug(self) -> None:
        """Bring the device up. Raises DeviceError when the kernel cannot make one, OSError for the symlink."""
        if self._link is None:
            self._link, self._node = await self._make()
            if self._symlink is not None:
                await asyncio.to_thread(_point, self._symlink, self._node)

    async def unplug(self) -> None:
        """Pull the plug: the name vanishes, whoever has the device open loses it and every byte not yet read."""
        if self._link is None:
            return
        link, self._link = self._link, None
        if self._symlink is not None:
            await asyncio.to_thread(_unpoint, self._symlink, self._node)
        await link.close()

    async def __aenter__(self) -> Self:
        await self.plug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.unplug()

    @abstractmethod
    async def _make(self) -> tuple[Link, Path]:
        """The device's side, and the node."""


def _point(symlink: Path, node: Path) -> None:
    """Atomically, so that whoever looks finds the old device or the new one. Takes the place of a link alone."""
    if symlink.exists() and not symlink.is_symlink():
        raise FileExistsError(errno.EEXIST, "is there already and no link", str(symlink))
    fresh = symlink.with_name(f".{symlink.name}.{node.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(node)
    fresh.replace(symlink)


def _unpoint(symlink: Path, node: Path) -> None:
    """Unless it leads elsewhere by now."""
    with suppress(OSError):
        if symlink.readlink() == node:
            symlink.unlink()
