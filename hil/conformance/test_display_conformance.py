"""What every display driver promises, over every kind of link; and, with --port and --display, with a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from conformance.display_kits import DISPLAY_KITS, DisplayKit
from conformance.rigs import LinkPair
from holdfast_drivers.displays.commands import WIDTH
from holdfast_drivers.displays.driver import LineDisplay
from holdfast_drivers.displays.simulator import DisplaySimulator
from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.hostile import HostileLink
from holdfast_drivers.values import Columns, DeviceError

TOTAL = Columns("Total EUR", "1,234.50")


@pytest.fixture
async def simulator(link_pair: LinkPair) -> AsyncIterator[DisplaySimulator]:
    async with DisplaySimulator(link_pair.device_link) as simulator:
        yield simulator


@pytest.fixture
async def display(
    display_kit: DisplayKit, link_pair: LinkPair, simulator: DisplaySimulator
) -> AsyncIterator[LineDisplay]:
    async with LineDisplay(link_pair.hub_opener, display_kit.language, write_timeout=0.3) as display:
        yield display


async def shows(simulator: DisplaySimulator, upper: str, lower: str) -> None:
    """Waits until these are the lines; they come in their own time."""
    expected = upper.ljust(WIDTH), lower.ljust(WIDTH)
    async with asyncio.timeout(5):
        while simulator.screen.lines != expected:
            simulator.changed.clear()
            await simulator.changed.wait()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the far end of a link gives no signal
            await asyncio.sleep(0.002)


async def test_both_lines_are_shown_whole(display: LineDisplay, simulator: DisplaySimulator) -> None:
    await display.show(Columns("Candle", "19.99"), TOTAL)
    await shows(simulator, "Candle         19.99", "Total EUR   1,234.50")
    await display.show(Columns("2 x A very long name indeed", "39.98"), Columns("", ""))
    await shows(simulator, "2 x A very lon 39.98", "")
    assert simulator.screen.unknown == 0


async def test_what_was_there_before_leaves_no_trace(display: LineDisplay, simulator: DisplaySimulator) -> None:
    for number in range(50):
        await display.show(Columns("x" * (number % 21), str(number)), Columns(str(number), ""))
    await shows(simulator, "xxxxxxx           49", "49")


async def test_an_amount_is_never_cut_for_a_name(display: LineDisplay, simulator: DisplaySimulator) -> None:
    await display.show(Columns("Honey of the lime trees", "1,234,567,890.12"), Columns("€", "1.00 €"))
    async with asyncio.timeout(5):
        while not simulator.screen.lines[0].endswith("1,234,567,890.12"):
            simulator.changed.clear()
            await simulator.changed.wait()


@pytest.mark.parametrize("text", ["Käse für 3 €", "Łódź", "Ελλάδα", "Щи и хлеб", "½ “Comté” 12°", "\x1b@\r\n\x00!"])
async def test_any_text_is_legible(
    display: LineDisplay, simulator: DisplaySimulator, display_kit: DisplayKit, text: str
) -> None:
    """Shown are letters and blanks, those that the driver means to show, and the line after them is where it was."""
    await display.show(Columns(text, ""), TOTAL)
    seen = display_kit.language.seen(Columns(text, ""))
    await shows(simulator, seen, "Total EUR   1,234.50")
    assert seen.isprintable()
    assert "?" not in seen
    assert seen.strip()


async def test_it_is_cleared_at_both_ends(display_kit: DisplayKit, link_pair: LinkPair) -> None:
    async with DisplaySimulator(link_pair.device_link) as simulator:
        simulator.screen.cells = list("left by somebody els" * 2)
        async with LineDisplay(link_pair.hub_opener, display_kit.language) as display:
            await shows(simulator, "", "")
            await display.show(TOTAL, TOTAL)
            await shows(simulator, "Total EUR   1,234.50", "Total EUR   1,234.50")
            await display.clear()
            await shows(simulator, "", "")
            await display.show(TOTAL, TOTAL)
        await until(lambda: simulator.screen.lines == (" " * WIDTH,) * 2)


async def test_behind_a_printer_the_printer_has_the_line_again(
    display_kit: DisplayKit, link_pair: LinkPair, simulator: DisplaySimulator
) -> None:
    """Else receipts vanish into the display; and what is for the printer is not shown."""
    if not display_kit.language.pass_through:
        pytest.skip("not on a printer's line")
    async with LineDisplay(link_pair.hub_opener, display_kit.language) as display:
        for _ in range(3):
            await display.show(TOTAL, TOTAL)
            await shows(simulator, "Total EUR   1,234.50", "Total EUR   1,234.50")
            await until(lambda: simulator.screen.devices == 1)
            assert display._link is not None
            await display._link.write(b"A receipt\n\x1b!\x00", timeout=1)
            await until(lambda: simulator.screen.printed == b"A receipt\n\x1b!\x00")
            assert simulator.screen.lines == ("Total EUR   1,234.50",) * 2
            simulator.screen.printed = b""
        await display.clear()
        await until(lambda: simulator.screen.devices == 1)


async def test_one_byte_at_a_time_is_the_same(display_kit: DisplayKit, link_pair: LinkPair) -> None:
    async def opener() -> Link:
        return HostileLink(await link_pair.hub_opener(), write_size=1)

    async with (
        DisplaySimulator(link_pair.device_link) as simulator,
        LineDisplay(opener, display_kit.language) as display,
    ):
        await display.show(TOTAL, TOTAL)
        await shows(simulator, "Total EUR   1,234.50", "Total EUR   1,234.50")


async def _show_for_ever(display: LineDisplay) -> None:
    """Until it raises: what a kernel buffers, and a reset that comes in answer to a write, hide a loss for a while."""
    async with asyncio.timeout(30):
        while True:
            await display.show(TOTAL, TOTAL)
            await asyncio.sleep(0)


async def test_one_that_takes_nothing_is_given_up_in_time(display: LineDisplay, simulator: DisplaySimulator) -> None:
    simulator.takes.clear()
    assert display._link is not None
    with pytest.raises(DeviceError, match="timeout"):
        await display._link.write(bytes(16 << 20), timeout=0.2)  # fills whatever buffers there are
    with pytest.raises(DeviceError, match="timeout"):
        await _show_for_ever(display)


async def test_an_unplug_is_noticed_and_said(
    link_pair: LinkPair, display: LineDisplay, simulator: DisplaySimulator
) -> None:
    waiting = asyncio.create_task(display.lost())
    await simulator.say(b"a card was swiped\r")
    await asyncio.sleep(0.02)
    assert not waiting.done(), "what it says is no loss"
    await link_pair.unplug()
    async with asyncio.timeout(5):
        with pytest.raises(DeviceError, match="unplugged"):
            await waiting
        with pytest.raises(DeviceError, match="unplugged"):
            await _show_for_ever(display)


async def test_after_a_replug_it_shows_again(display_kit: DisplayKit, link_pair: LinkPair) -> None:
    for _ in range(2):
        async with (
            DisplaySimulator(link_pair.device_link) as simulator,
            LineDisplay(link_pair.hub_opener, display_kit.language) as display,
        ):
            await display.show(TOTAL, TOTAL)
            await shows(simulator, "Total EUR   1,234.50", "Total EUR   1,234.50")
            await link_pair.unplug()
        await link_pair.plug()


async def test_a_person_reads_it(real_port: Opener, pytestconfig: pytest.Config) -> None:
    name = pytestconfig.getoption("--display")
    if not name:
        pytest.skip("needs --display")
    kit = next(kit for kit in DISPLAY_KITS if kit.name == name)
    async with LineDisplay(real_port, kit.language) as display:
        for text in ("Käse für 3 €", "Łódź", "Ελλάδα", "Щи и хлеб"):
            await display.show(Columns(text, "12.34"), TOTAL)
            await asyncio.sleep(3)
