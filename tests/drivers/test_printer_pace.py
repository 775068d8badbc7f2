"""A wire without flow control: what the printer has no room for is lost, so never more is sent than it has room for."""

from __future__ import annotations

import asyncio

import pytest

from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.pace import Line, Pace
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.simulator import FlowControl
from holdfast_drivers.values import Barcode, Block, Columns, Document, Feed, Image, Printed, Symbol, Text
from printer_rig import CUT, bench, receipt
from virtual_time import run

METRES_3 = 800
"""Lines of 3.75 mm."""
SLOWEST = 60.0
"""mm/s of the simulated printer; the line is told less."""
PICTURE = Image(576, 600, bytes(72 * 600))
BLOCKS: tuple[Block, ...] = (
    Text("Kelp & Co", bold=True, big=True),
    PICTURE,
    Columns("Sea-salt caramels 150 g", "6,50 €"),
    Feed(9),
    Text("漢字"),
    Barcode(Symbol.QR, "x" * 80),
    Barcode(Symbol.CODE128, "HFRMRS1S000123K"),
)


def line(baud: int, buffer_bytes: int) -> Line:
    return Line(bytes_per_s=baud / 10, mm_per_s=50.0, buffer_bytes=buffer_bytes)


@pytest.mark.parametrize("buffer_bytes", [45, 128, 1024, 4096])
@pytest.mark.parametrize("baud", [9600, 115_200])
@pytest.mark.parametrize("model", [Model.FULL, Model.STAR])
def test_a_receipt_of_three_metres_loses_no_byte(model: Model, baud: int, buffer_bytes: int) -> None:
    async def main() -> None:
        flow = {"flow": FlowControl.NONE, "speed": SLOWEST, "buffer_bytes": buffer_bytes}
        async with bench(model=model, line=line(baud, buffer_bytes), **flow) as at:
            result = await at.print(receipt(METRES_3))
            assert result.outcome is Printed.PRINTED
            assert at.sim.lost_bytes == 0
            assert at.paper[0].splitlines() == [f"line {number}" for number in range(METRES_3)]

    run(main)


@pytest.mark.parametrize("buffer_bytes", [45, 1024, 4096])
@pytest.mark.parametrize("model", [Model.FULL, Model.STAR])
def test_without_pacing_bytes_are_lost(model: Model, buffer_bytes: int) -> None:
    """The negative control: the same receipt, as fast as the link takes it."""

    async def main() -> None:
        async with bench(model=model, flow=FlowControl.NONE, speed=SLOWEST, buffer_bytes=buffer_bytes) as at:
            await at.print(receipt(METRES_3))
            assert at.sim.lost_bytes > 1000

    run(main)


@pytest.mark.parametrize("buffer_bytes", [128, 1024])
@pytest.mark.parametrize("name", ["TM-T20II", "POS-5890", "TM-U220"])
def test_pictures_codes_feeds_and_cuts_lose_none_either(name: str, buffer_bytes: int) -> None:
    profile = load_profile(name)
    job = encode(Document(BLOCKS * 4), profile)

    async def main() -> None:
        flow = {"flow": FlowControl.NONE, "speed": SLOWEST, "buffer_bytes": buffer_bytes, "dots": profile.dots}
        async with bench(line=line(115_200, buffer_bytes), **flow) as at:
            at.printer._pace = Pace(line(115_200, buffer_bytes), Interpreter(profile.dots))
            at.printer._port.sent = at.printer._pace.took
            assert (await at.print(job)).outcome is Printed.PRINTED
            assert at.sim.lost_bytes == 0

    run(main)


def test_a_short_receipt_is_not_held_up() -> None:
    async def main() -> None:
        async with bench(line=line(38_400, 4096), flow=FlowControl.NONE, buffer_bytes=4096) as at:
            before = asyncio.get_running_loop().time()
            assert (await at.print(receipt(30))).outcome is Printed.PRINTED
            assert asyncio.get_running_loop().time() == before

    run(main)


def test_a_long_receipt_takes_hardly_longer_than_its_paper() -> None:
    """The printer never waits for bytes while paper could move."""

    async def main() -> None:
        async with bench(line=line(38_400, 1024), flow=FlowControl.NONE, speed=50.0, buffer_bytes=1024) as at:
            before = asyncio.get_running_loop().time()
            assert (await at.print(receipt(METRES_3))).outcome is Printed.PRINTED
            assert asyncio.get_running_loop().time() - before < 1.1 * METRES_3 * 3.75 / 50

    run(main)


def test_a_torn_job_leaves_the_count_right() -> None:
    async def main() -> None:
        flow = {"flow": FlowControl.NONE, "speed": SLOWEST, "buffer_bytes": 256}
        async with bench(line=line(38_400, 256), **flow) as at:
            picture = b"\x1b@" + b"\x1dv0\x00" + bytes((72, 0, 0, 1)) + bytes(72 * 256) + CUT
            printing = asyncio.create_task(at.print(picture))
            await asyncio.sleep(0.5)
            printing.cancel()
            await asyncio.sleep(1)
            assert (await at.print(receipt(METRES_3 // 4, "next"))).outcome is Printed.PRINTED
            assert at.sim.lost_bytes == 0
            assert at.copies("next 0") == 1

    run(main)
