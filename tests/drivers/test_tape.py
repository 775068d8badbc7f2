"""Tapes: what was recorded plays again, and nobody's data is on them unless asked for."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.links.tape import MAX_BYTES, Entry, Recorder, Tape, TapeLink, keep_all, mask_text
from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.honeywell import HoneywellScanner
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.scanners.simulator import ScannerSimulator
from holdfast_drivers.scanners.ssi import Opcode, Packet, Source, SsiDecoder, mask_packets
from holdfast_drivers.scanners.ssi_scanner import Limits, SsiScanner
from holdfast_drivers.scanners.ssi_sim import SsiSimulator
from holdfast_drivers.values import DeviceError, Scan, Tri

HONEYWELL = Tape(
    "Voyager",
    redacted=False,
    entries=(
        Entry(0.0, b"]E04006381333931\r", written=False),
        Entry(0.5, b"\x16M\rCBRENA?!", written=True),
        Entry(0.51, b"CBRE", written=False),
        Entry(0.52, b"NA1\x06!MU", written=False),
        Entry(0.53, b"G\r", written=False),
    ),
)


def opened(link: Link) -> Callable[[], Awaitable[Link]]:
    async def opener() -> Link:
        return link

    return opener


entries = st.lists(
    st.builds(Entry, st.integers(0, 10**9).map(lambda at: at / 10**6), st.binary(max_size=40), written=st.booleans())
).map(tuple)


@given(st.text(max_size=20), st.booleans(), entries)
def test_a_tape_survives_being_text(link: str, redacted: bool, recorded: tuple[Entry, ...]) -> None:
    tape = Tape(link, redacted, recorded)
    assert Tape.loads(tape.dumps()) == tape


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        '{"tape":2,"link":"x","redacted":true}',
        '{"tape":1,"link":"x","redacted":true}\n{"at":0.0}',
        '{"tape":1,"link":"x","redacted":true}\n{"at":0.0,"in":"a","out":"b"}',
        '{"tape":1,"link":"x","redacted":true}\n{"at":0.0,"in":"\\u0100"}',
    ],
)
def test_what_is_no_tape_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what matters is that nothing else is raised
        Tape.loads(text)


async def test_a_recording_holds_nobodys_data_but_its_framing() -> None:
    hub, device = memory_pair()
    recorder = Recorder(hub)
    await ScannerSimulator(device).scan("HFP1.secret-Token_42", aim="]Q1")
    await recorder.read(100)
    await recorder.write(b"\x16M\rCBRENA?!", timeout=1)
    tape = recorder.tape
    assert [entry.data for entry in tape.entries] == [b"]X0XXX0.xxxxxx-Xxxxx_00\r", b"\x16X\rXXXXXX?!"]
    assert tape.redacted
    assert "secret" not in tape.dumps()
    await recorder.close()


@given(st.binary())
def test_a_mask_keeps_length_and_every_framing_byte(data: bytes) -> None:
    masked = mask_text(data)
    assert len(masked) == len(data)
    for before, after in zip(data, masked, strict=True):
        assert before == after or (chr(before).isascii() and chr(before).isalnum() and chr(after) in "0Xx")


async def test_a_recording_stops_when_it_is_full() -> None:
    hub, device = memory_pair()
    recorder = Recorder(hub)
    for _ in range(MAX_BYTES // 4096 + 50):
        await device.write(bytes(4096), timeout=1)
        await recorder.read(4096)
    assert sum(len(entry.data) for entry in recorder.tape.entries) == MAX_BYTES
    await recorder.close()


async def test_a_replayed_scanner_answers_as_it_did() -> None:
    async with HoneywellScanner(opened(TapeLink(HONEYWELL, pace=0.0))) as scanner:
        first = await anext(scanner)
        assert await scanner.alive() is Tri.YES
        second = await anext(scanner)
        assert [(scan.data, scan.aim) for scan in (first, second)] == [(b"4006381333931", "]E0"), (b"MUG", "")]
        with pytest.raises(DeviceError, match="unplugged"):
            await anext(scanner)


async def test_a_live_session_replays_to_the_same_scans() -> None:
    """Recorded from the SSI simulator, packets, acknowledgements and beeps, then played without it."""
    hub, device = memory_pair()
    recorder = Recorder(hub, redact=keep_all)
    async with SsiSimulator(device) as simulator, SsiScanner(opened(recorder), limits=Limits(wake=0.0)) as scanner:
        for code in ("4006381333931", "4006381333948"):
            await simulator.scan(code)
            assert (await anext(scanner)).data == code.encode()
            await scanner.good_read()
    tape = Tape.loads(recorder.tape.dumps())
    async with SsiScanner(opened(TapeLink(tape, pace=0.0)), limits=Limits(wake=0.0)) as replayed:
        got: list[Scan] = []
        for _ in range(2):
            got.append(await anext(replayed))
            await asyncio.sleep(0.01)
            await replayed.good_read()
    assert [(scan.data, scan.aim) for scan in got] == [(b"4006381333931", "]E0"), (b"4006381333948", "]E0")]
    assert (replayed.packeted, replayed.stats.garbled) == (True, 0)


async def test_a_tapes_pauses_are_kept_or_left_out() -> None:
    """An unterminated read is one scan or two by the pause in it."""
    tape = Tape("slow", True, (Entry(0.0, b"ONE", False), Entry(0.3, b"TWO\r", False)))
    async with SerialScanner(opened(TapeLink(tape))) as scanner:
        assert [(await anext(scanner)).data for _ in range(2)] == [b"ONE", b"TWO"]
    async with SerialScanner(opened(TapeLink(tape, pace=0.0))) as scanner:
        assert (await anext(scanner)).data == b"ONETWO"


async def test_a_pause_goes_on_through_reads_that_are_given_up() -> None:
    link = TapeLink(Tape("slow", True, (Entry(0.2, b"ONE", False),)))
    async with asyncio.timeout(5):
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.03):
                    assert await link.read(10) == b"ONE"
                    break


async def test_a_tape_takes_what_was_written_and_nothing_else() -> None:
    link = TapeLink(
        Tape("x", redacted=True, entries=(Entry(0.0, b"abc", written=True), Entry(0.0, b"z", written=False)))
    )
    with pytest.raises(WriteError, match="refused"):
        await link.write(b"x", timeout=1)
    await link.write(b"a", timeout=1)
    reading = asyncio.create_task(link.read(10))
    await asyncio.sleep(0)
    await link.write(b"bc", timeout=1)
    assert await reading == b"z"
    with pytest.raises(WriteError, match="refused"):
        await link.write(b"a", timeout=1)
    await link.close()
    with pytest.raises(DeviceError, match="unplugged"):
        await link.read(1)


async def test_packets_are_masked_whole_so_that_their_tape_plays(tmp_path: Path) -> None:
    hub, device = memory_pair()
    recorder = Recorder(hub, redact=mask_packets)
    async with SsiSimulator(device) as simulator, SsiScanner(opened(recorder), limits=Limits(wake=0.0)) as scanner:
        await simulator.scan("HFM1.secret", aim="]C0")
        assert (await anext(scanner)).data == b"HFM1.secret"
    assert "secret" not in recorder.tape.dumps()
    played = SsiDecoder()
    heard = [frame for entry in recorder.tape.entries if not entry.written for frame in played.feed(entry.data, 0.0)]
    assert Packet(Opcode.DECODE_DATA, Source.SCANNER, b"\x03XXX0.xxxxxx\r") in heard
    assert Garbled() not in heard


@given(st.binary())
def test_masking_packets_keeps_every_length(data: bytes) -> None:
    assert len(mask_packets(data)) == len(data)


async def test_a_technician_records_a_port(tmp_path: Path) -> None:
    async with Pty(tmp_path / "scanner") as device:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "holdfast_drivers.record", "--port", device.path, "--seconds", "0.5"),
            stdout=asyncio.subprocess.PIPE,
        )
        recording = asyncio.create_task(process.communicate())
        while not recording.done():
            await ScannerSimulator(device.link).scan("4006381333931")
            await asyncio.wait({recording}, timeout=0.05)
        out, _ = await recording
    lines = [json.loads(line) for line in out.decode().splitlines()]
    assert lines[0] == {"tape": 1, "link": device.path, "redacted": True}
    assert lines[1]["in"].startswith("]X00000000000000\r")
