"""USB HID devices at `/dev/hidraw*`, report by report, for devices that name the usage they are opened for.

Source: Linux, Documentation/hid/hidraw.rst and uapi/linux/hidraw.h. The number changes with every plugging: name the
device by a udev rule's symlink.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import suppress

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.thread import opened_once
from holdfast_drivers.values import DeviceError

OPEN_TIMEOUT = 5.0
"""Seconds."""

HIDIOCGRDESCSIZE = 0x80044801
HIDIOCGRDESC = 0x90044802
MAX_DESCRIPTOR = 4096

_ABSENT = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})
_BUSY = frozenset({errno.EBUSY, errno.EAGAIN})


def hidraw_opener(path: str, *, usage_page: bytes) -> Opener:
    """Opens `path` if its report descriptor has the item `usage_page`; else `refused`. `busy`: another hub has it.

    A read of the link gives one report, its id first.
    """

    async def open_link() -> Link:
        try:
            fd = await opened_once(f"hidraw {path}", lambda: _open(path, usage_page), _close, timeout=OPEN_TIMEOUT)
        except OSError as error:
            raise DeviceError(_kind(error), f"{path}: {error.strerror}") from error
        return DescriptorLink(fd, path)

    return open_link


def _open(path: str, usage_page: bytes) -> int:
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _check_usage(fd, usage_page)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _check_usage(fd: int, usage_page: bytes) -> None:
    (size,) = struct.unpack("@i", fcntl.ioctl(fd, HIDIOCGRDESCSIZE, bytes(4)))
    wanted = bytearray(struct.pack("@I", size) + bytes(MAX_DESCRIPTOR))
    fcntl.ioctl(fd, HIDIOCGRDESC, wanted)
    if usage_page not in wanted[4 : 4 + size]:
        raise DeviceError("refused", "its report descriptor names another usage")


def _close(fd: int) -> None:
    with suppress(OSError):
        os.close(fd)


def _kind(error: OSError) -> str:
    if error.errno in _ABSENT:
        return "absent"
    return "busy" if error.errno in _BUSY else "refused"
