"""Does the machine know what time it is, and would it after a power cut.

Only files are read: `adjtimex`, which also tells, is among the system calls the unit's filter kills a process for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.board.files import integer
from holdfast_drivers.values import Tri

SYNCHRONIZED = "run/systemd/timesync/synchronized"
"""Made by systemd-timesyncd at the first synchronisation after boot (systemd-timesyncd.service(8))."""
RTC = "sys/class/rtc/rtc0"
CELL_MV = 2000
"""A backup cell below this does not keep a clock; without one a Pi 5 reads about 0."""


@dataclass(frozen=True, slots=True)
class Timekeeping:
    synchronized: Tri = Tri.UNKNOWN
    """UNKNOWN where systemd-timesyncd does not run."""
    rtc: bool = False
    """There is a clock that could outlast a power cut."""
    cell_mv: int | None = None
    """Of its backup cell: a Raspberry Pi 5 alone tells (raspberrypi/linux drivers/rtc/rtc-rpi.c, microvolts)."""
    charging: bool | None = None


def read_timekeeping(root: Path) -> Timekeeping:
    mark, rtc = root / SYNCHRONIZED, root / RTC
    cell, charge = integer(rtc / "battery_voltage"), integer(rtc / "charging_voltage")
    return Timekeeping(
        synchronized=Tri.YES if mark.exists() else Tri.NO if mark.parent.exists() else Tri.UNKNOWN,
        rtc=rtc.exists(),
        cell_mv=None if cell is None else cell // 1000,
        charging=None if charge is None else charge > 0,
    )
