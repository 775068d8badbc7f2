"""I²C buses: deadlines, retries, typed failures, and a bus that hangs without taking anything with it."""

from __future__ import annotations

import asyncio
import errno
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driver_tools import open_descriptors, until
from holdfast_drivers.links.i2c import TRIES, I2CBus, i2c_bus, swapped
from holdfast_drivers.links.registers import Hang, MemoryBus, Nack
from holdfast_drivers.links.thread import CallThread, opened
from holdfast_drivers.values import DeviceError


class Bytes:
    """256 register bytes; `failures` are raised first, one per read."""

    def __init__(self, *failures: Exception) -> None:
        self.bytes = bytearray(range(256))
        self.failures = list(failures)
        self.reads = 0

    def read(self, register: int, length: int) -> bytes:
        self.reads += 1
        if self.failures:
            raise self.failures.pop(0)
        return bytes(self.bytes[register : register + length])

    def write(self, register: int, data: bytes) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.bytes[register : register + len(data)] = data


class Hanging(MemoryBus):
    """Its next read does not return before `released` is set."""

    def __init__(self) -> None:
        super().__init__({0x36: Bytes()})
        self.released = threading.Event()
        self.closed = threading.Event()

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        self.released.wait(10)
        return super().read_word_data(i2c_addr, register)

    def close(self) -> None:
        self.closed.set()


async def test_reads_and_writes_each_width_in_its_order() -> None:
    chip = Bytes()
    bus = I2CBus(MemoryBus({0x36: chip}))
    assert await bus.read_byte(0x36, 0x10) == 0x10
    assert await bus.read_word(0x36, 0x10) == 0x1110
    assert await bus.read_word_be(0x36, 0x10) == 0x1011
    assert await bus.read_block(0x36, 0x10, 4) == bytes([0x10, 0x11, 0x12, 0x13])
    await bus.write_word(0x36, 0x20, 0xABCD)
    assert chip.bytes[0x20:0x22] == bytes([0xCD, 0xAB])
    await bus.close()


@given(st.integers(0, 0xFFFF))
def test_swapping_twice_changes_nothing(word: int) -> None:
    assert swapped(swapped(word)) == word
    assert swapped(word).to_bytes(2, "little") == word.to_bytes(2, "big")


async def test_a_read_is_tried_again_and_then_succeeds() -> None:
    chip = Bytes(Nack(), OSError(errno.EIO, "arbitration"))
    bus = I2CBus(MemoryBus({0x36: chip}))
    assert await bus.read_byte(0x36, 5) == 5
    assert chip.reads == TRIES
    await bus.close()


@pytest.mark.parametrize(
    ("failure", "kind", "reads"),
    [
        (Nack(), "absent", TRIES),
        (OSError(errno.EREMOTEIO, "nack"), "absent", TRIES),
        (OSError(errno.EIO, "arbitration"), "bus", TRIES),
        (Hang(), "timeout", 1),
        (OSError(errno.ETIMEDOUT, "held"), "timeout", 1),
    ],
)
async def test_failures_have_a_kind_and_tries_an_end(failure: Exception, kind: str, reads: int) -> None:
    chip = Bytes(*[failure] * 10)
    bus = I2CBus(MemoryBus({0x36: chip}))
    with pytest.raises(DeviceError) as caught:
        await bus.read_word_be(0x36, 2)
    assert (caught.value.kind, chip.reads) == (kind, reads)
    await bus.close()


async def test_an_address_with_no_chip_is_absent() -> None:
    bus = I2CBus(MemoryBus({}))
    with pytest.raises(DeviceError, match="absent"):
        await bus.read_byte(0x36, 0)
    await bus.close()


async def test_a_write_is_never_repeated() -> None:
    chip = Bytes(OSError(errno.EIO, "arbitration"))
    bus = I2CBus(MemoryBus({0x36: chip}))
    with pytest.raises(DeviceError, match="bus"):
        await bus.write_word(0x36, 0x20, 0xABCD)
    assert chip.bytes[0x20:0x22] == bytes([0x20, 0x21])
    await bus.close()


async def test_a_stuck_bus_times_its_callers_out_and_no_other_bus_and_recovers() -> None:
    hanging, healthy = Hanging(), I2CBus(MemoryBus({0x36: Bytes()}))
    stuck = I2CBus(hanging, deadline=0.05)
    blocked = asyncio.create_task(stuck.read_word(0x36, 0))
    await asyncio.sleep(0)
    assert await healthy.read_byte(0x36, 7) == 7
    with pytest.raises(DeviceError, match="timeout"):
        await blocked
    assert stuck.stuck

    with pytest.raises(DeviceError, match="stuck in an earlier call"):
        await stuck.read_byte(0x36, 0)

    hanging.released.set()
    await until(lambda: not stuck.stuck)
    assert await stuck.read_byte(0x36, 9) == 9
    await stuck.close()
    await healthy.close()


async def test_closing_a_stuck_bus_waits_for_nothing_and_happens_in_the_end() -> None:
    hanging = Hanging()
    bus = I2CBus(hanging, deadline=0.02)
    with pytest.raises(DeviceError, match="timeout"):
        await bus.read_word(0x36, 0)
    async with asyncio.timeout(0.8):
        await bus.close()
    assert not hanging.closed.is_set()
    hanging.released.set()
    assert await asyncio.to_thread(hanging.closed.wait, 5)
    with pytest.raises(DeviceError):
        await bus.read_byte(0x36, 0)


async def test_a_call_given_up_before_it_began_never_runs() -> None:
    thread, gate, ran = CallThread("t"), threading.Event(), []
    first = asyncio.create_task(thread.call(lambda: gate.wait(5), timeout=5))
    await asyncio.sleep(0)
    cancelled = asyncio.create_task(thread.call(lambda: ran.append("cancelled"), timeout=5))
    await asyncio.sleep(0.01)
    cancelled.cancel()
    await asyncio.wait({cancelled})
    with pytest.raises(DeviceError, match="timeout"):
        await thread.call(lambda: ran.append("late"), timeout=0.02)
    assert not thread.stuck, "the running call is within its own deadline"
    gate.set()
    time.sleep(0.02)  # noqa: ASYNC251 - the thread goes on before the loop turns again
    assert await first is True
    await thread.call(lambda: ran.append("next"), timeout=5)
    assert ran == ["next"]
    await thread.close()


async def test_what_is_opened_too_late_is_closed() -> None:
    gate, closed = threading.Event(), threading.Event()

    def slow() -> str:
        gate.wait(5)
        return "port"

    with pytest.raises(DeviceError, match="timeout"):
        await opened("t", slow, lambda _: closed.set(), timeout=0.02)
    assert not closed.is_set()
    gate.set()
    assert await asyncio.to_thread(closed.wait, 5)


async def test_opening_reports_what_is_wrong(tmp_path: object) -> None:
    with pytest.raises(DeviceError, match="absent"):
        await i2c_bus(f"{tmp_path}/i2c-9")
    descriptors = open_descriptors()
    with pytest.raises(DeviceError, match="refused"):
        await i2c_bus("/dev/null")
    assert open_descriptors() == descriptors
    with pytest.raises(DeviceError, match="absent"):
        await i2c_bus(f"bench:{tmp_path}/none.sock")
