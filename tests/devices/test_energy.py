"""The plan as it goes on, over a real record: margin, notes, statement; loads that are switched."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import ConfigError, Load, Power, parse
from holdfast.devices.health import HealthBoard
from holdfast.devices.power.book import PowerBook
from holdfast.devices.power.energy import METER_EVERY, EnergyKeeper
from holdfast.devices.power.loads import Loads
from holdfast.domain.core import Policy
from holdfast.domain.grid import TakeGridSignal
from holdfast.domain.plan import ArmPlan, ExtendPlan
from holdfast.domain.power import ChangeStage
from holdfast.domain.registry import AREAS
from holdfast.domain.stages import Stage
from holdfast.journal.journal import Journal, Settings
from holdfast.runtime.clock import ManualClock, SystemClock
from holdfast_contract.events import decode_body
from holdfast_contract.power import EnergyMetered, LoadRestored, LoadShed, PlanEnded, PowerStatement, Share
from holdfast_contract.record import ClockQuality, decode_record
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.lines import Edge
from holdfast_drivers.ups.judgement import Judged
from holdfast_drivers.values import Tri

NOW = 1_790_000_000_000
HOUR = 3_600_000
POWER = Power(capacity_wh=200.0)
LOADS = (Share("board", 5000), Share("router", 8000), Share("camera", 7000))
FULL = Judged(mains=Tri.NO, charge_permille=1000, left_mwh=200_000)


@asynccontextmanager
async def opened(folder: Path, clock: ManualClock) -> AsyncIterator[Journal]:
    settings = Settings(folder / "journal", Policy(hub="pier-7", code="P7"), day_of=lambda at: at // 86_400_000)
    async with Journal(settings, AREAS, clock) as journal:
        yield journal


def keeper(journal: Journal, clock: ManualClock, power: Power = POWER) -> EnergyKeeper:
    return EnergyKeeper(power, book=PowerBook(journal), real=clock, clock=clock, execute=journal.execute)


async def bodies(journal: Journal, *kinds: type[Any]) -> list[Any]:
    found = [decode_body(decode_record(row.record)) for row in await journal.records(0, limit=10_000, max_bytes=10**9)]
    return [body for body in found if isinstance(body, kinds)]


def arm(**more: Any) -> ArmPlan:
    fields: dict[str, Any] = {"end": NOW + 6 * HOUR, "loads": LOADS, "pack_mwh": 200_000, "charge": 1000}
    return ArmPlan(**fields | more)


async def test_the_margin_follows_the_pack_the_draw_and_the_clock(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        energy = keeper(journal, clock)
        await energy.look()
        assert energy.margin(FULL) is None, "no plan, no margin"
        await journal.execute(arm(), actor="test")
        await energy.look()
        reserve = 13 / 3 + 20 / 60
        assert energy.margin(FULL) == pytest.approx((180 - 120 - reserve) / 120 * 1000, abs=2)
        assert energy.margin(Judged(mains=Tri.NO)) is None, "nobody knows what is left"
        await energy.step(FULL, Stage.NORMAL, clock.monotonic(), power_mw=-40_000)
        assert energy.margin(FULL) == pytest.approx((180 - 216 - reserve) / 216 * 1000, abs=2), "it draws 36 W"
        clock.advance(3 * 3600)
        assert energy.margin(FULL) == pytest.approx((180 - 108 - reserve) / 108 * 1000, abs=2)
        await journal.execute(ExtendPlan(end=NOW + 7 * HOUR, charge=1000), actor="test")
        await energy.look()
        assert energy.margin(FULL) == pytest.approx((180 - 144 - reserve) / 144 * 1000, abs=2)


async def test_another_pack_than_the_boards_counts_by_its_label(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        energy = keeper(journal, clock)
        await journal.execute(arm(pack_mwh=400_000), actor="test")
        await energy.look()
        half = Judged(mains=Tri.NO, charge_permille=500, left_mwh=9)
        assert energy.margin(half) == pytest.approx((400 * 0.72 / 2 - 120 - 13 / 3 - 20 / 60) / 120 * 1000, abs=2)


async def test_only_what_hangs_on_the_battery_is_measured_by_it(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        energy = keeper(journal, clock, Power(capacity_wh=200.0, measures=("board",)))
        await journal.execute(arm(), actor="test")
        await energy.look()
        await energy.step(FULL, Stage.NORMAL, clock.monotonic(), power_mw=-10_000)
        outlook = energy.outlook(FULL)
        assert outlook is not None
        assert outlook.watts == pytest.approx({"board": 9.0, "router": 8.0, "camera": 7.0})


async def test_a_clock_nobody_trusts_does_not_shorten_the_event(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        energy = keeper(journal, clock)
        await journal.execute(arm(), actor="test")
        await energy.look()
        known = energy.margin(FULL)
        lost = ManualClock(wall_ms=NOW + 5 * HOUR, quality=ClockQuality.UNSET)
        after = keeper(journal, lost)
        await after.look()
        assert after.margin(FULL) == known
        lost.advance(3600)
        assert (after.margin(FULL) or 0) > (known or 0), "its own hour has passed"


async def test_what_flows_is_noted_and_summed_up_at_the_end(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        energy = keeper(journal, clock)
        await journal.execute(arm(end=NOW + HOUR), actor="test")
        for second in range(3605):
            await energy.look()
            judged = FULL if second < 1800 else Judged(mains=Tri.YES, charge_permille=900, left_mwh=180_000)
            draw = -20_000 if second < 1800 else 5000
            await energy.step(judged, Stage.NORMAL, clock.monotonic(), power_mw=draw)
            clock.advance(1)
        notes, (statement,) = await bodies(journal, EnergyMetered), await bodies(journal, PowerStatement)
        assert [ended.why for ended in await bodies(journal, PlanEnded)] == ["over"]
        assert 4 <= len(notes) <= 3600 / METER_EVERY + 3
        assert statement.seconds == pytest.approx(3600, abs=3)
        taken = {share.kind: share.amount for share in statement.sources}
        assert taken == {"mains": pytest.approx(9000, rel=0.01), "pack": pytest.approx(9000, rel=0.01)}
        assert sum(share.amount for share in statement.loads) == pytest.approx(18_000, rel=0.01)
        assert statement.charged == pytest.approx(2500, rel=0.01)
        await energy.look()
        assert energy.outlook(FULL) is None


async def test_a_signal_of_the_grid_is_heard_while_it_lasts(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        energy = keeper(journal, clock)
        await journal.execute(TakeGridSignal(program="p", event="e", kind="SIMPLE", level=2, seconds=60), actor="test")
        await energy.look()
        assert energy.grid_level == 2
        clock.advance(61)
        assert energy.grid_level == 0


# Loads


def switch(name: str, kind: str, folder: Path, *, fails: bool = False) -> Load:
    """One that writes down what it is told."""

    def told(word: str) -> tuple[str, ...]:
        code = f"open({str(folder / 'told')!r}, 'a').write('{name} {word}\\n'); raise SystemExit({int(fails)})"
        return (sys.executable, "-c", code)

    return Load(name=name, kind=kind, watts=6.0, off=told("off"), on=told("on"))  # type: ignore[arg-type]  # a kind


def problems(*loads: dict[str, Any]) -> dict[str, str]:
    try:
        parse({"hub": {"id": "pier-7", "code": "P7", "name": "Pier 7"}, "power": {"loads": loads}})
    except ConfigError as error:
        return dict(error.problems)
    return {}


def test_what_is_never_shed_cannot_be_configured() -> None:
    camera = {"name": "yard", "kind": "camera", "watts": 6, "pin": 5}
    assert problems(camera) == {}
    assert "power.loads[0].kind" in problems(camera | {"kind": "router"})
    assert "power.loads[1].kind" in problems(camera, camera)
    assert "power.loads[0]" in problems(camera | {"off": ["x"], "on": ["y"]})
    assert "power.loads[0]" in problems({"name": "yard", "kind": "camera", "watts": 6, "off": ["x"]})


@asynccontextmanager
async def followed(journal: Journal, *loads: Load) -> AsyncIterator[tuple[Loads, list[tuple[str, bool]]]]:
    book, switched = PowerBook(journal), list[tuple[str, bool]]()
    made = Loads(
        loads,
        health=HealthBoard(SystemClock()),
        execute=journal.execute,
        switched=lambda kind, on: switched.append((kind, on)),
        shed=book.off,
    )
    running = asyncio.create_task(made.run())
    yield made, switched
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until(journal: Journal, kind: type[Any], count: int) -> list[Any]:
    async with asyncio.timeout(20):
        while True:
            head = journal.head.seq
            if len(found := await bodies(journal, kind)) >= count:
                return found
            await journal.wait_beyond(head)


async def test_loads_are_shed_in_order_and_restored_the_other_way_round(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        hot, eye = switch("guests", "guest_radio", tmp_path), switch("yard", "camera", tmp_path)
        async with followed(journal, hot, eye) as (loads, switched):
            loads.follow(Stage.CONSERVE)
            await asyncio.sleep(0.05)
            assert await bodies(journal, LoadShed) == []
            await journal.execute(ChangeStage(new=2, why="charge"), actor="test")
            loads.follow(Stage.SHED)
            shed = await until(journal, LoadShed, 2)
            assert [(body.kind, body.mw, body.stage, body.done) for body in shed] == [
                ("camera", 6000, 2, True),
                ("guest_radio", 6000, 2, True),
            ]
            loads.follow(Stage.CRITICAL)
            loads.follow(Stage.CONSERVE)
            await until(journal, LoadRestored, 2)
            assert (tmp_path / "told").read_text().splitlines() == ["yard off", "guests off", "guests on", "yard on"]
            assert switched == [("camera", False), ("guest_radio", False), ("guest_radio", True), ("camera", True)]


async def test_a_load_that_does_not_obey_is_told_and_holds_up_nothing(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        broken = switch("yard", "camera", tmp_path, fails=True)
        missing = Load(name="cast", kind="stream", watts=4.0, off=("/nonexistent",), on=("/nonexistent",))
        async with followed(journal, broken, missing, switch("guests", "guest_radio", tmp_path)) as (loads, _):
            loads.follow(Stage.SHED)
            shed = await until(journal, LoadShed, 3)
            assert [body.done for body in shed] == [False, False, True]
            assert [load.name for load in loads.off] == ["guests"]


async def test_a_restart_knows_what_is_off_and_brings_it_back(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=NOW)
    async with opened(tmp_path, clock) as journal:
        eye = switch("yard", "camera", tmp_path)
        async with followed(journal, eye) as (loads, _):
            loads.follow(Stage.SHED)
            await until(journal, LoadShed, 1)
        async with followed(journal, eye):
            await until(journal, LoadRestored, 1)


async def test_a_relay_is_on_while_nobody_drives_it(tmp_path: Path) -> None:
    clock, edges = ManualClock(wall_ms=NOW), list[Edge]()
    async with BenchServer(tmp_path / "bench", on_output=edges.append) as bench, opened(tmp_path, clock) as journal:
        relay = Load(name="yard", kind="camera", watts=6.0, pin=5, chip=f"bench:{bench.path}")
        async with followed(journal, relay) as (loads, _):
            while (await loads.check())[0] is not Tri.YES:  # noqa: ASYNC110 - the line is taken in a thread
                await asyncio.sleep(0.01)
            loads.follow(Stage.SHED)
            await until(journal, LoadShed, 1)
            assert bench.level(5)
            loads.follow(Stage.NORMAL)
            await until(journal, LoadRestored, 1)
            assert not bench.level(5)
            await loads.quiesce(2)
            assert bench.level(5), "the hub stops: everything off"
    assert [edge.high for edge in edges] == [True, False, True, False], "released, it is on again"
