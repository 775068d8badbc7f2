"""The hub's panel: what stands comes back, the stop stands before all else, less power is less light, buttons speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import Button, Panel
from holdfast.devices.health import HealthBoard
from holdfast.devices.panel import PanelDevice
from holdfast.runtime.clock import SystemClock
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.panel import buttons as buttons_driver
from holdfast_drivers.panel.buttons import Gesture
from holdfast_drivers.panel.signals import Lamp
from holdfast_drivers.panel.sim import LampChange, PanelWatch, press
from holdfast_drivers.values import DeviceState
from support.waiting import until

PINS = {Lamp.AMBER: 27, Lamp.BLUE: 23, Lamp.WHITE: 24}


class Rig:
    def __init__(self, folder: Path, pace: float, **options: Any) -> None:
        self.changes: list[LampChange] = []
        self.pressed: list[tuple[str, str, Gesture]] = []
        self.watch = PanelWatch(PINS, self.changes.append)
        self.bench = BenchServer(folder / "bench", on_output=self.watch.output)
        self.health = HealthBoard(SystemClock())
        self.device = PanelDevice(
            Panel(chip=f"bench:{folder}/bench", amber=27, blue=23, white=24, **options),
            health=self.health,
            pressed=lambda button, gesture: self.pressed.append((button.card, button.hold, gesture)),
            pace=pace,
        )

    def of(self, lamp: Lamp) -> list[LampChange]:
        return [change for change in self.changes if change.lamp is lamp]

    def lit(self, lamp: Lamp, since: int) -> list[float]:
        """How long each light of `lamp` lasted that began and ended after so many changes."""
        seen = self.of(lamp)[since:]
        seen = seen[1:] if seen and not seen[0].on else seen
        return [off.at - on.at for on, off in zip(seen[::2], seen[1::2], strict=False)]

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.device.run())
        try:
            await until(lambda: self.health["panel"].state is DeviceState.ONLINE)
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})


@asynccontextmanager
async def rig(folder: Path, *, pace: float = 0.1, **options: Any) -> AsyncIterator[Rig]:
    made = Rig(folder, pace, **options)
    async with made.bench, made.living():
        yield made


async def test_on_less_power_a_steady_light_is_a_pulse_and_answers_stay_bright(tmp_path: Path) -> None:
    async with rig(tmp_path, pace=0.05) as at:
        at.device.show_link("offline")
        await until(lambda: Lamp.BLUE in at.watch.lit)
        at.device.show_power(saving=True)
        seen = len(at.of(Lamp.BLUE))
        await until(lambda: len(at.lit(Lamp.BLUE, seen)) >= 3)
        share = sum(at.lit(Lamp.BLUE, seen)[-2:]) / (2 * 2.0 * 0.05)
        assert share < 0.5, f"lit {share:.0%} of the time"
        at.device.show_power(saving=False)
        await until(lambda: Lamp.BLUE in at.watch.lit)
        seen = len(at.of(Lamp.BLUE))
        await asyncio.sleep(0.3)
        assert at.of(Lamp.BLUE)[seen:] == [], "steady again"


async def test_catching_up_and_offline_can_be_told_apart_when_dim(tmp_path: Path) -> None:
    async with rig(tmp_path, pace=0.05) as at:
        at.device.show_power(saving=True)
        for state, lights in (("offline", 3), ("catching_up", 6)):
            at.device.show_link(state)
            seen = len(at.of(Lamp.BLUE))
            await asyncio.sleep(3.1 * 2.0 * 0.05)
            assert abs(len(at.lit(Lamp.BLUE, seen)) - lights) <= 1, state


async def test_the_stop_stands_before_a_drawer_that_is_shut_meanwhile(tmp_path: Path) -> None:
    async with rig(tmp_path) as at:
        at.device.show_drawer(left=True)
        await until(lambda: len(at.lit(Lamp.AMBER, 0)) >= 2)
        at.device.show_stopping()
        await until(lambda: Lamp.AMBER in at.watch.lit)
        at.device.show_drawer(left=False)
        await asyncio.sleep(0.3)
        assert Lamp.AMBER in at.watch.lit
        at.device.show_power(saving=True)
        await asyncio.sleep(0.3)
        assert Lamp.AMBER in at.watch.lit


async def test_what_stands_comes_back_with_the_lines(tmp_path: Path) -> None:
    made = Rig(tmp_path, 0.1)
    async with made.bench:
        made.device.show_link("offline")
        made.device.show_stopping()
        async with made.living():
            await until(lambda: made.watch.lit == {Lamp.BLUE, Lamp.AMBER})
        assert made.watch.lit == set()
        async with made.living():
            await until(lambda: made.watch.lit == {Lamp.BLUE, Lamp.AMBER})


async def test_buttons_speak_and_a_long_press_flickers_on_its_way(tmp_path: Path) -> None:
    buttons = (
        Button(pin=10, station="t1", card="ABORT", hold="SHUTDOWN", hold_seconds=1.0),
        Button(pin=9, station="t1", card="CASH"),
    )
    async with rig(tmp_path, buttons=buttons) as at:
        await press(at.bench, 9)
        await until(lambda: at.pressed)
        await press(at.bench, 10)
        await until(lambda: len(at.pressed) == 2)
        assert at.of(Lamp.AMBER) == [], "a short press shows nothing by itself"
        await press(at.bench, 10, 1.3)
        assert at.pressed == [
            ("CASH", "", Gesture.SHORT),
            ("ABORT", "SHUTDOWN", Gesture.SHORT),
            ("ABORT", "SHUTDOWN", Gesture.LONG),
        ]
        assert len([change for change in at.of(Lamp.AMBER) if change.on]) == 2, "after 0.4 and 0.8 s"


async def test_a_panel_is_online_only_once_its_buttons_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, opens = asyncio.Event(), buttons_driver.open_buttons

    @asynccontextmanager
    async def slowly(*arguments: Any) -> AsyncIterator[buttons_driver.Buttons]:
        await opened.wait()
        async with opens(*arguments) as buttons:
            yield buttons

    monkeypatch.setattr(buttons_driver, "open_buttons", slowly)
    made = Rig(tmp_path, 0.1, buttons=(Button(pin=9, station="t1", card="CASH"),))
    async with made.bench:
        life = asyncio.create_task(made.device.run())
        await asyncio.sleep(0.2)
        assert made.health["panel"].state is not DeviceState.ONLINE
        opened.set()
        await until(lambda: made.health["panel"].state is DeviceState.ONLINE)
        await press(made.bench, 9)
        await until(lambda: made.pressed == [("CASH", "", Gesture.SHORT)])
        life.cancel()
        await asyncio.wait({life})


async def test_lines_that_fail_end_the_life_of_lamps_and_buttons_together(tmp_path: Path) -> None:
    made = Rig(tmp_path, 0.1, buttons=(Button(pin=10, station="t1", card="ABORT"),))
    async with made.bench:
        running = asyncio.create_task(made.device.run())
        await until(lambda: made.health["panel"].state is DeviceState.ONLINE)
        await made.bench.unplug()
        made.device.show_link("offline")
        await asyncio.wait({running}, timeout=5)
        assert running.exception() is not None
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("panel:")]
