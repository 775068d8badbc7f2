"""PiJuice: charge, voltage, current, temperature and graded inputs, each with a checksum. Never writes.

Source: the maker's pijuice.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.cells import permille, plausible, signed
from holdfast_drivers.values import DeviceError, PowerReading, Tri

ADDRESS = 0x14
STATUS, CHARGE, TEMPERATURE, VOLTAGE, CURRENT, FIRMWARE = 0x40, 0x41, 0x47, 0x49, 0x4B, 0xFD
NORMAL, CHARGING_USB, CHARGING_GPIO, NO_BATTERY = range(4)
"""Bits 3..2 of STATUS."""
WEAK = 2
"""An input of this grade or better powers the hub; below are `absent` and `bad`."""


def checksum(data: bytes) -> int:
    """The byte that follows `data` on the wire."""
    return reduce(xor, data, 0xFF)


def checked(answer: bytes) -> bytes:
    """The data of an answer. Raises DeviceError("garbled") on a wrong checksum.

    A Pi up to 3 can lose the first bit behind the board's clock stretching: with it put back the sum must fit.
    """
    data, sum_ = answer[:-1], answer[-1]
    restored = bytes([data[0] | 0x80]) + data[1:]
    for candidate in (data, restored):
        if checksum(candidate) == sum_:
            return candidate
    raise DeviceError("garbled", f"checksum of {answer.hex()}")


def mains_from_status(status: int) -> Tri:
    """AC present: either input weak or good."""
    return Tri.YES if max(status >> 4 & 3, status >> 6 & 3) >= WEAK else Tri.NO


class PiJuice:
    """Reads the board's controller. Every method raises DeviceError as I2CBus does, and `garbled`."""

    def __init__(self, bus: I2CBus, *, address: int = ADDRESS, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._address = address
        self._clock = clock

    @classmethod
    async def detect(cls, bus: I2CBus, *, address: int = ADDRESS, clock: Callable[[], float] = time.monotonic) -> Self:
        """The driver, once a firmware version and a sample have come with right checksums."""
        driver = cls(bus, address=address, clock=clock)
        if not any(await driver._data(FIRMWARE, 2)):
            raise DeviceError("garbled", "no firmware version")
        await driver.read()
        return driver

    async def read(self) -> PowerReading:
        """One sample; the battery's part of it unknown without a battery. The status gives the current its sign."""
        (status,) = await self._data(STATUS, 1)
        battery, mains = status >> 2 & 3, mains_from_status(status)
        if battery == NO_BATTERY:
            return PowerReading(self._clock(), mains=mains)
        (percent,) = await self._data(CHARGE, 1)
        cell_mv = plausible(int.from_bytes(await self._data(VOLTAGE, 2), "little"), "a PiJuice's cell")
        current_ma = abs(signed(int.from_bytes(await self._data(CURRENT, 2), "little")))
        if battery == NORMAL:
            current_ma = -current_ma
        celsius = (await self._data(TEMPERATURE, 2))[0]
        return PowerReading(
            self._clock(),
            cell_mv=cell_mv,
            charge_permille=permille(percent),
            mains=mains,
            pack_mv=cell_mv,
            current_ma=current_ma,
            power_mw=cell_mv * current_ma // 1000,
            temperature_dc=(celsius - 0x100 if celsius & 0x80 else celsius) * 10,
        )

    async def _data(self, command: int, length: int) -> bytes:
        return checked(await self._bus.read_block(self._address, command, length + 1))


def registers(pack: Measured) -> dict[int, bytes]:
    """What the controller answers, for simulation."""
    current_ma = round(pack.current_a * 1000)
    status = (CHARGING_USB if current_ma > 0 else NORMAL) << 2 | (3 << 4 if pack.mains else 0)
    answers = {
        STATUS: bytes([status]),
        CHARGE: bytes([round(pack.charge * 100)]),
        TEMPERATURE: round(pack.temperature_c).to_bytes(1, "little", signed=True) + b"\0",
        VOLTAGE: round(pack.cell_mv).to_bytes(2, "little"),
        CURRENT: current_ma.to_bytes(2, "little", signed=True),
        FIRMWARE: b"\x16\0",
    }
    return {command: data + bytes([checksum(data)]) for command, data in answers.items()}
