"""The hub's power device on a simulated board, on a virtual clock: drivers, filter, judgement and stages are real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from holdfast.config import Power
from holdfast.devices.health import HealthBoard
from holdfast.devices.power import device as power_module
from holdfast.devices.power import gauges
from holdfast.devices.power.battery import BatteryCare
from holdfast.devices.power.book import PowerBook
from holdfast.devices.power.device import PowerDevice
from holdfast.devices.power.energy import EnergyKeeper
from holdfast.domain.core import Command, Outcome
from holdfast.domain.power import ChangeStage
from holdfast.domain.stages import Stage
from holdfast.runtime.clock import SystemClock
from holdfast_drivers.links.gpio import HoldfastFactory
from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.links.lines import LineConfig, MemoryChip, OnEdge
from holdfast_drivers.links.registers import MemoryBus
from holdfast_drivers.sim import Step
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.sim import BoardBench
from holdfast_drivers.ups.simulated import BOARDS, SimulatedBoard
from holdfast_drivers.values import DeviceError

T = TypeVar("T")
AC_LINE = 6
TICK = 1.0
"""Seconds between steps of the battery."""
ORDERLY_STOP = 60.0
"""Seconds the ordered stop may take."""


def options(name: str) -> Power:
    """The configuration of a hub on that board, with 2 Ah in each cell."""
    board = BOARDS[name]
    common = {"board": name, "capacity_wh": 7.4 * board.cells, "load_w": 10.0 * board.cells}
    if name.startswith("ina"):
        shunt = 100.0 if name == "ina219" else 10.0
        common |= {"address": board.address, "cells": board.cells, "shunt_mohm": shunt}
    if name == "sbs":
        common |= {"cells": board.cells}
    if name in ("max1704x", "lc709203f"):
        common |= {"mains_pin": AC_LINE}
    return Power(**common)  # type: ignore[arg-type]  # each is of its own type


class Inline:
    """A CallThread without a thread: the virtual clock knows none."""

    stuck = False

    async def call(self, work: Callable[[], T], **_: float) -> T:
        return work()

    async def close(self, last: Callable[[], object]) -> None:
        last()


class PlainLines(MemoryChip):
    """Lines without debounce, whose timers would run on the real clock."""

    def configure(self, line: int, config: LineConfig, on_edge: OnEdge | None = None) -> None:
        super().configure(line, replace(config, debounce=0.0), on_edge)


class NoRecord:
    """A journal without records."""

    head = (0, b"")

    async def query(self, sql: str, *_: object) -> list[tuple[Any, ...]]:
        raise AssertionError(sql)


class VirtualClock(SystemClock):
    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Story:
    """What happened, with the second it happened at."""

    bench: BoardBench
    device: PowerDevice
    health: HealthBoard
    bus: I2CBus
    facts: list[Mapping[str, str]]
    """What a technician saw of it, each change."""
    stages: list[tuple[float, Stage, str]] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    stopped_at: float | None = None
    output_lost_at: float | None = None
    charge_at_stop: float | None = None
    errors: list[str] = field(default_factory=list)

    def reached(self, stage: Stage) -> bool:
        return any(new >= stage for _, new, _ in self.stages)


async def play(
    steps: tuple[Step, ...],
    board: SimulatedBoard,
    options: Power,
    folder: Path,
    patch: pytest.MonkeyPatch,
    *,
    capacity_mah: float = 6000.0,
) -> Story:
    """The whole timeline, on the clock of the running loop; ends with its last step, or when the pack is out."""
    loop, clock, lines = asyncio.get_running_loop(), VirtualClock(), PlainLines()
    events: list[dict[str, Any]] = []
    battery = Battery(capacity_mah=capacity_mah)
    bench = BoardBench(folder / "unused", battery, events.append, board=board, ac_line=AC_LINE)
    bus = I2CBus(MemoryBus({board.address: bench.chip}), thread=Inline(), clock=loop.time)  # type: ignore[arg-type,dict-item]
    _wire(patch, bus, lines)

    async def execute(command: Command, **_: str) -> Outcome:
        return await _executed(story, command, loop.time())

    async def busy() -> bool:
        """Too much goes on at the counter for a test of the battery."""
        return False

    facts: list[Mapping[str, str]] = []
    health = HealthBoard(clock, lambda device: facts.append(device.facts))
    device = PowerDevice(
        options,
        health=health,
        clock=clock,
        care=BatteryCare(options, clock=clock, store=folder / "battery.json", execute=execute, quiet=busy),
        energy=EnergyKeeper(options, book=PowerBook(NoRecord()), real=clock, clock=clock, execute=execute),
        execute=execute,
        staged=lambda _: None,
        stop=lambda _: _stopped(story, loop.time()),
        noted=lambda _: None,
    )
    story = Story(bench, device, health, bus, facts)
    await bench.obey("mains on")
    tasks = [asyncio.create_task(work()) for work in (lambda: _lives(story), device.judge)]
    for step in (*steps, Step(steps[-1].at + TICK, ())):
        while loop.time() < step.at and story.output_lost_at is None:
            bench.pass_time(TICK)
            if not battery.output:
                story.output_lost_at = loop.time()
            await asyncio.sleep(TICK)
        for line in step.lines:
            await bench.obey(line)
            lines.drive(AC_LINE, high=bench.server.level(AC_LINE))
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(ended, asyncio.CancelledError), ended
    assert not [event for event in events if event["event"] == "error"]
    return story


def _wire(patch: pytest.MonkeyPatch, bus: I2CBus, lines: MemoryChip) -> None:
    @asynccontextmanager
    async def header(_: str) -> AsyncIterator[Any]:
        class Here:
            factory = HoldfastFactory(lines)

            async def call(self, work: Callable[[], T]) -> T:
                return work()

        with Here.factory:
            yield Here()

    async def opened(_: str) -> I2CBus:
        await asyncio.sleep(0)
        return bus

    async def stays_open() -> None:
        await asyncio.sleep(0)

    async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    patch.setattr(asyncio, "to_thread", at_once)
    patch.setattr(bus, "close", stays_open)
    patch.setattr(gauges, "i2c_bus", opened)
    patch.setattr(power_module, "gpio_header", header)


async def _lives(story: Story) -> None:
    """One life after another, as the supervisor has it."""
    while True:
        try:
            await story.device.run()
        except DeviceError as error:
            story.health.lost(story.device.name, error)
            story.errors.append(error.kind)
            await asyncio.sleep(5)


async def _executed(story: Story, command: Command, at: float) -> Outcome:
    await asyncio.sleep(0)
    story.commands.append(command)
    if isinstance(command, ChangeStage):
        story.stages.append((at, command.new, command.why))
    return Outcome()


def _stopped(story: Story, at: float) -> None:
    """The hub is asked to stop; it goes on drawing what it draws until its time for that is over."""
    if story.stopped_at is None:
        story.stopped_at = at
        story.charge_at_stop = story.bench.battery.charge
