"""The machine itself: looks at it now and then, keeps what was found, tells of what has changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from holdfast.config import Storage
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.journal.space import free_bytes
from holdfast.runtime.clock import Clock
from holdfast_contract.board import Change, State
from holdfast_drivers.board.board import BoardReading, read_board
from holdfast_drivers.board.files import ROOT
from holdfast_drivers.board.judge import Around, Finding, Key, Topic, judge
from holdfast_drivers.board.supply import find_alarm, read_alarm
from holdfast_drivers.board.wear import Wear, counted, load_wear, save_wear
from holdfast_drivers.links.thread import CallThread
from holdfast_drivers.values import Tri

NAME = "board"
LOOK_EVERY = 15.0
"""Seconds between looks at everything."""
GLANCE_EVERY = 1.0
"""Seconds between glances at the undervoltage alarm, which the kernel takes back after two."""
DEADLINE = 5.0
HOLD = 300.0
"""Seconds for which something that comes and goes counts as there after it was last seen: one record, not fifty."""
PRINTED_WITHIN = 3.0
"""Seconds after printing in which a supply that sags is the printer's doing."""
SAVE_EVERY = 3600.0
"""Seconds between two writes of what was written."""
TERA = 10**12
NO_DEVICE = (0, 0)
PASSING = frozenset({Topic.SUPPLY, Topic.THROTTLING, Topic.TEMPERATURE, Topic.MEMORY})
"""What comes and goes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding and its times, in monotonic seconds."""

    finding: Finding
    since: float
    """When it became so."""
    seen: float
    """When it was last seen to be so."""


@dataclass(frozen=True, slots=True)
class BoardNow:
    """What the rest of the hub may ask."""

    model: str = ""
    kept: tuple[Kept, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    """What is known of: `temperature_c`, `undervoltages`, `written_bytes`, `life_used`, `memory_available_bytes`."""


class BoardDevice:
    """`run` looks for as long as the hub does."""

    def __init__(
        self,
        storage: Storage,
        *,
        health: HealthBoard,
        clock: Clock,
        printing: Callable[[], bool],
        changed: Callable[[Change], None],
        shown: Callable[[State], None],
        root: Path = ROOT,
    ) -> None:
        """`changed` hears of every finding that is not what it was, `shown` how the board is whenever one is."""
        self.name = NAME
        self.now = BoardNow()
        self._storage = storage
        self._health = health
        self._clock = clock
        self._printing = printing
        self._changed = changed
        self._shown = shown
        self._root = root
        self._directory = Path(storage.directory)
        self._wear_file = self._directory / "medium.json"
        self._thread: CallThread | None = None
        self._alarm: Path | None = None
        self._dips = 0
        self._low = False
        self._printed_at = float("-inf")
        self._dip_printing = False
        self._killed: int | None = None
        self._wear: Wear | None = None
        self._saved_at = float("-inf")
        health.add(NAME, NAME, str(root / "sys"))

    async def run(self) -> None:
        """Raises DeviceError when the machine does not answer in time."""
        self._thread = self._thread or CallThread(NAME)
        self._alarm = await self._thread.call(lambda: find_alarm(self._root), timeout=DEADLINE)
        if self._wear is None:
            self._wear = await self._thread.call(lambda: load_wear(self._wear_file), timeout=DEADLINE)
        look_at = self._clock.monotonic()
        while True:
            if await self._glance() or self._clock.monotonic() >= look_at:
                look_at = self._clock.monotonic() + LOOK_EVERY
                await self._look()
            await self._clock.sleep(GLANCE_EVERY)

    async def check(self) -> Verdict:
        """CheckHealth, external: looks afresh. Raises DeviceError."""
        if self._thread is None:
            return Tri.UNKNOWN, "it was not looked at yet"
        await self._look()
        wrong = [
            f"{one.finding.topic.value}: {one.finding.value}" for one in self.now.kept if one.finding.well is Tri.NO
        ]
        return (Tri.NO, "; ".join(wrong)) if wrong else (Tri.YES, "nothing is wrong with what it tells")

    async def _glance(self) -> bool:
        """Whether the supply has begun to sag."""
        now = self._clock.monotonic()
        self._printed_at = now if self._printing() else self._printed_at
        if self._alarm is None or self._thread is None:
            return False
        low = await self._thread.call(lambda: read_alarm(self._alarm), timeout=DEADLINE) is Tri.YES
        began = low and not self._low
        self._low = low
        self._dips += began
        self._dip_printing |= began and now - self._printed_at <= PRINTED_WITHIN
        return began

    async def _look(self) -> None:
        assert self._thread is not None
        seen, free = await self._thread.call(self._read, timeout=DEADLINE)
        now = self._clock.monotonic()
        if self._low:
            seen = replace(seen, undervoltage=Tri.YES)
        await self._count(seen, now)
        killed = None if seen.memory is None else seen.memory.killed
        around = Around(
            clock=self._clock.quality().name.lower(),
            free_bytes=free,
            low_bytes=self._storage.low_bytes,
            floor_bytes=self._storage.floor_bytes,
            printing=self._dip_printing,
            killed_before=(self._killed if self._killed is not None else killed) or 0,
            wear=self._wear,
            rated_bytes=self._rated,
        )
        self._killed = killed
        self._keep(seen, judge(seen, around), now)

    def _read(self) -> tuple[BoardReading, int | None]:
        """Blocks."""
        try:
            number, free = self._directory.stat().st_dev, free_bytes(self._directory)
        except OSError:
            return read_board(self._root, NO_DEVICE), None
        return read_board(self._root, (os.major(number), os.minor(number))), free

    @property
    def _rated(self) -> int | None:
        return None if self._storage.rated_tb is None else round(self._storage.rated_tb * TERA)

    async def _count(self, seen: BoardReading, now: float) -> None:
        medium = seen.medium
        if medium is None or medium.written is None or not medium.identity or not seen.boot:
            return
        wear = counted(self._wear, identity=medium.identity, boot=seen.boot, written=medium.written, ran_s=int(now))
        self._wear = wear
        if now - self._saved_at >= SAVE_EVERY and self._thread is not None:
            self._saved_at = now
            await self._thread.call(lambda: _save(self._wear_file, wear), timeout=DEADLINE)

    def _keep(self, seen: BoardReading, found: tuple[Finding, ...], now: float) -> None:
        before = {kept.finding.topic: kept for kept in self.now.kept}
        kept = tuple(settle(before.get(finding.topic), finding, now) for finding in found)
        self.now = BoardNow(seen.model, kept, self._figures(seen))
        self._dip_printing &= _key(kept, Topic.SUPPLY) is not None
        self._health.online(self.name, **{one.finding.topic.value: _word(one.finding) for one in kept})
        news = [one.finding for one in kept if one.since == now and _news(before.get(one.finding.topic), one.finding)]
        for finding in news:
            self._changed(
                Change(topic=finding.topic.value, well=finding.well.value, key=finding.key or "", value=finding.value)
            )
        if news or not before:
            self._shown(_state(seen.model, kept))

    def _figures(self, seen: BoardReading) -> dict[str, float]:
        medium = seen.medium
        known = {
            "temperature_c": None if seen.heat is None else seen.heat.milli_c / 1000,
            "undervoltages": None if self._alarm is None else self._dips,
            "written_bytes": None if self._wear is None else self._wear.written,
            "life_used": None if medium is None or medium.life_percent is None else medium.life_percent / 100,
            "memory_available_bytes": None if seen.memory is None else seen.memory.available,
        }
        return {name: value for name, value in known.items() if value is not None}


def settle(before: Kept | None, found: Finding, now: float) -> Kept:
    """What is kept after a look: trouble that comes and goes stays for a while after it was last seen."""
    if before is None or (before.finding.key, before.finding.well) == (found.key, found.well):
        return Kept(found, now if before is None else before.since, now)
    held = found.topic in PASSING and before.finding.well is Tri.NO and found.well is not Tri.NO
    if held and now - before.seen < HOLD:
        return replace(before, finding=replace(before.finding, value=found.value))
    return Kept(found, now, now)


def _news(before: Kept | None, finding: Finding) -> bool:
    """At the first look only trouble is news."""
    return before is not None or finding.well is Tri.NO


def _key(kept: tuple[Kept, ...], topic: Topic) -> Key | None:
    return next((one.finding.key for one in kept if one.finding.topic is topic), None)


def _word(finding: Finding) -> str:
    return "well" if finding.key is None else finding.key.value


def _state(model: str, kept: tuple[Kept, ...]) -> State:
    findings = [one.finding for one in kept]
    return State(
        model=model,
        not_well={one.topic.value: one.key.value for one in findings if one.well is Tri.NO and one.key is not None},
        unknown=tuple(one.topic.value for one in findings if one.well is Tri.UNKNOWN),
    )


def _save(path: Path, wear: Wear) -> None:
    with suppress(OSError):  # a full or read-only medium costs an hour's count
        save_wear(path, wear)
