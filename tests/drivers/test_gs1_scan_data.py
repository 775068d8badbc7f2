"""Scan data and messages: what GS1's own vectors do not ask. Those are in test_gs1_vectors.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1_strategies import element_lists
from holdfast_drivers.barcodes.errors import CodeError, Gs1Error
from holdfast_drivers.barcodes.gs1 import Element, format_element_string
from holdfast_drivers.barcodes.gs1_scan_data import MAX_LENGTH, Message, Symbology, read_scan_data, write_scan_data

EAN = "4006381333931"
ELEMENT_STRINGS = (
    Symbology.QR,
    Symbology.DATA_MATRIX,
    Symbology.DOTCODE,
    Symbology.GS1_128,
    Symbology.DATABAR_EXPANDED,
)


@pytest.mark.parametrize(
    ("message", "data"),
    [
        (Message(Symbology.DATABAR_EXPANDED, "^10AB|^99X"), "]e010AB\x1d99X"),
        (Message(Symbology.DATABAR_EXPANDED, "^0104006381333931|^99X"), "]e0010400638133393199X"),
        (Message(Symbology.GS1_128, "^10AB|^99X"), "]e010AB\x1d99X"),
        (Message(Symbology.GS1_128, "^10AB"), "]C110AB"),
        (Message(Symbology.QR, "TEXT|^99X"), "]Q1TEXT|^99X"),
        (Message(Symbology.QR, "a\\^b"), "]Q1a\\^b"),
        (Message(Symbology.EAN_13, "^0104006381333931"), "]E0" + EAN),
        (Message(Symbology.EAN_8, "^0100000096385074"), "]E496385074"),
    ],
)
def test_what_is_sent(message: Message, data: str) -> None:
    assert write_scan_data(message) == data


@pytest.mark.parametrize(
    "message",
    [
        Message(Symbology.GS1_128, "TEXT"),
        Message(Symbology.GS1_128, "^10AB|TEXT"),
        Message(Symbology.DATABAR_EXPANDED, "TEXT|^10AB"),
        Message(Symbology.EAN_13, EAN + "|TEXT"),
        Message(Symbology.EAN_13, "4006381333932"),
        Message(Symbology.EAN_13, "400638133393A"),
        Message(Symbology.EAN_8, EAN),
        Message(Symbology.DATABAR_LIMITED, "24006381333935"),
        Message(Symbology.QR, "^89AB"),
        Message(Symbology.QR, "^^10AB"),
    ],
)
def test_what_a_symbology_cannot_say(message: Message) -> None:
    with pytest.raises(CodeError):
        write_scan_data(message)


def test_a_check_digit_is_added_when_asked() -> None:
    assert write_scan_data(Message(Symbology.EAN_13, EAN[:-1]), add_check_digit=True) == "]E0" + EAN
    with pytest.raises(CodeError):
        write_scan_data(Message(Symbology.EAN_13, EAN), add_check_digit=True)


@pytest.mark.parametrize(
    "data", ["", "]", EAN, "]C1", "]C1^10AB", "]C110A^B", "]E0" + EAN + "12", "]E0" + EAN + "|]e0", "]Q1https://a/b"]
)
def test_no_scan_data(data: str) -> None:
    with pytest.raises(Gs1Error):
        read_scan_data(data)


def test_scan_data_has_a_cap() -> None:
    assert read_scan_data("]Q1" + "a" * MAX_LENGTH).text == "a" * MAX_LENGTH
    with pytest.raises(Gs1Error, match="too_long"):
        read_scan_data("]Q1" + "a" * (MAX_LENGTH + 1))


@given(st.sampled_from(ELEMENT_STRINGS), element_lists())
def test_element_strings_come_back_as_they_were_sent(symbology: Symbology, elements: list[Element]) -> None:
    message = Message(symbology, "^" + format_element_string(elements).replace("\x1d", "^"))
    assert read_scan_data(write_scan_data(message)) == message


@given(st.sampled_from(ELEMENT_STRINGS[:3]), st.text("\\^ab|]e0", max_size=12))
def test_plain_text_comes_back_as_it_was_sent(symbology: Symbology, text: str) -> None:
    aim = {Symbology.QR: "]Q1", Symbology.DATA_MATRIX: "]d1", Symbology.DOTCODE: "]J0"}[symbology]
    message = read_scan_data(aim + text)
    assert message.symbology is symbology
    assert write_scan_data(message) == aim + text


@given(element_lists())
def test_composites_come_back_as_they_were_sent(elements: list[Element]) -> None:
    message = Message(Symbology.EAN_13, EAN + "|^" + format_element_string(elements).replace("\x1d", "^"))
    assert read_scan_data(write_scan_data(message)) == message


@given(st.sampled_from(["]C1", "]e0", "]E0", "]E4", "]Q1", "]Q3", "]J0"]), st.text("^|]e0\x1d01AB/:htps", max_size=40))
def test_any_scan_data_is_read_or_refused(aim: str, content: str) -> None:
    try:
        message = read_scan_data(aim + content)
    except CodeError:
        return
    assert write_scan_data(message).startswith("]")
