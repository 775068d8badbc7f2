"""INA219, INA226 and INA3221 current monitors, as on Waveshare's UPS HATs. Never writes to the chip.

They measure voltage and current and know nothing of charge or mains: the charge is estimated from the voltage, mains
inferred from the current's direction. The current is computed from the shunt's voltage: a brown-out resets the chip's
own calibration, after which its current register reads 0 without an error. Source: Texas Instruments' data sheets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.ups.battery import Measured
from holdfast_drivers.ups.cells import InferredMains, charge_from_voltage, plausible, signed
from holdfast_drivers.values import DeviceError, PowerReading

CONFIG, SHUNT, BUS = 0x00, 0x01, 0x02
MANUFACTURER, DIE = 0xFE, 0xFF
TEXAS_INSTRUMENTS = 0x5449
INA219_AT_START = 0x399F
"""CONFIG of an INA219 nobody has written to; the part has no other mark."""


@dataclass(frozen=True, slots=True)
class Part:
    """How one model scales its registers."""

    name: str
    shunt_uv: float
    """Microvolts a count, after the shift."""
    bus_mv: float
    shunt_shift: int = 0
    bus_shift: int = 0
    die: int | None = None
    """Content of DIE; None: the part has no identification."""


INA219 = Part("ina219", shunt_uv=10, bus_mv=4, bus_shift=3)
INA226 = Part("ina226", shunt_uv=2.5, bus_mv=1.25, die=0x2260)
INA3221 = Part("ina3221", shunt_uv=40, bus_mv=8, shunt_shift=3, bus_shift=3, die=0x3220)


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a board's maker chose. The battery's positive current charges."""

    address: int
    cells: int
    """In series."""
    shunt_mohm: float
    channel: int = 1
    """1..3 on an INA3221."""


WAVESHARE = {
    "waveshare-ab": Wiring(0x42, cells=2, shunt_mohm=100),
    "waveshare-c": Wiring(0x43, cells=1, shunt_mohm=10),
    "waveshare-3s": Wiring(0x41, cells=3, shunt_mohm=10),
}
"""UPS HAT (A) and (B), UPS HAT (C), UPS Module 3S, by the maker's demonstration code; all INA219."""


def decode_current(part: Part, raw: int, shunt_mohm: float) -> int:
    """Milliamperes from the shunt register, + charging."""
    return round((signed(raw) >> part.shunt_shift) * part.shunt_uv / shunt_mohm)


def encode_current(part: Part, current_ma: float, shunt_mohm: float) -> int:
    """The shunt register, clamped to what it can show."""
    most = 0x7FFF >> part.shunt_shift
    counts = min(max(round(current_ma * shunt_mohm / part.shunt_uv), -most), most)
    return (counts << part.shunt_shift) & 0xFFFF


def decode_bus(part: Part, raw: int) -> int:
    """Millivolts of the pack."""
    return round((raw >> part.bus_shift) * part.bus_mv)


def encode_bus(part: Part, pack_mv: float) -> int:
    """The bus register, its flags clear."""
    return min(round(pack_mv / part.bus_mv), 0x7FFF >> part.bus_shift) << part.bus_shift


class Ina:
    """Reads a monitor on a bus that others may share. Every method raises DeviceError as I2CBus does, and `garbled`."""

    def __init__(self, bus: I2CBus, part: Part, wiring: Wiring, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._part = part
        self._wiring = wiring
        self._clock = clock
        self._mains = InferredMains()

    @classmethod
    async def detect(
        cls, bus: I2CBus, part: Part, wiring: Wiring, *, clock: Callable[[], float] = time.monotonic
    ) -> Self:
        """The driver of the configured part, once it has identified itself, where it can, and shows a working cell."""
        await identify(bus, part, wiring.address)
        driver = cls(bus, part, wiring, clock=clock)
        await driver._measure()
        return driver

    async def read(self) -> PowerReading:
        """One sample; `estimated` and `mains_inferred`."""
        pack_mv, current_ma = await self._measure()
        cell_mv = pack_mv // self._wiring.cells
        return PowerReading(
            self._clock(),
            cell_mv=cell_mv,
            charge_permille=charge_from_voltage(cell_mv),
            mains=self._mains.take(current_ma),
            pack_mv=pack_mv,
            current_ma=current_ma,
            power_mw=pack_mv * current_ma // 1000,
            estimated=True,
            mains_inferred=True,
        )

    async def _measure(self) -> tuple[int, int]:
        wiring, first = self._wiring, 2 * (self._wiring.channel - 1)
        shunt = await self._bus.read_word_be(wiring.address, SHUNT + first)
        pack_mv = decode_bus(self._part, await self._bus.read_word_be(wiring.address, BUS + first))
        plausible(pack_mv // wiring.cells, f"the bus of an {self._part.name}")
        return pack_mv, decode_current(self._part, shunt, wiring.shunt_mohm)


async def identify(bus: I2CBus, part: Part, address: int) -> None:
    """Raises DeviceError("garbled") when the chip says that it is another. An INA219 cannot say what it is."""
    if part.die is None:
        return
    maker, die = await bus.read_word_be(address, MANUFACTURER), await bus.read_word_be(address, DIE)
    if (maker, die) != (TEXAS_INSTRUMENTS, part.die):
        raise DeviceError("garbled", f"0x{maker:04x} 0x{die:04x} is no {part.name}")


def registers(part: Part, shunt_mohm: float, channel: int, pack: Measured) -> dict[int, bytes]:
    """What the chip holds, for simulation."""
    first = 2 * (channel - 1)
    words = {
        CONFIG: {"ina219": INA219_AT_START, "ina226": 0x4127}.get(part.name, 0x7127),
        SHUNT + first: encode_current(part, pack.current_a * 1000, shunt_mohm),
        BUS + first: encode_bus(part, pack.cell_mv * pack.cells),
    }
    if part.die is not None:
        words |= {MANUFACTURER: TEXAS_INSTRUMENTS, DIE: part.die}
    return {register: word.to_bytes(2, "big") for register, word in words.items()}
