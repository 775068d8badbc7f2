"""Lamps, buttons and the drawer over every kind of line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import gpiozero
import pytest

from conformance.line_rigs import RIGS, LineRig, bench
from holdfast_drivers.panel.buttons import Button, Gesture, open_buttons
from holdfast_drivers.panel.drawer import DrawerLines, open_drawer
from holdfast_drivers.panel.panel import open_panel
from holdfast_drivers.panel.signals import Lamp, Signal
from holdfast_drivers.values import DeviceError, Tri
from support.waiting import until

GREEN, BUZZER, RELAY, SWITCH = 17, 25, 21, 19
LEFT, RIGHT = 10, 9
HOLD = 0.25


@pytest.fixture(params=RIGS)
async def lines(request: pytest.FixtureRequest, fd_leaks: None, tmp_path: Path) -> AsyncIterator[LineRig]:
    async with RIGS[request.param](tmp_path) as rig:
        yield rig


@asynccontextmanager
async def listening(lines: LineRig, **buttons: Button) -> AsyncIterator[list[tuple[str, Gesture]]]:
    seen: list[tuple[str, Gesture]] = []
    async with open_buttons(lines.header, buttons) as opened:
        running = asyncio.create_task(opened.run(lambda name, gesture: seen.append((name, gesture))))
        await asyncio.sleep(0.05)
        yield seen
        running.cancel()
        await asyncio.wait({running})


async def push(lines: LineRig, line: int, seconds: float, *, down: bool = False) -> None:
    lines.drive(line, high=down)
    await asyncio.sleep(seconds)
    lines.drive(line, high=not down)
    await asyncio.sleep(0.06)  # longer than the debounce


async def test_a_lamp_goes_on_and_off_and_is_dark_when_left(lines: LineRig) -> None:
    async with open_panel(lines.header, {Lamp.GREEN: GREEN, Lamp.BUZZER: BUZZER}, pace=0.05) as panel:
        playing = asyncio.create_task(panel.run())
        panel.show(Signal.COMMITTED)
        await until(lambda: lines.changes(GREEN) == lines.changes(BUZZER) == [True, False])
        playing.cancel()
        await asyncio.wait({playing})
    assert lines.changes(GREEN)[-1] is False


async def test_a_press_is_told_once_when_it_begins(lines: LineRig) -> None:
    async with listening(lines, left=Button(LEFT)) as seen:
        lines.drive(LEFT, high=False)
        await until(lambda: seen == [("left", Gesture.SHORT)])
        lines.drive(LEFT, high=True)
        await asyncio.sleep(0.1)
        await push(lines, LEFT, 0.06)
    assert seen == [("left", Gesture.SHORT)] * 2


async def test_a_long_press_is_told_while_it_lasts_and_a_short_one_when_it_ends(lines: LineRig) -> None:
    async with listening(lines, left=Button(LEFT, hold=HOLD)) as seen:
        await push(lines, LEFT, 0.06)
        assert seen == [("left", Gesture.SHORT)]
        lines.drive(LEFT, high=False)
        await until(lambda: len(seen) == 2)
        assert seen[1] == ("left", Gesture.LONG)
        lines.drive(LEFT, high=True)
        await asyncio.sleep(0.1)
    assert len(seen) == 2, "its end is no second press"


async def test_a_button_that_is_down_already_does_nothing_until_it_is_let_go(lines: LineRig) -> None:
    async with listening(lines, left=Button(LEFT, hold=HOLD)):
        lines.drive(LEFT, high=False)
        await asyncio.sleep(0.06)
    async with listening(lines, left=Button(LEFT, hold=HOLD)) as seen:
        await asyncio.sleep(1.5 * HOLD)
        lines.drive(LEFT, high=True)
        await asyncio.sleep(0.1)
        assert seen == []
        await push(lines, LEFT, 0.06)
        assert seen == [("left", Gesture.SHORT)]


async def test_two_buttons_never_mix(lines: LineRig) -> None:
    async with listening(lines, left=Button(LEFT), right=Button(RIGHT)) as seen:
        await asyncio.gather(push(lines, LEFT, 0.1), push(lines, RIGHT, 0.06))
        await push(lines, RIGHT, 0.06)
    assert sorted(name for name, _ in seen) == ["left", "right", "right"]


async def test_the_lines_of_a_button_come_back(lines: LineRig) -> None:
    for _ in range(2):
        async with listening(lines, left=Button(LEFT)) as seen:
            await push(lines, LEFT, 0.06)
        assert len(seen) == 1


async def test_one_pulse_opens_the_drawer_and_the_coil_then_rests(lines: LineRig) -> None:
    wiring = DrawerLines(relay=RELAY, pulse=0.05, sensor=SWITCH)
    async with open_drawer(lines.header, wiring) as drawer:
        lines.drive(SWITCH, high=False)
        await asyncio.sleep(0.1)
        assert await drawer.is_open() is Tri.NO
        assert [await drawer.kick(), await drawer.kick()] == [True, False]
        lines.drive(SWITCH, high=True)
        await drawer.wait(2)
        await asyncio.sleep(0.06)
        assert await drawer.is_open() is Tri.YES
        await asyncio.sleep(0.2)
        assert await drawer.kick()
    assert lines.changes(RELAY) == [True, False] * 2


async def test_an_active_low_relay_rests_high(lines: LineRig) -> None:
    async with open_drawer(lines.header, DrawerLines(relay=RELAY, relay_active="low", pulse=0.02)) as drawer:
        assert lines.changes(RELAY) == [True]
        assert await drawer.kick()
        assert lines.changes(RELAY) == [True, False, True]
        assert await drawer.is_open() is Tri.UNKNOWN, "nobody can tell without a switch"


async def test_a_line_in_use_is_refused_and_nothing_is_left_taken(lines: LineRig) -> None:
    async with open_drawer(lines.header, DrawerLines(relay=RELAY)):
        with pytest.raises(gpiozero.GPIOPinInUse):
            async with open_buttons(lines.header, {"a": Button(LEFT), "b": Button(RELAY)}):
                pytest.fail("opened")
    async with open_buttons(lines.header, {"a": Button(LEFT), "b": Button(RELAY)}):
        pass


async def test_lines_that_are_gone_end_the_run(fd_leaks: None, tmp_path: Path) -> None:
    async with (
        bench(tmp_path) as lines,
        open_buttons(lines.header, {"a": Button(LEFT)}) as buttons,
        open_drawer(lines.header, DrawerLines(relay=RELAY, sensor=SWITCH)) as drawer,
    ):
        await lines.bench.unplug()
        async with asyncio.timeout(5):
            with pytest.raises(DeviceError):
                await buttons.run(lambda *_: None)
        with pytest.raises(DeviceError, match="unplugged"):
            await drawer.is_open()
        with pytest.raises(DeviceError):
            await drawer.kick()
