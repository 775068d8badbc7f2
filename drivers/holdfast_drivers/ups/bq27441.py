"""BQ27441 fuel gauge. It names its type only when asked by a write (CONTROL): asked is none but the configured chip,
and that only once all it shows by itself is a gauge's.

Source: Texas Instruments, BQ27441-G1 technical reference.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.cells import KELVIN_DC, InferredMains, permille, plausible, signed
from holdfast_drivers.values import DeviceError, PowerReading

ADDRESS = 0x55
CONTROL, TEMPERATURE, VOLTAGE, FLAGS, CURRENT, POWER, CHARGE = 0x00, 0x02, 0x04, 0x06, 0x10, 0x18, 0x1C
DEVICE_TYPE = 0x0001
TYPE = 0x0421
PLAUSIBLE_C = range(-40, 101)
CONFIGURATION_LOST, BATTERY_SEEN = 0x0020, 0x0008


class Bq27441:
    """Reads a gauge on a bus that others may share. Every method raises DeviceError as I2CBus does, and `garbled`."""

    def __init__(self, bus: I2CBus, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._clock = clock
        self._mains = InferredMains()

    @classmethod
    async def identified(cls, bus: I2CBus, *, clock: Callable[[], float] = time.monotonic) -> Self:
        """The driver, once the chip has named its type. Writes the question: call it only for a configured chip."""
        await looks_like(bus)
        await bus.write_word(ADDRESS, CONTROL, DEVICE_TYPE)
        if (kind := await bus.read_word(ADDRESS, CONTROL)) != TYPE:
            raise DeviceError("garbled", f"0x{kind:04x} is no BQ27441")
        return cls(bus, clock=clock)

    async def read(self) -> PowerReading:
        """One sample; `mains_inferred`. After a power loss of the chip the charge is not of this battery: unknown."""
        flags = await self._word(FLAGS)
        if not flags & BATTERY_SEEN:
            return PowerReading(self._clock())
        cell_mv = plausible(await self._word(VOLTAGE), "a BQ27441's cell")
        current_ma = signed(await self._word(CURRENT))
        return PowerReading(
            self._clock(),
            cell_mv=cell_mv,
            charge_permille=None if flags & CONFIGURATION_LOST else permille(await self._word(CHARGE)),
            mains=self._mains.take(current_ma),
            pack_mv=cell_mv,
            current_ma=current_ma,
            power_mw=signed(await self._word(POWER)),
            temperature_dc=await self._word(TEMPERATURE) - KELVIN_DC,
            mains_inferred=True,
        )

    async def _word(self, register: int) -> int:
        return await self._bus.read_word(ADDRESS, register)


async def looks_like(bus: I2CBus) -> str:
    """What it shows that a gauge would, in words. Reads alone. Raises DeviceError("garbled") for what none has."""
    cell_mv = plausible(await bus.read_word(ADDRESS, VOLTAGE), "a BQ27441's cell")
    percent = permille(await bus.read_word(ADDRESS, CHARGE)) // 10
    celsius = (await bus.read_word(ADDRESS, TEMPERATURE) - KELVIN_DC) // 10
    if celsius not in PLAUSIBLE_C:
        raise DeviceError("garbled", f"{celsius} °C is no battery's temperature")
    return f"{cell_mv} mV, {percent} %, {celsius} °C"


def registers(pack: Measured) -> dict[int, bytes]:
    """What the chip holds after the question for its type, for simulation."""
    current_ma = round(pack.current_a * 1000)
    words = {
        CONTROL: TYPE,
        TEMPERATURE: round(pack.temperature_c * 10) + KELVIN_DC,
        VOLTAGE: round(pack.cell_mv),
        FLAGS: BATTERY_SEEN | (current_ma < 0),
        CURRENT: current_ma & 0xFFFF,
        POWER: round(pack.current_a * pack.cell_mv) & 0xFFFF,
        CHARGE: round(pack.charge * 100),
    }
    return {register: word.to_bytes(2, "little") for register, word in words.items()}
