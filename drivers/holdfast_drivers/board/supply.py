"""Is the 5 V rail high enough, and does the firmware hold the processor back.

The kernel asks the firmware every two seconds and has it forget what it told (linux drivers/hwmon/raspberrypi-hwmon.c),
so `in0_lcrit_alarm` means "in the last two seconds", and so do the upper bits of the kernel's get_throttled file.
Only `vcgencmd get_throttled` knows what happened since boot (raspberrypi/documentation, get_throttled).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from holdfast_drivers.board.files import entries, integer, text
from holdfast_drivers.values import Tri

HWMON = "rpi_volt"
ALARM = "in0_lcrit_alarm"
KERNEL_FILES = ("sys/devices/platform/soc/soc:firmware/get_throttled",)
MAILBOXES = ("dev/vcio_gencmd", "dev/vcio")
"""What vcgencmd opens. The unit of this house does not allow them: the older one can also write fuses."""
VCGENCMD_SECONDS = 2.0

_VCGENCMD = re.compile(r"throttled=0x([0-9a-fA-F]{1,8})", re.ASCII)
_KERNEL = re.compile(r"[0-9a-fA-F]{1,8}", re.ASCII)


class Flag(Enum):
    """A bit of get_throttled; the same 16 further up: it has happened."""

    UNDERVOLTAGE = 0
    CAPPED = 1
    """The processor's frequency is capped."""
    THROTTLED = 2
    SOFT_LIMIT = 3
    """The soft temperature limit is reached."""


@dataclass(frozen=True, slots=True)
class Throttling:
    """What the firmware says."""

    now: frozenset[Flag]
    since_boot: frozenset[Flag] | None = None
    """None: this source cannot tell."""


def parse_vcgencmd(told: str) -> Throttling | None:
    """`throttled=0x50005`; None for anything else."""
    match = _VCGENCMD.fullmatch(told.strip())
    return None if match is None else Throttling(_flags(int(match[1], 16)), _flags(int(match[1], 16) >> 16))


def parse_kernel(told: str) -> Throttling | None:
    """`50005`, at most two seconds old; None for anything else."""
    if not _KERNEL.fullmatch(told):
        return None
    value = int(told, 16)
    return Throttling(_flags(value | value >> 16))


def find_alarm(root: Path) -> Path | None:
    """The undervoltage alarm, found by its sensor's name: numbers change."""
    for folder in entries(root / "sys/class/hwmon"):
        if text(folder / "name") == HWMON:
            return folder / ALARM
    return None


def read_alarm(alarm: Path | None) -> Tri:
    """Was the rail too low in the last two seconds?"""
    value = None if alarm is None else integer(alarm)
    return {0: Tri.NO, 1: Tri.YES}.get(-1 if value is None else value, Tri.UNKNOWN)


def read_throttling(root: Path) -> Throttling | None:
    """From vcgencmd where we may use it, else from the kernel; None when neither tells. Blocks for 2 s at most.

    The kernel's file is deprecated and logs a warning at the first read, which must not be anybody's panic.
    """
    if any(os.access(root / mailbox, os.R_OK | os.W_OK) for mailbox in MAILBOXES):
        told = _vcgencmd()
        if told is not None:
            return told
    if integer(root / "proc/sys/kernel/panic_on_warn") not in (0, None):
        return None
    told_by_kernel = (text(root / name) for name in KERNEL_FILES)
    return next((parse_kernel(told) for told in told_by_kernel if told is not None), None)


def _vcgencmd() -> Throttling | None:
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed question to the firmware
            [program, "get_throttled"], capture_output=True, check=False, timeout=VCGENCMD_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_vcgencmd(done.stdout[:100].decode("ascii", errors="replace"))


def _flags(value: int) -> frozenset[Flag]:
    return frozenset(flag for flag in Flag if value & 1 << flag.value)
