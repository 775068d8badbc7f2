"""A USB HID device that the kernel believes in: reports written here come out of its event and hidraw devices.

Source: Linux, Documentation/hid/uhid.rst and uapi/linux/uhid.h. Needs `/dev/uhid` (module uhid) and the right to write
to it. For simulators: it is the device's side of a link.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import struct
from pathlib import Path
from typing import Literal

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.socket import NodeSocket
from holdfast_drivers.values import DeviceError

UHID = "/dev/uhid"
NODE_TIMEOUT = 5.0
"""Seconds for the kernel and udev to make a device's node."""
SYS = Path("/sys/class/hidraw")

_DESTROY, _GET_REPORT, _GET_REPORT_REPLY, _CREATE2, _INPUT2, _SET_REPORT, _SET_REPORT_REPLY = 1, 9, 10, 11, 12, 13, 14
_BUS_USB = 3
_MAX = 4096
_EVENT = 4380
"""Bytes of struct uhid_event."""
_numbers = itertools.count()


def create(descriptor: bytes, name: str, unique: str, vendor: int, product: int) -> bytes:
    """UHID_CREATE2. Raises ValueError for a report descriptor that is too long."""
    if len(descriptor) > _MAX:
        raise ValueError(f"a report descriptor of {len(descriptor)} bytes")
    head = struct.pack("=I128s64s64s", _CREATE2, name.encode(), b"", unique.encode())
    return (
        head + struct.pack("=HHIIII", len(descriptor), _BUS_USB, vendor, product, 0, 0) + descriptor.ljust(_MAX, b"\0")
    )


def input_report(report: bytes) -> bytes:
    """UHID_INPUT2. Raises ValueError for a report that is too long."""
    if len(report) > _MAX:
        raise ValueError(f"a report of {len(report)} bytes")
    return struct.pack("=IH", _INPUT2, len(report)) + report.ljust(_MAX, b"\0")


def reply_to(event: bytes) -> bytes | None:
    """The answer to the kernel's question for a report, lest it wait: there is none. None: it asked nothing."""
    kind, number = struct.unpack_from("=II", event.ljust(8, b"\0"))
    refused = struct.pack("=IH", number, errno.EIO)
    if kind == _GET_REPORT:
        return struct.pack("=I", _GET_REPORT_REPLY) + refused + struct.pack("=H", 0)
    return struct.pack("=I", _SET_REPORT_REPLY) + refused if kind == _SET_REPORT else None


class UhidDevice(NodeSocket):
    """`path` leads to its `event` or `hidraw` device, `link` takes one report a write.

    Plugging it in raises DeviceError: `absent` or `refused` /dev/uhid, `timeout` for the node.
    """

    def __init__(
        self,
        descriptor: bytes,
        kind: Literal["event", "hidraw"],
        symlink: Path | None = None,
        *,
        name: str = "holdfast simulated scanner",
        vendor: int = 0x05E0,
        product: int = 0x1200,
    ) -> None:
        super().__init__(symlink)
        self._descriptor = descriptor
        self._kind = kind
        self._about = name, vendor, product

    async def _make(self) -> tuple[Link, Path]:
        unique = f"holdfast-{os.getpid()}-{next(_numbers)}"
        name, vendor, product = self._about
        fd = await asyncio.to_thread(_open)
        link = _UhidLink(fd, name)
        try:
            os.write(fd, create(self._descriptor, name, unique, vendor, product))
            return link, await _node(unique, self._kind)
        except BaseException:
            await link.close()
            raise


class _UhidLink(DescriptorLink):
    """Reads only to keep the kernel from waiting; gives what the hub writes to nobody."""

    def __init__(self, fd: int, name: str) -> None:
        super().__init__(fd, name)
        self._answering = asyncio.create_task(self._answer(), name=f"uhid {name}")

    async def write(self, data: bytes, *, timeout: float) -> None:
        try:
            await super().write(input_report(data), timeout=timeout)
        except WriteError as error:
            raise WriteError(error.kind, error.detail) from error

    async def _release(self) -> None:
        self._answering.cancel()
        await asyncio.wait({self._answering})
        await asyncio.to_thread(os.close, self._fd)  # waits for the kernel to take the device apart

    async def _answer(self) -> None:
        try:
            while True:
                if (answer := reply_to(await self.read(_EVENT))) is not None:
                    os.write(self._fd, answer)
        except DeviceError:
            return


def _open() -> int:
    try:
        return os.open(UHID, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        kind = "absent" if error.errno in (errno.ENOENT, errno.ENODEV) else "refused"
        raise DeviceError(kind, f"{UHID}: {error.strerror} (modprobe uhid; the right to write to it)") from error


async def _node(unique: str, kind: str) -> Path:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + NODE_TIMEOUT
    while (found := await asyncio.to_thread(_find, unique, kind)) is None:
        if loop.time() > deadline:
            raise DeviceError("timeout", f"the kernel made a device, but no {kind} node")
        await asyncio.sleep(0.01)
    return found


def _find(unique: str, kind: str) -> Path | None:
    for entry in SYS.glob("hidraw*"):
        if f"HID_UNIQ={unique}" in _uevent(entry):
            if kind == "hidraw":
                return _there(Path("/dev") / entry.name)
            return next((_there(Path("/dev/input") / at.name) for at in entry.glob("device/input/input*/event*")), None)
    return None


def _uevent(entry: Path) -> list[str]:
    try:
        return (entry / "device/uevent").read_text().splitlines()
    except OSError:
        return []


def _there(node: Path) -> Path | None:
    return node if node.exists() else None
