"""Power stories: a pack with its physics, sensors that err, mains that come and go; the hub's own filter, judgement and
stages decide, on a clock that only the story moves. A seed tells the same story every time.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from holdfast.config import Power
from holdfast.devices.health import HealthBoard
from holdfast.devices.power.battery import BatteryCare, pack_of
from holdfast.devices.power.book import PowerBook
from holdfast.devices.power.device import PowerDevice
from holdfast.devices.power.energy import EnergyKeeper
from holdfast.domain.core import Command, Outcome
from holdfast.domain.energy import reserve_wh
from holdfast.domain.plan import Plan
from holdfast.domain.power import ChangeStage
from holdfast.domain.stages import Stage
from holdfast.runtime.clock import ManualClock
from holdfast_contract.power import Share
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.cells import charge_from_voltage
from holdfast_drivers.ups.filter import PowerView
from holdfast_drivers.ups.judgement import Judge, Judged
from holdfast_drivers.values import PowerReading, Tri

NOW = 1_790_000_000_000
ORDERLY_S = 60
"""What the ordered stop may take."""
LONGEST_S = 6 * 3600
SWAP_S = 20
"""A generator is changed."""
FAULTS = ("none", "none", "none", "spikes", "zero", "full", "frozen", "deaf", "lost")
BOARDS = ("gauge", "monitor", "both")

Execute = Callable[..., Awaitable[Outcome]]


@dataclass
class Script:
    """What happens, all of it from the seed."""

    seed: int
    board: str
    fault: str
    fault_at: float
    battery: Battery
    base_w: float
    burst_w: float
    mains: list[tuple[float, bool]]
    """(from second, there)."""
    swaps: list[float]
    """Seconds at which a generator is changed."""
    plan_h: float | None
    lost_s: float = 400.0
    """How long a board that is lost stays away."""
    calm: set[float] = field(default_factory=set, init=False)
    """Swaps that find a pack with much to spare."""

    def note_swap(self, at: float) -> None:
        """Has the pack at this moment so much left that no stage could be asked for?"""
        hours = 0.0 if self.plan_h is None else max(self.plan_h - at / 3600, 0.0)
        need = self.base_w * hours / 0.9
        wh = minutes_left(self.battery, self.base_w) / 60 * self.base_w
        if self.battery.charge > 0.45 and wh > 2 * need + self.base_w and self.fault in ("none", "spikes"):
            self.calm.add(at)


@dataclass
class Told:
    """How a story went."""

    script: Script
    changes: list[tuple[float, Stage, Stage, str]] = field(default_factory=list)
    stopped_at: float | None = None
    why: str = ""
    left_min: float = 0.0
    """What the pack would truly still have lasted when the stop was asked for."""
    reserve_min: float = 0.0
    """What the reserve is worth at that load."""
    orderly: bool = True
    """The output held until the ordered stop was over."""
    died: bool = False
    """The output was lost without a stop."""
    seconds: float = 0.0

    def faults(self) -> list[str]:
        """What must never be, each by name."""
        found = []
        better = [at for at, old, new, _ in self.changes if new < old]
        if any(later - earlier < 300 for earlier, later in pairwise(better)):
            found.append("flaps")
        if any(abs(new - old) > 1 and new is not Stage.STOP and why != "silent" for _, old, new, why in self.changes):
            found.append("leaps")
        if self.died:
            found.append("dies")
        if not self.orderly:
            found.append("cut_in_the_stop")
        if self.stopped_at is not None and self.why != "silent" and self.left_min > self.reserve_min:
            found.append("stops_above_reserve")
        if any(start <= at <= start + SWAP_S + 10 for start in self.script.calm for at, *_ in self.changes):
            found.append("moved_by_a_swap")
        return found


def script(seed: int) -> Script:
    """The story of this seed."""
    rng = Random(seed)
    cells, watts = rng.choice((1, 1, 2, 4)), rng.uniform(3.0, 8.0)
    hours = rng.uniform(0.6, 1.6)
    battery = Battery(
        cells=cells,
        capacity_mah=watts * hours / (3.6 * cells) * 1000 / 0.9,
        resistance_ohm=rng.uniform(0.02, 0.06),
        charge=rng.uniform(0.55, 1.0),
        temperature_c=rng.uniform(-2, 35),
        cycles=rng.choice((0, 0, rng.uniform(0, 400))),
        cutoff_mv=2900,
    )
    calm = 400.0
    swaps, at = [], calm
    mains = [(0.0, True)]
    for _ in range(rng.choice((0, 0, 1, 2))):
        at += rng.uniform(400, 1200)
        if rng.random() < 0.5:
            swaps.append(at)
            mains += [(at, False), (at + SWAP_S, True)]
        else:
            away = rng.uniform(60, 1200)
            mains += [(at, False), (at + away, True)]
            at += away
    at += rng.uniform(200, 900)
    mains.append((at, False))
    return Script(
        seed=seed,
        board=rng.choice(BOARDS),
        fault=rng.choice(FAULTS),
        fault_at=at + rng.uniform(-300, hours * 2000),
        battery=battery,
        base_w=watts,
        burst_w=carried(battery, watts, rng.uniform(0.0, watts)),
        mains=mains,
        swaps=swaps,
        plan_h=rng.choice((None, rng.uniform(1.0, 4.0))),
    )


def carried(pack: Battery, base_w: float, burst_w: float) -> float:
    """As much of a burst as a nearly empty pack can feed: one that trips at its load's peaks stops nobody in order."""
    low = copy.copy(pack)
    low.charge, low.mains, low.cut, low.load_w = 0.1, False, False, base_w + burst_w
    while low.cell_mv < pack.cutoff_mv + 50 and low.load_w > base_w:
        low.load_w -= 0.1
    return max(low.load_w - base_w, 0.0)


class Sensors:
    """What a board says of the pack, with its errors."""

    def __init__(self, told: Script) -> None:
        self._story = told
        self._rng = Random(told.seed + 1)
        self._kept: PowerReading | None = None

    def read(self, at: float) -> PowerReading | None:
        """A sample; None when the board does not answer."""
        story, rng, pack = self._story, self._rng, self._story.battery
        fault = story.fault if at >= story.fault_at else "none"
        if fault == "lost" and at < story.fault_at + story.lost_s:
            return None
        mains = Tri.YES if pack.mains else Tri.NO
        if fault == "deaf" and at < story.fault_at + 8:
            return PowerReading(at, mains=mains)
        cell = round(pack.cell_mv + rng.gauss(0, 4))
        charge = min(max(round(pack.charge * 1000 + rng.gauss(0, 2)), 0), 1000)
        current = round(pack.current_a * 1000 + rng.gauss(0, 15))
        reading = PowerReading(
            at,
            cell_mv=cell,
            charge_permille=charge_from_voltage(cell) if story.board == "monitor" else charge,
            estimated=story.board == "monitor",
            mains=mains,
            pack_mv=cell * pack.cells,
            current_ma=None if story.board == "gauge" else current,
            temperature_dc=round(pack.temperature_c * 10) if story.board == "both" else None,
        )
        return self._wrong(reading, fault)

    def _wrong(self, right: PowerReading, fault: str) -> PowerReading:
        if fault == "spikes" and self._rng.random() < 0.01:
            return replace(
                right,
                cell_mv=self._rng.choice((2510, 4490)),
                charge_permille=self._rng.choice((0, 1000)),
                mains=self._rng.choice((Tri.YES, Tri.NO)),
                stop_asked=self._rng.random() < 0.5,
            )
        if fault in ("zero", "full") and self._story.board != "monitor":
            return replace(right, charge_permille=0 if fault == "zero" else 1000)
        if fault == "frozen" and self._story.board != "monitor":
            self._kept = self._kept or right
            return replace(right, charge_permille=self._kept.charge_permille)
        return right


class PlainCare:
    """The battery's judge without its memory on disk."""

    def __init__(self, options: Power) -> None:
        self._judge = Judge(pack_of(options), planned_mw=options.load_w * 1000)
        self.judged = Judged()
        self.findings: list[str] = []
        self.due = False
        self.memory = SimpleNamespace(replace="", result="never", tested=0, since=0)
        self.tests = SimpleNamespace(running=False)

    async def step(self, view: PowerView, now: float) -> Judged:
        self.judged = self._judge.step(view, now)
        return self.judged

    async def stopping(self) -> None:
        self._judge.end(cut=False)


class Telling:
    """One story being told."""

    def __init__(self, told: Script, execute: Execute | None = None) -> None:
        self.story = told
        self.clock = ManualClock(wall_ms=NOW)
        self.told = Told(told)
        self._execute_real = execute
        self._rng = Random(told.seed + 2)
        self._sensors = Sensors(told)
        pack = told.battery
        label = pack.capacity_mah / 1000 * 3.6 * pack.cells
        options = Power(board="ina219", capacity_wh=label, load_w=told.base_w * 0.9)
        self.book = Book(told, label)
        self.commands: list[Command] = []
        energy = EnergyKeeper(options, book=cast("PowerBook", self.book), real=self.clock, clock=self.clock,
                              execute=self._execute)  # fmt: skip
        self.device = PowerDevice(
            options,
            health=HealthBoard(self.clock),
            clock=self.clock,
            care=cast("BatteryCare", PlainCare(options)),
            energy=energy,
            execute=self._execute,
            staged=lambda _: None,
            stop=self._stop,
            noted=lambda _: None,
        )

    async def _execute(self, command: Command, *, actor: str) -> Outcome:
        self.commands.append(command)
        if isinstance(command, ChangeStage):
            old = Stage(self.told.changes[-1][2]) if self.told.changes else Stage.NORMAL
            self.told.changes.append((self.clock.monotonic(), old, Stage(command.new), command.why))
        if self._execute_real is not None:
            return await self._execute_real(command, actor=actor)
        return Outcome()

    def _stop(self, why: str) -> None:
        told, pack = self.told, self.story.battery
        told.stopped_at, told.why = self.clock.monotonic(), why.removeprefix("power: ")
        kept = {"board": self.story.base_w}
        told.reserve_min = reserve_wh(kept) / self.story.base_w * 60 / 0.9
        told.left_min = minutes_left(pack, self.story.base_w)

    async def run(self, meanwhile: Callable[[], Awaitable[None]] | None = None, *, until: float = LONGEST_S) -> Told:
        """To the stop and through it, or to the end of the pack, at most `until` that second."""
        told, pack, at = self.told, self.story.battery, 0.0
        while at < until and told.stopped_at is None:
            step = 2.0 if pack.mains else 1.0
            self._pass(step)
            at = self.clock.monotonic()
            if not pack.output:
                told.died = True
                break
            reading = self._sensors.read(at)
            if reading is not None:
                self.device._filter.add(reading)
            await self.device._judge_once()
            if meanwhile is not None and self._rng.random() < 0.002:
                await meanwhile()
        told.seconds = at
        if told.stopped_at is not None:
            pack.load_w = self.story.base_w
            pack.step(ORDERLY_S)
            told.orderly = pack.output
        return told

    def _pass(self, seconds: float) -> None:
        pack, story = self.story.battery, self.story
        bursts = self._rng.random() < 0.02
        pack.load_w = story.base_w + (story.burst_w if bursts else self._rng.gauss(0, 0.1))
        pack.step(seconds)
        self.clock.advance(seconds)
        at = self.clock.monotonic()
        for swap in story.swaps:
            if at - seconds < swap <= at:
                story.note_swap(swap)
        pack.mains = [there for since, there in story.mains if since <= at][-1]


def told(seed: int) -> Told:
    """The whole story of this seed."""
    return asyncio.run(Telling(script(seed)).run())


class Book:
    """A plan that was armed before the story began."""

    def __init__(self, told: Script, label_wh: float) -> None:
        self.plan: Plan | None = None
        self.metered_at = 0
        self.shed = frozenset[str]()
        self.grid: list[Any] = []
        self.level = 0
        if told.plan_h is not None:
            loads = (Share("board", round(told.base_w * 1000)),)
            reserve = round(reserve_wh({"board": told.base_w}) * 1000)
            until = NOW + round(told.plan_h * 3_600_000)
            self.plan = Plan(NOW, until, loads, round(label_wh * 1000), reserve, 1000, 1000, 250)

    async def refresh(self) -> None:
        pass

    def grid_level(self, _: int) -> int:
        return self.level


def minutes_left(pack: Battery, load_w: float, *, empty_mv: float = 3200.0) -> float:
    """What the pack truly still gives at this load, until a cell is empty."""
    rest = copy.copy(pack)
    rest.load_w, rest.mains, seconds = load_w, False, 0.0
    while rest.output and rest.cell_mv > empty_mv and seconds < LONGEST_S:
        rest.step(5)
        seconds += 5
    return seconds / 60
