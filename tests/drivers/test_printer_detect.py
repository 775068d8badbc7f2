"""Finding out what a printer speaks without a mark on its paper; printers that ignore half of what they are told."""

from __future__ import annotations

import asyncio

import pytest

from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.printers.detect import KINDS, detect
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.simulator import Event, PrinterSimulator
from holdfast_drivers.values import DeviceError, Printed, Tri
from printer_rig import bench
from virtual_time import run

NO_NAME = load_profile("POS-5890")


@pytest.mark.parametrize(
    ("model", "language"),
    [
        (Model.FULL, "escpos"),
        (Model.GS_R, "escpos"),
        (Model.STATUS, "escpos"),
        (Model.NO_NAME, "escpos"),
        (Model.STAR, "star"),
        (Model.MUTE, None),
    ],
)
@pytest.mark.parametrize("fault", [None, "paper_out", "open_cover"])
def test_the_language_is_found_and_nothing_is_printed(model: Model, language: str | None, fault: str | None) -> None:
    async def main() -> None:
        near, far = memory_pair()
        paper: list[Event] = []
        async with PrinterSimulator(far, model=model, on_event=paper.append) as sim:
            if fault is not None:
                getattr(sim, fault)()
            before = asyncio.get_running_loop().time()
            assert await detect(near) == language
            assert asyncio.get_running_loop().time() - before <= 1.5
            sim.load_paper()
            sim.close_cover()
            await near.write(b"\n", timeout=1)
            await asyncio.sleep(1)
            sim.tear_off()
            assert [to_text(strip) for strip in paper if isinstance(strip, Receipt)] == ["\n"]

    run(main)


@pytest.mark.parametrize(("model", "language"), [(Model.FULL, "escpos"), (Model.STAR, "star")])
def test_a_printer_that_was_known_is_found_at_once(model: Model, language: str) -> None:
    async def main() -> None:
        near, far = memory_pair()
        async with PrinterSimulator(far, model=model):
            assert await detect(near, first=language) == language
            assert asyncio.get_running_loop().time() == 0

    run(main)


def test_noise_is_no_language() -> None:
    async def main() -> None:
        near, far = memory_pair()
        async with PrinterSimulator(far, model=Model.MUTE, seed=3) as sim:
            sim._outbox.put_nowait(b"\xff\x80\x13\x11\x3f\x00")
            assert await detect(near) is None
            await sim._link.close()
            with pytest.raises(DeviceError, match="unplugged"):
                await detect(near)

    run(main)


@pytest.mark.parametrize("language", list(KINDS))
def test_what_a_language_encodes_its_driver_prints(language: str) -> None:
    model = Model.STAR if language == "star" else Model.FULL
    kind = KINDS[language]
    profile = load_profile("TM-T20II")

    async def main() -> None:
        async with bench(model=model) as at:
            assert isinstance(at.printer, kind.driver)
            await at.print(kind.encode(SAMPLE, profile))
            assert "Tote bag »Ancre«, organic cotton, hand" in at.paper[0]
            assert at.sim.unknown_bytes == 0 or model is Model.FULL

    run(main)


def test_a_no_name_printer_prints_the_document_and_nothing_else() -> None:
    """No probe, no report, no proof request of ours comes out as text, on the first job or a later one."""
    job = encode(SAMPLE, NO_NAME)
    expected = to_text(Receipt(384, tuple(Interpreter(384).feed(job))))

    async def main() -> None:
        async with bench(model=Model.NO_NAME, dots=384) as at:
            for number in range(3):
                assert (await at.print(job, number)).reason == "no_proof"
                await at.printer.check()
                at.sim.tear_off()
                assert at.paper.pop() == expected

    run(main)


def test_a_status_that_never_changes_is_believed_only_where_it_can_be() -> None:
    """Paper out on a printer that always says all is well: the job is unknown, never printed."""

    async def main() -> None:
        async with bench(model=Model.NO_NAME, dots=384) as at:
            at.sim.paper_out()
            assert (await at.printer.check()).paper is Tri.YES, "it says so"
            assert (await at.print(encode(SAMPLE, NO_NAME))).outcome is Printed.UNKNOWN

    run(main)
