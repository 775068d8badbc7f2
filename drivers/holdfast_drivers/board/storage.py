"""The medium a folder is on: what it is, what it says of its life, what was written to it, what the kernel saw."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from holdfast_drivers.board.files import entries, integer, number, text
from holdfast_drivers.values import Tri

SECTOR = 512
"""Bytes of the kernel's block statistics, whatever the medium's own are (linux Documentation/block/stat.rst)."""
WRITTEN_FIELD = 6
"""Of `stat`, from 0: sectors written since boot."""
READ_ONLY = frozenset({"ro", "emergency_ro", "shutdown"})
"""What an ext4 that met an error shows: newer kernels leave `rw` beside one of the others."""
OVER = 0x0B
"""`life_time` beyond its end."""

_PARTITION = re.compile(r"[a-z0-9!._-]{1,64}", re.ASCII)


class Kind(Enum):
    """What it is, in words."""

    SD = "SD card"
    EMMC = "eMMC"
    NVME = "NVMe"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Medium:
    kind: Kind
    name: str
    """The kernel's, e.g. `mmcblk0`."""
    identity: str = ""
    """The same in every machine and after every boot; empty: not known."""
    written: int | None = None
    """Bytes since boot."""
    life_percent: int | None = None
    """Used up at most, in steps of ten; more than 100: beyond its end. An eMMC alone tells (JEDEC JESD84-B51,
    DEVICE_LIFE_TIME_EST_TYP_A and _B)."""
    reserve: int | None = None
    """1 normal, 2 most of the spare blocks are used, 3 urgent (PRE_EOL_INFO)."""
    read_only: Tri = Tri.UNKNOWN
    errors: int | None = None
    """Errors its file system has recorded since it was last checked; ext4 alone tells."""


def read_medium(root: Path, device: tuple[int, int]) -> Medium | None:
    """The medium under the file system with this device number; None when it is on none, as in memory."""
    volume = _follow(root, root / f"sys/dev/block/{device[0]}:{device[1]}")
    if volume is None:
        return None
    whole = volume.parent if (volume / "partition").exists() else volume
    sectors = (text(whole / "stat") or "").split()
    written = number(sectors[WRITTEN_FIELD]) if len(sectors) > WRITTEN_FIELD else None
    life, reserve = parse_life(text(whole / "device/life_time")), integer(whole / "device/pre_eol_info")
    return Medium(
        kind=_kind(whole),
        name=whole.name,
        identity=text(whole / "device/cid") or text(whole / "wwid") or text(whole / "device/serial") or "",
        written=None if written is None else written * SECTOR,
        life_percent=life,
        reserve=reserve if reserve in (1, 2, 3) else None,
        read_only=parse_mounts(text(root / "proc/self/mountinfo") or "", device),
        errors=_errors(root, device),
    )


def parse_life(told: str | None) -> int | None:
    """`0x01 0x03`: the worse of the two kinds of cells; 0x00 is not defined. None: it does not tell."""
    values = [number(part) for part in (told or "").split()]
    known = [value for value in values if value is not None and 0 < value <= OVER]
    return max(known) * 10 if known else None


def parse_mounts(mountinfo: str, device: tuple[int, int]) -> Tri:
    """Is this device's file system read-only? By its own options: a mount may be read-only for us alone (proc(5))."""
    wanted = f"{device[0]}:{device[1]}"
    for line in mountinfo.splitlines():
        fields = line.split()
        if len(fields) < 7 or fields[2] != wanted or "-" not in fields[6:]:
            continue
        options = fields[fields.index("-", 6) + 1 :][-1].split(",")
        return Tri.YES if READ_ONLY & set(options) else Tri.NO
    return Tri.UNKNOWN


def _follow(root: Path, link: Path) -> Path | None:
    """The kernel's folder of a device; of what lies under an encrypted or logical volume that has one part."""
    for _ in range(4):
        if not link.exists():
            return None
        folder = link.resolve()
        parts = entries(folder / "slaves")
        if len(parts) != 1 or not _PARTITION.fullmatch(parts[0].name):
            return folder if folder.is_relative_to(root.resolve()) else None
        link = parts[0]
    return None


def _kind(whole: Path) -> Kind:
    if whole.name.startswith("mmcblk"):
        return Kind.EMMC if text(whole / "device/type") == "MMC" else Kind.SD
    return Kind.NVME if whole.name.startswith("nvme") else Kind.DISK


def _errors(root: Path, device: tuple[int, int]) -> int | None:
    """By the name of the volume itself: ext4 counts for each (linux Documentation/ABI/testing/sysfs-fs-ext4)."""
    volume = root / f"sys/dev/block/{device[0]}:{device[1]}"
    return integer(root / "sys/fs/ext4" / volume.resolve().name / "errors_count") if volume.exists() else None
