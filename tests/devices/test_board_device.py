"""The daemon's look at its machine: what is held, what is news, what is counted, and what it costs nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from board_tree import ALARM, BOOT, TEMPERATURE, BoardTree
from holdfast.config import Storage
from holdfast.devices import board as module
from holdfast.devices.board import HOLD, LOOK_EVERY, BoardDevice, Kept, settle
from holdfast.devices.health import HealthBoard
from holdfast.runtime.clock import ManualClock
from holdfast_contract.board import Change, State
from holdfast_drivers.board.judge import Finding, Key, Topic
from holdfast_drivers.values import DeviceError, DeviceState, Tri
from support.waiting import until

LOW = Finding(Topic.SUPPLY, Tri.NO, "low", Key.UNDERVOLTAGE)
FINE = Finding(Topic.SUPPLY, Tri.YES, "holds")
FULL = Finding(Topic.SPACE, Tri.NO, "none", Key.SPACE_FULL)
ROOMY = Finding(Topic.SPACE, Tri.YES, "some")


@dataclass
class Rig:
    tree: BoardTree
    clock: ManualClock
    health: HealthBoard
    device: BoardDevice
    news: list[Change]
    states: list[State]
    printing: bool = False

    async def pass_time(self, seconds: float) -> None:
        """Second by second, each glance and look finished before the next."""
        for _ in range(round(seconds)):
            await until(lambda: self.clock._sleepers)
            self.clock.advance(1)
        await until(lambda: self.clock._sleepers)

    def of(self, topic: Topic) -> Kept:
        return next(kept for kept in self.device.now.kept if kept.finding.topic is topic)


@asynccontextmanager
async def rig(tmp_path: Path, **storage: float) -> AsyncIterator[Rig]:
    directory = tmp_path / "state"
    directory.mkdir(exist_ok=True)
    clock = ManualClock(monotonic=1000.0)
    health = HealthBoard(clock)
    tree = BoardTree(tmp_path / "machine", directory)
    news: list[Change] = []
    states: list[State] = []
    made: Rig
    device = BoardDevice(
        msgspec.convert({"directory": str(directory), **storage}, Storage),
        health=health,
        clock=clock,
        printing=lambda: made.printing,
        changed=news.append,
        shown=states.append,
        root=tree.root,
    )
    made = Rig(tree, clock, health, device, news, states)
    running = asyncio.create_task(device.run())
    try:
        await until(lambda: device.now.kept or running.done())
        yield made
        assert not running.done(), running
    finally:
        running.cancel()
        await asyncio.wait({running})
        if device._thread is not None:
            await device._thread.close()


# What is kept, as a pure function


def test_trouble_that_comes_and_goes_is_held_and_then_let_go() -> None:
    low = settle(None, LOW, 10)
    assert settle(low, FINE, 10 + HOLD - 1).finding.key is Key.UNDERVOLTAGE
    assert settle(low, FINE, 10 + HOLD) == Kept(FINE, 10 + HOLD, 10 + HOLD)
    again = settle(low, LOW, 200)
    assert (again.since, again.seen) == (10, 200)
    assert settle(again, FINE, 10 + HOLD).finding.key is Key.UNDERVOLTAGE, "held from when it was last seen"


def test_silence_does_not_heal_before_its_time() -> None:
    silent = Finding(Topic.SUPPLY, Tri.UNKNOWN, "", Key.UNKNOWN)
    low = settle(None, LOW, 0)
    assert settle(low, silent, 1).finding.well is Tri.NO
    assert settle(low, silent, HOLD).finding.well is Tri.UNKNOWN


def test_what_stays_is_not_held() -> None:
    assert settle(settle(None, FULL, 0), ROOMY, 1).finding is ROOMY


# The device


async def test_a_board_that_is_well_is_no_news(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        health = at.health["board"]
        assert health.state is DeviceState.ONLINE
        assert (health.facts["supply"], health.facts["storage"]) == ("well", "storage_mute")
        await at.pass_time(3 * LOOK_EVERY)
        assert at.news == []
        (state,) = at.states
        assert state.not_well == {}
        assert set(state.unknown) == {"since_boot", "rtc", "storage"}
        assert at.device.now.figures["temperature_c"] == pytest.approx(51.121)


async def test_a_dip_between_two_looks_is_seen_and_counted_once(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        at.tree.write(ALARM, "1")
        await at.pass_time(2)
        at.tree.write(ALARM, "0")
        await at.pass_time(2)
        assert at.of(Topic.SUPPLY).finding.key is Key.UNDERVOLTAGE
        assert at.device.now.figures["undervoltages"] == 1
        assert [(change.topic, change.well, change.key) for change in at.news] == [("supply", "no", "undervoltage")]


async def test_an_alarm_the_kernel_takes_back_before_the_look_still_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as at:
        monkeypatch.setattr(module, "read_alarm", lambda _: Tri.YES)
        await at.pass_time(1)
        assert (at.tree.root / ALARM).read_text() == "0\n"
        assert at.of(Topic.SUPPLY).finding.key is Key.UNDERVOLTAGE


async def test_twenty_dips_are_two_records(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        for _ in range(20):
            at.tree.write(ALARM, "1")
            await at.pass_time(2)
            at.tree.write(ALARM, "0")
            await at.pass_time(4)
        await at.pass_time(HOLD + 2 * LOOK_EVERY)
        assert [change.well for change in at.news] == ["no", "yes"]
        assert at.device.now.figures["undervoltages"] == 20
        assert [state.not_well for state in at.states] == [{}, {"supply": "undervoltage"}, {}]


async def test_a_dip_while_printing_blames_the_shared_supply(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        at.printing = True
        await at.pass_time(1)
        at.printing = False
        at.tree.write(ALARM, "1")
        await at.pass_time(1)
        at.tree.write(ALARM, "0")
        await at.pass_time(LOOK_EVERY + 1)
        assert at.of(Topic.SUPPLY).finding.key is Key.UNDERVOLTAGE_PRINTING
        await at.pass_time(HOLD + 2 * LOOK_EVERY)
        at.tree.write(ALARM, "1")
        await at.pass_time(1)
        assert at.of(Topic.SUPPLY).finding.key is Key.UNDERVOLTAGE, "this one was nobody's printing"


async def test_the_medium_gone_read_only_is_news_at_the_next_look(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        at.tree.mounted("ro")
        await at.pass_time(LOOK_EVERY)
        assert [(change.topic, change.key) for change in at.news] == [("storage", "storage_read_only")]
        assert at.states[-1].not_well == {"storage": "storage_read_only"}
        assert at.health["board"].facts["storage"] == "storage_read_only"


async def test_trouble_found_at_the_start_is_news(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    tree = BoardTree(tmp_path / "machine", tmp_path / "state")
    tree.write(TEMPERATURE, "84000")
    directory = Storage(directory=str(tmp_path / "state"))
    news: list[Change] = []
    device = BoardDevice(
        directory, health=HealthBoard(ManualClock()), clock=ManualClock(), printing=lambda: False,
        changed=news.append, shown=lambda _: None, root=tree.root,
    )  # fmt: skip
    running = asyncio.create_task(device.run())
    await until(lambda: device.now.kept)
    running.cancel()
    await asyncio.wait({running})
    assert device._thread is not None
    await device._thread.close()
    assert [(change.topic, change.value) for change in news] == [("temperature", "84 °C")]


async def test_what_was_written_is_counted_over_restarts_and_boots(tmp_path: Path) -> None:
    async with rig(tmp_path, rated_tb=0.1) as at:
        assert at.device.now.figures["written_bytes"] == 2 << 30
    async with rig(tmp_path) as at:
        assert at.device.now.figures["written_bytes"] == 2 << 30, "the same boot is not counted twice"
        at.tree.write(BOOT, "another boot")
        at.tree.written(1 << 30)
        await at.pass_time(LOOK_EVERY)
        assert at.device.now.figures["written_bytes"] == 3 << 30


async def test_a_machine_that_hangs_is_lost_and_keeps_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(module, "DEADLINE", 0.05)
    monkeypatch.setattr(module, "read_alarm", lambda _: gate.wait(5))
    device = BoardDevice(
        Storage(directory=str(tmp_path)), health=HealthBoard(ManualClock()), clock=ManualClock(),
        printing=lambda: False, changed=lambda _: None, shown=lambda _: None,
        root=BoardTree(tmp_path / "machine", tmp_path).root,
    )  # fmt: skip
    for _ in range(2):
        with pytest.raises(DeviceError, match="timeout"):
            await device.run()
    assert sum(thread.name == "board" for thread in threading.enumerate()) == 1, "one thread hangs, not one a try"
    gate.set()
    assert device._thread is not None
    await device._thread.close()
