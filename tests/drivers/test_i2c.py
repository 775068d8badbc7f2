"""I²C buses: deadlines, retries, typed failures, and a bus that hangs without taking anything with it."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.links import i2c
from holdfast_drivers.links.i2c import PAUSE, TRIES, I2CBus, i2c_bus, swapped
from holdfast_drivers.links.pec import crc8, read_pec
from holdfast_drivers.links.registers import Hang, MemoryBus, Nack
from holdfast_drivers.links.thread import CallThread, opened
from holdfast_drivers.values import DeviceError
from support.descriptors import open_descriptors


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


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i2c, "RETRY_AFTER", 0.0)


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
        (OSError(errno.ENXIO, "nack"), "absent", TRIES),
        (OSError(errno.EBADMSG, "checksum"), "garbled", TRIES),
        (OSError(errno.EIO, "arbitration"), "bus_stuck", TRIES),
        (OSError(errno.EAGAIN, "arbitration"), "bus_stuck", TRIES),
        (OSError(errno.EBUSY, "held too long"), "bus_stuck", TRIES),
        (OSError(errno.EOPNOTSUPP, "no such transfer"), "refused", 1),
        (OSError(errno.ENODEV, "the adapter's node is gone"), "unplugged", 1),
        (Hang(), "bus_stuck", TRIES),
        (OSError(errno.ETIMEDOUT, "held"), "bus_stuck", TRIES),
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


async def test_a_hanging_transfer_times_its_callers_out_and_no_other_bus_and_recovers() -> None:
    now = 0.0
    hanging, healthy = Hanging(), I2CBus(MemoryBus({0x36: Bytes()}))
    stuck = I2CBus(hanging, deadline=0.05, clock=lambda: now)
    blocked = asyncio.create_task(stuck.read_word(0x36, 0))
    await asyncio.sleep(0)
    assert await healthy.read_byte(0x36, 7) == 7
    with pytest.raises(DeviceError, match="bus_stuck: i2c is stuck in an earlier call"):
        await blocked
    assert stuck.stuck

    hanging.released.set()
    await asyncio.sleep(0.01)
    with pytest.raises(DeviceError, match="bus_stuck: i2c is held"):
        await stuck.read_byte(0x36, 9)
    now = PAUSE
    assert await stuck.read_byte(0x36, 9) == 9
    assert not stuck.stuck
    await stuck.close()
    await healthy.close()


async def test_a_stuck_bus_is_not_spun_on(caplog: pytest.LogCaptureFixture) -> None:
    """Three tries, then one each PAUSE, however often it is asked; and free as soon as one goes through."""
    now = 0.0
    chip = Bytes(*[OSError(errno.ETIMEDOUT, "held")] * (TRIES + 2))
    bus = I2CBus(MemoryBus({0x36: chip}), clock=lambda: now)
    reads = []
    for _ in range(3):
        for _ in range(100):
            with pytest.raises(DeviceError) as caught:
                await bus.read_byte(0x36, 5)
            assert caught.value.kind == "bus_stuck"
        reads.append(chip.reads)
        now += PAUSE
    assert reads == [TRIES, TRIES + 1, TRIES + 2]
    assert await bus.read_byte(0x36, 5) == 5
    assert not bus.stuck
    told = [record.message for record in caplog.records]
    assert told == ["i2c is stuck: timeout: i2c 0x36: [Errno 110] held", "i2c works again"]
    await bus.close()


@pytest.mark.parametrize("answer", [Nack(), OSError(errno.EBADMSG, "checksum")])
async def test_a_chip_that_answers_wrong_or_not_at_all_does_not_hold_the_bus(answer: Exception) -> None:
    held = OSError(errno.EIO, "arbitration")
    chip = Bytes(held, held, answer, held, held)
    bus = I2CBus(MemoryBus({0x36: chip}))
    with pytest.raises(DeviceError):
        await bus.read_byte(0x36, 5)
    assert await bus.read_byte(0x36, 5) == 5
    assert not bus.stuck
    await bus.close()


async def test_a_chip_a_kernel_driver_has_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i2c, "SYSFS", tmp_path)
    (tmp_path / "1-0036" / "driver").mkdir(parents=True)
    chip = Bytes(*[OSError(errno.EBUSY, "in use")] * 9)
    bus = I2CBus(MemoryBus({0x36: chip, 0x37: chip}), name="/dev/i2c-1")
    with pytest.raises(DeviceError, match="busy"):
        await bus.read_byte(0x36, 0)
    assert chip.reads == 1
    with pytest.raises(DeviceError, match="bus_stuck"):
        await bus.read_byte(0x37, 0)
    await bus.close()


# Checksums


def test_pec_vectors() -> None:
    assert crc8(b"123456789") == 0xF4, "CRC-8/SMBUS in the catalogue of CRCs"
    assert crc8(bytes.fromhex("16150100")) == 0x64, "LC709203F, write of 1 to 0x15"
    assert crc8(bytes.fromhex("160755aa")) == 0x17
    assert read_pec(0x0B, 0x09, bytes.fromhex("740e")) == 0xB7


@given(word=st.integers(0, 0xFFFF), flips=st.lists(st.integers(0, 23), min_size=1, max_size=2, unique=True))
def test_a_checksum_sees_one_and_two_wrong_bits(word: int, flips: list[int]) -> None:
    data = word.to_bytes(2, "little")
    sent = bytearray(data + bytes([read_pec(0x0B, 0x09, data)]))
    for flip in flips:
        sent[flip // 8] ^= 1 << flip % 8
    assert read_pec(0x0B, 0x09, bytes(sent[:2])) != sent[2]


async def test_a_word_with_a_wrong_checksum_is_read_again() -> None:
    good = bytes.fromhex("740eb7")

    class Noisy(Bytes):
        def read(self, register: int, length: int) -> bytes:
            super().read(register, length)
            return (good if self.reads == TRIES else bytes.fromhex("750eb7"))[:length]

    chip = Noisy()
    bus = I2CBus(MemoryBus({0x0B: chip}))
    assert await bus.read_word(0x0B, 0x09, pec=True) == 3700
    assert await bus.read_word(0x0B, 0x09) == 3701, "without it nobody knows"
    with pytest.raises(DeviceError, match="garbled: i2c 0x0b: checksum of register 0x09"):
        await bus.read_word(0x0B, 0x09, pec=True)
    await bus.close()


async def test_a_short_answer_is_garbled() -> None:
    class Short(MemoryBus):
        def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
            return super().read_i2c_block_data(i2c_addr, register, length)[:-1]

    bus = I2CBus(Short({0x36: Bytes()}))
    with pytest.raises(DeviceError, match="3 bytes for 4"):
        await bus.read_block(0x36, 0, 4)
    await bus.close()


async def test_closing_a_stuck_bus_waits_for_nothing_and_happens_in_the_end() -> None:
    hanging = Hanging()
    bus = I2CBus(hanging, deadline=0.02)
    with pytest.raises(DeviceError, match="bus_stuck"):
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


async def test_opening_reports_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="absent"):
        await i2c_bus(f"{tmp_path}/i2c-9")
    descriptors = open_descriptors()
    with pytest.raises(DeviceError, match="refused"):
        await i2c_bus("/dev/null")
    assert open_descriptors() == descriptors
    with pytest.raises(DeviceError, match="absent"):
        await i2c_bus(f"bench:{tmp_path}/none.sock")
