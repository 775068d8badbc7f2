"""LC709203F fuel gauge: little-endian words, each with SMBus's checksum. Never writes to the chip.

It may be asleep and miss the first access; the bus tries again. Source: onsemi's data sheet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.links.pec import read_pec
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.cells import KELVIN_DC, plausible
from holdfast_drivers.values import DeviceError, PowerReading

ADDRESS = 0x0B
TEMPERATURE, VOLTAGE, CHARGE, MODE = 0x08, 0x09, 0x0F, 0x16
THERMISTOR = 1
"""MODE in which the chip measures the temperature; otherwise it repeats what it was told."""


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
        return await self._bus.read_word(ADDRESS, register, pec=True)


def registers(pack: Measured) -> dict[int, bytes]:
    """What the chip answers, for simulation."""
    words = {
        TEMPERATURE: round(pack.temperature_c * 10) + KELVIN_DC,
        VOLTAGE: round(pack.cell_mv),
        CHARGE: round(pack.charge * 1000),
        MODE: THERMISTOR,
    }
    raw = {register: word.to_bytes(2, "little") for register, word in words.items()}
    return {register: word + bytes([read_pec(ADDRESS, register, word)]) for register, word in raw.items()}
