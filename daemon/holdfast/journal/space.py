"""Room on the medium: refuse before harm, and keep a reserve for money."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from holdfast.domain.core import Command, Refused, Urgency

RESERVE_BYTES = 4 * 1024 * 1024
LOOK_EVERY = 64
"""Commands between two looks at the free space."""


def free_bytes(directory: Path) -> int:
    """Bytes an ordinary process may still write there."""
    stat = os.statvfs(directory)
    return stat.f_bavail * stat.f_frsize


@dataclass(frozen=True, slots=True)
class Marks:
    """Below `low` bulk commands are refused, below `floor` everything that is not finishing something."""

    low: int
    floor: int


class Space:
    """Guards commands by free space. `reserve` is a file that can be given up when a write fails for want of room."""

    def __init__(self, directory: Path, marks: Marks, free: Callable[[Path], int] = free_bytes) -> None:
        self._directory = directory
        self._marks = marks
        self._free = free
        self._reserve = directory / "reserve"
        self._countdown = 0
        self.free = free(directory)

    def guard(self, command: Command) -> None:
        """Raises Refused(`disk_full`) when this command may not use what is left."""
        self._countdown -= 1
        if self._countdown <= 0:
            self._countdown = LOOK_EVERY
            self.free = self._free(self._directory)
        mark = {Urgency.ALWAYS: 0, Urgency.NORMAL: self._marks.floor, Urgency.BULK: self._marks.low}[command.urgency]
        if self.free < mark:
            raise Refused("disk_full", free=self.free, needed=mark)

    def hold_reserve(self) -> None:
        """Lay the reserve aside when there is ample room."""
        if self._free(self._directory) < self._marks.low + RESERVE_BYTES:
            return
        with self._reserve.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)

    def give_up_reserve(self) -> bool:
        """Free the reserve. False when there was none."""
        self._countdown = 0
        try:
            self._reserve.unlink()
        except FileNotFoundError:
            return False
        return True
