"""Every board the drivers know as a simulated one: by its name in the configuration, its registers over one battery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from holdfast_drivers.ups import bq27441, ina, lc709203, max17048, pijuice, pisugar, sbs, waveshare_e
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import Registers, SimulatedChip
from holdfast_drivers.ups.ina import INA219, INA226, INA3221, WAVESHARE, Part
from holdfast_drivers.ups.pisugar import IP5209, IP5312


@dataclass(frozen=True, slots=True)
class SimulatedBoard:
    """Where a board's chip answers, with what, and how many cells in series it is made for."""

    address: int
    registers: Registers
    cells: int = 1
    gauge: bool = True
    """It has one that can lie; without one the charge is read off the voltage."""

    def chip(self, battery: Battery) -> SimulatedChip:
        """Its chip over a battery."""
        return SimulatedChip(battery, self.registers, gauge=self.gauge)


def monitor(
    part: Part, address: int = 0x40, *, cells: int = 1, shunt_mohm: float = 100, channel: int = 1
) -> SimulatedBoard:
    """A board with nothing but a current monitor."""
    return SimulatedBoard(address, partial(ina.registers, part, shunt_mohm, channel), cells, gauge=False)


BOARDS: Mapping[str, SimulatedBoard] = {
    "max1704x": SimulatedBoard(max17048.ADDRESS, max17048.registers),
    "ina219": monitor(INA219),
    "ina226": monitor(INA226, shunt_mohm=10),
    "ina3221": monitor(INA3221, shunt_mohm=10),
    **{
        name: monitor(INA219, wired.address, cells=wired.cells, shunt_mohm=wired.shunt_mohm)
        for name, wired in WAVESHARE.items()
    },
    "waveshare-e": SimulatedBoard(waveshare_e.ADDRESS, waveshare_e.registers, cells=4),
    "pisugar3": SimulatedBoard(pisugar.ADDRESS_3, pisugar.registers_3),
    "pisugar2": SimulatedBoard(pisugar.ADDRESS_2, partial(pisugar.registers_2, IP5209), gauge=False),
    "pisugar2pro": SimulatedBoard(pisugar.ADDRESS_2, partial(pisugar.registers_2, IP5312), gauge=False),
    "pijuice": SimulatedBoard(pijuice.ADDRESS, pijuice.registers),
    "lc709203f": SimulatedBoard(lc709203.ADDRESS, lc709203.registers),
    "sbs": SimulatedBoard(sbs.ADDRESS, sbs.registers, cells=3),
    "bq27441": SimulatedBoard(bq27441.ADDRESS, bq27441.registers),
}
