"""The drawer's coil when its line fails, and the drawer a bench plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.gpio import HoldfastFactory
from holdfast_drivers.links.header import Header
from holdfast_drivers.links.lines import Edge, MemoryChip
from holdfast_drivers.links.thread import CallThread
from holdfast_drivers.panel.drawer import DrawerLines, open_drawer
from holdfast_drivers.panel.sim import LEAST_PULSE, DrawerChange, DrawerWatch
from holdfast_drivers.values import DeviceError

RELAY = 21


class Failing(MemoryChip):
    """A chip that takes one level of a line and not the other."""

    def __init__(self, *, takes: bool) -> None:
        super().__init__()
        self.takes = takes
        self.failing = True

    def write(self, line: int, *, high: bool) -> None:
        if self.failing and high is not self.takes:
            raise DeviceError("refused", "the chip says no")
        super().write(line, high=high)


async def test_a_coil_that_could_not_be_let_go_was_driven_and_ends_the_life_of_the_lines() -> None:
    chip, thread = Failing(takes=True), CallThread("gpio")
    async with open_drawer(Header(HoldfastFactory(chip), thread), DrawerLines(relay=RELAY, pulse=0.01)) as drawer:
        assert await drawer.kick(), "the pulse was given: never a second one for the same reason"
        with pytest.raises(DeviceError, match="says no"):
            await drawer.is_open()
        chip.failing = False
    await thread.close()


async def test_a_coil_that_could_not_be_driven_was_not() -> None:
    chip, thread = Failing(takes=False), CallThread("gpio")
    async with open_drawer(Header(HoldfastFactory(chip), thread), DrawerLines(relay=RELAY, pulse=0.01)) as drawer:
        with pytest.raises(DeviceError, match="says no"):
            await drawer.kick()
    assert chip.written == []
    await thread.close()


def test_a_bench_drawer_opens_for_a_long_enough_pulse_unless_it_is_jammed(tmp_path: Path) -> None:
    moves: list[DrawerChange] = []
    watch = DrawerWatch(
        BenchServer(tmp_path / "bench", on_output=lambda _: None), relay=RELAY, sensor=None, report=moves.append
    )
    for began, pulled in ((1.0, LEAST_PULSE / 2), (2.0, LEAST_PULSE)):
        watch.output(Edge(RELAY, True, began))
        watch.output(Edge(RELAY, False, began + pulled))
    watch.output(Edge(5, True, 3.0))
    assert moves == [DrawerChange(True, 2.0 + LEAST_PULSE)]
    watch.obey("shut")
    watch.obey("jam")
    watch.output(Edge(RELAY, True, 4.0))
    watch.output(Edge(RELAY, False, 5.0))
    assert not watch.is_open
    assert len(watch.pulses) == 3
    with pytest.raises(ValueError, match="kicked"):
        watch.obey("kicked")
