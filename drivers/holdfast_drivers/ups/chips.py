"""Any board's registers over the battery model, as a chip for a simulated bus, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from random import Random

from holdfast_drivers.links.registers import Hang, Nack
from holdfast_drivers.ups.battery import Battery, Measured

Registers = Callable[[Measured], dict[int, bytes]]
"""What stands at which register while the pack is so."""


class Fault(Enum):
    """What may be wrong with a chip."""

    NONE = "none"
    NACK = "nack"
    """It does not answer."""
    STUCK = "stuck"
    """It holds the bus."""
    ZERO = "zero"
    """Its gauge jumps to 0 % while the cell is full."""
    FULL = "full"
    """Its gauge says 100 % for ever."""
    FROZEN = "frozen"
    """It repeats what it measured last."""
    ONES = "ones"
    """Every register reads 0xFF."""
    NOISE = "noise"
    """Every byte is chance."""


LIES = {Fault.ZERO: 0.0, Fault.FULL: 1.0}


class SimulatedChip:
    """A RegisterMap. A read begins at a register and stays in what stands there; beyond it the bus floats high."""

    def __init__(self, battery: Battery, registers: Registers, *, gauge: bool = True, seed: int = 0) -> None:
        """`gauge`: it has one that can lie."""
        self.battery = battery
        self.overlay: dict[int, bytes] = {}
        """What stands in place of registers."""
        self.writes: list[tuple[int, bytes]] = []
        """(register, data) of what was written; nothing of it has an effect."""
        self.reads = 0
        self._registers = registers
        self._gauge = gauge
        self._noise = Random(seed)
        self._fault = Fault.NONE
        self._kept = battery.measured()

    @property
    def fault(self) -> Fault:
        """What is wrong with it now."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self._kept = self.battery.measured()
        self._fault = fault

    def can(self, fault: Fault) -> bool:
        """Can this be wrong with it."""
        return self._gauge or fault not in LIES

    def read(self, register: int, length: int) -> bytes:
        """`length` bytes from `register` on."""
        self.reads += 1
        self._acknowledge()
        if self._fault is Fault.ONES:
            return b"\xff" * length
        if self._fault is Fault.NOISE:
            return self._noise.randbytes(length)
        table = self._registers(self._seen()) | self.overlay
        inside = [start for start, data in table.items() if start <= register < start + len(data)]
        if not inside:
            return b"\xff" * length
        start = max(inside)
        return table[start][register - start :][:length].ljust(length, b"\xff")

    def write(self, register: int, data: bytes) -> None:
        """Keep it in `writes`. Raises Nack or Hang as a read would."""
        self._acknowledge()
        self.writes.append((register, data))

    def _acknowledge(self) -> None:
        if self._fault is Fault.NACK:
            raise Nack
        if self._fault is Fault.STUCK:
            raise Hang

    def _seen(self) -> Measured:
        """What the chip believes the pack to be."""
        if self._fault is Fault.FROZEN:
            return self._kept
        seen = self.battery.measured()
        return replace(seen, charge=LIES[self._fault]) if self._fault in LIES else seen
