"""Gauge and AC-loss line as one stream: pace, edges, misses and losses; in memory, and across a bench socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import gpiozero
import pytest

from holdfast_drivers.links.gpio import HoldfastFactory
from holdfast_drivers.links.header import Header, gpio_header
from holdfast_drivers.links.i2c import i2c_bus
from holdfast_drivers.links.lines import LineChip, MemoryChip, Pull
from holdfast_drivers.links.thread import CallThread
from holdfast_drivers.ups import board as board_module
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.board import FAILURES, ON_BATTERY, ON_MAINS, PowerBoard
from holdfast_drivers.ups.chips import Fault
from holdfast_drivers.ups.mains import MainsLine, mains_from_level
from holdfast_drivers.ups.max17048 import Max17048
from holdfast_drivers.ups.sim import BoardBench
from holdfast_drivers.values import DeviceError, PowerReading, Tri
from support.waiting import until


class Script:
    """A clock that moves by what is waited for, a gauge that plays `answers`, a line that follows `levels`."""

    def __init__(self, answers: list[object], levels: list[Tri] | None = None) -> None:
        self.now = 0.0
        self.answers = answers
        self.levels = levels or [Tri.YES]
        self.reads: list[float] = []
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.now

    async def read(self) -> PowerReading:
        self.reads.append(self.now)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, str):
            raise DeviceError(answer)
        return PowerReading(self.now, charge_permille=500)


class ScriptLine:
    def __init__(self, script: Script) -> None:
        self.script = script

    async def read(self) -> Tri:
        levels = self.script.levels
        return levels.pop(0) if len(levels) > 1 else levels[0]

    async def wait(self, limit: float) -> None:
        self.script.waits.append(limit)
        self.script.now += limit
        await asyncio.sleep(0)


async def first(count: int, script: Script) -> list[PowerReading]:
    power = PowerBoard(script, ScriptLine(script), clock=script.clock)
    readings = []
    async with asyncio.timeout(5):
        async for reading in power.readings():
            readings.append(reading)
            if len(readings) == count:
                break
    return readings


async def test_reads_slower_on_mains_than_on_battery() -> None:
    script = Script([None], [Tri.YES, Tri.YES, Tri.NO])
    readings = await first(5, script)
    assert [r.mains for r in readings] == [Tri.YES, Tri.YES, Tri.NO, Tri.NO, Tri.NO]
    assert script.waits == [ON_MAINS, ON_MAINS, ON_BATTERY, ON_BATTERY]


async def test_a_line_that_does_not_answer_is_unknown_and_watched_closely() -> None:
    script = Script([None], [Tri.UNKNOWN])
    assert {r.mains for r in await first(3, script)} == {Tri.UNKNOWN}
    assert script.waits == [ON_BATTERY] * 2


async def test_a_few_misses_are_waited_for() -> None:
    script = Script([None, *["absent"] * (FAILURES - 1), None], [Tri.NO])
    readings = await first(2, script)
    assert [r.charge_permille for r in readings] == [500, 500]
    assert readings[1].at == FAILURES


async def test_a_change_of_mains_is_told_while_the_gauge_misses() -> None:
    script = Script([None, "absent"], [Tri.YES, Tri.YES, Tri.NO])
    readings = await first(2, script)
    assert [(r.mains, r.charge_permille, r.missed) for r in readings] == [(Tri.YES, 500, ""), (Tri.NO, None, "absent")]


async def test_a_lost_gauge_is_unknown_probed_ever_less_often_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    script = Script([*["absent"] * 11, None], [Tri.NO])
    readings = await first(160, script)
    assert [r.charge_permille for r in readings[:2]] == [None, None]
    assert [r.at for r in readings[:2]] == [0, FAILURES - 1], "the mains are told at once, the loss when it is certain"
    assert readings[-1].charge_permille == 500
    pauses = [late - early for early, late in zip(script.reads, script.reads[1:], strict=False)]
    assert pauses[:11] == [1, 1, 1, 1, 5, 10, 20, 30, 30, 30, 30]
    assert pauses[-1] == 1
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 3, "the first miss, the loss, the return"


async def test_a_bus_that_is_gone_ends_the_stream() -> None:
    with pytest.raises(DeviceError, match="unplugged"):
        await first(1, Script(["unplugged"]))


async def test_without_a_line_the_mains_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "ON_BATTERY", 0.001)
    async with asyncio.timeout(5):
        async for reading in PowerBoard(Script([None])).readings():
            assert reading.mains is Tri.UNKNOWN
            break


# The line


@asynccontextmanager
async def header_over(chip: LineChip) -> AsyncIterator[Header]:
    thread = CallThread("gpio")
    factory = HoldfastFactory(chip)
    yield Header(factory, thread)
    await thread.close(factory.close)


@pytest.mark.parametrize(
    ("high", "active", "mains"),
    [(True, "high", Tri.NO), (False, "high", Tri.YES), (True, "low", Tri.YES), (False, "low", Tri.NO)],
)
async def test_polarity(high: bool, active: Literal["high", "low"], mains: Tri) -> None:
    assert mains_from_level(high=high, active=active) is mains
    chip = MemoryChip()
    chip.drive(6, high=high)
    async with header_over(chip) as header, MainsLine(header, 6, active=active) as line:
        assert await line.read() is mains, "read when opened, before any edge"


@pytest.mark.parametrize("pull", list(Pull))
async def test_each_pull_is_put_on_the_line(pull: Pull) -> None:
    async with header_over(MemoryChip()) as header, MainsLine(header, 6, active="high", pull=pull) as line:
        assert await line.read() is (Tri.NO if pull is Pull.UP else Tri.YES)


async def test_an_edge_ends_the_wait_and_a_glitch_does_not() -> None:
    chip = MemoryChip()
    async with header_over(chip) as header, MainsLine(header, 6, active="high", debounce=0.02) as line:
        loop = asyncio.get_running_loop()
        chip.drive(6, high=True)
        chip.drive(6, high=False)
        began = loop.time()
        await line.wait(0.05)
        assert loop.time() - began >= 0.05
        chip.drive(6, high=True)
        await line.wait(5)
        assert loop.time() - began < 4
        assert await line.read() is Tri.NO


async def test_a_line_in_use_is_refused() -> None:
    async with header_over(MemoryChip()) as header, MainsLine(header, 6, active="high"):
        with pytest.raises(gpiozero.GPIOPinInUse):
            async with MainsLine(header, 6, active="low"):
                pytest.fail("taken twice")


async def test_a_line_that_does_not_answer_is_unknown() -> None:
    chip = MemoryChip()
    async with header_over(chip) as header, MainsLine(header, 6, active="high") as line:
        chip.release(6)
        assert await line.read() is Tri.UNKNOWN


# All of it over a socket


async def test_a_power_cut_at_the_bench(tmp_path: Path) -> None:
    events: list[dict[str, object]] = []
    battery = Battery(charge=0.9, load_w=8)
    bench = BoardBench(tmp_path / "s", battery, events.append, ac_line=5, ac_active="low")
    commands: asyncio.Queue[str | None] = asyncio.Queue()
    running = asyncio.create_task(bench.run(commands))
    await until(lambda: bool(events) and events[-1]["event"] == "ready")

    spec = f"bench:{tmp_path}/s"
    bus = await i2c_bus(spec)
    seen: list[PowerReading] = []
    note = seen.append
    async with gpio_header(spec) as header, MainsLine(header, 5, active="low") as line:
        power = PowerBoard(await Max17048.detect(bus), line)

        async def watch() -> None:
            async for reading in power.readings():
                note(reading)

        watching = asyncio.create_task(watch())
        await until(lambda: len(seen) == 1)
        assert seen[0].mains is Tri.YES
        assert seen[0].charge_permille == 900
        assert (seen[0].rate_permille_per_hour or 0) > 0

        commands.put_nowait("mains off")
        await until(lambda: len(seen) == 2)
        assert seen[1].mains is Tri.NO
        assert (seen[1].rate_permille_per_hour or 0) < 0
        assert seen[1].at - seen[0].at < ON_MAINS, "the edge, not the next look"

        bench.chip.fault = Fault.NACK
        commands.put_nowait("mains on")
        await until(lambda: len(seen) == 3)
        assert (seen[2].mains, seen[2].charge_permille) == (Tri.YES, None)

        commands.put_nowait("unplug")
        async with asyncio.timeout(5):
            with pytest.raises(DeviceError, match="unplugged"):
                await watching
    await bus.close()
    commands.put_nowait(None)
    await running
