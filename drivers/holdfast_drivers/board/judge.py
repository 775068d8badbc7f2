"""From readings to findings: what is well, what is not, what nobody knows. Pure.

A finding that is not well carries a key; the words for it and what to do stand in holdfast_contract.board.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from holdfast_drivers.board.board import BoardReading
from holdfast_drivers.board.memory import Memory
from holdfast_drivers.board.storage import OVER, Kind, Medium
from holdfast_drivers.board.supply import Flag
from holdfast_drivers.board.timekeeping import CELL_MV, Timekeeping
from holdfast_drivers.board.watchdog import Watchdog
from holdfast_drivers.board.wear import Wear, days_left
from holdfast_drivers.values import Tri

MEMORY_PERMILLE = 80
"""Less than this of all memory left, and the next program that asks may be the last."""
LIFE_PERCENT = 90
"""Of an eMMC's or a rated card's life used: time to order another."""
GIGA = 1_000_000_000


class Topic(StrEnum):
    """What a finding is about, in the order of a report."""

    SUPPLY = "supply"
    THROTTLING = "throttling"
    SINCE_BOOT = "since_boot"
    TEMPERATURE = "temperature"
    CLOCK = "clock"
    RTC = "rtc"
    STORAGE = "storage"
    SPACE = "space"
    WATCHDOG = "watchdog"
    MEMORY = "memory"


class Key(StrEnum):
    """What is wrong."""

    UNKNOWN = "unknown"
    UNDERVOLTAGE = "undervoltage"
    UNDERVOLTAGE_PRINTING = "undervoltage_printing"
    THROTTLED = "throttled"
    TROUBLED_SINCE_BOOT = "troubled_since_boot"
    HOT = "hot"
    OVERHEATED = "overheated"
    CLOCK_HOLDOVER = "clock_holdover"
    CLOCK_UNSET = "clock_unset"
    RTC_ABSENT = "rtc_absent"
    RTC_CELL = "rtc_cell"
    STORAGE_READ_ONLY = "storage_read_only"
    STORAGE_ERRORS = "storage_errors"
    STORAGE_WORN_OUT = "storage_worn_out"
    STORAGE_WEARING = "storage_wearing"
    STORAGE_MUTE = "storage_mute"
    SPACE_LOW = "space_low"
    SPACE_FULL = "space_full"
    WATCHDOG_ABSENT = "watchdog_absent"
    WATCHDOG_IDLE = "watchdog_idle"
    WATCHDOG_BITTEN = "watchdog_bitten"
    MEMORY_LOW = "memory_low"
    MEMORY_KILLED = "memory_killed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the machine, now."""

    topic: Topic
    well: Tri
    value: str = ""
    """For people: `51 °C`."""
    key: Key | None = None
    """None: it is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the hub knows besides."""

    clock: str
    """`synced`, `holdover` or `unset`."""
    free_bytes: int | None
    low_bytes: int
    floor_bytes: int
    printing: bool = False
    """The printer was at work when the rail was too low."""
    killed_before: int = 0
    """Programs ended for want of memory before the hub looked first."""
    wear: Wear | None = None
    rated_bytes: int | None = None
    """What the medium's maker warrants; None: not known."""


def judge(seen: BoardReading, around: Around) -> tuple[Finding, ...]:
    """A finding for each topic, in their order."""
    return (
        _supply(seen, around),
        *_held_back(seen),
        _temperature(seen),
        _clock(around),
        _rtc(seen.time),
        _storage(seen.medium, around),
        _space(around),
        _watchdog(seen.watchdog),
        _memory(seen.memory, around),
    )


def _unknown(topic: Topic, value: str = "") -> Finding:
    return Finding(topic, Tri.UNKNOWN, value, Key.UNKNOWN)


def _supply(seen: BoardReading, around: Around) -> Finding:
    low = seen.undervoltage
    if low is not Tri.YES and seen.throttling is not None:
        low = Tri.YES if Flag.UNDERVOLTAGE in seen.throttling.now else Tri.NO
    if low is Tri.UNKNOWN:
        return _unknown(Topic.SUPPLY)
    if low is Tri.NO:
        return Finding(Topic.SUPPLY, Tri.YES, "the 5 V rail holds")
    key = Key.UNDERVOLTAGE_PRINTING if around.printing else Key.UNDERVOLTAGE
    return Finding(Topic.SUPPLY, Tri.NO, "the 5 V rail is too low", key)


def _held_back(seen: BoardReading) -> Iterator[Finding]:
    told = seen.throttling
    if told is None:
        yield _unknown(Topic.THROTTLING)
        yield _unknown(Topic.SINCE_BOOT)
        return
    now = told.now - {Flag.UNDERVOLTAGE}
    if now:
        yield Finding(Topic.THROTTLING, Tri.NO, _flags(now), Key.THROTTLED)
    else:
        yield Finding(Topic.THROTTLING, Tri.YES, "full speed")
    if told.since_boot is None:
        yield _unknown(Topic.SINCE_BOOT)
    elif told.since_boot:
        yield Finding(Topic.SINCE_BOOT, Tri.NO, _flags(told.since_boot), Key.TROUBLED_SINCE_BOOT)
    else:
        yield Finding(Topic.SINCE_BOOT, Tri.YES, "nothing of it since boot")


def _temperature(seen: BoardReading) -> Finding:
    heat = seen.heat
    if heat is None:
        return _unknown(Topic.TEMPERATURE)
    value = f"{heat.milli_c / 1000:.0f} °C"
    if heat.milli_c >= heat.slowed:
        return Finding(Topic.TEMPERATURE, Tri.NO, value, Key.OVERHEATED)
    if heat.milli_c >= heat.soft:
        return Finding(Topic.TEMPERATURE, Tri.NO, value, Key.HOT)
    return Finding(Topic.TEMPERATURE, Tri.YES, value)


def _clock(around: Around) -> Finding:
    if around.clock == "synced":
        return Finding(Topic.CLOCK, Tri.YES, around.clock)
    if around.clock == "holdover":
        return Finding(Topic.CLOCK, Tri.UNKNOWN, around.clock, Key.CLOCK_HOLDOVER)
    return Finding(Topic.CLOCK, Tri.NO, around.clock, Key.CLOCK_UNSET)


def _rtc(time: Timekeeping) -> Finding:
    if not time.rtc:
        return Finding(Topic.RTC, Tri.UNKNOWN, "none", Key.RTC_ABSENT)
    if time.cell_mv is None:
        return Finding(Topic.RTC, Tri.YES, "present; its cell is not told")
    value = f"cell {time.cell_mv / 1000:.2f} V{', charging' if time.charging else ''}"
    if time.cell_mv < CELL_MV:
        return Finding(Topic.RTC, Tri.NO, value, Key.RTC_CELL)
    return Finding(Topic.RTC, Tri.YES, value)


def _storage(medium: Medium | None, around: Around) -> Finding:
    if medium is None:
        return _unknown(Topic.STORAGE)
    value = ", ".join([f"{medium.kind.value} {medium.name}", *_life(medium, around)])
    key = _storage_trouble(medium, _used_percent(medium, around))
    well = Tri.YES if key is None else Tri.UNKNOWN if key is Key.STORAGE_MUTE else Tri.NO
    return Finding(Topic.STORAGE, well, value, key)


def _storage_trouble(medium: Medium, used: int | None) -> Key | None:
    if medium.read_only is Tri.YES:
        return Key.STORAGE_READ_ONLY
    if medium.errors:
        return Key.STORAGE_ERRORS
    if used is None and medium.reserve is None:
        return Key.STORAGE_MUTE
    end = OVER * 10 if medium.life_percent is not None else 100
    if medium.reserve == 3 or (used or 0) >= end:
        return Key.STORAGE_WORN_OUT
    return Key.STORAGE_WEARING if medium.reserve == 2 or (used or 0) >= LIFE_PERCENT else None


def _used_percent(medium: Medium, around: Around) -> int | None:
    """What the medium itself says of its life, else what was written of what its maker warrants."""
    if medium.life_percent is not None:
        return medium.life_percent
    if around.wear is None or around.rated_bytes is None:
        return None
    return around.wear.written * 100 // around.rated_bytes


def _life(medium: Medium, around: Around) -> Iterator[str]:
    if medium.life_percent is not None:
        yield f"{medium.life_percent} % of its life used" if medium.life_percent <= 100 else "beyond its life"
    if medium.errors:
        yield f"{medium.errors} errors"
    if around.wear is not None:
        yield f"at least {around.wear.written / GIGA:.1f} GB written"
        pace = around.wear.bytes_a_day
        if pace is not None:
            yield f"{pace / GIGA:.2f} GB a day of running"
        if around.rated_bytes is not None and medium.kind is not Kind.EMMC:
            left = days_left(around.wear, around.rated_bytes)
            yield from [] if left is None else [f"about {left} days of running to its rating"]


def _space(around: Around) -> Finding:
    free = around.free_bytes
    if free is None:
        return _unknown(Topic.SPACE)
    value = f"{free / GIGA:.2f} GB free"
    if free < around.floor_bytes:
        return Finding(Topic.SPACE, Tri.NO, value, Key.SPACE_FULL)
    if free < around.low_bytes:
        return Finding(Topic.SPACE, Tri.NO, value, Key.SPACE_LOW)
    return Finding(Topic.SPACE, Tri.YES, value)


def _watchdog(watchdog: Watchdog) -> Finding:
    if not watchdog.present:
        return Finding(Topic.WATCHDOG, Tri.UNKNOWN, "none", Key.WATCHDOG_ABSENT)
    if watchdog.active is Tri.UNKNOWN:
        return _unknown(Topic.WATCHDOG, watchdog.configured and f"systemd is told {watchdog.configured}")
    if watchdog.active is Tri.NO:
        return Finding(Topic.WATCHDOG, Tri.NO, "nobody feeds it", Key.WATCHDOG_IDLE)
    limit = "" if watchdog.seconds is None else f", {watchdog.seconds} s"
    value = f"fed by {watchdog.owner}{limit}"
    if watchdog.bitten is Tri.YES:
        return Finding(Topic.WATCHDOG, Tri.NO, value, Key.WATCHDOG_BITTEN)
    return Finding(Topic.WATCHDOG, Tri.YES, value)


def _memory(memory: Memory | None, around: Around) -> Finding:
    if memory is None:
        return _unknown(Topic.MEMORY)
    value = f"{memory.available // 1_000_000} of {memory.total // 1_000_000} MB available"
    killed = (memory.killed or 0) - around.killed_before
    if killed > 0:
        return Finding(Topic.MEMORY, Tri.NO, f"{value}, {killed} programs ended", Key.MEMORY_KILLED)
    if memory.available * 1000 < memory.total * MEMORY_PERMILLE:
        return Finding(Topic.MEMORY, Tri.NO, value, Key.MEMORY_LOW)
    return Finding(Topic.MEMORY, Tri.YES, value)


def _flags(flags: frozenset[Flag]) -> str:
    return ", ".join(flag.name.lower().replace("_", " ") for flag in sorted(flags, key=lambda flag: flag.value))
