"""Whatever a codec can say, it understands: every kind of frame, written and read back, in any company."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.links.tape import Tape
from holdfast_drivers.printers import star_status, status
from holdfast_drivers.printers.machine import Machine
from holdfast_drivers.scanners import datalogic, honeywell, newland
from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.datalogic_sim import DatalogicSimulator
from holdfast_drivers.scanners.dialogue import Dialogue, Reply, ReplyShape
from holdfast_drivers.scanners.framing import Framer
from holdfast_drivers.scanners.honeywell_sim import HoneywellSimulator
from holdfast_drivers.scanners.newland_sim import NewlandSimulator
from holdfast_drivers.values import PrinterStatus, Scan, Tri
from virtual_time import run

AIM = st.sampled_from(["", "]E0", "]C1", "]d2", "]Q3"])
TERMINATOR = st.sampled_from([b"\r", b"\n", b"\r\n", b"\t", b"\x03"])
TAG = st.from_regex(r"\A[A-Z0-9]{6}\Z")
DIGITS = st.from_regex(r"\A[0-9]{1,8}\Z")


def is_data(data: bytes) -> bool:
    """No terminator in it, and nothing in front that means something else."""
    return not set(data) & set(b"\r\n\t\x03") and data[:1] not in (b"\x02", b"]", b"\x01", b"\x00")


DATA = st.binary(min_size=1, max_size=60).filter(is_data) | st.just(b"0104006381333931\x1d10AB\x1d17991231")


@given(st.lists(st.tuples(DATA, AIM, TERMINATOR, st.booleans()), max_size=8))
def test_plain_text(reads: list[tuple[bytes, str, bytes, bool]]) -> None:
    wire = b"".join((b"\x02" if stx else b"") + aim.encode() + data + end for data, aim, end, stx in reads)
    assert Framer().feed(wire, 0.0) == [Scan(data, aim=aim) for data, aim, _, _ in reads]


@given(DATA, AIM)
def test_plain_text_that_ends_in_silence(data: bytes, aim: str) -> None:
    framer = Framer()
    assert framer.feed(aim.encode() + data, 1.0) == []
    assert framer.idle(2.0) == [Scan(data, aim=aim, terminated=False, at=1.0)]


def honeywell_reply(key: str, value: str, verdict: bytes) -> bytes:
    return (key + value).encode() + verdict + b"!"


def newland_reply(key: str, value: str, verdict: bytes) -> bytes:
    return b"\x02\x010000#" + (key + value).encode() + (verdict if verdict != honeywell.ENQ else newland.NAK) + b";\x03"


def datalogic_reply(key: str, value: str, _: bytes) -> bytes:
    return b"\x01\x02" + f"{key}\r\n{value}".encode() + b"\x03\x04"


PROTOCOLS: dict[str, tuple[Callable[[str, str, bytes], bytes], Callable[[str], ReplyShape]]] = {
    "honeywell": (honeywell_reply, honeywell.reply_shape),
    "newland": (newland_reply, lambda _: newland.REPLY),
    "datalogic": (datalogic_reply, lambda _: datalogic.IDENTITY),
}
VERDICT = st.sampled_from([honeywell.ACK, honeywell.ENQ, honeywell.NAK])
FRAME = st.tuples(DATA, AIM) | st.tuples(st.none(), DIGITS, VERDICT)


@pytest.mark.parametrize("name", PROTOCOLS)
@given(TAG, st.lists(FRAME, max_size=8))
def test_replies_among_scans(name: str, key: str, frames: list[tuple[bytes, str] | tuple[None, str, bytes]]) -> None:
    reply_of, shape_of = PROTOCOLS[name]
    wire, expected = b"", []
    for frame in frames:
        if frame[0] is None:
            reply = reply_of(key, frame[1], frame[2])  # type: ignore[misc]  # a reply has three parts
            wire += reply
            expected.append(Reply(reply))
        elif not (frame[1].encode() + frame[0]).startswith(key[:1].encode()):
            wire += frame[1].encode() + frame[0] + b"\r"
            expected.append(Scan(frame[0], aim=frame[1]))  # type: ignore[arg-type]
    assert Dialogue(shape=shape_of(key)).feed(wire, 0.0) == expected


@given(TAG, DIGITS)
def test_every_setting_that_may_be_sent_arrives_as_it_was_meant(key: str, value: str) -> None:
    async def main() -> None:
        _, device = memory_pair()
        xenon = HoneywellSimulator(device)
        xenon.settings[key] = "0"
        try:
            command = honeywell.menu_command(key, value)
        except ValueError:
            assert key.startswith(("DEF", "RES", "TER", "PAP", "232"))
        else:
            await xenon._obey(honeywell.menu_command(key, honeywell.CURRENT) + command)
            assert xenon.heard == [f"set {key}={value}"]
        hr52 = NewlandSimulator(device)
        hr52.settings[key] = "0"
        await hr52._obey(newland.command(key, newland.CURRENT) + newland.command(key, value))
        assert hr52.heard == [f"set {key}={value}"]
        assert (xenon.lasting, hr52.lasting) == ([], [])

    run(main)


BYTES = {b"E": "enable", b"D": "disable", b"B": "good", b"F": "bad", b"T": "trigger on", b"X": "trigger off"}


@given(st.lists(st.sampled_from(sorted(BYTES.items()))))
def test_every_byte_a_datalogic_is_told(told: list[tuple[bytes, str]]) -> None:
    async def main() -> None:
        simulator = DatalogicSimulator(memory_pair()[1])
        await simulator._obey(b"".join(byte for byte, _ in told))
        assert simulator.heard == [word for _, word in told]

    run(main)


MACHINES = st.builds(
    Machine,
    paper_mm=st.sampled_from([0.0, 100.0, 80_000.0]),
    cover_open=st.booleans(),
    cutter_jammed=st.booleans(),
    drawer_high=st.booleans(),
)


def told_of(machine: Machine) -> PrinterStatus:
    def tri(value: bool) -> Tri:
        return Tri.YES if value else Tri.NO

    return PrinterStatus(
        online=tri(machine.ready),
        paper=tri(not machine.paper_end),
        paper_low=tri(machine.near_end),
        cover_open=tri(machine.cover_open),
        cutter_fault=tri(machine.cutter_jammed),
        fault=tri(machine.cutter_jammed),
        drawer_open=tri(machine.drawer_high),
        at=1.0,
    )


@given(MACHINES)
def test_every_state_of_an_escpos_printer_asked_or_told(machine: Machine) -> None:
    answers = bytes(answer for n in range(1, 5) if (answer := machine.realtime(n)) is not None)
    replies = status.StatusDecoder().feed(answers)
    values = [reply.value for reply in replies if isinstance(reply, status.RealTime)]
    assert len(values) == 4
    one, two, three, four = values
    assert status.fold_realtime(PrinterStatus(), (one, two, three, four), 1.0, drawer_open_high=True) == told_of(
        machine
    )
    (report,) = status.StatusDecoder().feed(machine.auto_status())
    assert isinstance(report, status.AutoStatus)
    assert status.fold_auto(PrinterStatus(), report, 1.0, drawer_open_high=True) == told_of(machine)
    (paper,) = status.StatusDecoder().feed(bytes([machine.paper_sensor()]))
    assert isinstance(paper, status.InOrder)
    assert status.is_paper_reply(paper)


@given(
    st.lists(st.integers(0x20, 0x7E), min_size=4, max_size=4).map(bytes),
    st.lists(st.integers(0x20, 0x7E), min_size=1, max_size=80).map(bytes),
)
def test_every_block_of_an_escpos_printer(job: bytes, info: bytes) -> None:
    wire = b"7\x22" + job + b"\0" + b"\x11" + b"_" + info + b"\0" + b"\x13"
    replies = status.StatusDecoder().feed(wire)
    assert replies[:2] == [status.JobDone(job), status.Flow(ready=True)]
    assert replies[2:] == [status.Info(status.IDENTITY, info), status.Flow(ready=False)]


@given(MACHINES, st.integers(0, 31), st.booleans())
def test_every_state_of_a_star(machine: Machine, counter: int, executed: bool) -> None:
    (report,) = star_status.StarDecoder().feed(machine.star_status(counter, executed=executed))
    assert isinstance(report, star_status.AutoStatus)
    assert (report.counter, report.executed) == (counter, executed)
    assert star_status.fold(PrinterStatus(), report, 1.0, drawer_open_high=True) == told_of(machine)


@given(st.binary(max_size=200))
def test_what_is_no_frame_is_said_to_be_none_and_never_raises(data: bytes) -> None:
    for shape in (None, newland.REPLY, datalogic.IDENTITY, honeywell.reply_shape("CBRENA")):
        dialogue = Dialogue(shape=shape)
        for frame in [*dialogue.feed(data, 0.0), *dialogue.idle(1.0)]:
            assert isinstance(frame, Scan | Reply | Garbled)
    with pytest.raises(ValueError, match=r".*"):
        Tape.loads("x" + data.decode("latin-1"))
