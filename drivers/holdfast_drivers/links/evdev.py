"""Keyboards and keyboard-like scanners at `/dev/input/event*`, taken for this process alone. No library is needed.

Source: Linux, uapi/linux/input.h. While it is held, no key reaches a console or a desktop. Name the device by
`/dev/input/by-id/…-event-kbd` or `by-path`, never by its number. The user needs the group `input`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from contextlib import suppress

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.thread import opened
from holdfast_drivers.values import DeviceError

OPEN_TIMEOUT = 5.0
"""Seconds."""

EVIOCGRAB = 0x40044590
EVIOCSCLOCKID = 0x400445A0
EVIOCGNAME_256 = 0x81004506
NAME_LENGTH = 256

_ABSENT = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})
_BUSY = frozenset({errno.EBUSY, errno.EAGAIN})


def evdev_opener(path: str) -> Opener:
    """Opens and grabs `path`: `busy` when another has grabbed it, `refused` when it is no input device.

    The link reads whole `struct input_event`, stamped by the monotonic clock. It takes no writes.
    """

    async def open_link() -> Link:
        try:
            thread, (fd, name) = await opened(f"evdev {path}", lambda: _grab(path), _give_back, timeout=OPEN_TIMEOUT)
        except OSError as error:
            raise DeviceError(_kind(error), f"{path}: {error.strerror}") from error
        await thread.close()
        return DescriptorLink(fd, f"{name} ({path})")

    return open_link


def _grab(path: str) -> tuple[int, str]:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        name = fcntl.ioctl(fd, EVIOCGNAME_256, bytes(NAME_LENGTH))
        fcntl.ioctl(fd, EVIOCSCLOCKID, struct.pack("@i", time.CLOCK_MONOTONIC))
        fcntl.ioctl(fd, EVIOCGRAB, 1)
    except BaseException:
        os.close(fd)
        raise
    return fd, name.split(b"\0")[0].decode("utf-8", "replace")


def _give_back(held: tuple[int, str]) -> None:
    with suppress(OSError):
        os.close(held[0])


def _kind(error: OSError) -> str:
    if error.errno in _ABSENT:
        return "absent"
    return "busy" if error.errno in _BUSY else "refused"
