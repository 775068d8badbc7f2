"""A real PTY as a stand-in for a serial device: the hub opens `path`, a simulator speaks on `link`."""

from __future__ import annotations

import asyncio
import errno
import os
import tty
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.descriptor import DescriptorLink


class Pty:
    """Plugged in on entering, gone on leaving; `unplug` and `plug` in between do what a hand does.

    `symlink`, when given, is the name that stays the same over a replug, as udev's would; else `path` changes.
    """

    def __init__(self, symlink: Path | None = None) -> None:
        self._symlink = symlink
        self._slave = -1
        self._node = Path()
        self._link: DescriptorLink | None = None

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
        """Bring the device up: a new PTY, raw from its first byte on."""
        if self._link is not None:
            return
        # The slave stays open here: else the master would read an error whenever the hub has the port closed.
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._node = Path(os.ttyname(self._slave))
        self._link = DescriptorLink(master, f"device side of {self.path}")
        if self._symlink is not None:
            await asyncio.to_thread(point, self._symlink, self._node)

    async def unplug(self) -> None:
        """Pull the plug: the name vanishes, whoever has the port open loses it and every byte not yet read."""
        if self._link is None:
            return
        link, self._link = self._link, None
        if self._symlink is not None:
            await asyncio.to_thread(unpoint, self._symlink, self._node)
        os.close(self._slave)
        await link.close()

    async def __aenter__(self) -> Self:
        await self.plug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.unplug()


def point(symlink: Path, node: Path) -> None:
    """Atomically, so that whoever looks finds the old device or the new one. Takes the place of a link alone."""
    if symlink.exists() and not symlink.is_symlink():
        raise FileExistsError(errno.EEXIST, "is there already and no link", str(symlink))
    fresh = symlink.with_name(f".{symlink.name}.{node.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(node)
    fresh.replace(symlink)


def unpoint(symlink: Path, node: Path) -> None:
    """Unless it leads elsewhere by now."""
    with suppress(OSError):
        if symlink.readlink() == node:
            symlink.unlink()
