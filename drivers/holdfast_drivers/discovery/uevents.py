"""Hot-plug: the kernel's own announcements, from a netlink socket (uevent in linux/kobject.h, lib/kobject_uevent.c).

Needs no root and no udev library. They come before udev has made its links, so a name may follow its device by some
100 ms.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import dataclass
from enum import Enum

NETLINK_KOBJECT_UEVENT = 15
KERNEL_GROUP = 1
MAX_EVENT = 8192
"""Bytes; the kernel's buffer for one is 2048 and its header."""
BUFFER = 1 << 20
"""Bytes of announcements the kernel keeps for us: a hub with ten devices makes some 100 kB when plugged in."""


class Action(Enum):
    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"
    BIND = "bind"
    UNBIND = "unbind"
    MOVE = "move"
    ONLINE = "online"
    OFFLINE = "offline"
    LOST = "lost"
    """Announcements were missed: look again at everything."""


@dataclass(frozen=True, slots=True)
class Uevent:
    action: Action
    devpath: str = ""
    """Below /sys."""
    subsystem: str = ""
    devname: str = ""
    """Below /dev; empty when it has no node."""


def parse(message: bytes) -> Uevent | None:
    """One datagram. None for what is no kernel announcement, udev's own included."""
    head, _, rest = message.partition(b"\0")
    if b"@" not in head:
        return None
    fields = dict(part.split("=", 1) for part in rest.decode(errors="replace").split("\0") if "=" in part)
    try:
        action = Action(fields["ACTION"])
        return Uevent(action, fields["DEVPATH"], fields.get("SUBSYSTEM", ""), fields.get("DEVNAME", ""))
    except (KeyError, ValueError):
        return None


def kernel_socket() -> socket.socket:
    """Raises OSError where netlink is not allowed."""
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        made.bind((0, KERNEL_GROUP))
    except OSError:
        made.close()
        raise
    return made


class Uevents:
    """Announcements as they come, from a datagram socket it owns from now on."""

    def __init__(self, source: socket.socket) -> None:
        source.setblocking(False)
        self._source = source

    async def next(self) -> Uevent:
        """The next one; LOST after the kernel had to drop some. Cancelling loses none."""
        loop = asyncio.get_running_loop()
        while True:
            await _readable(loop, self._source)
            try:
                data, sender = self._source.recvfrom(MAX_EVENT)
            except BlockingIOError:
                continue
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                return Uevent(Action.LOST)
            if isinstance(sender, tuple) and sender[0] != 0:
                continue  # any program may send to this socket; the kernel's port is 0
            event = parse(data)
            if event is not None:
                return event

    def close(self) -> None:
        self._source.close()


async def _readable(loop: asyncio.AbstractEventLoop, source: socket.socket) -> None:
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(source, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(source)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def uevents() -> Uevents | None:
    """From the kernel; None where that is not allowed, and looking now and then must do."""
    try:
        return Uevents(kernel_socket())
    except OSError:
        return None
