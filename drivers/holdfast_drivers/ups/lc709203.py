"""LC709203F fuel gauge: little-endian words, each with a CRC-8 over the whole transfer. Never writes to the chip.

It may be asleep and miss the first access; the bus tries again. Source: onsemi's data sheet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.cells import KELVIN_DC, plausible
from holdfast_drivers.values import DeviceError, PowerReading

ADDRESS = 0x0B
TEMPERATURE, VOLTAGE, CHARGE, MODE = 0x08, 0x09, 0x0F, 0x16
THERMISTOR = 1
"""MODE in which the chip measures the temperature; otherwise it repeats what it was told."""


def crc8(data: bytes) -> int:
    """CRC-8 with polynomial 0x07 and initial value 0, as SMBus has it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def read_crc(register: int, word: bytes, address: int = ADDRESS) -> int:
    """The CRC that follows `word` when it is read from `register`."""
    return crc8(bytes([address << 1, register, address << 1 | 1]) + word)


class Lc709203:
    """Reads a gauge on a bus that others may share. Every method raises DeviceError as I2CBus does, and `garbled`."""

    def __init__(self, bus: I2CBus, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._clock = clock

    @classmethod
    async def detect(cls, bus: I2CBus, *, clock: Callable[[], float] = time.monotonic) -> Self:
        """The driver, once a sample has come with right CRCs: a battery that speaks SBS sends others."""
        driver = cls(bus, clock=clock)
        await driver.read()
        return driver

    async def read(self) -> PowerReading:
        """One sample. `mains` is UNKNOWN."""
        cell_mv = plausible(await self._word(VOLTAGE), "an LC709203F's cell")
        charge = await self._word(CHARGE)
        if charge > 1000:
            raise DeviceError("garbled", f"a charge of {charge} permille")
        measured = await self._word(MODE) == THERMISTOR
        temperature = await self._word(TEMPERATURE) - KELVIN_DC if measured else None
        return PowerReading(
            self._clock(), cell_mv=cell_mv, charge_permille=charge, pack_mv=cell_mv, temperature_dc=temperature
        )

    async def _word(self, register: int) -> int:
        answer = await self._bus.read_block(ADDRESS, register, 3)
        if read_crc(register, answer[:2]) != answer[2]:
            raise DeviceError("garbled", f"CRC of {answer.hex()} at 0x{register:02x}")
        return int.from_bytes(answer[:2], "little")


def registers(battery: Battery) -> dict[int, bytes]:
    """What the chip answers, for simulation."""
    words = {
        TEMPERATURE: round(battery.temperature_c * 10) + KELVIN_DC,
        VOLTAGE: round(battery.cell_mv),
        CHARGE: round(battery.charge * 1000),
        MODE: THERMISTOR,
    }
    raw = {register: word.to_bytes(2, "little") for register, word in words.items()}
    return {register: word + bytes([read_crc(register, word)]) for register, word in raw.items()}
