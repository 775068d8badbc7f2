"""I²C buses: one thread each, every call with a deadline. Which chip sits at an address is the driver's affair.

Anything with smbus2's interface serves: `/dev/i2c-*` through smbus2, the bench over a socket, a table in memory.

A bus on which TRIES transfers in a row failed as only a held bus fails (no answer in time, lost arbitration) is taken
for stuck: `bus_stuck`, and not touched again for PAUSE seconds. Freeing it is the kernel's affair where it can
(DesignWare's bus clear on a Pi 5; on an i2c-gpio bus every try is nine clocks), else that of links/release.py.

Errors are the kernel's (Documentation/i2c/fault-codes.rst).
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from smbus2 import SMBus

from holdfast_drivers.links.bench_client import BenchBus
from holdfast_drivers.links.pec import read_pec
from holdfast_drivers.links.thread import CallThread, opened
from holdfast_drivers.values import DeviceError

T = TypeVar("T")

TRIES = 3
RETRY_AFTER = 0.05
"""Seconds between tries; gauges that slept through the first access answer the next."""
PAUSE = 5.0
"""Seconds a stuck bus is left alone; then one try, without a second."""
DEADLINE = 0.5
"""Seconds for one transfer; the longest SMBus transfer at 10 kHz with clock stretching is far below."""
OPEN_DEADLINE = 2.0
BENCH = "bench:"
SYSFS = Path("/sys/bus/i2c/devices")

_KINDS = {
    errno.EREMOTEIO: "absent",
    errno.ENXIO: "absent",
    errno.ETIMEDOUT: "timeout",
    errno.EBADMSG: "garbled",
    errno.EOPNOTSUPP: "refused",
}
_OPEN_KINDS = {errno.ENOENT: "absent", errno.ENODEV: "absent", errno.EACCES: "refused", errno.ENOTTY: "refused"}
_HELD = frozenset({"timeout", "bus"})
"""What a bus says that a chip holds, or that has a line shorted."""
_AGAIN = _HELD | {"absent", "garbled"}

_log = logging.getLogger(__name__)


class SMBusLike(Protocol):
    """The part of smbus2.SMBus in use. Words are little-endian as SMBus has them; calls block and raise OSError."""

    def read_byte_data(self, i2c_addr: int, register: int) -> int: ...
    def read_word_data(self, i2c_addr: int, register: int) -> int: ...
    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]: ...
    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None: ...
    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None: ...
    def close(self) -> None: ...


class I2CBus:
    """One bus and its thread. A transfer that hangs costs its caller the deadline, no more.

    Every method raises DeviceError: `absent` (no acknowledge), `garbled` (checksum, short answer), `busy` (a kernel
    driver has the chip), `refused` (beyond the adapter), `bus_stuck`, `unplugged` (the adapter is gone); a write also
    `timeout` and `bus` (arbitration, controller).
    """

    def __init__(
        self,
        bus: SMBusLike,
        *,
        name: str = "i2c",
        deadline: float = DEADLINE,
        thread: CallThread | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._bus = bus
        self._deadline = deadline
        self._thread = thread or CallThread(name)
        self._clock = clock
        self._held = 0
        self._look_again = 0.0

    @property
    def stuck(self) -> bool:
        """Transfers fail as on a held bus; until one goes through, calls fail with `bus_stuck`."""
        return self._held >= TRIES

    async def read_byte(self, address: int, register: int) -> int:
        """An 8-bit register."""
        return await self._retried(lambda: self._bus.read_byte_data(address, register), address)

    async def read_word(self, address: int, register: int, *, pec: bool = False) -> int:
        """A 16-bit register of a little-endian chip (SMBus order); with `pec` its checksum must be right, too."""
        if pec:
            return int.from_bytes(await self._retried(lambda: self._checked(address, register, 2), address), "little")
        return await self._retried(lambda: self._bus.read_word_data(address, register), address)

    async def read_word_be(self, address: int, register: int) -> int:
        """A 16-bit register of a big-endian chip (MAX1704x, INA2xx): SMBus order swapped."""
        return swapped(await self.read_word(address, register))

    async def read_block(self, address: int, register: int, length: int) -> bytes:
        """1..32 bytes from `register` on, in one transfer, so that multi-byte values are coherent."""
        return await self._retried(lambda: self._read(address, register, length), address)

    async def write_byte(self, address: int, register: int, value: int) -> None:
        """Write an 8-bit register once, as `write_word` does."""
        await self._once(lambda: self._bus.write_byte_data(address, register, value), address)

    async def write_word(self, address: int, register: int, value: int) -> None:
        """Write once, in SMBus order: a failed write may have been taken, so trying again is the caller's choice."""
        await self._once(lambda: self._bus.write_word_data(address, register, value), address)

    async def close(self) -> None:
        """Release the adapter; behind a hanging transfer, once that returns. Idempotent; never raises."""
        await self._thread.close(self._bus.close)

    def _read(self, address: int, register: int, length: int) -> bytes:
        data = bytes(self._bus.read_i2c_block_data(address, register, length))
        if len(data) != length:
            raise DeviceError("garbled", f"{self.name} 0x{address:02x}: {len(data)} bytes for {length}")
        return data

    def _checked(self, address: int, register: int, length: int) -> bytes:
        """Read with one byte more: on the wire the same as SMBus's transfer with PEC, on adapters without it, too."""
        *data, pec = self._read(address, register, length + 1)
        if read_pec(address, register, bytes(data)) != pec:
            raise DeviceError("garbled", f"{self.name} 0x{address:02x}: checksum of register 0x{register:02x}")
        return bytes(data)

    async def _retried(self, transfer: Callable[[], T], address: int) -> T:
        for _ in range(TRIES - 1):
            try:
                return await self._once(transfer, address)
            except DeviceError as error:
                if error.kind not in _AGAIN:
                    raise
            await asyncio.sleep(RETRY_AFTER)
        return await self._once(transfer, address)

    async def _once(self, transfer: Callable[[], T], address: int) -> T:
        if self.stuck and self._clock() < self._look_again:
            raise DeviceError("bus_stuck", f"{self.name} is held; it is left alone for {PAUSE:g} s at a time")

        def typed() -> T:
            try:
                return transfer()
            except OSError as error:
                kind = self._kind(error.errno or 0, address)
                raise DeviceError(kind, f"{self.name} 0x{address:02x}: {error}") from error

        try:
            result = await self._thread.call(typed, timeout=self._deadline)
        except DeviceError as error:
            self._note(error)
            if self.stuck:
                raise DeviceError("bus_stuck", error.detail) from error
            raise
        self._free()
        return result

    def _kind(self, code: int, address: int) -> str:
        """Of a failed transfer; runs in the bus's thread."""
        node = Path(self.name)
        if code in (errno.ENODEV, errno.ESHUTDOWN, errno.EBADF):
            return "absent" if node.exists() else "unplugged"
        if code == errno.EBUSY and (SYSFS / f"{node.name.partition('-')[2]}-{address:04x}" / "driver").exists():
            return "busy"
        return _KINDS.get(code, "bus")

    def _note(self, error: DeviceError) -> None:
        if error.kind not in _HELD:
            if error.kind in ("absent", "garbled"):
                self._free()
            return
        self._held += 1
        if self.stuck:
            self._look_again = self._clock() + PAUSE
            if self._held == TRIES:
                _log.warning("%s is stuck: %s", self.name, error)

    def _free(self) -> None:
        """A chip answered, or left the line high where it could have: nobody holds the bus."""
        if self.stuck:
            _log.warning("%s works again", self.name)
        self._held = 0


def swapped(word: int) -> int:
    """A 16-bit word with its two bytes exchanged."""
    return (word & 0xFF) << 8 | word >> 8


async def i2c_bus(spec: str, *, deadline: float = DEADLINE) -> I2CBus:
    """Open `/dev/i2c-1` or `bench:/path.sock`. Raises DeviceError(`absent`|`refused`|`timeout`|`bus`)."""
    thread, bus = await opened(spec, lambda: _open(spec), lambda late: late.close(), timeout=OPEN_DEADLINE)
    return I2CBus(bus, name=spec, deadline=deadline, thread=thread)


def _open(spec: str) -> SMBusLike:
    if spec.startswith(BENCH):
        return BenchBus(spec.removeprefix(BENCH))
    bus = SMBus()
    try:
        bus.open(spec)
    except OSError as error:
        bus.close()
        raise DeviceError(_OPEN_KINDS.get(error.errno or 0, "bus"), f"{spec}: {error.strerror}") from error
    return bus
