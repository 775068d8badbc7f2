"""The drawer on the hub's own lines: kicked once, seen to open or to be stuck, told of when it is left open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import ConfigError, Drawer, parse
from holdfast.devices import drawer as module
from holdfast.devices.drawer import LEFT, STUCK, DrawerDevice
from holdfast.devices.health import HealthBoard
from holdfast.runtime.clock import SystemClock
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.lines import Edge
from holdfast_drivers.panel.sim import DrawerChange, DrawerWatch
from holdfast_drivers.values import Tri
from support.waiting import until

HUB = {"id": "pier-7", "code": "P7", "name": "Pier 7"}
RELAY, SENSOR = 21, 19


class Rig:
    def __init__(self, folder: Path, **options: Any) -> None:
        self.socket = folder / "bench"
        self.bench = BenchServer(self.socket, on_output=self._output)
        self.watch = DrawerWatch(self.bench, relay=RELAY, sensor=SENSOR, report=self._moved)
        self.moves: list[DrawerChange] = []
        self.left: list[bool] = []
        self.pulsed = 0
        self.health = HealthBoard(SystemClock())
        given = {"chip": f"bench:{self.socket}", "relay": RELAY, "sensor": SENSOR, "pulse_ms": 50, **options}
        self.device = DrawerDevice(
            Drawer(**given), health=self.health, clock=SystemClock(), left=self.left.append, pulsed=self._pulsed
        )

    @property
    def facts(self) -> dict[str, str]:
        return self.health["drawer"].facts

    def _output(self, edge: Edge) -> None:
        self.watch.output(edge)

    def _moved(self, change: DrawerChange) -> None:
        self.moves.append(change)

    def _pulsed(self) -> None:
        self.pulsed += 1


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(module, "OPENS_WITHIN", 0.3)


@asynccontextmanager
async def rig(folder: Path, **options: Any) -> AsyncIterator[Rig]:
    made = Rig(folder, **options)
    async with made.bench:
        made.watch.begin()
        running = asyncio.create_task(made.device.run())
        try:
            await until(lambda: made.facts or running.done())
            yield made
        finally:
            running.cancel()
            await asyncio.wait({running})


async def test_a_kick_is_one_pulse_and_the_switch_is_believed(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        await until(lambda: at.facts["open"] == "no")
        assert (at.facts["stuck"], at.facts["left_open"]) == ("unknown", "no")
        assert await at.device.kick()
        await until(lambda: at.facts["open"] == "yes")
        assert (at.facts["stuck"], at.pulsed, len(at.watch.pulses)) == ("no", 1, 1)
        began, ended = at.watch.pulses[0]
        assert ended - began >= 0.05
        assert (await at.device.check())[0] is Tri.YES
        at.watch.obey("shut")
        await until(lambda: at.facts["open"] == "no")


async def test_the_coil_rests_for_four_times_its_pulse(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        assert await at.device.kick()
        refused = 0
        while not await at.device.kick():
            refused += 1
        assert refused > 0
        assert at.pulsed == 2
        (first, _), (second, _) = at.watch.pulses
        assert second - first >= 0.05 / 0.2 - 0.005, "20 % of the time at most"


async def test_a_drawer_that_does_not_open_is_stuck_and_says_what_to_do(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        await until(lambda: at.facts["open"] == "no")
        at.watch.obey("jam")
        assert await at.device.kick()
        await until(lambda: at.facts["stuck"] == "yes")
        assert at.facts["finding"] == STUCK
        assert (await at.device.check())[0] is Tri.NO
        at.watch.obey("free")
        await asyncio.sleep(0.3)
        assert await at.device.kick()
        await until(lambda: at.facts["stuck"] == "no")
        assert "finding" not in at.facts


async def test_a_drawer_left_open_is_told_of_until_it_is_shut(tmp_path: Path) -> None:
    async with rig(tmp_path, left_open_seconds=0.3) as at:
        assert await at.device.kick()
        await until(lambda: at.facts["open"] == "yes")
        assert at.left == []
        await until(lambda: at.left == [True])
        await until(lambda: at.facts.get("finding") == LEFT)
        at.watch.obey("shut")
        await until(lambda: at.left == [True, False])
        await until(lambda: at.facts["left_open"] == "no")


async def test_without_a_switch_everything_about_it_is_unknown(tmp_path: Path) -> None:
    async with rig(tmp_path, sensor=None) as at:
        assert await at.device.kick()
        await asyncio.sleep(0.4)
        assert {at.facts[name] for name in ("open", "stuck", "left_open")} == {"unknown"}
        assert at.left == []


async def test_lines_that_are_gone_kick_nothing_and_their_life_ends(tmp_path: Path) -> None:
    made = Rig(tmp_path, left_open_seconds=0.1)
    assert not await made.device.kick(), "not open yet: the spool asks again"
    async with made.bench:
        made.watch.begin()
        running = asyncio.create_task(made.device.run())
        await until(lambda: made.facts)
        assert await made.device.kick()
        await until(lambda: made.left == [True])
        await made.bench.unplug()
        await asyncio.wait({running}, timeout=5)
        assert running.exception() is not None
        assert made.left == [True, False], "what nobody sees is not left open"
        assert not await made.device.kick()
    assert made.pulsed == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"drawer": {"relay": 21}, "printer": {"tcp": "printer:9100"}}, "drawer"),
        ({"drawer": {"relay": 21, "sensor": 21}}, "drawer.sensor"),
        ({"panel": {"green": 21}, "drawer": {"relay": 21}}, "drawer.relay"),
        ({"panel": {"green": 6}, "power": {"mains_pin": 6}}, "power.mains_pin"),
        (
            {
                "drawer": {"relay": 16},
                "power": {"loads": [{"name": "camera", "kind": "camera", "watts": 5, "pin": 16}]},
            },
            "power.loads[0].pin",
        ),
        ({"panel": {"buttons": [{"pin": 5, "station": "t9", "card": "CASH"}]}}, "panel.buttons[0].station"),
        ({"stations": [{"name": "t1"}], "panel": {"buttons": [{"pin": 5, "station": "t1"}]}}, "panel.buttons[0]"),
    ],
)
def test_wiring_that_cannot_be_is_refused_with_its_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse({"hub": HUB, **change})
    assert [found for found, _ in error.value.problems] == [path]


def test_the_same_line_of_two_chips_is_two_lines() -> None:
    parse({"hub": HUB, "panel": {"green": 21}, "drawer": {"relay": 21, "chip": "other"}})
    parse({"hub": HUB, "drawer": {"relay": 21}, "printer": {"tcp": "printer:9100", "drawer": "none"}})
