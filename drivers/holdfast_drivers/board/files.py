"""Small files of /sys, /proc and /run under a root of one's own. What cannot be read is None, whatever the cause."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path("/")
LIMIT = 64 * 1024
"""Bytes read of one file; /proc/vmstat has about 4 kB."""

_NUMBER = re.compile(r"-?(?:0x[0-9a-fA-F]{1,16}|\d{1,19})", re.ASCII)


def text(path: Path) -> str | None:
    """Its text without the white space around it."""
    try:
        with path.open("rb") as file:
            return file.read(LIMIT).decode().strip()
    except (OSError, UnicodeDecodeError):
        return None


def number(written: str | None) -> int | None:
    """A whole number, decimal or with `0x`; None for anything else."""
    return int(written, 0 if "x" in written else 10) if written and _NUMBER.fullmatch(written) else None


def integer(path: Path) -> int | None:
    """The one number in a file."""
    return number(text(path))


def entries(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing when there is none."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def table(path: Path) -> dict[str, int]:
    """Lines `name number` or `name: number kB`, as /proc/meminfo and /proc/vmstat have them."""
    found = {}
    for line in (text(path) or "").splitlines():
        name, _, rest = line.replace(":", " ").partition(" ")
        value = number((rest.split() or [""])[0])
        if value is not None:
            found[name] = value
    return found
