"""PiSugar 3, PiSugar 2 and PiSugar 2 Pro. Never writes to the board.

Source: PiSugar's register list and its power manager, which alone documents the PiSugar 2. That one measures the
voltage; the charge is estimated from it. What the boards say of currents has no documented sign and is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.cells import charge_from_voltage, permille, plausible
from holdfast_drivers.values import DeviceError, PowerReading, Tri

ADDRESS_3 = 0x57
STATUS, VOLTAGE_HIGH, VOLTAGE_LOW, CHARGE, FIRMWARE = 0x02, 0x22, 0x23, 0x2A, 0xE2
EXTERNAL_POWER = 0x80
FIRMWARE_LENGTH = 15

ADDRESS_2 = 0x75
OFFSET_MV = 2600
STEP_MV = 0.26855


@dataclass(frozen=True, slots=True)
class Chip2:
    """The power chip of a PiSugar 2: where voltage and mains stand."""

    name: str
    voltage: int
    """Register of the low byte; the high one follows."""
    mains: int
    mains_mask: int
    mains_value: int


IP5209 = Chip2("pisugar2", voltage=0xA2, mains=0x55, mains_mask=0x10, mains_value=0x10)
IP5312 = Chip2("pisugar2pro", voltage=0xD0, mains=0xDD, mains_mask=0xFF, mains_value=0x1F)


def decode_firmware(raw: bytes) -> str:
    """The version of a PiSugar 3. Raises DeviceError("garbled") when it is none."""
    text = raw.partition(b"\0")[0]
    if not (text.isascii() and text[:1].isdigit() and b"." in text and text.decode("ascii").isprintable()):
        raise DeviceError("garbled", f"{raw.hex()} is no PiSugar's firmware version")
    return text.decode("ascii")


def decode_voltage_2(low: int, high: int) -> int:
    """Millivolts from a PiSugar 2's two registers: 14 bits in two's complement around 2.6 V."""
    counts = (high & 0x3F) << 8 | low
    return round(OFFSET_MV + (counts - 0x4000 if counts & 0x2000 else counts) * STEP_MV)


def encode_voltage_2(cell_mv: float) -> tuple[int, int]:
    """(low, high) registers of a PiSugar 2."""
    counts = min(max(round((cell_mv - OFFSET_MV) / STEP_MV), -0x2000), 0x1FFF) & 0x3FFF
    return counts & 0xFF, counts >> 8


class PiSugar3:
    """Reads the board's controller. Every method raises DeviceError as I2CBus does, and `garbled`."""

    def __init__(self, bus: I2CBus, *, address: int = ADDRESS_3, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._address = address
        self._clock = clock

    @classmethod
    async def detect(
        cls, bus: I2CBus, *, address: int = ADDRESS_3, clock: Callable[[], float] = time.monotonic
    ) -> Self:
        """The driver, once firmware version and cell are plausible: real-time clocks bring an EEPROM to 0x57."""
        version = bytes([await bus.read_byte(address, FIRMWARE + i) for i in range(FIRMWARE_LENGTH)])
        decode_firmware(version)
        driver = cls(bus, address=address, clock=clock)
        await driver.read()
        return driver

    async def read(self) -> PowerReading:
        """One sample."""
        status = await self._bus.read_byte(self._address, STATUS)
        cell_mv = plausible(await self._voltage(), "a PiSugar 3's cell")
        charge = permille(await self._bus.read_byte(self._address, CHARGE))
        mains = Tri.YES if status & EXTERNAL_POWER else Tri.NO
        return PowerReading(self._clock(), cell_mv=cell_mv, charge_permille=charge, mains=mains, pack_mv=cell_mv)

    async def _voltage(self) -> int:
        """Two bytes, the high one read again: it must not have moved between."""
        high = await self._bus.read_byte(self._address, VOLTAGE_HIGH)
        low = await self._bus.read_byte(self._address, VOLTAGE_LOW)
        if await self._bus.read_byte(self._address, VOLTAGE_HIGH) != high:
            raise DeviceError("garbled", "the voltage moved while it was read")
        return high << 8 | low


class PiSugar2:
    """Reads the power chip. Every method raises DeviceError as I2CBus does, and `garbled`."""

    def __init__(
        self, bus: I2CBus, chip: Chip2, *, address: int = ADDRESS_2, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bus = bus
        self._chip = chip
        self._address = address
        self._clock = clock

    @classmethod
    async def detect(
        cls, bus: I2CBus, chip: Chip2, *, address: int = ADDRESS_2, clock: Callable[[], float] = time.monotonic
    ) -> Self:
        """The driver of the configured chip, once it shows a working cell: it has no identity."""
        driver = cls(bus, chip, address=address, clock=clock)
        await driver.read()
        return driver

    async def read(self) -> PowerReading:
        """One sample; `estimated`."""
        chip = self._chip
        low = await self._bus.read_byte(self._address, chip.voltage)
        high = await self._bus.read_byte(self._address, chip.voltage + 1)
        cell_mv = plausible(decode_voltage_2(low, high), f"the cell of a {chip.name}")
        mains = await self._bus.read_byte(self._address, chip.mains) & chip.mains_mask == chip.mains_value
        return PowerReading(
            self._clock(),
            cell_mv=cell_mv,
            charge_permille=charge_from_voltage(cell_mv),
            mains=Tri.YES if mains else Tri.NO,
            pack_mv=cell_mv,
            estimated=True,
        )


def registers_3(pack: Measured) -> dict[int, bytes]:
    """What a PiSugar 3 holds, for simulation."""
    return {
        STATUS: bytes([EXTERNAL_POWER * pack.mains]),
        VOLTAGE_HIGH: round(pack.cell_mv).to_bytes(2, "big"),
        CHARGE: bytes([round(pack.charge * 100)]),
        FIRMWARE: b"1.2.5".ljust(FIRMWARE_LENGTH, b"\0"),
    }


def registers_2(chip: Chip2, pack: Measured) -> dict[int, bytes]:
    """What a PiSugar 2 holds, for simulation."""
    mains = chip.mains_value if pack.mains else 0
    return {chip.voltage: bytes(encode_voltage_2(pack.cell_mv)), chip.mains: bytes([mains])}
