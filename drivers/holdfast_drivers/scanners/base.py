"""What a scanner is to whoever uses it, whatever it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Protocol, Self

from holdfast_drivers.values import Scan, Tri


class Capability(Enum):
    """What a scanner can be asked to do. What it has not, its methods refuse."""

    FEEDBACK = auto()
    """`good_read` and `bad_read`."""
    SWITCH = auto()
    """`enable` and `disable`."""
    QUERY = auto()
    """`alive` asks the scanner; without it the answer is always UNKNOWN."""


@dataclass(slots=True)
class ScannerStats:
    """Counts since the scanner was opened."""

    bytes: int = 0
    reads: int = 0
    """Scans delivered."""
    fragments: int = 0
    """Reads that silence, not a terminator, ended; and reads cut off by an unplug, which are dropped."""
    oversize: int = 0
    """Reads dropped for their length."""
    garbled: int = 0
    """Reads and replies dropped for damage: a wrong checksum, keys the kernel lost."""


@dataclass(frozen=True, slots=True)
class Garbled:
    """What a decoder hands on in place of a damaged frame."""


class Scanner(Protocol):
    """`async with driver as scanner: async for scan in scanner: ...`

    Entering raises what the link's opener raises. Iterating raises DeviceError("unplugged") when the scanner is gone;
    what it had begun to send is then dropped, for half a code must never become a scan. Cancelling a wait loses none.
    The methods may be called from other tasks meanwhile; each ends within seconds and raises nothing but
    DeviceError: `refused` by the scanner or not among its capabilities, `timeout`, `unplugged`.
    """

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def stats(self) -> ScannerStats: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Scan: ...

    async def good_read(self, *, beeps: int = 1) -> None:
        """Tell the person at the scanner that the code was taken, with `beeps` (1..5) good tones."""
        ...

    async def bad_read(self) -> None:
        """Tell the person at the scanner that the code was refused."""
        ...

    async def enable(self) -> None:
        """Let it read codes again."""
        ...

    async def disable(self) -> None:
        """Keep it from reading codes until `enable` or its next start."""
        ...

    async def alive(self) -> Tri:
        """YES when it answered just now, else UNKNOWN: a silent scanner may be idle, deaf or dead."""
        ...
