"""Power stories by seed: no flapping, no stop above the reserve, always an orderly one before the end, no fact lost."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from holdfast.domain import stages
from holdfast.domain.core import Policy
from holdfast.domain.power import NoteBlind
from holdfast.domain.registry import AREAS
from holdfast.domain.shift import MoveDrawer, OpenShift
from holdfast.domain.stages import Limits, Stage
from holdfast.journal.journal import Journal, Settings
from holdfast.journal.store import FILE
from holdfast.journal.verify import verify_chain
from holdfast.runtime.clock import SystemClock
from holdfast_drivers.ups import filter as filters
from holdfast_drivers.ups.battery import Battery
from support.power_stories import Script, Telling, Told, script, told

FEW, MANY = 30, 1000
WITH_RECORD = 50
"""Stories of the long run in which a real journal is kept, and the plug drawn at their end."""


def wrongs(seed: int) -> list[str]:
    return [f"{fault} in story {seed}" for fault in told(seed).faults()]


def settings(folder: Path) -> Settings:
    return Settings(folder, Policy(hub="pier-7", code="P7"), day_of=lambda at: at // 86_400_000)


async def recorded(seed: int, folder: Path) -> tuple[Told, int, int]:
    """The story over a real journal. (told, last seq that was answered, seq after the plug was drawn)."""
    answered = 0
    async with Journal(settings(folder / "live"), AREAS, SystemClock()) as journal:
        await journal.execute(OpenShift(station="t1", float_in=100), actor="technician:test")

        async def sell() -> None:
            nonlocal answered
            move = MoveDrawer(station="t1", kind="pay_in", amount=1)
            answered = max(answered, (await journal.execute(move, actor="technician:test")).seq)

        story = await Telling(script(seed), journal.execute).run(sell)
        await sell()
        if seed % 2:
            await journal.settle()
        shutil.copytree(folder / "live", folder / "cut")  # what lay on the card when the power went
    db = sqlite3.connect(folder / "cut" / FILE)
    try:
        assert verify_chain(db).ok
        return story, answered, db.execute("SELECT max(seq) FROM journal").fetchone()[0]
    finally:
        db.close()


@pytest.mark.parametrize("seed", range(FEW))
def test_inv_10_2_a_story_has_nothing_in_it_that_must_never_be(seed: int) -> None:
    assert wrongs(seed) == []


CALM = Script(
    seed=1, board="both", fault="none", fault_at=0, battery=Battery(capacity_mah=12_000), base_w=5.0, burst_w=0.0,
    mains=[(0.0, True), (400.0, False)], swaps=[], plan_h=None,
)  # fmt: skip


def story(**more: object) -> Telling:
    """A large pack, on battery after 400 s, and what is changed about it."""
    return Telling(replace(CALM, battery=Battery(capacity_mah=12_000), **more))  # type: ignore[arg-type]  # its fields


def test_a_battery_that_falls_silent_is_critical_after_fifteen_seconds_and_stops_after_ten_minutes() -> None:
    silent = asyncio.run(story(fault="lost", fault_at=1000.0, lost_s=3000.0).run())
    (first, _, stage, why), (last, *_) = silent.changes[0], silent.changes[-1]
    assert (stage, why) == (Stage.CRITICAL, "silent")
    assert 1014 <= first <= 1018
    assert (silent.why, round(last - 1000)) == ("silent", pytest.approx(602, abs=4))


def test_a_battery_that_falls_silent_on_mains_is_told_and_nothing_else() -> None:
    telling = story(fault="lost", fault_at=300.0, lost_s=90.0)
    asyncio.run(telling.run(until=395.0))
    assert [command for command in telling.commands if isinstance(command, NoteBlind)] == [NoteBlind(on_battery=False)]
    assert telling.told.changes == []


def test_an_event_longer_than_its_pack_saves_from_the_first_minute_on_battery() -> None:
    tight = story(plan_h=10.0)
    asyncio.run(tight.run(until=450.0))
    assert [(stage, why) for _, _, stage, why in tight.told.changes] == [
        (Stage.CONSERVE, "margin"),
        (Stage.SHED, "margin"),
    ]
    calm = story(plan_h=2.0)
    asyncio.run(calm.run(until=450.0))
    assert calm.told.changes == []


def test_the_grid_is_heard_on_mains_too_and_at_most_to_the_third_stage() -> None:
    asked = story()
    asked.book.level = 3
    asyncio.run(asked.run(until=390.0))
    assert [stage for _, _, stage, _ in asked.told.changes] == [Stage.CONSERVE, Stage.SHED, Stage.CRITICAL]
    assert {why for *_, why in asked.told.changes} == {"grid"}


@pytest.mark.parametrize("seed", [1000, 1001])
def test_inv_10_1_the_plug_drawn_after_the_stop_costs_no_answered_fact(seed: int, tmp_path: Path) -> None:
    story, answered, kept = asyncio.run(recorded(seed, tmp_path))
    assert story.faults() == []
    assert kept >= answered > 1


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_inv_10_2_a_thousand_stories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stops, minutes, reserves, seconds, wrong = Counter[str](), list[float](), list[float](), 0.0, list[str]()
    boards = Counter[str]()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for story in pool.map(told, range(MANY), chunksize=10):
            wrong += [f"{fault} in story {story.script.seed}" for fault in story.faults()]
            stops[story.why or "none"] += 1
            boards[story.script.fault] += 1
            seconds += story.seconds
            if story.why == "runtime":
                minutes.append(story.left_min)
                reserves.append(story.reserve_min)
    for seed in range(MANY, MANY + WITH_RECORD):
        story, answered, kept = asyncio.run(recorded(seed, tmp_path / str(seed)))
        wrong += [f"{fault} in story {seed}" for fault in story.faults()]
        wrong += [f"lost in story {seed}"] if kept < answered else []
    minutes.sort()
    with capsys.disabled():
        print(
            f"\n{MANY} power stories, {seconds / 3600:.0f} h: stops {dict(stops)}; faults told {dict(boards)};"
            f" truly left at the stop: median {minutes[len(minutes) // 2]:.1f} min, least {minutes[0]:.1f},"
            f" most {minutes[-1]:.1f} (reserve {min(reserves):.1f}); with a record {WITH_RECORD}; wrong {len(wrong)}"
        )
    assert wrong == []


# Controls: the same stories, each with one thing left out


def found_without(seeds: range) -> Counter[str]:
    return Counter(fault for seed in seeds for fault in told(seed).faults())


def test_inv_10_2_control_without_hysteresis_stories_flap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "LEAVE", 0.0)
    monkeypatch.setattr(stages, "LEAVE_POINTS", 0)
    monkeypatch.setattr(stages, "LEAVE_MINUTES", 0)
    assert found_without(range(6))["flaps"]


def test_inv_10_2_control_a_hub_that_acts_on_one_sample_stops_above_its_reserve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filters, "SAMPLES", 1)
    monkeypatch.setattr(stages, "ENTER_STOP", 0.0)
    spiky = [seed for seed in range(200) if script(seed).fault == "spikes"][:4]
    assert any("stops_above_reserve" in told(seed).faults() for seed in spiky)


def test_inv_10_1_control_a_hub_without_a_reserve_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limits, "__init__", _no_limits(Limits.__init__))
    assert {"dies", "cut_in_the_stop"} & set(found_without(range(4)))


def _no_limits(real: object) -> object:
    def made(self: Limits, **_: int) -> None:
        real(self, stop_minutes=-1, cutoff_mv=0, floor_mv=0)  # type: ignore[operator]  # it is __init__

    return made
