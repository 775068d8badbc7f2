"""What is remembered of one battery over restarts and power cuts: what was learnt, and the discharge that goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import Any

import msgspec

from holdfast_drivers.ups.curves import Curve
from holdfast_drivers.ups.discharge import POINTS, Discharge
from holdfast_drivers.ups.learning import KEPT, Known

MOST_BYTES = 1 << 16
"""Of the file; three curves and a discharge are 20 kB."""
MOST = 1e15
"""No number of a battery's is beyond it."""
DIGITS = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """Which pack it is, as far as anything can tell."""

    board: str
    where: str
    """Bus and address, or the UPS's name on its server."""
    serial: str = ""
    """Where the pack or UPS tells."""

    def same_as(self, other: Cell) -> bool:
        """A serial number that only one of them knows is none against the other."""
        place = (self.board, self.where) == (other.board, other.where)
        return place and (self.serial == other.serial or "" in (self.serial, other.serial))


@dataclass(slots=True)
class Memory:
    """All of it. Times are UTC milliseconds, 0 is unknown."""

    cell: Cell
    since: int = 0
    """When this pack was first seen here."""
    known: Known = field(default_factory=Known)
    present: Discharge | None = None
    """The discharge that was going on when this was written ..."""
    boot: str = ""
    """... in this life of the machine, whose monotonic clock its samples have."""
    draw_mw: int | None = None
    """What the loads last took from it, where it was measured."""
    tested: int = 0
    """When the battery was last tested; an outage is a test."""
    result: str = "never"
    """`never`, `passed`, `failed`."""
    replace: str = ""
    """The reason for which a new pack was asked for; empty: none."""


def encode(memory: Memory) -> bytes:
    """A JSON object on one line; numbers to DIGITS."""
    return msgspec.json.encode(_rounded(msgspec.to_builtins(memory))) + b"\n"


def decode(data: bytes) -> Memory:
    """Raises ValueError for what `encode` did not write."""
    if len(data) > MOST_BYTES:
        raise ValueError(f"larger than {MOST_BYTES} bytes")
    memory = msgspec.json.decode(data, type=Memory)
    _rounded(msgspec.to_builtins(memory))
    known, present = memory.known, memory.present
    if len(known.finished) > KEPT or any(not _rises(finished.curve) for finished in known.finished):
        raise ValueError("a curve that does not rise")
    if present is not None and (len(present.track) > 2 * POINTS + 1 or not present.track or present.now is None):
        raise ValueError("a discharge that cannot be")
    return memory


def _rises(curve: Curve) -> bool:
    return len(curve) > 1 and curve[0][1] >= 0 and all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(curve))


def _rounded(value: Any) -> Any:
    """Every number to DIGITS; raises ValueError for one that is none of a battery's."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    if isinstance(value, int | float) and not (isfinite(value) and abs(value) <= MOST):
        raise ValueError(f"{value} is no number of a battery")
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
