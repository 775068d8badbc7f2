"""Waveshare UPS HAT (E): four cells, a gauge (BQ4050) and a charger (IP2368) behind one controller. Never writes.

Registers are little-endian bytes in a row; a value is read in one block, so that its bytes belong together. Source:
the maker's register list.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.cells import permille, plausible
from holdfast_drivers.values import DeviceError, PowerReading, Tri

ADDRESS = 0x2D
IDENTITY, STATE, HEALTH, PACK, CELLS = 0x00, 0x02, 0x03, 0x20, 0x30
NAME = 0x0A
"""Content of IDENTITY."""
CHARGING, USB_POWER = 0x80, 0x20
GAUGE_OK, CHARGER_OK = 0x02, 0x01
NOT_APPLICABLE = 0xFFFF

_PACK = struct.Struct("<Hh4H")
_CELLS = struct.Struct("<4H")
_APART = 0.05
"""Share by which the pack's voltage may differ from the sum of its cells, which are measured at another moment."""


def decode(at: float, state: int, health: int, pack: bytes, cells: bytes) -> PowerReading:
    """One sample out of the registers' bytes; what a part of the board that fails would say is left unknown.

    Raises DeviceError("garbled") when pack and cells contradict each other or no working cell has such a voltage.
    """
    mains = (Tri.YES if state & USB_POWER else Tri.NO) if health & CHARGER_OK else Tri.UNKNOWN
    if not health & GAUGE_OK:
        return PowerReading(at, mains=mains)
    pack_mv, current_ma, percent, *_ = _PACK.unpack(pack)
    cells_mv = _CELLS.unpack(cells)
    if abs(pack_mv - sum(cells_mv)) > _APART * sum(cells_mv):
        raise DeviceError("garbled", f"a pack of {pack_mv} mV of cells at {cells_mv} mV")
    return PowerReading(
        at,
        cell_mv=plausible(min(cells_mv), "the lowest cell"),
        charge_permille=permille(percent),
        mains=mains,
        pack_mv=pack_mv,
        current_ma=current_ma,
        power_mw=pack_mv * current_ma // 1000,
        cells_mv=cells_mv,
    )


class WaveshareE:
    """Reads the controller. Every method raises DeviceError as I2CBus does, and `garbled`."""

    def __init__(self, bus: I2CBus, *, address: int = ADDRESS, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._address = address
        self._clock = clock

    @classmethod
    async def detect(cls, bus: I2CBus, *, address: int = ADDRESS, clock: Callable[[], float] = time.monotonic) -> Self:
        """The driver, once the board has said what it is and shows working cells."""
        if (name := await bus.read_byte(address, IDENTITY)) != NAME:
            raise DeviceError("garbled", f"0x{name:02x} is no UPS HAT (E)")
        driver = cls(bus, address=address, clock=clock)
        await driver.read()
        return driver

    async def read(self) -> PowerReading:
        """One sample; `cell_mv` is the lowest cell."""
        state, health = await self._bus.read_block(self._address, STATE, 2)
        pack = await self._bus.read_block(self._address, PACK, _PACK.size)
        cells = await self._bus.read_block(self._address, CELLS, _CELLS.size)
        return decode(self._clock(), state, health, pack, cells)


def registers(pack: Measured) -> dict[int, bytes]:
    """What the controller holds, for simulation of a pack of four cells."""
    cell_mv, current_ma = round(pack.cell_mv), round(pack.current_a * 1000)
    state = USB_POWER * pack.mains | CHARGING * (current_ma > 0)
    left = round(pack.charge * pack.capacity_mah)
    minutes = min(round(pack.runtime_s / 60), NOT_APPLICABLE) if current_ma < 0 else NOT_APPLICABLE
    return {
        IDENTITY: bytes([NAME, 0x0B]),
        STATE: bytes([state, GAUGE_OK | CHARGER_OK]),
        PACK: _PACK.pack(4 * cell_mv, current_ma, round(pack.charge * 100), left, minutes, NOT_APPLICABLE),
        CELLS: _CELLS.pack(*[cell_mv] * 4),
    }
