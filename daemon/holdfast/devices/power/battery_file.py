"""The file beside the journal in which one battery is remembered. It may be lost; it never stops the hub."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from holdfast.devices.lifetimes import write_book
from holdfast_drivers.ups.memory import MOST_BYTES, Cell, Memory, decode

log = logging.getLogger(__name__)


def read_battery(path: Path, cell: Cell) -> Memory:
    """A new memory without a file; one that cannot be read, or is of another battery, is moved aside. Blocks."""
    try:
        with path.open("rb") as file:
            memory = decode(file.read(MOST_BYTES + 1))
    except FileNotFoundError:
        return Memory(cell)
    except (OSError, ValueError, RecursionError) as error:
        return _anew(path, cell, f"cannot be read ({error})", "damaged")
    if not memory.cell.same_as(cell):
        return _anew(path, cell, f"is of another battery ({memory.cell})", "other")
    return memory


def set_aside(path: Path, suffix: str) -> Path:
    """Move it to `NAME.suffix`, if it is there. Blocks."""
    aside = path.with_name(f"{path.name}.{suffix}")
    with suppress(OSError):
        path.replace(aside)
    return aside


def write_battery(path: Path, data: bytes) -> None:
    """All of it or nothing, whenever the power goes; a failure is logged. Blocks on the disk."""
    try:
        write_book(path, data)
    except OSError as error:
        log.warning("what was learnt of the battery cannot be written to %s: %s", path, error)


def _anew(path: Path, cell: Cell, why: str, suffix: str) -> Memory:
    aside = set_aside(path, suffix)
    log.warning("the battery is learnt anew, for %s %s; kept as %s", path, why, aside)
    return Memory(cell)
