"""What a scale's bytes mean: every frame there and back, vendor examples, and nothing else ever a weight."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.scales import cas, toledo
from holdfast_drivers.scales.base import AnswerFramer, ScaleProtocol
from holdfast_drivers.values import ScaleReading, ScaleState, Tri, Weight, WeightUnit

KG = WeightUnit.KILOGRAM
TOLEDO = toledo.protocol()
PROTOCOLS = {"toledo": TOLEDO, "cas": cas.PROTOCOL}

toledo_frames = st.one_of(
    st.builds(toledo.Shown, st.integers(0, 99_999), st.sampled_from([2, 3]), st.booleans()),
    st.integers(0, 63).map(toledo.Status),
)


@st.composite
def cas_answers(draw: st.DrawFn) -> cas.Answer:
    count = draw(st.integers(2, 4))
    places = draw(st.integers(0, 4))
    shown = draw(st.none() | st.builds(cas.Shown, st.integers(0, 99_999), st.just(places), st.sampled_from(WeightUnit)))
    return cas.Answer(draw(st.integers(0, (1 << 4 * count) - 1)), count, shown)


cas_frames = st.one_of(cas_answers(), st.just(cas.UnknownCommand()))


def readings(protocol: ScaleProtocol, *pieces: bytes) -> list[ScaleReading | None]:
    framer = AnswerFramer(protocol)
    return [protocol.read(answer) for piece in pieces for answer in framer.feed(piece)]


def only(protocol: ScaleProtocol, data: bytes) -> ScaleReading | None:
    (reading,) = readings(protocol, data)
    return reading


@given(toledo_frames)
def test_a_toledo_frame_comes_back_as_it_went(frame: toledo.Frame) -> None:
    wire = toledo.encode(frame)
    assert (wire[0], wire[-1]) == (toledo.STX, toledo.CR)
    assert toledo.decode(wire[1:-1]) == frame


@given(cas_frames)
def test_a_cas_frame_comes_back_as_it_went(frame: cas.Frame) -> None:
    wire = cas.encode(frame)
    assert (wire[0], wire[-1]) == (cas.LF, cas.ETX)
    assert cas.decode(wire[1:-1]) == frame


@pytest.mark.parametrize(
    ("wire", "units", "net"),
    [(b"\x0201.250\r", 1250, Tri.NO), (b"\x02 0.005\r", 5, Tri.NO), (b"\x0212.345N\r", 12_345, Tri.YES)],
)
def test_toledo_weights(wire: bytes, units: int, net: Tri) -> None:
    assert only(TOLEDO, wire) == ScaleReading(ScaleState.STABLE_WEIGHT, Weight(units, 3, KG), net)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0b0000001, ScaleState.WEIGHT_UNSTABLE),
        (0b1000001, ScaleState.WEIGHT_UNSTABLE),
        (0b1000010, ScaleState.WEIGHT_OVERWEIGHT),
        (0b1000011, ScaleState.WEIGHT_OVERWEIGHT),
        (0b1000100, ScaleState.WEIGHT_UNDER_ZERO),
        (0b1001100, ScaleState.WEIGHT_UNDER_ZERO),
        (0b1010000, ScaleState.WEIGHT_ZERO),
        (0b1110000, ScaleState.WEIGHT_ZERO),
        (0b1001000, ScaleState.UNKNOWN),
        (0b1000000, ScaleState.UNKNOWN),
    ],
)
def test_a_toledo_status_is_never_a_weight(status: int, state: ScaleState) -> None:
    """`D` (0x44), under zero, is what Odoo's driver was shown by an Ariva-S."""
    reading = only(TOLEDO, b"\x02?%c\r" % status)
    assert reading is not None
    assert (reading.state, reading.weight) == (state, None)
    assert reading.net is (Tri.YES if status & 32 else Tri.NO)
    assert (reading.detail == "outside_zero_capture") is bool(status & 8)


def test_no_weight_is_no_weight() -> None:
    assert only(TOLEDO, b"\x0200.000\r") == ScaleReading(ScaleState.WEIGHT_ZERO, net=Tri.NO)
    assert only(cas.PROTOCOL, b"\n00.000KG\r\n00\r\x03") == ScaleReading(ScaleState.WEIGHT_ZERO)


def test_pounds_are_not_taken_for_kilograms() -> None:
    assert only(TOLEDO, b"\x0201.25\r") == ScaleReading(detail="unit")
    pounds = only(toledo.protocol(WeightUnit.POUND), b"\x0201.25\r")
    assert pounds is not None
    assert pounds.weight == Weight(125, 2, WeightUnit.POUND)
    with pytest.raises(ValueError, match="oz"):
        toledo.protocol(WeightUnit.OUNCE)


@pytest.mark.parametrize(
    ("wire", "weight"),
    [
        (b"\n01.250KG\r\n00\r\x03", Weight(1250, 3, KG)),
        (b"\n01.250KG\r\nS00\r\x03", Weight(1250, 3, KG)),
        (b"\n  1.250kg\r\n00\r\x03", Weight(1250, 3, KG)),
        (b"\n 0125g \r\n00\r\x03", Weight(125, 0, WeightUnit.GRAM)),
        (b"\n03.52LB\r\n00\r\x03", Weight(352, 2, WeightUnit.POUND)),
    ],
)
def test_cas_weights(wire: bytes, weight: Weight) -> None:
    assert only(cas.PROTOCOL, wire) == ScaleReading(ScaleState.STABLE_WEIGHT, weight)


@pytest.mark.parametrize("weight", [b"", b"01.250KG\r\n"])
@pytest.mark.parametrize(
    ("status", "state", "net"),
    [
        (b"10", ScaleState.WEIGHT_UNSTABLE, Tri.UNKNOWN),
        (b"20", ScaleState.WEIGHT_ZERO, Tri.UNKNOWN),
        (b"01", ScaleState.WEIGHT_UNDER_ZERO, Tri.UNKNOWN),
        (b"02", ScaleState.WEIGHT_OVERWEIGHT, Tri.UNKNOWN),
        (b"12", ScaleState.WEIGHT_OVERWEIGHT, Tri.UNKNOWN),
        (b"80", ScaleState.NOT_READY, Tri.UNKNOWN),
        (b"08", ScaleState.NOT_READY, Tri.UNKNOWN),
        (b"0p8", ScaleState.NOT_READY, Tri.NO),
        (b"1p4", ScaleState.WEIGHT_UNSTABLE, Tri.YES),
    ],
)
def test_a_cas_status_outweighs_the_weight_beside_it(weight: bytes, status: bytes, state: ScaleState, net: Tri) -> None:
    reading = only(cas.PROTOCOL, b"\n" + weight + status + b"\r\x03")
    assert reading is not None
    assert (reading.state, reading.weight, reading.net) == (state, None, net)


def test_a_third_cas_status_byte_tells_net() -> None:
    assert only(cas.PROTOCOL, b"\n01.250KG\r\n0p4\r\x03") == ScaleReading(
        ScaleState.STABLE_WEIGHT, Weight(1250, 3, KG), Tri.YES
    )
    assert only(cas.PROTOCOL, b"\n?\r\x03") == ScaleReading(detail="unknown_command")


@pytest.mark.parametrize(
    ("protocol", "wire"),
    [
        ("toledo", b"\x02\r"),
        ("toledo", b"\x0201250\r"),
        ("toledo", b"\x02-1.250\r"),
        ("toledo", b"\x0201.250X\r"),
        ("toledo", b"\x0201.2\x00\x30\r"),
        ("toledo", b"\x0201.250\xce\r"),
        ("toledo", b"\x02?\xc1\r"),
        ("toledo", b"\x02?\r"),
        ("cas", b"\n\x03"),
        ("cas", b"\n01.250KG\r\n\x03"),
        ("cas", b"\n01.250\r\n00\r\x03"),
        ("cas", b"\n01.250ST\r\n00\r\x03"),
        ("cas", b"\n-1.250KG\r\n00\r\x03"),
        ("cas", b"\n1 .250KG\r\n00\r\x03"),
        ("cas", b"\n01.2501.250KG\r\n00\r\x03"),
        ("cas", b"\n01.2\n01.250KG\r\n00\r\x03"),
        ("cas", b"\n01.250KG\r\n0\r\x03"),
        ("cas", b"\n01.250KG\r\n0p\r\x03"),
        ("cas", b"\n01.250KG\r\n000\r\x03"),
        ("cas", b"\n01.250KG\r\n0@\r\x03"),
        ("cas", b"\n?X\r\x03"),
    ],
)
def test_what_is_damaged_is_nothing(protocol: str, wire: bytes) -> None:
    assert only(PROTOCOLS[protocol], wire) is None


@pytest.mark.parametrize("name", PROTOCOLS)
def test_with_the_parity_bit_left_in_nothing_is_understood(name: str) -> None:
    """A port set to 8 bits and no parity, at a scale that sends 7 and even."""
    good = b"\x0201.250\r" if name == "toledo" else b"\n01.250KG\r\n00\r\x03"
    assert only(PROTOCOLS[name], good)
    seen = bytes(byte | (byte.bit_count() & 1) << 7 for byte in good)
    assert [reading for reading in readings(PROTOCOLS[name], seen) if reading] == []


def test_a_toledo_answer_cut_off_does_not_spoil_the_next() -> None:
    assert [reading and reading.weight for reading in readings(TOLEDO, b"\x0209.9\x0201.250\r")] == [
        Weight(1250, 3, KG)
    ]


@pytest.mark.parametrize("name", PROTOCOLS)
@given(data=st.data())
def test_any_split_of_the_same_bytes_gives_the_same(name: str, data: st.DataObject) -> None:
    protocol = PROTOCOLS[name]
    frames = toledo_frames.map(toledo.encode) if name == "toledo" else cas_frames.map(cas.encode)
    wire = b"".join(data.draw(st.lists(frames | st.binary(max_size=90), max_size=8)))
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12))), len(wire)]
    pieces = [wire[start:end] for start, end in pairwise(cuts)]
    assert readings(protocol, *pieces) == readings(protocol, wire)


@given(st.integers(-5, 5), st.integers(-2, 4))
def test_a_weight_is_more_than_nothing(units: int, places: int) -> None:
    if units > 0 and places >= 0:
        assert Weight(units, places, KG).units == units
    else:
        with pytest.raises(ValueError, match="no weight"):
            Weight(units, places, KG)


@pytest.mark.parametrize("state", ScaleState)
def test_only_a_stable_weight_is_one(state: ScaleState) -> None:
    weight = Weight(1, 3, KG)
    if state is ScaleState.STABLE_WEIGHT:
        assert ScaleReading(state, weight).weight == weight
        weight = None  # type: ignore[assignment]
    with pytest.raises(ValueError, match=state.value):
        ScaleReading(state, weight)


@pytest.mark.parametrize(
    ("weight", "grams"),
    [
        (Weight(1250, 3, KG), 1250),
        (Weight(125, 2, KG), 1250),
        (Weight(7, 0, KG), 7000),
        (Weight(12_500, 4, KG), 1250),
        (Weight(12_505, 4, KG), None),
        (Weight(125, 0, WeightUnit.GRAM), 125),
        (Weight(1255, 1, WeightUnit.GRAM), None),
        (Weight(100, 2, WeightUnit.POUND), None),
        (Weight(16, 0, WeightUnit.OUNCE), None),
    ],
)
def test_grams_are_exact_or_none(weight: Weight, grams: int | None) -> None:
    assert weight.grams == grams


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_million_random_answers_in_flat_memory(name: str) -> None:
    """Frames with bytes changed, lost and added, and noise; whatever comes out is a reading that keeps its promise."""
    rng = Random(8217)
    protocol = PROTOCOLS[name]
    framer = AnswerFramer(protocol)
    begin, end = bytes([protocol.begin]), bytes([protocol.end])
    tracemalloc.start()
    answers = weights = warm = 0
    while answers < 1_000_000:
        for answer in framer.feed(_noisy(name, rng) if rng.random() < 0.7 else begin + rng.randbytes(9) + end):
            answers += 1
            reading = protocol.read(answer)
            weights += reading is not None and reading.weight is not None
        if not warm and answers > 100_000:
            warm = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - warm
    tracemalloc.stop()
    print(f"{name}: {answers} answers, {weights} weights; memory grown {grown} bytes")
    assert weights
    assert grown < 100_000


def _noisy(name: str, rng: Random) -> bytes:
    if name == "toledo":
        shown = toledo.Shown(rng.randrange(100_000), rng.choice((2, 3)), rng.random() < 0.5)
        wire = bytearray(toledo.encode(rng.choice((shown, toledo.Status(rng.randrange(64))))))
    else:
        count = rng.randint(2, 4)
        weight = cas.Shown(rng.randrange(100_000), rng.randrange(5), rng.choice(list(WeightUnit)))
        wire = bytearray(cas.encode(cas.Answer(rng.randrange(1 << 4 * count) & rng.choice((0, -1)), count, weight)))
    for _ in range(rng.randrange(3)):
        place = rng.randrange(len(wire))
        what = rng.random()
        if what < 0.4:
            wire[place] = rng.randrange(256)
        elif what < 0.7:
            del wire[place]
            wire = wire or bytearray(b"\n")
        else:
            wire.insert(place, rng.randrange(256))
    return bytes(wire)
