"""Any board's registers over the battery model, as a chip for a simulated bus."""

from __future__ import annotations

from collections.abc import Callable

from holdfast_drivers.links.registers import Hang, Nack
from holdfast_drivers.ups.battery import Battery

Registers = Callable[[Battery], dict[int, bytes]]
"""What stands at which register while the battery is so."""


class SimulatedChip:
    """A RegisterMap. A read begins at a register and stays in what stands there; beyond it the bus floats high."""

    def __init__(self, battery: Battery, registers: Registers) -> None:
        self.battery = battery
        self.overlay: dict[int, bytes] = {}
        """What a fault puts in place of registers."""
        self.fault: type[Nack | Hang] | None = None
        self.writes: list[tuple[int, bytes]] = []
        """(register, data) of what was written; nothing of it has an effect."""
        self._registers = registers

    def read(self, register: int, length: int) -> bytes:
        """`length` bytes from `register` on."""
        if self.fault is not None:
            raise self.fault
        table = self._registers(self.battery) | self.overlay
        inside = [start for start, data in table.items() if start <= register < start + len(data)]
        if not inside:
            return b"\xff" * length
        start = max(inside)
        return table[start][register - start :][:length].ljust(length, b"\xff")

    def write(self, register: int, data: bytes) -> None:
        """Keep it in `writes`."""
        self.writes.append((register, data))
