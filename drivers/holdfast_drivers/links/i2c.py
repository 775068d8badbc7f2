"""I²C buses: one thread each, every call with a deadline. Which chip sits at an address is the driver's affair.

Anything with smbus2's interface serves: `/dev/i2c-*` through smbus2, the bench over a socket, a table in memory.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Protocol, TypeVar

from smbus2 import SMBus

from holdfast_drivers.links.bench_client import BenchBus
from holdfast_drivers.links.thread import CallThread, opened
from holdfast_drivers.values import DeviceError

T = TypeVar("T")

TRIES = 3
RETRY_AFTER = 0.05
"""Seconds between tries; gauges that slept through the first access answer the next."""
DEADLINE = 0.5
"""Seconds for one transfer; the longest SMBus transfer at 10 kHz with clock stretching is far below."""
OPEN_DEADLINE = 2.0
BENCH = "bench:"

_KINDS = {errno.EREMOTEIO: "absent", errno.ENXIO: "absent", errno.ETIMEDOUT: "timeout"}
_OPEN_KINDS = {errno.ENOENT: "absent", errno.ENODEV: "absent", errno.EACCES: "refused", errno.ENOTTY: "refused"}


class SMBusLike(Protocol):
    """The part of smbus2.SMBus in use. Words are little-endian as SMBus has them; calls block and raise OSError."""

    def read_byte_data(self, i2c_addr: int, register: int) -> int: ...
    def read_word_data(self, i2c_addr: int, register: int) -> int: ...
    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]: ...
    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None: ...
    def close(self) -> None: ...


class I2CBus:
    """One bus and its thread. A transfer that hangs costs its caller the deadline and marks the bus `stuck`, no more.

    Every method raises DeviceError: `absent` (no acknowledge), `timeout`, `bus` (arbitration, controller),
    `unplugged` (the adapter is gone).
    """

    def __init__(
        self, bus: SMBusLike, *, name: str = "i2c", deadline: float = DEADLINE, thread: CallThread | None = None
    ) -> None:
        self.name = name
        self._bus = bus
        self._deadline = deadline
        self._thread = thread or CallThread(name)

    @property
    def stuck(self) -> bool:
        """A transfer has not returned since its deadline; until it does, every call fails with `timeout`."""
        return self._thread.stuck

    async def read_byte(self, address: int, register: int) -> int:
        """An 8-bit register."""
        return await self._retried(lambda: self._bus.read_byte_data(address, register), address)

    async def read_word(self, address: int, register: int) -> int:
        """A 16-bit register of a little-endian chip (SMBus order)."""
        return await self._retried(lambda: self._bus.read_word_data(address, register), address)

    async def read_word_be(self, address: int, register: int) -> int:
        """A 16-bit register of a big-endian chip (MAX1704x, INA2xx): SMBus order swapped."""
        return swapped(await self.read_word(address, register))

    async def read_block(self, address: int, register: int, length: int) -> bytes:
        """1..32 bytes from `register` on, in one transfer, so that multi-byte values are coherent."""
        return bytes(await self._retried(lambda: self._bus.read_i2c_block_data(address, register, length), address))

    async def write_word(self, address: int, register: int, value: int) -> None:
        """Write once, in SMBus order: a failed write may have been taken, so trying again is the caller's choice."""
        await self._once(lambda: self._bus.write_word_data(address, register, value), address)

    async def close(self) -> None:
        """Release the adapter; behind a hanging transfer, once that returns. Idempotent; never raises."""
        await self._thread.close(self._bus.close)

    async def _retried(self, transfer: Callable[[], T], address: int) -> T:
        for _ in range(TRIES - 1):
            try:
                return await self._once(transfer, address)
            except DeviceError as error:
                if error.kind not in ("absent", "bus"):
                    raise
            await asyncio.sleep(RETRY_AFTER)
        return await self._once(transfer, address)

    async def _once(self, transfer: Callable[[], T], address: int) -> T:
        def typed() -> T:
            try:
                return transfer()
            except OSError as error:
                raise DeviceError(
                    _KINDS.get(error.errno or 0, "bus"), f"{self.name} 0x{address:02x}: {error}"
                ) from error

        return await self._thread.call(typed, timeout=self._deadline)


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
