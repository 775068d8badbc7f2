"""Badges and receipt codes: composing, splitting, and what they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.barcodes.badges import TAG_LENGTH, Badge, badge_tag, format_badge, parse_badge
from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.iso7064 import ALPHABET
from holdfast_drivers.barcodes.receipts import decode_receipt, encode_receipt

KEY = bytes(range(32))
badge_ids = st.text(ALPHABET, min_size=1, max_size=16)


@given(badge_ids)
def test_a_badge_reads_back(badge_id: str) -> None:
    badge = Badge(badge_id, badge_tag(KEY, badge_id))
    assert parse_badge(format_badge(badge)) == badge


def test_the_tag_is_the_one_the_fleet_has_printed() -> None:
    """Golden: a change here would void every badge in the field."""
    assert badge_tag(KEY, "OP7") == "HUGCN63HUG"


@given(badge_ids, badge_ids)
def test_a_tag_belongs_to_one_id_and_one_key(one: str, other: str) -> None:
    assert badge_tag(KEY, one) != badge_tag(bytes(32), one)
    assert (badge_tag(KEY, one) == badge_tag(KEY, other)) == (one == other)


def test_the_tag_is_not_shown() -> None:
    assert "SECRETTAGS" not in repr(Badge("OP7", "SECRETTAGS"))


@pytest.mark.parametrize(
    "text", ["", "HFB", "HFB" + "A" * TAG_LENGTH, "HFBop7AAAAAAAAAA", "HFBOP7AAAAAAAAA1", "HFCOP7AAAAAAAAAA"]
)
def test_no_badge(text: str) -> None:
    with pytest.raises(CodeError):
        parse_badge(text)


@pytest.mark.parametrize(
    "badge", [Badge("", "A" * 10), Badge("OP7", "A" * 9), Badge("OP7", "A" * 11), Badge("OP-7", "A" * 10)]
)
def test_a_badge_that_would_not_read_back_is_not_printed(badge: Badge) -> None:
    with pytest.raises(CodeError):
        format_badge(badge)


@pytest.mark.parametrize("number", ["BER-1-R000042", "X2-12-T000001", "HUB9-1-Z1000000"])
def test_a_receipt_reads_back_without_its_dashes(number: str) -> None:
    assert decode_receipt(encode_receipt(number)) == number.replace("-", "")


def test_every_number_of_a_series_can_be_printed() -> None:
    """Numbers have no gaps, so the check character `*` is in use here."""
    texts = [encode_receipt(f"BER-1-R{number:06}") for number in range(2000)]
    assert any(text.endswith("*") for text in texts)
    assert [decode_receipt(text) for text in texts] == [f"BER1R{number:06}" for number in range(2000)]


@pytest.mark.parametrize("number", ["", "BER-1-X000042", "BER-R000042", "ber-1-R000042", "B-1-R000042", "BER-1-R42"])
def test_no_document_number(number: str) -> None:
    with pytest.raises(CodeError):
        encode_receipt(number)


def test_one_wrong_digit_of_a_receipt_is_found() -> None:
    text = encode_receipt("BER-1-R000042")
    for wrong in "013456789":
        with pytest.raises(CodeError):
            decode_receipt(text[:-2] + wrong + text[-1])
