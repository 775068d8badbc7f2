"""Element strings: read, written, read again; and nothing that can be sent breaks them."""

from __future__ import annotations

import random
from datetime import date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gs1_strategies import element_lists, refusal
from holdfast_drivers.barcodes.errors import CodeError, Gs1Error
from holdfast_drivers.barcodes.gs1 import (
    MAX_ELEMENTS,
    Element,
    ElementString,
    format_brackets,
    format_element_string,
    parse_brackets,
    parse_element_string,
)
from holdfast_drivers.barcodes.gs1_values import Scaled, date_of, moment_of
from holdfast_drivers.barcodes.gtin import Gtin

PEN = Element("01", "04006381333931")
TODAY = date(2026, 11, 22)
ALPHABET = "\x1d^|()0123456789ABab%/=-\\ é"


def fault_of(text: str) -> tuple[str, int | None, str]:
    with pytest.raises(Gs1Error) as caught:
        parse_element_string(text)
    return caught.value.fault[:3]


def test_elements_are_cut_by_their_length_or_a_separator() -> None:
    read = parse_element_string("010400638133393117271231" + "10AB\x1d" + "21S/1")
    assert read.elements == (PEN, Element("17", "271231"), Element("10", "AB"), Element("21", "S/1"))
    assert (read.gtin, read.lot, read.serial) == (Gtin(PEN.value), "AB", "S/1")
    assert read.get("22") is None
    assert parse_element_string(b"10AB\x1d2112").elements == (Element("10", "AB"), Element("21", "12"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ("empty", 0, "")),
        ("8912", ("unknown_ai", 0, "")),
        ("0104006381333931" + "X", ("unknown_ai", 16, "")),
        ("\x1d10AB", ("unknown_ai", 0, "")),
        ("10AB\x1d\x1d2112", ("unknown_ai", 5, "")),
        ("0104006381333932", ("csum", 15, "01")),
        ("010400638133393", ("too_short", 15, "01")),
        ("10AB" + "C" * 20, ("too_long", 24, "10")),
        ("10A^B", ("cset82", 3, "10")),
        ("10Käse", ("cset82", 3, "10")),
        ("21²", ("cset82", 2, "21")),
        ("30²", ("csetnumeric", 2, "30")),
        ("10\x1d2112", ("too_short", 2, "10")),
        ("17271331", ("yymmd0", 4, "17")),
        ("7011271231" + "2460", ("hhmi", 10, "7011")),
        ("99AB\x1d" * MAX_ELEMENTS + "99AB", ("too_many_elements", None, "")),
    ],
)
def test_a_broken_rule_is_named_with_its_place(text: str, fault: tuple[str, int | None, str]) -> None:
    assert fault_of(text) == fault


def test_an_error_says_what_and_where_but_not_the_value() -> None:
    with pytest.raises(Gs1Error, match=r"^\(10\) cset82 at 8$"):
        parse_element_string("10SECRET^")
    with pytest.raises(Gs1Error, match=r"^empty at 0$"):
        parse_element_string("")
    with pytest.raises(CodeError):
        ElementString(()).gtin  # noqa: B018 - reading it is the point


def test_tolerant_reading_keeps_what_is_sound_and_reports_the_rest() -> None:
    read = parse_element_string("\x1d0104006381333931\x1d17271331\x1d\x1d10A B\x1d21S1\x1d", tolerant=True)
    assert read.elements == (PEN, Element("21", "S1"))
    assert [(fault.ai, fault.value, fault.reason) for fault in read.faults] == [
        ("17", "271331", "yymmd0"),
        ("10", "A B", "cset82"),
    ]
    with pytest.raises(Gs1Error):
        parse_element_string("0104006381333931\x1d8912", tolerant=True)
    with pytest.raises(Gs1Error):
        parse_element_string("\x1d\x1d", tolerant=True)


def test_what_the_hub_reads_from_an_item() -> None:
    read = parse_brackets("(01)04006381333931(3103)001250(3922)0499(30)12(17)270200")
    assert read.weight == Scaled(1250, 3)
    assert read.price == Scaled(499, 2)
    assert read.count == 12
    assert read.expiry(TODAY) == date(2027, 2, 28)
    assert parse_brackets("(3932)978499").price == Scaled(499, 2, "978")
    assert parse_brackets("(37)5").count == 5
    assert parse_brackets("(7003)2712312359").expiry(TODAY) == date(2027, 12, 31)
    bare = parse_brackets("(01)04006381333931")
    assert (bare.weight, bare.price, bare.count, bare.lot, bare.expiry(TODAY)) == (None,) * 5


@pytest.mark.parametrize(
    ("yymmdd", "today", "meant"),
    [
        ("270200", TODAY, date(2027, 2, 28)),
        ("280200", TODAY, date(2028, 2, 29)),
        ("761231", TODAY, date(2076, 12, 31)),
        ("770101", TODAY, date(1977, 1, 1)),
        ("000229", date(1995, 1, 1), date(2000, 2, 29)),
        ("960101", date(2060, 1, 1), date(2096, 1, 1)),
        ("110101", date(2060, 1, 1), date(2011, 1, 1)),
        ("100101", date(2060, 1, 1), date(2110, 1, 1)),
    ],
)
def test_two_digits_of_a_year_mean_the_nearest(yymmdd: str, today: date, meant: date) -> None:
    assert date_of(yymmdd, today) == meant


def test_times_may_leave_out_minutes_and_seconds() -> None:
    assert moment_of("27123123", TODAY) == datetime(2027, 12, 31, 23)  # noqa: DTZ001 - GS1 times have no zone
    assert moment_of("271231235958", TODAY) == datetime(2027, 12, 31, 23, 59, 58)  # noqa: DTZ001 - as above


@pytest.mark.parametrize(
    "text", ["", "10AB", "(10", "(10)", "()AB", "(1)AB", "(89)AB", "(10)AB(", "(10)AB(21)", "x(10)AB"]
)
def test_no_brackets(text: str) -> None:
    with pytest.raises(Gs1Error):
        parse_brackets(text)


def test_ais_that_are_not_allocated_pass_only_when_asked() -> None:
    assert parse_brackets("(89)AB", unknown_ais=True).elements == (Element("89", "AB"),)
    assert format_element_string(
        parse_brackets("(89)AB(3199)123456(419)1234567890123(10)A", unknown_ais=True).elements
    ) == ("89AB\x1d31991234564191234567890123" + "10A")
    for text in ("(399)AB", "(3199)12345", "(800)AB", "(0)AB", "(12345)AB"):
        with pytest.raises(Gs1Error):
            parse_brackets(text, unknown_ais=True)


def test_what_no_one_could_read_is_not_written() -> None:
    for element in (Element("10", "A\x1dB"), Element("01", "1"), Element("AB", "1")):
        with pytest.raises(Gs1Error):
            format_element_string([element])


@given(element_lists())
def test_written_elements_read_back(elements: list[Element]) -> None:
    text = format_element_string(elements)
    assert parse_element_string(text) == parse_element_string(text, tolerant=True) == ElementString(tuple(elements))
    assert parse_element_string(text + "\x1d") == ElementString(tuple(elements))
    assert parse_brackets(format_brackets(elements)) == ElementString(tuple(elements))


@given(element_lists(), st.data())
def test_one_changed_digit_of_a_gtin_is_always_found(elements: list[Element], data: st.DataObject) -> None:
    place = data.draw(st.integers(2, 15))
    text = format_element_string([PEN, *elements])
    digit = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[place]]))
    assert fault_of(text[:place] + digit + text[place + 1 :])[0] == "csum"


@given(st.text(ALPHABET, max_size=60) | st.text(max_size=30))
@example("01")
@example("(")
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refused(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_or_refused(data.decode("latin-1"))


def tolerantly(text: str) -> ElementString:
    read = parse_element_string(text, tolerant=True)
    assert read.elements or read.faults
    assert all(0 <= fault.position <= len(text) for fault in read.faults if fault.position is not None)
    assert read.expiry(TODAY) is None or read.get("17") or read.get("7003")
    assert (read.count, read.weight, read.price, read.get("99")) is not None
    return read


def read_or_refused(text: str) -> None:
    for parse in (parse_element_string, tolerantly, parse_brackets):
        fault = refusal(parse, text)
        assert fault is None or fault.position is None or 0 <= fault.position <= len(text)


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_a_million_texts_near_the_grammar() -> None:
    dice = random.Random(20261122)
    ais = ["01", "10", "17", "21", "30", "3103", "3922", "8003", "423", "8110", "7007", "4309", "91", "\x1d", "("]
    for _ in range(1_000_000):
        pieces = dice.choices(ais, k=dice.randint(1, 4))
        read_or_refused("".join(piece + "".join(dice.choices(ALPHABET, k=dice.randint(0, 15))) for piece in pieces))
