"""ACME's battery board: three words at I²C address 0x5A, millivolts, permille, and mains in bit 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.registry import GaugeDriver
from holdfast_drivers.values import DeviceError, PowerReading, Tri

ADDRESS = 0x5A
VOLTAGE, CHARGE, MAINS = 0, 2, 4


class AcmeUps:
    def __init__(self, bus: I2CBus, address: int, clock: Callable[[], float]) -> None:
        self._bus, self._address, self._clock = bus, address, clock

    async def read(self) -> PowerReading:
        """One sample. What cannot be is `garbled`, never a reading."""
        cell_mv, charge = await self._word(VOLTAGE), await self._word(CHARGE)
        if not 2000 <= cell_mv <= 4500 or charge > 1000:
            raise DeviceError("garbled", f"{cell_mv} mV, {charge} permille")
        mains = Tri.YES if await self._word(MAINS) & 1 else Tri.NO
        return PowerReading(self._clock(), cell_mv=cell_mv, charge_permille=charge, pack_mv=cell_mv, mains=mains)

    async def _word(self, register: int) -> int:
        return await self._bus.read_word(self._address, register)


async def make(bus: I2CBus, options: Mapping[str, Any], clock: Callable[[], float]) -> AcmeUps:
    unknown = options.keys() - {"address"}
    if unknown:
        raise ValueError(f"unknown options: {', '.join(sorted(unknown))}")
    board = AcmeUps(bus, int(options.get("address", ADDRESS)), clock)
    await board.read()
    return board


DRIVER = GaugeDriver("acme-ups", make, "ACME battery board")
