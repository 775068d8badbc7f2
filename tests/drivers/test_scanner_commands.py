"""Honeywell, Datalogic and Newland: commands byte for byte, replies told from scans, nothing changed for good."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.scanners import datalogic, honeywell, newland
from holdfast_drivers.scanners.base import Capability, Garbled
from holdfast_drivers.scanners.datalogic import DatalogicScanner
from holdfast_drivers.scanners.datalogic_sim import DatalogicSimulator
from holdfast_drivers.scanners.dialogue import MAX_REPLY, Dialogue, Reply, ReplyShape
from holdfast_drivers.scanners.honeywell import HoneywellScanner
from holdfast_drivers.scanners.honeywell_sim import HoneywellSimulator
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.scanners.newland import NewlandScanner
from holdfast_drivers.scanners.newland_sim import NewlandSimulator
from holdfast_drivers.scanners.simulator import ObedientSimulator
from holdfast_drivers.values import DeviceError, Scan, Tri

CBRENA = honeywell.reply_shape("CBRENA")
SHAPES = {"honeywell": CBRENA, "newland": newland.REPLY, "datalogic": datalogic.IDENTITY}
REPLIES = {
    "honeywell": b"CBRENA1\x06!",
    "newland": b"\x02\x010000#GRBFRQ2730\x06;\x03",
    "datalogic": b"\x01\x02PowerScan\r\nPD9500\x03\x04",
}

S = TypeVar("S", bound=LineScanner)
T = TypeVar("T", bound=ObedientSimulator)


@asynccontextmanager
async def plugged(driver: Callable[..., S], simulator: Callable[[Link], T]) -> AsyncIterator[tuple[S, T]]:
    hub, device = memory_pair()

    async def opener() -> Link:
        return hub

    async with simulator(device) as told, driver(opener) as scanner:
        yield scanner, told


async def sent(driver: Callable[..., S], do: Callable[[S], Awaitable[None]]) -> bytes:
    """What `do` puts on the wire."""
    hub, device = memory_pair()

    async def opener() -> Link:
        return hub

    async with driver(opener) as scanner:
        await do(scanner)
        return await device.read(100)


async def test_commands_are_the_guides_byte_for_byte() -> None:
    assert await sent(HoneywellScanner, lambda s: s.good_read(beeps=2)) == b"\x16\x07\r\x16\x07\r"
    assert await sent(HoneywellScanner, lambda s: s.bad_read()) == b"\x1b8,"
    assert await sent(HoneywellScanner, lambda s: s.trigger(on=True)) == bytes.fromhex("16 54 0D")
    assert await sent(HoneywellScanner, lambda s: s.trigger(on=False)) == bytes.fromhex("16 55 0D")
    assert await sent(DatalogicScanner, lambda s: s.good_read()) == b"B"
    assert await sent(DatalogicScanner, lambda s: s.bad_read()) == b"FE"
    assert await sent(DatalogicScanner, lambda s: s.disable()) == b"D"
    assert await sent(DatalogicScanner, lambda s: s.trigger(on=True)) == b"T"
    assert honeywell.menu_command("CBRENA", "?") == b"\x16M\rCBRENA?!"
    assert newland.command("GRBFRQ", "*") == bytes.fromhex("7E 01 30 30 30 30 23") + b"GRBFRQ*" + bytes.fromhex("3B 03")


@pytest.mark.parametrize(
    "setting", ["CBRENA", "DEFALT1", "RESET_1", "232BAD9", "TERMID130", "CBRENA1.", "CBR;ENA1", "abc"]
)
def test_what_could_last_or_cut_the_line_is_never_sent_to_a_honeywell(setting: str) -> None:
    with pytest.raises(ValueError, match="is not a setting to change"):
        honeywell.menu_command(setting[:6], setting[6:])


@pytest.mark.parametrize("setting", ["GRBFRQ", "GRBFRQ1;@FACDEF", "grbfrq1", "GRB1"])
def test_what_is_no_setting_is_never_sent_to_a_newland(setting: str) -> None:
    with pytest.raises(ValueError, match="is not a setting to change"):
        newland.command(setting[:6], setting[6:])


async def test_a_setting_is_changed_for_the_present_run_or_refused() -> None:
    async with plugged(HoneywellScanner, HoneywellSimulator) as (scanner, simulator):
        await scanner.configure("BEPLVL", "3")
        assert (simulator.settings["BEPLVL"], simulator.lasting) == ("3", [])
        with pytest.raises(DeviceError, match="refused: XYZABC: unknown"):
            await scanner.configure("XYZABC", "1")
        with pytest.raises(DeviceError, match="refused: BEPLVL: bad data"):
            await scanner.configure("BEPLVL", "F")
    async with plugged(NewlandScanner, NewlandSimulator) as (scanner_2, simulator_2):
        await scanner_2.configure("GRBVLL", "4")
        assert (simulator_2.settings["GRBVLL"], simulator_2.lasting) == ("4", [])
        with pytest.raises(DeviceError, match="refused"):
            await scanner_2.configure("XYZABC", "1")


async def test_a_datalogic_that_was_disabled_stays_so_after_a_bad_read() -> None:
    async with plugged(DatalogicScanner, DatalogicSimulator) as (scanner, simulator):
        await scanner.disable()
        await scanner.bad_read()
        await asyncio.sleep(0.01)
        assert simulator.heard == ["disable", "bad"]


async def test_a_datalogic_is_asked_only_where_its_answer_is_known() -> None:
    async with plugged(DatalogicScanner, DatalogicSimulator) as (scanner, _):
        assert Capability.QUERY not in scanner.capabilities
        assert await scanner.alive() is Tri.UNKNOWN


ASKED: dict[str, tuple[Callable[..., LineScanner], Callable[[Link], ObedientSimulator]]] = {
    "honeywell": (HoneywellScanner, HoneywellSimulator),
    "newland": (NewlandScanner, NewlandSimulator),
    "datalogic": (lambda opener: DatalogicScanner(opener, identify=True), DatalogicSimulator),
}


@pytest.mark.parametrize("name", ASKED)
async def test_a_deaf_scanner_is_unknown_in_time_and_a_late_answer_is_no_scan(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (honeywell, datalogic, newland):
        monkeypatch.setattr(module, "ANSWER_WITHIN", 0.05)
    async with plugged(*ASKED[name]) as (scanner, simulator):
        simulator.deaf = True
        assert await scanner.alive() is Tri.UNKNOWN
        await simulator._send(REPLIES[name])
        await simulator.scan("MUG", aim="]C0")
        assert (await anext(scanner)).data == b"MUG"
        assert scanner.stats.fragments == 0
        simulator.deaf = False
        assert await scanner.alive() is Tri.YES


@pytest.mark.parametrize("name", SHAPES)
def test_replies_are_set_apart_from_scans(name: str) -> None:
    dialogue = Dialogue(shape=SHAPES[name])
    reply = REPLIES[name]
    heard = dialogue.feed(b"MUG\r" + reply + b"\x02]E04006381333931\x03" + reply, 0.0)
    assert heard == [Scan(b"MUG"), Reply(reply), Scan(b"4006381333931", aim="]E0"), Reply(reply)]


@pytest.mark.parametrize("text", [b"CBRENA\r", b"CBRENAXYZ\r", b"CBR\r", b"C\r", b"CBRENA\r1\x06!\r"])
def test_a_barcode_that_begins_as_a_reply_is_still_a_scan(text: bytes) -> None:
    dialogue = Dialogue(shape=CBRENA)
    assert dialogue.feed(text, 0.0)[0] == Scan(text[: text.index(b"\r")])


def test_a_barcode_that_begins_as_a_reply_and_has_no_end_is_a_scan_after_silence() -> None:
    dialogue = Dialogue(shape=CBRENA)
    assert dialogue.feed(b"CBRENA1", 0.0) == []
    assert dialogue.idle(1.0) == [Scan(b"CBRENA1", terminated=False)]


def test_half_a_reply_that_can_be_nothing_else_is_damage() -> None:
    dialogue = Dialogue(shape=newland.REPLY)
    assert dialogue.feed(b"\x02\x010000#GRB", 0.0) == []
    assert dialogue.idle(1.0) == [Garbled()]
    assert dialogue.feed(b"\x02", 2.0) == []
    assert dialogue.idle(3.0) == []


def test_a_reply_without_end_is_given_up() -> None:
    dialogue = Dialogue(shape=newland.REPLY)
    heard = dialogue.feed(b"\x02\x010000" + b"x" * MAX_REPLY, 0.0)
    assert (heard, dialogue.open) == ([], True)
    assert dialogue.feed(b"\r" + REPLIES["newland"], 0.0)[1:] == [Reply(REPLIES["newland"])]


hostile = st.lists(
    st.sampled_from(
        [
            *REPLIES.values(),
            b"MUG\r",
            b"CBRENA",
            b"CBRENA\r",
            b"\x02",
            b"\x01",
            b"\x010000",
            b"\x06!",
            b";\x03",
            b"\x03\x04",
        ]
    )
    | st.binary(max_size=6),
    max_size=12,
).map(b"".join)


@pytest.mark.parametrize("name", [*SHAPES, "none"])
@given(hostile, st.lists(st.integers(0, 200), max_size=10))
def test_any_split_of_the_bytes_gives_the_same_frames(name: str, data: bytes, cuts: list[int]) -> None:
    shape: ReplyShape | None = SHAPES.get(name)
    whole, split = Dialogue(shape=shape), Dialogue(shape=shape)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    got = [frame for start, end in pairwise(edges) for frame in split.feed(data[start:end], 0.0)]
    assert [*got, *split.idle(1.0)] == [*whole.feed(data, 0.0), *whole.idle(1.0)]
    assert not whole.open


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SHAPES)
def test_a_million_random_frames_in_flat_memory(name: str) -> None:
    rng = Random(7)
    dialogue = Dialogue(shape=SHAPES[name])
    pieces = [REPLIES[name], b"]E04006381333931\r\n", b"MUG\x1dX\r", SHAPES[name].begin, SHAPES[name].begin[:2]]
    frames = replies = 0
    warm = 0
    tracemalloc.start()
    while frames < 1_000_000:
        burst = bytearray(b"".join(rng.choices(pieces, k=20)) + rng.randbytes(rng.randrange(20)))
        for _ in range(rng.randrange(3)):
            burst[rng.randrange(len(burst))] = rng.randrange(256)
        cut = rng.randrange(len(burst))
        heard = [*dialogue.feed(bytes(burst[:cut]), frames), *dialogue.feed(bytes(burst[cut:]), frames)]
        heard += dialogue.idle(frames + 1)
        frames += len(heard)
        replies += sum(isinstance(frame, Reply) for frame in heard)
        if not warm and frames > 100_000:
            warm = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - warm
    tracemalloc.stop()
    print(f"{name}: {frames} frames, {replies} replies; memory grown {grown} bytes")
    assert grown < 100_000
    assert replies > frames // 10
