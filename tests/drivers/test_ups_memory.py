"""What is remembered of a battery comes back as it was; what is damaged is told from it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.ups.discharge import Discharge, Sample, discharged
from holdfast_drivers.ups.learning import Known
from holdfast_drivers.ups.memory import MOST_BYTES, Cell, Memory, decode, encode

CELL = Cell("ina219", "/dev/i2c-1@0x41")
LONG = discharged(
    Sample(at, 4200 - at / 20, 1500 if at % 60 else 900, 0.99 - at / 30_000) for at in range(0, 20_000, 5)
)
FULL = Memory(CELL, since=1_700_000_000_000, known=Known().learnt(LONG.curve(), 21.5), present=LONG, boot="b", tested=5)


def test_it_comes_back_as_it_was() -> None:
    back = decode(encode(FULL))
    assert back.known.finished[0].celsius == 21.5
    assert back.present is not None
    assert back.present.resistance_ohm == pytest.approx(LONG.resistance_ohm, rel=1e-6)
    assert back.present.rest_mv == pytest.approx(LONG.rest_mv, rel=1e-6)
    assert decode(encode(back)) == back
    assert decode(encode(Memory(CELL))) == Memory(CELL)


def test_the_largest_there_can_be_fits() -> None:
    known = Known()
    for _ in range(9):
        known = known.learnt(LONG.curve())
    assert len(encode(Memory(CELL, known=known, present=LONG))) < MOST_BYTES / 2


@pytest.mark.parametrize(
    "damage",
    [
        {"known": {"finished": [{"curve": [[3000.0, 5.0], [2000.0, 1.0]], "celsius": None}]}},
        {"known": {"finished": [{"curve": [[3000.0, 5.0]]}]}},
        {"known": {"size_mwh": 1e300}},
        {"known": {"size_mwh": "much"}},
        {"present": {"track": []}},
        {"since": True},
        {"cell": None},
    ],
)
def test_what_cannot_be_is_no_memory(damage: dict[str, object]) -> None:
    whole = msgspec.to_builtins(FULL) | damage
    with pytest.raises(ValueError, match=r"."):
        decode(msgspec.json.encode(whole))


@given(st.integers(0, 20_000), st.binary(max_size=4))
def test_damaged_bytes_are_a_memory_or_a_value_error(at: int, garbage: bytes) -> None:
    data = encode(FULL)
    torn = data[: at % len(data)] + garbage + data[at % len(data) + len(garbage) :]
    try:
        memory = decode(torn)
    except ValueError:
        return
    encode(memory)


@pytest.mark.parametrize("size", [0, 1, 100, MOST_BYTES + 1])
def test_nothing_torn_off_or_too_long_is_taken(size: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode((encode(FULL) + b" " * MOST_BYTES)[:size])


def test_which_battery_it_is() -> None:
    assert Cell("sbs", "b").same_as(Cell("sbs", "b", "07")), "learnt before the number was read"
    assert not Cell("sbs", "b", "07").same_as(Cell("sbs", "b", "08"))
    assert not Cell("sbs", "b").same_as(Cell("sbs", "c"))
    assert not Cell("sbs", "b").same_as(Cell("ina219", "b"))


def test_a_discharge_goes_on_where_it_was() -> None:
    half = [Sample(at, 4200 - at / 20, 1500) for at in range(0, 8000, 5)]
    first = discharged(half[:800])
    resumed = decode(encode(Memory(CELL, present=first))).present
    assert isinstance(resumed, Discharge)
    for sample in half[800:]:
        resumed.add(sample)
    assert resumed.used_mwh == pytest.approx(discharged(half).used_mwh, rel=1e-4)
