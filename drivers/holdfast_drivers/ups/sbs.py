"""Smart batteries, BQ40Z50 packs among them. Never writes. Source: Smart Battery Data Specification 1.1.

A pack that implements "1.1 with PEC" says so; its checksums are used once one of them was right, for packs exist whose
word on this is wrong (linux-pm, on sbs-battery in Chromebooks).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.links.pec import read_pec
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.cells import KELVIN_DC, InferredMains, permille, plausible, signed
from holdfast_drivers.values import DeviceError, PowerReading

ADDRESS = 0x0B
TEMPERATURE, VOLTAGE, CURRENT, CHARGE, STATUS = 0x08, 0x09, 0x0A, 0x0D, 0x16
SPECIFICATION, SERIAL, MAKER = 0x1A, 0x1C, 0x20
WITH_PEC = 3
"""Bits 7..4 of SPECIFICATION: 1.1 with packet error checking."""
INITIALISED = 0x0080
STOP_DISCHARGING = 0x0800
"""Alarm in STATUS: the pack will open its switch."""
ALL_ONES = 0xFFFF
LONGEST = 31
"""Bytes of a string in a block of 32 with its length."""


def decode_string(block: bytes) -> str:
    """A block string: its length, then that many printable characters. Raises DeviceError("garbled")."""
    length = block[0]
    text = block[1 : 1 + length]
    if not 1 <= length <= LONGEST or len(text) != length or any(not 0x20 <= byte < 0x7F for byte in text):
        raise DeviceError("garbled", f"{block.hex()} is no string")
    return text.decode("ascii")


class Sbs:
    """Reads a pack of `cells` in series. Every method raises DeviceError as I2CBus does, and `garbled`."""

    def __init__(
        self, bus: I2CBus, *, cells: int, pec: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pec = pec
        """Every word is read with its checksum."""
        self._bus = bus
        self._cells = cells
        self._clock = clock
        self._mains = InferredMains()

    @classmethod
    async def detect(cls, bus: I2CBus, *, cells: int, clock: Callable[[], float] = time.monotonic) -> Self:
        """The driver, once the pack has named its maker and shows working cells."""
        await maker(bus)
        driver = cls(bus, cells=cells, pec=await _has_pec(bus), clock=clock)
        plausible(await driver._word(VOLTAGE) // cells, "a smart battery")
        return driver

    async def read(self) -> PowerReading:
        """One sample; `mains_inferred`. A pack that has not initialised itself does not know its charge."""
        pack_mv = await self._word(VOLTAGE)
        cell_mv = plausible(pack_mv // self._cells, "a smart battery")
        current_ma = signed(await self._bus.read_word(ADDRESS, CURRENT, pec=self.pec))
        status = await self._word(STATUS)
        charge = permille(await self._word(CHARGE)) if status & INITIALISED else None
        return PowerReading(
            self._clock(),
            cell_mv=cell_mv,
            charge_permille=charge,
            mains=self._mains.take(current_ma),
            pack_mv=pack_mv,
            current_ma=current_ma,
            power_mw=pack_mv * current_ma // 1000,
            temperature_dc=await self._word(TEMPERATURE) - KELVIN_DC,
            mains_inferred=True,
            stop_asked=bool(status & STOP_DISCHARGING),
        )

    async def serial(self) -> str:
        """The number its maker gave it; empty: none."""
        number = await self._word(SERIAL)
        return f"{number:04x}" if number else ""

    async def _word(self, register: int) -> int:
        word = await self._bus.read_word(ADDRESS, register, pec=self.pec)
        if word == ALL_ONES:
            raise DeviceError("garbled", f"0x{register:02x} reads all ones")
        return word


async def maker(bus: I2CBus) -> str:
    """Who made the pack. Raises DeviceError("garbled") when it is no smart battery's answer."""
    return decode_string(await bus.read_block(ADDRESS, MAKER, LONGEST + 1))


async def _has_pec(bus: I2CBus) -> bool:
    if await bus.read_word(ADDRESS, SPECIFICATION) >> 4 & 0xF != WITH_PEC:
        return False
    try:
        await bus.read_word(ADDRESS, SPECIFICATION, pec=True)
    except DeviceError as error:
        if error.kind != "garbled":
            raise
        return False
    return True


def registers(pack: Measured) -> dict[int, bytes]:
    """What a pack answers that implements 1.1 with PEC, for simulation."""
    words = {
        TEMPERATURE: round(pack.temperature_c * 10) + KELVIN_DC,
        VOLTAGE: round(pack.cell_mv * pack.cells),
        CURRENT: round(pack.current_a * 1000) & 0xFFFF,
        CHARGE: round(pack.charge * 100),
        STATUS: INITIALISED | (0x40 if pack.current_a <= 0 else 0),
        SPECIFICATION: WITH_PEC << 4 | 1,
    }
    name = b"Holdfast Cells"
    raw = {register: word.to_bytes(2, "little") for register, word in words.items()}
    return {register: word + bytes([read_pec(ADDRESS, register, word)]) for register, word in raw.items()} | {
        MAKER: (bytes([len(name)]) + name).ljust(LONGEST + 1, b"\xff")
    }
