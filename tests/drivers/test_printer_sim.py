"""The simulated printer on the wire: what it answers, when it stops, what it loses, and the program around it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.escpos import EscPosPrinter
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.machine import Machine, RealtimeScanner
from holdfast_drivers.printers.paper import Line, Receipt
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.receipts import ReceiptFolder
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.simulator import Event, FlowControl, PrinterSimulator
from holdfast_drivers.values import Document, Printed, Text, Tri
from printer_rig import PROFILE, receipt
from virtual_time import run

STATUS = (b"\x10\x04", b"\x10\x14", b"\x1da")
PICTURE = b"\x1dv0\x00\x01\x00\x0c\x00" + b"\x10\x04\x01" * 4


class Host:
    """The other end of the printer's line."""

    def __init__(self, link: Link, sim: PrinterSimulator, events: list[Event]) -> None:
        self.link = link
        self.sim = sim
        self.events = events

    async def ask(self, data: bytes) -> bytes:
        """What comes back within a second."""
        await self.link.write(data, timeout=1)
        got = b""
        try:
            async with asyncio.timeout(1):
                while True:
                    got += await self.link.read(100)
        except TimeoutError:
            return got


@asynccontextmanager
async def host(**options: Any) -> AsyncIterator[Host]:
    near, far = memory_pair()
    events: list[Event] = []
    async with PrinterSimulator(far, on_event=events.append, **options) as sim:
        yield Host(near, sim, events)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (b"\x10\x04\x01", b"\x12"),
        (b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04", b"\x12\x12\x12\x12"),
        (b"\x1dr\x01", b"\x00"),
        (b"\x1dr\x02", b"\x00"),
        (b"\x1dI\x01", b"\x20"),
        (b"\x1dI\x43", b"_VIRTUAL-80\0"),
        (b"\x1d(H\x06\x00000042", b'7"0042\0'),
        (b"\x1da\xff", b"\x10\0\0\0"),
        (b"\x10\x14\x07\x01", b"\x10\0\0\0"),
    ],
)
def test_answers(question: bytes, answer: bytes) -> None:
    async def main() -> None:
        for model in (Model.FULL, Model.GS_R, Model.STATUS, Model.MUTE):
            async with host(model=model) as at:
                told = {Model.FULL: True, Model.GS_R: question[:3] != b"\x1d(H", Model.STATUS: question[:2] in STATUS}
                assert await at.ask(question) == (answer if told.get(model) else b"")

    run(main)


def test_what_breaks_shows_in_every_status() -> None:
    async def main() -> None:
        async with host() as at:
            at.sim.open_cover()
            at.sim.jam_cutter()
            at.sim.load_paper(1000)
            assert await at.ask(b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04") == b"\x1a\x56\x1a\x1e"
            at.sim.paper_out()
            assert await at.ask(b"\x10\x04\x04\x10\x14\x07\x01") == b"\x7e\x38\x08\x0f\0"

    run(main)


def test_changes_are_reported_once_asked_for_and_not_after_a_power_cycle() -> None:
    async def main() -> None:
        async with host() as at:
            at.sim.open_cover()
            at.sim.close_cover()
            assert await at.ask(b"\x1da\xff") == b"\x10\0\0\0"
            at.sim.open_cover()
            at.sim.open_cover()
            assert await at.ask(b"") == b"\x38\0\0\0"
            at.sim.close_cover()
            at.sim.power_cycle()
            at.sim.paper_out()
            assert await at.ask(b"") == b"\x10\0\0\0"

    run(main)


def test_realtime_commands_work_inside_a_picture_and_while_out_of_paper() -> None:
    async def main() -> None:
        async with host() as at:
            assert await at.ask(PICTURE) == b"\x12" * 4
            at.sim.paper_out()
            assert await at.ask(b"text\n\x1dr\x01\x10\x04\x04") == b"\x7e", "GS r waits for the paper"
            at.sim.load_paper()
            assert await at.ask(b"") == b"\x00"
            (line, *_) = at.sim._strip
            assert isinstance(line, Line)
            assert line.height == 12, "the picture is whole"

    run(main)


def test_realtime_commands_are_found_in_any_split_and_once() -> None:
    data = b"ab\x10\x10\x04\x02cd\x10\x05\x01\x10\x14\x01\x00\x05\x10\x14\x07\x01\x10\x04\x09"
    expected = [b"\x10\x04\x02", b"\x10\x05\x01", b"\x10\x14\x01\x00\x05", b"\x10\x14\x07\x01"]
    for size in range(1, len(data) + 1):
        scanner = RealtimeScanner()
        assert [c for at in range(0, len(data), size) for c in scanner.feed(data[at : at + size])] == expected


def test_dle_enq_clears_a_jam_and_dle_dc4_opens_the_drawer() -> None:
    async def main() -> None:
        async with host() as at:
            at.sim.jam_cutter()
            assert await at.ask(b"\x10\x05\x01\x10\x14\x01\x00\x01\x10\x04\x01") == b"\x16"
            assert at.sim.machine.ready

    run(main)


def test_the_roll_ends_where_it_ends() -> None:
    async def main() -> None:
        async with host(machine=Machine(paper_mm=37.5)) as at:
            await at.ask(b"x\n" * 20)
            assert len(at.sim._strip) == 10, "30 dots a line, 8 dots a millimetre"
            at.sim.load_paper()
            await at.ask(b"")
            assert len(at.sim._strip) == 20

    run(main)


def test_paper_takes_its_time() -> None:
    async def main() -> None:
        async with host(speed=37.5) as at:
            began = asyncio.get_running_loop().time()
            await at.link.write(b"x\n" * 100 + b"\x1dr\x01", timeout=60)
            assert await at.link.read(1) == b"\x00"
            assert 9.5 < asyncio.get_running_loop().time() - began < 10.5

    run(main)


def test_a_full_buffer_makes_the_host_wait() -> None:
    async def main() -> None:
        async with host(buffer_bytes=1000) as at:
            at.sim.paper_out()
            with pytest.raises(WriteError) as caught:
                await at.link.write(b"x\n" * 10_000, timeout=1)
            assert caught.value.taken < 1000 + 64 + 4096 + 1
            assert at.sim.lost_bytes == 0

    run(main)


def test_with_xon_xoff_whoever_does_not_stop_loses_bytes() -> None:
    async def main() -> None:
        async with host(buffer_bytes=1000, flow=FlowControl.XONXOFF) as at:
            at.sim.paper_out()
            assert await at.ask(b"x\n" * 2000) == b"\x13"
            assert at.sim.lost_bytes > 2000
            at.sim.load_paper()
            assert await at.ask(b"") == b"\x11"

    run(main)


def test_garbage_is_the_same_for_the_same_seed() -> None:
    async def garbage(seed: int) -> bytes:
        async with host(seed=seed) as at:
            at.sim.garbage(64)
            return await at.ask(b"")

    first, again, other = (run(lambda seed=seed: garbage(seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 64


async def test_receipts_are_kept_in_order_and_some_drawn(tmp_path: Path) -> None:
    folder = ReceiptFolder(tmp_path / "new", png_every=2)
    for number in range(4):
        saved = await folder.save(Receipt(384, (Line(0, 30, ()),)))
        assert saved.number == number + 1
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["0001.txt", "0002.png", "0002.txt", "0003.txt", "0004.png", "0004.txt"]


class Program:
    """`python -m holdfast_drivers.printers.sim` and its two pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def event(self, kind: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while True:
                event: dict[str, Any] = json.loads(await self.process.stdout.readline())
                if event["event"] == kind:
                    return event

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast_drivers.printers.sim", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
        assert process.stdin is not None
        process.stdin.close()


async def test_the_program_prints_breaks_and_mends_on_command(tmp_path: Path) -> None:
    port, out = tmp_path / "printer", tmp_path / "out"
    job = encode(SAMPLE, PROFILE)

    async def nothing() -> None: ...

    clock = asyncio.get_running_loop().time
    async with program("--pty", str(port), "--out", str(out), "--speed", "2000") as sim:
        assert (await sim.event("ready"))["path"] == str(port)
        link = await serial_opener(str(port))()
        async with EscPosPrinter(link, PROFILE, monotonic=clock, limits=Limits(reply=5, probe=20)) as printer:
            assert (await printer.print(job, 1, started=nothing)).outcome is Printed.PRINTED
            cut = await sim.event("cut")
            assert "Tote bag »Ancre«" in cut["text"]
            assert await asyncio.to_thread(Path(cut["txt"]).read_text) == cut["text"]
            assert (await asyncio.to_thread(Path(cut["png"]).read_bytes)).startswith(b"\x89PNG")
            await printer.kick()
            assert await sim.event("kick") == {"event": "kick", "pin": 0, "on_ms": 100}
            sim.say("paper_out")
            await sim.event("done")
            while (await printer.next_change()).paper is not Tri.NO:
                pass
            assert (await printer.print(job, 2, started=nothing)).reason == "paper_end"
            sim.say("load_paper 5000")
            sim.say("explode")
            assert (await sim.event("refused"))["command"] == "explode"
            assert (await printer.print(job, 3, started=nothing)).outcome is Printed.PRINTED
            sim.say("unplug")
            await sim.event("done")
            assert not await asyncio.to_thread(os.path.lexists, port)
        sim.say("plug")
        assert (await sim.event("ready"))["path"] == str(port)
        sim.say("quit")


async def test_the_program_ends_at_sigterm_and_lives_on_without_stdin(tmp_path: Path) -> None:
    async with program("--pty", str(tmp_path / "p"), "--out", str(tmp_path), "--no-png") as sim:
        assert sim.process.stdin is not None
        sim.process.stdin.close()
        await sim.event("ready")
        link = await serial_opener(str(tmp_path / "p"))()
        await link.write(receipt(3), timeout=5)
        assert (await sim.event("cut"))["png"] is None
        await link.close()


async def test_the_sample_is_drawn_on_request(tmp_path: Path) -> None:
    async with program("--sample", str(tmp_path / "receipt.png")) as sim:
        await sim.process.wait()
    assert (tmp_path / "receipt.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_of_printer_commands_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "job.bin").write_bytes(b"first\n\x1dVB\x00second\n\x01\x1dv0\x00")
    command = [sys.executable, "-m", "holdfast_drivers.sim", "printer", "--render", str(tmp_path / "job.bin")]
    told = subprocess.run([*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, check=True)
    *cuts, read = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(cut["number"], cut["text"]) for cut in cuts] == [(1, "first\n"), (2, "second\n")]
    assert all(Path(cut["png"]).read_bytes().startswith(b"\x89PNG") for cut in cuts)
    assert read == {"event": "read", "bytes": 22, "unknown": 1, "pending": 4}


def test_the_models_are_listed_and_one_is_played(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "holdfast_drivers.sim", "printer"]
    told = subprocess.run([*program, "--profiles"], capture_output=True, text=True, check=True).stdout
    models = {model["profile"]: model for model in map(json.loads, told.splitlines())}
    assert (models["POS-5890"]["dots"], models["POS-5890"]["cutter"]) == (384, False)
    (tmp_path / "job.bin").write_bytes(encode(Document((Text("4 € für Ελλάδα"),)), load_profile("POS-5890")))
    render = [*program, "--render", str(tmp_path / "job.bin"), "--out", str(tmp_path), "--no-png", "--profile"]
    for name, right in (("POS-5890", True), ("TM-T20II", False)):
        told = subprocess.run([*render, name], capture_output=True, text=True, check=True).stdout
        assert ("4 € für Ελλάδα" in told) is right, "each model has numbers of its own for its code pages"
    refused = subprocess.run([*render, "TM-9"], capture_output=True, text=True, check=False)
    assert "no printer profile 'TM-9'" in refused.stderr
