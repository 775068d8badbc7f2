"""What is found out of a printer at connect, or later when it could not be, leaving no mark on paper."""

from __future__ import annotations

import asyncio

import pytest

from holdfast_drivers.printers import firmware
from holdfast_drivers.printers.dialect import Identity
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.values import Printed, PrintResult, Proof, Tri
from printer_rig import LANGUAGES, bench, receipt
from virtual_time import run


@pytest.mark.parametrize(
    ("model", "proof"),
    [
        (Model.FULL, Proof.PROCESS_ID),
        (Model.GS_R, Proof.IN_ORDER),
        (Model.STAR, Proof.COUNTER),
        (Model.STATUS, Proof.NONE),
        (Model.NO_NAME, Proof.NONE),
        (Model.MUTE, Proof.NONE),
    ],
)
def test_the_proof_is_learned_at_connect(model: Model, proof: Proof) -> None:
    async def main() -> None:
        async with bench(model=model) as at:
            assert at.printer.proof is proof
            assert at.printer.status.online is (Tri.UNKNOWN if model is Model.MUTE else Tri.YES)
            assert at.copies("line 0") == 0, "asking leaves no mark on paper"

    run(main)


@pytest.mark.parametrize(
    ("model", "identity"),
    [
        (Model.FULL, Identity("HOLDFAST", "VIRTUAL-80", "SIM0001", "1.00 ESC/POS")),
        (Model.GS_R, Identity("HOLDFAST", "VIRTUAL-80", "SIM0001", "1.00 ESC/POS")),
        (Model.STAR, Identity("Star", "VIRTUAL-STAR", firmware="1.0")),
        (Model.STATUS, Identity()),
        (Model.NO_NAME, Identity()),
        (Model.MUTE, Identity()),
    ],
)
def test_a_printer_that_can_says_what_it_is_and_prints_nothing_of_it(model: Model, identity: Identity) -> None:
    async def main() -> None:
        async with bench(model=model) as at:
            assert at.printer.identity == identity
            at.sim.tear_off()
            assert at.paper == []
            await at.print(receipt(1))
            await asyncio.sleep(1)
            at.sim.tear_off()
            assert at.paper == ["line 0\n"]

    run(main)


def test_a_printer_that_does_not_know_the_question_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware, "_INFO", {68: "SIM0001"})

    async def main() -> None:
        before = asyncio.get_running_loop().time()
        async with bench() as at:
            assert at.printer.identity == Identity()
            assert asyncio.get_running_loop().time() - before == Limits().reply
            assert (await at.print(receipt(1))).outcome is Printed.PRINTED

    run(main)


def test_a_printer_left_inside_a_picture_by_somebody_else_is_freed_at_connect() -> None:
    async def main() -> None:
        async with bench() as at:
            await at.printer._port.write(b"\x1dv0\x00" + bytes((72, 0, 50, 0)) + bytes(100))
            at.printer._proof = None
            await at.printer.check()
            assert at.printer.proof is Proof.PROCESS_ID
            assert (await at.print(receipt())).outcome is Printed.PRINTED

    run(main)


@LANGUAGES
def test_a_printer_out_of_paper_at_connect_shows_its_proof_later(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model) as at:
            at.sim.paper_out()
            at.printer._proof = None
            await at.printer.check()
            assert at.printer.proof is None
            at.sim.load_paper()
            proof = Proof.COUNTER if model is Model.STAR else Proof.PROCESS_ID
            assert (await at.print(receipt())) == PrintResult(Printed.PRINTED, proof)

    run(main)


def test_a_printer_switched_on_after_connect_is_found_by_a_check() -> None:
    async def main() -> None:
        async with bench(model=Model.MUTE) as at:
            at.sim._model = Model.FULL
            at.sim.power_cycle()
            assert (await at.printer.check()).online is Tri.YES
            assert at.printer.proof is Proof.PROCESS_ID

    run(main)
