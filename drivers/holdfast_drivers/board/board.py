"""Everything the machine says of itself, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.board.files import text
from holdfast_drivers.board.heat import Heat, read_heat, read_model
from holdfast_drivers.board.memory import Memory, read_memory
from holdfast_drivers.board.storage import Medium, read_medium
from holdfast_drivers.board.supply import Throttling, find_alarm, read_alarm, read_throttling
from holdfast_drivers.board.timekeeping import Timekeeping, read_timekeeping
from holdfast_drivers.board.watchdog import Watchdog, read_watchdog
from holdfast_drivers.values import Tri

BOOT_ID = "proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class BoardReading:
    """One look. None or UNKNOWN: the machine does not tell."""

    model: str
    boot: str
    """The kernel's boot id."""
    undervoltage: Tri
    throttling: Throttling | None
    heat: Heat | None
    time: Timekeeping
    medium: Medium | None
    watchdog: Watchdog
    memory: Memory | None


def read_board(root: Path, device: tuple[int, int]) -> BoardReading:
    """Look at the files under `root`. `device` is the number of the file system whose medium counts. Blocks, never
    raises.
    """
    model = read_model(root)
    return BoardReading(
        model=model,
        boot=text(root / BOOT_ID) or "",
        undervoltage=read_alarm(find_alarm(root)),
        throttling=read_throttling(root),
        heat=read_heat(root, model),
        time=read_timekeeping(root),
        medium=read_medium(root, device),
        watchdog=read_watchdog(root),
        memory=read_memory(root),
    )
