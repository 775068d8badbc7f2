"""What every bench shares: the shape of a row, repetitions in turns, medians, and what a process has used so far."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

_CPUCLOCK_SCHED = 2
"""Linux, include/linux/posix-timers_types.h: how a process id becomes the id of its processor clock."""


class Beside(msgspec.Struct, frozen=True):
    """The same, done by what one would pick instead; in the row's unit."""

    what: str
    value: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of ours and what stands beside it."""

    what: str
    value: float
    unit: str
    beside: tuple[Beside, ...] = ()
    goal: str = ""
    met: bool | None = None
    """None when there is no goal."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a bench is told. `disk` is where files under measurement go, `sockets` where paths are short enough."""

    quick: bool
    disk: Path
    sockets: Path

    def pick(self, full: int, quick: int) -> int:
        """How many."""
        return quick if self.quick else full


async def in_turns(rounds: int, measures: Mapping[str, Callable[[], Awaitable[float]]]) -> dict[str, float]:
    """The median of each, taken in turns and back again, so that a noisy moment of the machine meets all of them."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    order = list(measures)
    for _ in range(rounds):
        for name in order:
            found[name].append(await measures[name]())
        order.reverse()
    return {name: statistics.median(values) for name, values in found.items()}


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of them do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def resident(pid: int, what: str = "VmRSS") -> float:
    """Resident memory of a process in MiB; `VmHWM` is the most it was since `forget_peak` (Linux, proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition(f"{what}:")[2].split()[0]) / 1024


def forget_peak(pid: int) -> None:
    """Let the most resident memory count from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a process so far, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)


def count(number: float) -> str:
    """A large number with its thousands apart."""
    return f"{number:,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def environment() -> dict[str, str]:
    """For measured processes: Python keeps its bytecode, as it does for an installed daemon."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
