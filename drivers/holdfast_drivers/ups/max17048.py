"""MAX17040/41/43/44/48/49 fuel gauges: what is in their registers, and how to read it. Never writes to the chip.

They stand on Geekworm/SupTronics X7xx and X120x boards and many breakouts, at one address that cannot be changed. A
gauge measures the cell; it cannot see the mains. Source: MAX17048/MAX17049 and MAX17043/MAX17044 data sheets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.cells import plausible
from holdfast_drivers.values import DeviceError, PowerReading

ADDRESS = 0x36

VCELL = 0x02
SOC = 0x04
VERSION = 0x08
CONFIG = 0x0C
CONFIG_AT_START = (0x9700, 0x971C)
"""Of a MAX17040/41, and of the others."""
CONFIG_LIVE = 0x00E0
"""Bits of CONFIG that change by themselves or are no settings: sleep and alerts."""
CRATE = 0x16

VCELL_UV = 78.125
"""Microvolts per count and cell, on every part: those with 12 bits leave the low four clear, those for two cells in
series (41, 44, 49) count double for the pack, which is the same per cell."""
SOC_PER_POINT = 256
CRATE_PERMILLE = 2.08
"""Permille of the charge per hour and count."""
ALL_ONES = 0xFFFF
"""What a bus reads when nobody answers."""


def decode_vcell(raw: int) -> int:
    """Millivolts per cell. Raises DeviceError("garbled") for what no working cell has."""
    return plausible(round(raw * VCELL_UV / 1000), f"VCELL 0x{raw:04x}")


def encode_vcell(cell_mv: float) -> int:
    """The 16-bit register for a cell at `cell_mv`, clamped to what the chip can show."""
    return min(max(round(cell_mv * 1000 / VCELL_UV), 0), ALL_ONES)


def decode_soc(raw: int, *, doubled: bool = False) -> int:
    """Charge in permille, 0..1000: the chip may count past 100 %. Raises DeviceError("garbled") for all ones."""
    if raw == ALL_ONES:
        raise DeviceError("garbled", "SOC reads all ones")
    return min(round(raw * 10 / (SOC_PER_POINT * (2 if doubled else 1))), 1000)


def encode_soc(charge: float) -> int:
    """The register for a charge of 0..1."""
    return round(min(max(charge, 0.0), 1.0) * 100 * SOC_PER_POINT)


def decode_crate(raw: int) -> int:
    """Permille per hour, + charging; s16 in the register, so all ones is a valid -2."""
    return round((raw - 0x10000 if raw & 0x8000 else raw) * CRATE_PERMILLE)


def encode_crate(permille_per_hour: float) -> int:
    """The register for a rate, clamped to s16."""
    return min(max(round(permille_per_hour / CRATE_PERMILLE), -0x8000), 0x7FFF) & 0xFFFF


def identify(version: int) -> bool:
    """Does a chip of this VERSION have CRATE. Raises DeviceError("garbled") when it is no gauge's."""
    if version in (0, ALL_ONES):
        raise DeviceError("garbled", f"VERSION 0x{version:04x} is no MAX1704x")
    return version & 0xFFF0 == 0x0010


class Max17048:
    """Reads a gauge on a bus that others may share. Every method raises DeviceError as I2CBus does, and `garbled`.

    `doubled`: the board is wired so that SOC counts double, as some with two cells are; nothing in the chip tells.
    """

    def __init__(
        self,
        bus: I2CBus,
        *,
        has_rate: bool,
        doubled: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.has_rate = has_rate
        self._bus = bus
        self._doubled = doubled
        self._clock = clock

    @classmethod
    async def detect(cls, bus: I2CBus, *, doubled: bool = False, clock: Callable[[], float] = time.monotonic) -> Self:
        """The driver of the gauge found by reading alone: it acknowledges, has a VERSION and a plausible cell."""
        has_rate = identify(await bus.read_word_be(ADDRESS, VERSION))
        driver = cls(bus, has_rate=has_rate, doubled=doubled, clock=clock)
        await driver.read()
        return driver

    async def read(self) -> PowerReading:
        """One sample. `mains` is UNKNOWN."""
        cell_mv = decode_vcell(await self._bus.read_word_be(ADDRESS, VCELL))
        charge = decode_soc(await self._bus.read_word_be(ADDRESS, SOC), doubled=self._doubled)
        rate = decode_crate(await self._bus.read_word_be(ADDRESS, CRATE)) if self.has_rate else None
        return PowerReading(self._clock(), cell_mv=cell_mv, charge_permille=charge, rate_permille_per_hour=rate)


_AT_POWER_UP = {0x06: 0x0000, VERSION: 0x0012, 0x0A: 0x8030, CONFIG: 0x971C, 0x14: 0x00FF, 0x18: 0x9600, 0x1A: 0x0100}
"""The registers of a MAX17048 that do not measure."""


def registers(pack: Measured) -> dict[int, bytes]:
    """What a MAX17048 holds, for simulation: its words in a row, those without a meaning zero."""
    words = _AT_POWER_UP | {
        VCELL: encode_vcell(pack.cell_mv),
        SOC: encode_soc(pack.charge),
        CRATE: encode_crate(pack.permille_per_hour),
    }
    return {VCELL: b"".join(words.get(at, 0).to_bytes(2, "big") for at in range(VCELL, 0x1C, 2))}
