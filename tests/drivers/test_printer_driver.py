"""What a job's result may claim: printed only by the printer's word, not printed only if no byte left, else unknown."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.sheet import pages_of
from holdfast_drivers.printers.simulator import FlowControl
from holdfast_drivers.values import DeviceError, Printed, PrinterStatus, PrintResult, Proof, Tri
from printer_rig import LANGUAGES, PROFILE, bench, receipt, turns_until
from virtual_time import run

PROVING = [Model.FULL, Model.GS_R, Model.STAR]
LONG = receipt(400)
"""Longer than every buffer between driver and paper."""


@pytest.mark.parametrize("model", PROVING)
@pytest.mark.parametrize("flow", [FlowControl.LINK, FlowControl.XONXOFF])
def test_a_proved_job_is_on_paper_once(model: Model, flow: FlowControl) -> None:
    async def main() -> None:
        async with bench(model=model, speed=150, flow=flow, buffer_bytes=65536) as at:
            result = await at.print(LONG)
            assert result == PrintResult(Printed.PRINTED, at.printer.proof or Proof.NONE)
            assert at.started == [1]
            assert len(at.paper) == 1
            assert at.copies("line 399") == 1

    run(main)


@LANGUAGES
def test_printed_is_said_only_after_the_last_line_is_on_paper(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=10) as at:
            printing = asyncio.create_task(at.print(receipt(20)))
            await asyncio.sleep(4)
            assert not printing.done(), "20 lines take 7.5 s at 10 mm/s"
            assert (await printing).outcome is Printed.PRINTED
            assert at.copies("line 19") == 1

    run(main)


@pytest.mark.parametrize("model", [Model.STATUS, Model.NO_NAME, Model.MUTE])
def test_without_proof_the_job_goes_out_and_nothing_is_claimed(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model) as at:
            before = asyncio.get_running_loop().time()
            assert await at.print(receipt()) == PrintResult(Printed.UNKNOWN, reason="no_proof")
            assert asyncio.get_running_loop().time() == before, "there is nothing to wait for"
            await asyncio.sleep(1)
            assert at.copies("line 19") == 1

    run(main)


@pytest.mark.parametrize("name", ["POS-5890", "NT-5890K", "ZJ-5870"])
def test_a_no_name_printer_prints_its_receipt_and_nothing_else(name: str) -> None:
    """It drops half of the commands and prints their arguments; ours for such a model must need none of those."""
    profile = load_profile(name)
    pages = pages_of(profile)
    job = encode(SAMPLE, profile)
    wanted = to_text(Receipt(profile.dots, tuple(Interpreter(profile.dots, pages).feed(job))))

    async def main() -> None:
        async with bench(model=Model.NO_NAME, profile=profile, dots=profile.dots, pages=pages) as at:
            for _ in range(2):
                await at.print(job)
                await asyncio.sleep(1)
                at.sim.tear_off()
            assert at.paper == [wanted, wanted]

    run(main)


def test_a_no_name_printer_mistaken_for_an_epson_prints_what_it_does_not_know() -> None:
    """The negative control: what the QR code holds comes out as text."""

    async def main() -> None:
        async with bench(model=Model.NO_NAME) as at:
            await at.print(encode(SAMPLE, PROFILE))
            await asyncio.sleep(1)
            at.sim.tear_off()
            assert at.sim.unknown_bytes > 0
            assert "HFT1:MRS-1-S000123" in at.paper[0]
            assert "[qr]" not in at.paper[0]

    run(main)


@pytest.mark.parametrize(
    ("fault", "remedy", "reason"),
    [
        ("paper_out", "load_paper", "paper_end"),
        ("open_cover", "close_cover", "cover_open"),
        ("jam_cutter", "clear_jam", "error"),
    ],
)
def test_a_known_hindrance_refuses_before_the_first_byte(fault: str, remedy: str, reason: str) -> None:
    async def main() -> None:
        async with bench() as at:
            getattr(at.sim, fault)()
            assert await at.print(receipt()) == PrintResult(Printed.NOT_PRINTED, reason=reason)
            assert at.started == []
            getattr(at.sim, remedy)()
            assert (await at.print(receipt())).outcome is Printed.PRINTED
            assert at.copies("line 0") == 1

    run(main)


@LANGUAGES
def test_a_hindrance_that_shows_while_the_job_is_being_recorded_still_refuses(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model) as at:

            async def started() -> None:
                at.sim.paper_out()
                await asyncio.sleep(0.1)

            result = await at.printer.print(receipt(), 1, started=started)
            assert result == PrintResult(Printed.NOT_PRINTED, reason="paper_end")
            at.sim.load_paper()
            await asyncio.sleep(1)
            assert at.copies("line 0") == 0

    run(main)


@pytest.mark.parametrize("model", PROVING)
@pytest.mark.parametrize(("fault", "remedy"), [("paper_out", "load_paper"), ("open_cover", "close_cover")])
def test_a_job_goes_on_when_the_paper_comes_back(model: Model, fault: str, remedy: str) -> None:
    async def main() -> None:
        async with bench(model=model, speed=50) as at:
            printing = asyncio.create_task(at.print(LONG))
            await asyncio.sleep(5)
            getattr(at.sim, fault)()
            await asyncio.sleep(500)
            assert not printing.done(), "a person needs time"
            getattr(at.sim, remedy)()
            assert (await printing).outcome is Printed.PRINTED
            assert at.copies("line 0") == at.copies("line 399") == 1

    run(main)


@pytest.mark.parametrize("model", PROVING)
def test_patience_ends_and_a_late_answer_proves_nothing_for_the_next_job(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=50) as at:
            printing = asyncio.create_task(at.print(receipt(60, "first")))
            await asyncio.sleep(1)
            at.sim.paper_out()
            assert await printing == PrintResult(Printed.UNKNOWN, reason="paper_end")
            assert (await at.print(receipt())).reason == "paper_end"
            at.sim.load_paper()
            result = await at.print(receipt(200, "second"))
            assert at.copies("second 199") == 1
            assert result.outcome is Printed.PRINTED
            assert at.copies("first 59") == 1

    run(main)


@LANGUAGES
def test_a_cutter_fault_ends_the_wait_at_once(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=50) as at:
            printing = asyncio.create_task(at.print(LONG))
            await asyncio.sleep(10)
            at.sim.jam_cutter()
            before = asyncio.get_running_loop().time()
            assert await printing == PrintResult(Printed.UNKNOWN, reason="error")
            assert asyncio.get_running_loop().time() - before < 20

    run(main)


@pytest.mark.parametrize("model", PROVING)
def test_silence_during_a_job_is_unknown(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=100) as at:
            printing = asyncio.create_task(at.print(receipt()))
            await asyncio.sleep(0.1)
            at.sim.go_silent()
            assert await printing == PrintResult(Printed.UNKNOWN, reason="no_proof")
            assert at.copies("line 19") == 1
            at.sim.speak()
            result = await at.print(receipt(1, "next"))
            assert result.outcome is Printed.PRINTED, "an answer that was lost is not waited for again"

    run(main)


@pytest.mark.parametrize("model", PROVING)
def test_answers_nobody_asked_for_prove_nothing(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=50) as at:
            at.sim._say(b"\x00\x00\x0c\x12\x12")
            await asyncio.sleep(1)
            printing = asyncio.create_task(at.print(receipt(20)))
            await asyncio.sleep(1)
            assert not printing.done()
            assert (await printing).outcome is Printed.PRINTED
            assert at.copies("line 19") == 1

    run(main)


@LANGUAGES
def test_a_printer_that_used_to_answer_and_does_not_is_not_printed_on(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model) as at:
            at.sim.go_silent()
            assert await at.print(receipt()) == PrintResult(Printed.NOT_PRINTED, reason="timeout")
            assert at.printer.status.online is Tri.UNKNOWN
            at.sim.speak()
            assert (await at.print(receipt())).outcome is Printed.PRINTED
            assert at.copies("line 0") == 1

    run(main)


@LANGUAGES
def test_a_slow_printer_is_waited_for(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=100) as at:
            printing = asyncio.create_task(at.print(receipt(100)))
            await asyncio.sleep(0.5)
            at.sim.slow(2)
            assert (await printing).outcome is Printed.PRINTED

    run(main)


@LANGUAGES
def test_a_write_that_blocks_is_no_end(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=20, buffer_bytes=256, limits=Limits(write=1, mm_per_s=20)) as at:
            result = await at.print(receipt(2000))
            assert result.outcome is Printed.PRINTED, "every write timed out, and the job went on from there"
            assert at.copies("line 0") == at.copies("line 1999") == 1

    run(main)


def test_a_stall_without_a_reason_is_given_up_as_unknown() -> None:
    async def main() -> None:
        async with bench(model=Model.MUTE, speed=1, buffer_bytes=256) as at:
            printing = asyncio.create_task(at.print(receipt(2000)))
            await asyncio.sleep(1)
            at.sim.paper_out()
            assert await printing == PrintResult(Printed.UNKNOWN, reason="timeout")

    run(main)


@pytest.mark.parametrize("model", PROVING)
def test_garbage_on_the_line_is_no_proof(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=100) as at:
            printing = asyncio.create_task(at.print(receipt(100)))
            await asyncio.sleep(0.5)
            at.sim.go_silent()
            at.sim.garbage(2000)
            assert (await printing).outcome is Printed.UNKNOWN

    run(main)


@pytest.mark.parametrize("model", [Model.FULL, Model.GS_R, Model.STATUS, Model.MUTE])
def test_unplugged_after_any_number_of_bytes(model: Model) -> None:
    """Not printed exactly when the link took none of the job; and whatever it says, never twice on paper."""
    data = receipt(30)

    async def job_bytes() -> tuple[int, int]:
        async with bench(model=model, hub_link={"writes_until_unplug": 10**9}) as at:
            before = at.printer._port._link._writes_left  # type: ignore[attr-defined]  # the hostile link's own count
            await at.print(data)
            after = at.printer._port._link._writes_left  # type: ignore[attr-defined]
            return 10**9 - before, 10**9 - after

    at_connect, at_end = run(job_bytes)
    questions = 0 if model is Model.MUTE else 12 + 3

    async def cut_after(count: int) -> PrintResult:
        async with bench(model=model, limits=Limits(chunk=16), hub_link={"writes_until_unplug": count}) as at:
            result = await at.print(data)
            await asyncio.sleep(1)
            assert at.copies("line 29") <= 1
            return result

    first_byte = at_connect + questions
    for count in range(at_connect, at_end, 7):
        result = run(lambda count=count: cut_after(count))
        expected = Printed.NOT_PRINTED if count <= first_byte else Printed.UNKNOWN
        assert result.outcome is expected, f"unplugged after {count - first_byte} bytes of the job"
        assert result.reason == "unplugged"


@LANGUAGES
def test_unplugged_while_waiting_for_the_proof(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=5) as at:
            printing = asyncio.create_task(at.print(receipt()))
            await asyncio.sleep(2)
            await at.sim._link.close()
            assert await printing == PrintResult(Printed.UNKNOWN, reason="unplugged")
            assert await at.print(receipt()) == PrintResult(Printed.NOT_PRINTED, reason="unplugged")
            with pytest.raises(DeviceError, match="unplugged"):
                await at.printer.check()
            assert replace(at.printer.status, at=None) == PrinterStatus()

    run(main)


def test_a_torn_job_does_not_swallow_the_next_one() -> None:
    """The printer waits for the rest of a picture: the next job must not become its dots."""
    picture = b"\x1b@" + b"\x1dv0\x00" + bytes((72, 0, 0, 4)) + bytes(72 * 1024) + b"\x1dVB\x00"

    async def main() -> None:
        async with bench(speed=100, limits=Limits(chunk=512)) as at:
            printing = asyncio.create_task(at.print(picture))
            await turns_until(lambda: at.sim._firmware.interpreter.pending > 5000)
            printing.cancel()
            await asyncio.sleep(1)
            assert at.sim._firmware.interpreter.pending > 5000, "it waits for the rest of the picture"
            assert (await at.print(receipt(5, "next"))).outcome is Printed.PRINTED
            assert at.copies("next 0") == 1

    run(main)


@pytest.mark.parametrize("model", PROVING)
def test_power_cut_at_the_printer_during_a_job_is_unknown(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=50) as at:
            printing = asyncio.create_task(at.print(receipt(60)))
            await asyncio.sleep(2)
            at.sim.power_cycle()
            assert await printing == PrintResult(Printed.UNKNOWN, reason="no_proof")
            assert (await at.print(receipt(5, "next"))).outcome is Printed.PRINTED
            assert at.copies("next 4") == 1

    run(main)


@LANGUAGES
def test_jobs_wait_for_each_other(model: Model) -> None:
    async def main() -> None:
        async with bench(model=model, speed=50) as at:
            results = await asyncio.gather(*(at.print(receipt(10, f"job{n}"), n) for n in range(5)))
            assert {result.outcome for result in results} == {Printed.PRINTED}
            assert at.started == list(range(5))
            assert [strip.split()[0] for strip in at.paper] == [f"job{n}" for n in range(5)]

    run(main)
