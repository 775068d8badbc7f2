"""The panel: what each signal looks and sounds like, that none garbles another, and that lost lines are reported."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import gpiozero
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.links.gpio import HoldfastFactory
from holdfast_drivers.links.header import Header
from holdfast_drivers.links.lines import Edge, MemoryChip
from holdfast_drivers.links.thread import CallThread
from holdfast_drivers.panel.panel import Panel, Pins, open_panel
from holdfast_drivers.panel.signals import QUEUED, Cue, Lamp, Sequence, Signal, Step, Timing, scores
from holdfast_drivers.panel.sim import LampChange, PanelWatch
from holdfast_drivers.values import DeviceError
from support.waiting import until

PINS: Pins = {Lamp.GREEN: 17, Lamp.AMBER: 27, Lamp.RED: 22, Lamp.BLUE: 23, Lamp.WHITE: 24, Lamp.BUZZER: 25}
TIMING = Timing()
ALL = scores(TIMING)


# Signals, as data


def test_every_signal_has_a_part_and_every_step_takes_time() -> None:
    assert set(ALL) == set(Signal)
    for cues in ALL.values():
        assert cues
        assert all(step.seconds > 0 for cue in cues for step in cue.steps)


@pytest.mark.parametrize(
    ("signal", "lamp", "beeps"),
    [
        (Signal.COMMITTED, Lamp.GREEN, [TIMING.short_beep]),
        (Signal.NEED_INPUT, Lamp.AMBER, [TIMING.short_beep] * 2),
        (Signal.REFUSED, Lamp.RED, [TIMING.long_beep]),
    ],
)
def test_an_answer_is_one_light_and_its_sound(signal: Signal, lamp: Lamp, beeps: list[float]) -> None:
    light, sound = ALL[signal]
    assert light == Cue(lamp, (Step(on=True, seconds=TIMING.flash),))
    assert sound.lamp is Lamp.BUZZER
    assert [step.seconds for step in sound.steps if step.on] == beeps
    assert not sound.steps[-1].on, "two sounds in a row stay two"


# One lamp's sequence


def played(sequence: Sequence, until_time: float, start: float = 0.0) -> list[tuple[float, bool]]:
    """(time, on) of every change from `start` on, in exact steps."""
    now, changes, was = start, [], sequence.on
    while now <= until_time:
        on, following = sequence.advance(now)
        if on is not was:
            changes.append((round(now, 6), on))
            was = on
        now = following
    return changes


def sequence(lamp: Lamp) -> Sequence:
    return Sequence(interrupts=lamp is not Lamp.BUZZER, gap=TIMING.gap)


def cue(signal: Signal, lamp: Lamp) -> Cue:
    return next(cue for cue in ALL[signal] if cue.lamp is lamp)


def test_a_flash_goes_on_at_once_and_off_in_time() -> None:
    green = sequence(Lamp.GREEN)
    green.advance(0)
    green.play(cue(Signal.COMMITTED, Lamp.GREEN))
    assert played(green, 10, start=5) == [(5, True), (5 + TIMING.flash, False)]


def test_a_second_flash_during_the_first_is_told_apart_and_whole() -> None:
    green = sequence(Lamp.GREEN)
    green.play(cue(Signal.COMMITTED, Lamp.GREEN))
    assert green.advance(0) == (True, TIMING.flash)
    green.play(cue(Signal.COMMITTED, Lamp.GREEN))
    again = 0.2 + TIMING.gap
    assert played(green, 10, start=0.2) == [(0.2, False), (again, True), (again + TIMING.flash, False)]


def test_a_third_within_the_gap_is_the_second() -> None:
    green = sequence(Lamp.GREEN)
    green.play(cue(Signal.COMMITTED, Lamp.GREEN))
    green.advance(0)
    green.play(cue(Signal.COMMITTED, Lamp.GREEN))
    assert green.advance(0.1) == (False, 0.1 + TIMING.gap)
    green.play(cue(Signal.COMMITTED, Lamp.GREEN))
    assert green.advance(0.12) == (False, 0.1 + TIMING.gap)
    assert green.advance(0.1 + TIMING.gap)[0] is True


def test_beeps_wait_their_turn_and_only_so_many() -> None:
    buzzer = sequence(Lamp.BUZZER)
    buzzer.play(cue(Signal.REFUSED, Lamp.BUZZER))
    buzzer.advance(0)
    for _ in range(QUEUED + 3):
        buzzer.play(cue(Signal.COMMITTED, Lamp.BUZZER))
    changes = played(buzzer, 60)
    lengths = [round(off - on, 6) for (on, _), (off, _) in zip([(0, True), *changes][::2], changes[::2], strict=False)]
    assert lengths == [TIMING.long_beep, *[TIMING.short_beep] * QUEUED]


def test_a_flash_returns_to_what_the_light_did_before() -> None:
    amber = sequence(Lamp.AMBER)
    amber.play(cue(Signal.STOPPING, Lamp.AMBER))
    assert amber.advance(0) == (True, inf)
    amber.play(cue(Signal.NEED_INPUT, Lamp.AMBER))
    assert played(amber, 60, start=1) == [(1, False), (1 + TIMING.gap, True)]


def test_a_resting_pattern_wished_during_a_flash_follows_it() -> None:
    amber = sequence(Lamp.AMBER)
    amber.play(cue(Signal.NEED_INPUT, Lamp.AMBER))
    amber.advance(0)
    amber.play(cue(Signal.STOPPING, Lamp.AMBER))
    assert played(amber, 60, start=TIMING.flash) == []
    assert amber.on


def test_blue_blinks_holds_and_goes_out() -> None:
    blue = sequence(Lamp.BLUE)
    blue.play(cue(Signal.CATCHING_UP, Lamp.BLUE))
    assert played(blue, 1.6) == [(0, True), (0.5, False), (1, True), (1.5, False)]
    blue.play(cue(Signal.OFFLINE, Lamp.BLUE))
    assert blue.advance(1.7) == (True, inf)
    blue.play(cue(Signal.ONLINE, Lamp.BLUE))
    assert blue.advance(1.8) == (False, inf)


@given(
    st.lists(
        st.tuples(st.sampled_from([Signal.COMMITTED, Signal.NEED_INPUT, Signal.REFUSED]), st.floats(0, 3)), max_size=30
    ),
    st.floats(0, 5),
)
def test_no_order_of_signals_leaves_a_lamp_on_or_cuts_a_beep(asked: list[tuple[Signal, float]], late: float) -> None:
    sequences = {lamp: sequence(lamp) for lamp in Lamp}
    now, beeps, began = 0.0, [], None
    for signal, pause in asked:
        for part in ALL[signal]:
            sequences[part.lamp].play(part)
        now += late
        for lamp, each in sequences.items():
            was = each.on
            on, _ = each.advance(now)
            if lamp is Lamp.BUZZER and on is not was:
                began, beeps = (now, beeps) if on else (None, [*beeps, now - (began or 0)])
        now += pause
    for lamp, each in sequences.items():
        played(each, now + 60, start=now)
        assert not each.on, lamp
    assert all(length >= TIMING.short_beep - 1e-9 for length in beeps)


# The panel on lines


@asynccontextmanager
async def panel_on(chip: MemoryChip, pins: Pins = PINS, pace: float = 0.02) -> AsyncIterator[Panel]:
    thread = CallThread("gpio")
    factory = HoldfastFactory(chip)
    async with open_panel(Header(factory, thread), pins, pace=pace) as panel:
        playing = asyncio.create_task(panel.run())
        yield panel
        playing.cancel()
        await asyncio.wait({playing})
    await thread.close(factory.close)


def changes_of(chip: MemoryChip, pin: int) -> list[Edge]:
    return [edge for edge in chip.written if edge.line == pin]


async def test_committed_is_green_and_one_beep() -> None:
    chip = MemoryChip()
    async with panel_on(chip) as panel:
        panel.show(Signal.COMMITTED)
        await until(lambda: len(chip.written) == 4)
    assert [edge.high for edge in changes_of(chip, 17)] == [True, False]
    assert [edge.high for edge in changes_of(chip, 25)] == [True, False]


async def test_signals_on_different_lights_do_not_garble_one_another() -> None:
    chip = MemoryChip()
    async with panel_on(chip) as panel:
        for signal in (Signal.CATCHING_UP, Signal.COMMITTED, Signal.REFUSED, Signal.NEED_INPUT, Signal.SAVING_POWER):
            panel.show(signal)
        await until(lambda: len(changes_of(chip, 25)) == 8 and len(changes_of(chip, 24)) >= 3)
        panel.show(Signal.ONLINE)
        panel.show(Signal.POWER_NORMAL)
        await until(lambda: not any(chip.read(pin) for pin in (23, 24)))
    for pin in (17, 22, 27):
        assert [edge.high for edge in changes_of(chip, pin)] == [True, False]
    assert len(changes_of(chip, 23)) >= 2


async def test_lamps_not_fitted_are_left_out() -> None:
    chip = MemoryChip()
    async with panel_on(chip, {Lamp.GREEN: 17, Lamp.BUZZER: None}) as panel:
        for signal in Signal:
            panel.show(signal)
        await until(lambda: len(chip.written) == 2)
    assert {edge.line for edge in chip.written} == {17}


async def test_leaving_turns_every_lamp_off() -> None:
    chip = MemoryChip()
    async with panel_on(chip) as panel:
        panel.show(Signal.OFFLINE)
        panel.show(Signal.STOPPING)
        await until(lambda: chip.read(23) and chip.read(27))
    lit = {edge.line: edge.high for edge in chip.written}
    assert lit == {23: False, 27: False}
    with pytest.raises(DeviceError, match="not configured"):
        chip.read(23)


async def test_showing_never_waits_for_lines_that_hang() -> None:
    gate = threading.Event()

    class Hanging(MemoryChip):
        def write(self, line: int, *, high: bool) -> None:
            assert gate.wait(5)
            super().write(line, high=high)

    chip = Hanging()
    async with panel_on(chip) as panel:
        for _ in range(20):
            panel.show(Signal.COMMITTED)
            await asyncio.sleep(0.001)
        assert chip.written == [], "the loop has turned twenty times, the first write has not returned"
        gate.set()
        await until(lambda: len(changes_of(chip, 17)) >= 2)


async def test_lines_that_fail_end_the_run() -> None:
    chip = MemoryChip()
    thread = CallThread("gpio")
    async with open_panel(Header(HoldfastFactory(chip), thread), PINS) as panel:
        chip.release(17)
        panel.show(Signal.COMMITTED)
        async with asyncio.timeout(5):
            with pytest.raises(DeviceError):
                await panel.run()
    await thread.close()


async def test_a_pin_that_cannot_be_had_gives_the_others_back() -> None:
    chip = MemoryChip()
    thread = CallThread("gpio")
    header = Header(HoldfastFactory(chip), thread)
    with pytest.raises(gpiozero.PinInvalidPin):
        async with open_panel(header, {Lamp.GREEN: 17, Lamp.RED: 99}):
            pytest.fail("opened")
    with pytest.raises(gpiozero.GPIOPinInUse):
        async with open_panel(header, {Lamp.GREEN: 17, Lamp.RED: 17}):
            pytest.fail("opened")
    async with open_panel(header, {Lamp.GREEN: 17}):
        pass
    await thread.close()


def test_the_watch_names_lamps_and_passes_other_lines_over() -> None:
    seen: list[LampChange] = []
    watch = PanelWatch({Lamp.RED: 22}, seen.append)
    watch.output(Edge(22, True, 1.0))
    watch.output(Edge(5, True, 1.5))
    assert watch.lit == {Lamp.RED}
    watch.output(Edge(22, False, 2.0))
    assert seen == [LampChange(Lamp.RED, True, 1.0), LampChange(Lamp.RED, False, 2.0)]
    assert watch.lit == set()
