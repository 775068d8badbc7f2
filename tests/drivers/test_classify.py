"""What a scan is: the table of forms, their order, and that nothing escapes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.barcodes.badges import Badge, badge_tag
from holdfast_drivers.barcodes.classify import (
    Code,
    CommandCode,
    Label,
    LabelKind,
    Receipt,
    SignedReceipt,
    Text,
    Token,
    TokenKind,
    classify,
)
from holdfast_drivers.barcodes.commands import encode
from holdfast_drivers.barcodes.gs1 import Element, ElementString
from holdfast_drivers.barcodes.gtin import Gtin
from holdfast_drivers.barcodes.receipts import encode_receipt
from holdfast_drivers.values import Scan

PEN = Gtin("04006381333931")
PEN_ELEMENT = Element("01", PEN.digits)
TAG = badge_tag(b"key", "OP7")


def code_of(text: str, aim: str = "") -> Code:
    return classify(Scan(text.encode(), aim=aim))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (encode("SALE"), CommandCode("SALE")),
        (f"HFBOP7{TAG}", Badge("OP7", TAG)),
        ("HFR1.MFRGGZDF", SignedReceipt("MFRGGZDF")),
        (encode_receipt("BER-1-R000042"), Receipt("BER1R000042")),
        ("HFP1.MFRGG", Token(TokenKind.PICKUP, "MFRGG")),
        ("HFM1.MFRGG", Token(TokenKind.RETURN, "MFRGG")),
        ("HFP1.", Token(TokenKind.PICKUP, "")),
        ("HFF20261", Label(LabelKind.FULFILMENT, "20261")),
        ("HFLA-03-2", Label(LabelKind.LOCATION, "A-03-2")),
        ("HFT17", Label(LabelKind.TOTE, "17")),
        ("HFK9", Label(LabelKind.COUNT_SHEET, "9")),
        ("HFACRATE1", Label(LabelKind.ASSET, "CRATE1")),
        ("4006381333931", PEN),
        ("0123601057072", Gtin.parse("0123601057072")),  # begins with 01, and is no element string
        ("MUG-BLUE", Text("MUG-BLUE")),
        ("", Text("")),
    ],
)
def test_every_form_without_an_aim_identifier(text: str, code: Code) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "HF",
        "HFX1",
        "HFL",
        "HFL-1",
        "HFLa1",
        "HFL A1",
        "HFL" + "A" * 33,
        "HFCSALE!",
        "HFB1",
        "HFRBER1R0000420",
        " HFT17",
        "hft17",
    ],
)
def test_damaged_house_forms_are_text(text: str) -> None:
    assert code_of(text) == Text(text)


@pytest.mark.parametrize(
    ("text", "aim", "code"),
    [
        ("4006381333931", "]E0", PEN),
        ("036000291452", "]E0", Gtin.parse("036000291452")),
        ("96385074", "]E4", Gtin.parse("96385074")),
        ("96385074", "", Gtin.parse("96385074")),
        ("04252614", "]E0", Gtin.parse("042100005264")),  # UPC-E not expanded by the scanner
        ("400638133393112", "]E3", PEN),  # with a 2-digit add-on
        ("400638133393152495", "]E3", PEN),  # with a 5-digit add-on
        ("52495", "]E2", Text("52495")),
        ("4006381333931123", "]E3", Text("4006381333931123")),  # there are no add-ons of 3
        ("14006381333938", "]I1", Gtin("14006381333938")),
        ("4006381333931", "]C0", PEN),
        ("96385074", "]C0", Text("96385074")),  # eight digits of anybody's Code 128
        ("4006381333931", "]E4", Text("4006381333931")),
        ("4006381333932", "]E0", Text("4006381333932")),
    ],
)
def test_the_aim_identifier_decides_what_digits_are(text: str, aim: str, code: Code) -> None:
    assert code_of(text, aim) == code


@pytest.mark.parametrize("aim", ["]C1", "]d2", "]Q3", "]J1", "]e0"])
def test_gs1_symbols_hold_element_strings(aim: str) -> None:
    assert code_of("0104006381333931", aim) == ElementString((PEN_ELEMENT,))
    long = code_of("\x1d010400638133393117271231\x1d10AB\x1d\x1d3100001500", aim)
    assert isinstance(long, ElementString)
    assert long.elements == (
        PEN_ELEMENT,
        Element("17", "271231"),
        Element("10", "AB"),
        Element("3100", "001500"),
    )
    assert long.gtin == PEN


@pytest.mark.parametrize(
    ("text", "aim"),
    [
        ("0104006381333931" + "17271231" + "10AB", ""),  # a scanner that sends no AIM identifier
        ("http://example.com/some/path/01/04006381333931/10/AB?17=271231", "]Q1"),
        ("HTTPS://ID.GS1.ORG/01/04006381333931/10/AB?17=271231", ""),
        ("https://id.gs1.org/01/4006381333931/10/AB?17=271231&utm_source=box", "]Q3"),
        ("4006381333931|]e010AB\x1d17271231", "]E0"),
        ("0104006381333931|]e010AB\x1d17271231", "]e0"),
    ],
)
def test_however_an_item_and_its_lot_are_written_they_are_read(text: str, aim: str) -> None:
    code = code_of(text, aim)
    assert isinstance(code, ElementString)
    assert (code.gtin, code.lot, code.get("17")) == (PEN, "AB", "271231")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("010400638133393117271331\x1d10AB", ("17", "yymmd0")),
        ("010400638133393110AB\x1d39220012345678901234567", ("3922", "too_long")),
        ("010400638133393110AB\x1d422123", ("422", "iso3166")),
        ("010400638133393110AB\x1d171231", ("17", "too_short")),
    ],
)
def test_a_wrong_detail_on_a_label_does_not_hide_the_item(text: str, fault: tuple[str, str]) -> None:
    code = code_of(text, "]C1")
    assert isinstance(code, ElementString)
    assert (code.gtin, code.lot) == (PEN, "AB")
    assert [(found.ai, found.reason) for found in code.faults] == [fault]
    assert code.get(fault[0]) is None
    assert code_of(text) == Text(text), "nothing vouches that it is GS1 data"


@pytest.mark.parametrize(
    ("text", "aim"),
    [
        ("8003" + "04006381333931" + "CRATE7", "]C1"),
        ("https://example.com/8003/04006381333931CRATE7", "]Q1"),
    ],
)
def test_a_returnable_asset_is_known_by_its_grai(text: str, aim: str) -> None:
    assert code_of(text, aim) == Label(LabelKind.ASSET, "4006381333931CRATE7")


@pytest.mark.parametrize("text", ["0104006381333932", "010400638133393", "10AB", "96385074", "4006381333931", "", "99"])
def test_a_gs1_symbol_without_a_right_gtin_is_text(text: str) -> None:
    assert code_of(text, "]C1") == Text(text)


@pytest.mark.parametrize(
    "text", ["https://example.com/menu", "https://example.com/01/04006381333932", "HtTp://a/01/04006381333931"]
)
def test_other_addresses_are_text(text: str) -> None:
    assert code_of(text, "]Q1") == Text(text)


def test_a_symbol_that_names_two_items_names_none() -> None:
    twice = "0104006381333931" + "0104006381333931"
    assert isinstance(code_of(twice, "]C1"), ElementString)
    two = "0104006381333931" + "0114006381333938"
    assert code_of(two, "]C1") == Text(two)


def test_an_element_string_in_an_ordinary_symbol_is_text() -> None:
    assert code_of("0104006381333931", "]C0") == Text("0104006381333931")


def test_utf_8_and_anything_else_decode() -> None:
    assert code_of("Käse") == Text("Käse")
    assert classify(Scan(b"K\xe4se")) == Text("Käse")


def test_unknown_text_can_be_masked_and_is_not_shown_by_repr() -> None:
    card = code_of("4111111111111111")
    assert isinstance(card, Text)
    assert card.has_pan
    assert card.masked == "************1111"
    assert "4111" not in repr(card)
    assert not Text("4006381333932").has_pan


def test_a_token_is_never_shown() -> None:
    assert "MFRGG" not in repr(code_of("HFP1.MFRGG"))


@given(st.binary(max_size=60), st.sampled_from(["", "]E0", "]E3", "]E4", "]C1", "]d2", "]I1", "]Q1", "]Zz"]))
def test_every_scan_is_something(data: bytes, aim: str) -> None:
    assert isinstance(classify(Scan(data, aim=aim)), Code)


@given(st.text("HFBCRPMTLK1.0A-", max_size=24))
def test_text_near_the_house_forms_is_something(text: str) -> None:
    assert isinstance(code_of(text), Code)
