"""A real PTY as a stand-in for a serial device."""

from __future__ import annotations

import os
import tty
from pathlib import Path

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.socket import NodeSocket


class Pty(NodeSocket):
    """A serial port, raw from its first byte on. Raises no DeviceError."""

    _slave = -1

    async def _make(self) -> tuple[Link, Path]:
        # The slave stays open here: else the master would read an error whenever the hub has the port closed.
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        node = Path(os.ttyname(self._slave))
        return DescriptorLink(master, f"device side of {self._symlink or node}"), node

    async def unplug(self) -> None:
        await super().unplug()
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1
