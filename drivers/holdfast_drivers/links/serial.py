"""Serial ports: RS-232, USB CDC-ACM, USB adapters and PTYs. pyserial sets the port up; the bytes go by DescriptorLink.

Never hand this a port that has not been identified: opening raises DTR and RTS, and some devices reset on that.
"""

from __future__ import annotations

import errno
import fcntl
import os
import termios
from contextlib import AsyncExitStack, suppress
from typing import Any

import serial

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.thread import CallThread
from holdfast_drivers.values import DeviceError

OPEN_TIMEOUT = 5.0
"""Seconds. A healthy port opens in milliseconds; a USB adapter that hangs in its driver never does."""

_ABSENT = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO})
_BUSY = frozenset({errno.EBUSY, errno.EAGAIN})
_PTY_MAJORS = range(136, 144)  # Linux, Documentation/admin-guide/devices.txt: UNIX98 PTY slaves


def serial_opener(
    path: str,
    *,
    baudrate: int = 9600,
    bytesize: int = 8,
    parity: str = "N",
    stopbits: float = 1,
    rtscts: bool = False,
    xonxoff: bool = False,
    low_latency: bool = True,
) -> Opener:
    """Opens `path` for this process alone, raw, emptied of what came before. `parity` is one of N E O M S.

    Raises ValueError at once for settings no port has.
    """
    settings = {
        "baudrate": baudrate,
        "bytesize": bytesize,
        "parity": parity,
        "stopbits": stopbits,
        "rtscts": rtscts,
        "xonxoff": xonxoff,
    }
    serial.Serial(None, **settings)

    async def open_link() -> Link:
        port = serial.Serial(None, exclusive=True, **settings)
        port.port = path
        thread = CallThread(f"serial {path}")
        async with AsyncExitStack() as undo:
            # The thread works in order: an open that outlives its caller is followed by this close, so nothing leaks.
            undo.push_async_callback(thread.close, port.close)
            await _call(thread, port, low_latency=low_latency)
            undo.pop_all()
        return _SerialLink(port, path, thread)

    return open_link


def holds_back(path: str) -> bool:
    """Whether the device behind `path` makes a writer wait by itself: USB CDC-ACM and PTYs do, UARTs do not."""
    name = os.path.realpath(path)
    return name.startswith(("/dev/ttyACM", "/dev/pts/"))


class _SerialLink(DescriptorLink):
    def __init__(self, port: Any, name: str, thread: CallThread) -> None:
        super().__init__(port.fileno(), name)
        self._port = port
        self._thread = thread

    async def _release(self) -> None:
        await self._thread.close(self._close_port)

    def _close_port(self) -> None:
        with suppress(OSError, termios.error):  # the device may be gone
            if self._stalled:
                # Else the kernel waits up to 30 s for the device, then prints what its owner has given up on.
                termios.tcflush(self._fd, termios.TCOFLUSH)
        with suppress(OSError):
            self._port.close()


async def _call(thread: CallThread, port: Any, *, low_latency: bool) -> None:
    try:
        await thread.call(lambda: _open(port, low_latency=low_latency), timeout=OPEN_TIMEOUT)
    except DeviceError as error:
        raise DeviceError("busy", error.detail) from error
    except OSError as error:
        raise DeviceError(_kind(error), str(error)) from error


def _open(port: Any, *, low_latency: bool) -> None:
    """Blocking: open with flock and TIOCEXCL, set the line, drop stale input."""
    port.open()
    if port.parity != serial.PARITY_NONE:
        _check_parity(port.fileno())
    if os.major(os.fstat(port.fileno()).st_rdev) not in _PTY_MAJORS:
        # flock stops only those who ask for it, TIOCEXCL everyone but root. On a PTY the mark would stay as long as
        # its master lives, and lock out the successor of a process that was killed.
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
    if low_latency:
        with suppress(OSError, ValueError):  # a wish: many drivers have no such knob
            port.set_low_latency_mode(True)


def _check_parity(fd: int) -> None:
    """A byte whose parity is wrong is read as NUL, which is no digit. pyserial leaves it unchecked."""
    settings = termios.tcgetattr(fd)
    settings[0] |= termios.INPCK  # and neither IGNPAR nor PARMRK: termios(3)
    termios.tcsetattr(fd, termios.TCSANOW, settings)


def _kind(error: OSError) -> str:
    cause = error.errno
    if cause is None and isinstance(error.__context__, termios.error):
        cause = error.__context__.args[0]
    if cause in _ABSENT:
        return "absent"
    return "busy" if cause in _BUSY else "refused"
