"""What a printer says of itself between jobs: changes as they happen, old words worth nothing, the drawer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.values import DeviceError, Printed, PrinterStatus, Tri
from printer_rig import LANGUAGES, Bench, bench, receipt
from virtual_time import run


@LANGUAGES
def test_every_change_is_reported_as_it_happens(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, drawer_open_high=True) as at:
            first = await at.printer.next_change()
            assert (first.online, first.paper, first.drawer_open) == (Tri.YES, Tri.YES, Tri.NO)
            for act, field, value in (
                (at.sim.open_cover, "cover_open", Tri.YES),
                (at.sim.close_cover, "cover_open", Tri.NO),
                (lambda: at.sim.load_paper(1000), "paper_low", Tri.YES),
                (at.sim.paper_out, "paper", Tri.NO),
                (at.sim.load_paper, "paper", Tri.YES),
                (at.sim.jam_cutter, "cutter_fault", Tri.YES),
            ):
                act()
                async with asyncio.timeout(4):
                    assert getattr(await at.printer.next_change(), field) is value
            await at.sim._link.close()
            assert replace(await at.printer.next_change(), at=None) == PrinterStatus()
            with pytest.raises(DeviceError, match="unplugged"):
                await at.printer.next_change()

    run(main)


@LANGUAGES
def test_a_status_too_old_is_worth_nothing(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, limits=Limits(stale=60)) as at:
            await asyncio.sleep(59)
            assert at.printer.status.paper is Tri.YES
            await asyncio.sleep(2)
            assert replace(at.printer.status, at=None) == PrinterStatus()
            await at.printer.check()
            assert at.printer.status.paper is Tri.YES

    run(main)


async def kick_errors(at: Bench) -> str:
    with pytest.raises(DeviceError) as caught:
        await at.printer.kick()
    return caught.value.kind


def test_the_drawer_opens_once_a_second_at_most_and_never_later_than_asked() -> None:
    async def main() -> None:
        async with bench(drawer_open_high=True) as at:
            await at.printer.kick(1)
            assert await kick_errors(at) == "busy"
            await asyncio.sleep(1.1)
            assert [(kick.pin, kick.on_ms) for kick in at.kicks] == [(1, 100)]
            assert at.printer.status.drawer_open is Tri.YES
            at.sim.close_drawer()
            at.sim.paper_out()
            assert await kick_errors(at) == "refused"
            at.sim.load_paper()
            await asyncio.sleep(1)
            assert len(at.kicks) == 1
            assert at.printer.status.drawer_open is Tri.NO

    run(main)


@LANGUAGES
@pytest.mark.parametrize("open_high", [True, False])
@pytest.mark.parametrize("pin", [0, 1])
def test_an_open_drawer_is_seen_whichever_way_its_switch_works(model: Model, open_high: bool, pin: int) -> None:
    async def main() -> None:
        async with bench(model=model, drawer_open_high=open_high) as at:
            assert at.printer.status.drawer_open is Tri.NO
            await at.printer.kick(pin)
            await asyncio.sleep(3)
            assert (await at.printer.check()).drawer_open is Tri.YES
            at.sim.close_drawer()
            await asyncio.sleep(3)
            assert (await at.printer.check()).drawer_open is Tri.NO

    run(main)


@LANGUAGES
def test_a_switch_configured_the_wrong_way_round_shows_it_at_once(model: Model) -> None:
    """The negative control: the level is heeded."""

    async def main() -> None:
        async with bench(model=model, drawer_open_high=False) as at:
            at.sim.machine.drawer_high = False
            assert (await at.printer.check()).drawer_open is Tri.YES

    run(main)


@LANGUAGES
def test_a_drawer_does_not_open_minutes_after_it_was_asked_to(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=50) as at:
            printing = asyncio.create_task(at.print(receipt(60)))
            await asyncio.sleep(1)
            at.sim.paper_out()
            assert await kick_errors(at) == "busy"
            at.sim.load_paper()
            assert (await printing).outcome is Printed.PRINTED
            await asyncio.sleep(1)
            assert at.kicks == []

    run(main)
