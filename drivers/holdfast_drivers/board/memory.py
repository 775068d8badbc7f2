"""How much memory is left, and whether the kernel had to end a program for want of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.board.files import table


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes."""

    total: int
    available: int
    killed: int | None = None
    """Programs ended since boot."""


def read_memory(root: Path) -> Memory | None:
    """None when the machine does not tell, or tells nonsense."""
    known = table(root / "proc/meminfo")
    total, available = known.get("MemTotal", 0), known.get("MemAvailable", -1)
    if not 0 <= available <= total or total == 0:
        return None
    return Memory(total * 1024, available * 1024, table(root / "proc/vmstat").get("oom_kill"))
