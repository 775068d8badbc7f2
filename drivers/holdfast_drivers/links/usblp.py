"""USB printers of the printer class: `/dev/usb/lpN` of Linux's usblp driver. Not a terminal: no speed, no flow control.

From drivers/usb/class/usblp.c: a read of no bytes is an empty packet, not the end, unless the descriptor has hung up;
a printer that cannot talk back refuses reads with EINVAL; a non-blocking write submits one transfer of up to 8 KiB and
counts it as written, and closing before the device has taken it cancels it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.thread import CallThread, opened
from holdfast_drivers.values import DeviceError

OPEN_TIMEOUT = 5.0
"""Seconds."""
EMPTY_PAUSE = 0.1
"""Seconds after an empty packet: some printers send nothing else, all the time."""
DRAIN_TIMEOUT = 1.0
"""Seconds that closing waits for the device to take the last transfer."""
_LOOK_AGAIN = 1.0

_FLAGS = os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY
_ABSENT = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO})


def usblp_opener(path: str) -> Opener:
    """Opens `path`, which should be a stable name made by udev: lp0 is whichever printer was found first.

    usblp itself lets one process in at a time.
    """

    async def open_link() -> Link:
        try:
            thread, fd = await opened(f"usblp {path}", lambda: os.open(path, _FLAGS), os.close, timeout=OPEN_TIMEOUT)
        except DeviceError as error:
            raise DeviceError("busy", error.detail) from error
        except OSError as error:
            kind = "absent" if error.errno in _ABSENT else "busy" if error.errno == errno.EBUSY else "refused"
            raise DeviceError(kind, str(error)) from error
        return UsbLpLink(fd, path, thread)

    return open_link


class UsbLpLink(DescriptorLink):
    def __init__(self, fd: int, path: str, thread: CallThread) -> None:
        super().__init__(fd, path)
        self._thread = thread

    async def read(self, limit: int) -> bytes:
        """Link.read; of a printer that cannot talk back it ends only with the link."""
        while True:
            await self._ready(self._loop.add_reader, self._loop.remove_reader)
            try:
                data = os.read(self._fd, limit)
            except BlockingIOError:
                continue
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise DeviceError("unplugged", f"{self._name}: {error.strerror}") from error
                await self._until_gone()
                raise DeviceError("unplugged", f"{self._name} is gone") from error
            if data:
                return data
            if self._hung_up():
                raise DeviceError("unplugged", f"{self._name}: end of stream")
            await asyncio.sleep(EMPTY_PAUSE)

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, 0)  # a hang-up is told unasked
        return bool(poll.poll(0))

    async def _until_gone(self) -> None:
        while not self._closed:
            if not await asyncio.to_thread(os.path.lexists, self._name):
                return
            await asyncio.sleep(_LOOK_AGAIN)

    async def _release(self) -> None:
        await self._thread.close(self._drain_and_close, timeout=2 * DRAIN_TIMEOUT)

    def _drain_and_close(self) -> None:
        """Once the device has taken the last transfer; at once after a write that stalled, which cancels it."""
        if not self._stalled:
            poll = select.poll()
            poll.register(self._fd, select.POLLOUT)
            poll.poll(DRAIN_TIMEOUT * 1000)
        os.close(self._fd)
