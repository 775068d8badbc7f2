"""Keyboards and keyboard-like scanners at `/dev/input/event*`, taken for this process alone. No library is needed.

Source: Linux, uapi/linux/input.h and drivers/input/evdev.c. While it is held, no key reaches a console or a desktop.
Name the device by `/dev/input/by-id/…-event-kbd` or `by-path`, never by its number. The user needs the group `input`.

The kernel keeps 64 events of a keyboard, 16 keystrokes, and throws them all away when the next one comes. So a thread
of its own reads them, that an event loop kept busy elsewhere costs no key (docs/decisions/0008-evdev.md).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import select
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from holdfast_drivers.links.base import Link, Opener, WriteError
from holdfast_drivers.links.thread import opened_once
from holdfast_drivers.values import DeviceError

OPEN_TIMEOUT = 5.0
"""Seconds."""
READ_AHEAD = 1000
"""Reads of at most 64 events kept for whoever is slow; then the kernel's buffer fills, and it says so (SYN_DROPPED)."""

EVIOCGRAB = 0x40044590
EVIOCSMASK = 0x40104593
EVIOCSCLOCKID = 0x400445A0
EVIOCGNAME_256 = 0x81004506
NAME_LENGTH = 256

_EV_MSC = 4
_CHUNK = 4096
_FULL_PAUSE = 0.01
_ABSENT = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})
_BUSY = frozenset({errno.EBUSY, errno.EAGAIN})


def evdev_opener(path: str) -> Opener:
    """Opens and grabs `path`: `busy` when another has grabbed it, `refused` when it is no input device.

    The link reads `struct input_event`, stamped by the monotonic clock, in any split. It takes no writes.
    """

    async def open_link() -> Link:
        try:
            fd, name = await opened_once(f"evdev {path}", lambda: _grab(path), _give_back, timeout=OPEN_TIMEOUT)
        except OSError as error:
            raise DeviceError(_kind(error), f"{path}: {error.strerror}") from error
        return EvdevLink(fd, f"{name} ({path})")

    return open_link


class EvdevLink:
    """Link over the event device `fd`, which it owns from now on."""

    def __init__(self, fd: int, name: str) -> None:
        self._fd = fd
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()
        self._rest = b""
        self._lost: DeviceError | None = None
        self._came = asyncio.Event()
        self._stop, self._stopper = os.pipe()
        self._thread = threading.Thread(target=self._follow, name=f"keys of {name}", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return self._name

    async def read(self, limit: int) -> bytes:
        """Link.read. What came before the loss is given first."""
        await asyncio.sleep(0)  # like a descriptor, never starve the loop
        while not self._rest:
            if self._waiting and self._stopper >= 0:
                self._rest = self._waiting.popleft()
            elif self._lost is not None:
                raise DeviceError(self._lost.kind, self._lost.detail)
            else:
                self._came.clear()
                await self._came.wait()
        taken, self._rest = self._rest[:limit], self._rest[limit:]
        return taken

    async def write(self, data: bytes, *, timeout: float) -> None:  # noqa: ARG002 - the signature is Link's
        raise WriteError("refused", f"{self._name} takes no bytes")

    async def close(self) -> None:
        """Link.close. Whoever waits in read gets DeviceError("unplugged")."""
        if self._stopper < 0:
            return
        os.close(self._stopper)
        self._stopper = -1
        self._rest = b""
        self._lose(f"{self._name} is closed")
        await asyncio.to_thread(self._thread.join)
        self._waiting.clear()

    def _follow(self) -> None:
        """The thread: until the device is gone or the link is closed."""
        poll = select.poll()
        for fd in (self._fd, self._stop):
            poll.register(fd, select.POLLIN)
        try:
            while self._stop not in {fd for fd, _ in poll.poll()}:
                self._hand_over(os.read(self._fd, _CHUNK))
        except OSError as error:
            self._tell(partial(self._lose, f"{self._name}: {error.strerror}"))
        finally:
            os.close(self._fd)
            os.close(self._stop)

    def _hand_over(self, data: bytes) -> None:
        if not data:
            raise OSError(errno.ENODEV, "end of stream")
        while len(self._waiting) >= READ_AHEAD and self._stopper >= 0:
            time.sleep(_FULL_PAUSE)
        self._waiting.append(data)
        self._tell(self._came.set)

    def _tell(self, what: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens
            self._loop.call_soon_threadsafe(what)

    def _lose(self, why: str) -> None:
        self._lost = self._lost or DeviceError("unplugged", why)
        self._came.set()


def _grab(path: str) -> tuple[int, str]:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        name = fcntl.ioctl(fd, EVIOCGNAME_256, bytes(NAME_LENGTH))
        fcntl.ioctl(fd, EVIOCSCLOCKID, struct.pack("@i", time.CLOCK_MONOTONIC))
        fcntl.ioctl(fd, EVIOCGRAB, 1)
    except BaseException:
        os.close(fd)
        raise
    _leave_out_scan_codes(fd)
    return fd, name.split(b"\0")[0].decode("utf-8", "replace")


def _leave_out_scan_codes(fd: int) -> None:
    """No EV_MSC: a third of the events of a USB keyboard, and the room is short. Kernels before 4.4 cannot."""
    with suppress(OSError):
        fcntl.ioctl(fd, EVIOCSMASK, struct.pack("@IIQ", _EV_MSC, 0, 0))


def _give_back(held: tuple[int, str]) -> None:
    with suppress(OSError):
        os.close(held[0])


def _kind(error: OSError) -> str:
    if error.errno in _ABSENT:
        return "absent"
    return "busy" if error.errno in _BUSY else "refused"
