"""Command cards. INV-0.4: a command with one character changed or two neighbours swapped is never a command."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast_drivers.barcodes.classify import CommandCode, Text, classify
from holdfast_drivers.barcodes.commands import decode, encode
from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.iso7064 import ALPHABET, check_character, is_complete
from holdfast_drivers.values import Scan

WORDS = (
    "SALE",
    "QTY2",
    "CASH2000",
    "CARD",
    "SPLIT",
    "VOIDLINE",
    "VOIDSALE",
    "PARK",
    "RESUME",
    "RETURN",
    "REFUND",
    "EXCHANGE",
    "HOLD",
    "RECEIVE",
    "NOASN",
    "DONE",
    "PICK",
    "NEXT",
    "PACKED",
    "SHORT",
    "HANDOVER",
    "COURIER",
    "COUNT",
    "SHIFTOPEN",
    "PAYIN",
    "PAYOUT",
    "DROP",
    "NOSALE",
    "XREPORT",
    "SHIFTCLOSE",
    "STATUS",
    "REPRINT",
    "ABORT",
    "PRICE",
    "TRAIN",
    "DRILL",
    "SHUTDOWN",
)


def issuable(code: str) -> bool:
    return check_character("HFC" + code) != "*"


CODES = [word for word in WORDS if issuable(word)]
codes = st.text(ALPHABET, min_size=1, max_size=24).filter(issuable)


def damaged(text: str) -> Iterator[str]:
    """Every text one change away: each character replaced by every printable other, each pair of neighbours swapped."""
    for place, right in enumerate(text):
        for wrong in string.printable:
            if wrong != right:
                yield text[:place] + wrong + text[place + 1 :]
    for place in range(len(text) - 1):
        if text[place] != text[place + 1]:
            yield text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def is_command(text: str) -> bool:
    return isinstance(classify(Scan(text.encode())), CommandCode)


def test_most_words_can_be_issued() -> None:
    assert len(CODES) >= 0.8 * len(WORDS)


def test_a_card_reads_back() -> None:
    for code in CODES:
        assert decode(encode(code)) == code
        assert classify(Scan(encode(code).encode())) == CommandCode(code)


@given(codes)
def test_any_card_reads_back(code: str) -> None:
    assert decode(encode(code)) == code


def test_no_damaged_card_is_a_command() -> None:
    """INV-0.4, exhaustive over the words of the counter."""
    fired = [text for code in CODES for text in damaged(encode(code)) if is_command(text)]
    assert fired == []


@given(codes, st.data())
def test_no_damaged_card_of_any_code_is_a_command(code: str, data: st.DataObject) -> None:
    text = encode(code)
    place = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(st.characters(exclude_characters=text[place], codec="utf-8"))
    assert not is_command(text[:place] + wrong + text[place + 1 :])
    swap = data.draw(st.integers(0, len(text) - 2))
    swapped = text[:swap] + text[swap + 1] + text[swap] + text[swap + 2 :]
    assume(swapped != text)
    assert not is_command(swapped)


def test_the_exhaustive_test_would_see_a_weaker_check() -> None:
    """The control: without the powers of two, swaps go unnoticed."""
    values = {character: value for value, character in enumerate(ALPHABET)}

    def weak_check(text: str) -> str:
        return (ALPHABET + "*")[(1 - sum(values[character] for character in text)) % 37]

    def weak_complete(text: str) -> bool:
        return set(text) <= set(ALPHABET) and text[-1] == weak_check(text[:-1])

    text = "HFCRETURN" + weak_check("HFCRETURN")
    assert any(weak_complete(damage) and damage.startswith("HFC") for damage in damaged(text))


def test_a_card_cut_short_is_no_other_card() -> None:
    """A partial read of one word never fires another; damage beyond one change is left to the list of known words."""
    for code in CODES:
        text = encode(code)
        partial = [text[:end] for end in range(len(text))] + [text[start:] for start in range(1, len(text))]
        assert {decode(part) for part in partial if is_command(part)}.isdisjoint(WORDS)


@pytest.mark.parametrize("code", ["", "sale", "CASH 20", "CASH*", "ÄPFEL", "SA\x1dLE"])
def test_other_characters_cannot_be_issued(code: str) -> None:
    with pytest.raises(CodeError):
        encode(code)


def test_the_code_whose_check_would_be_a_star_is_neither_issued_nor_read() -> None:
    star = next(code for code in (f"QTY{n}" for n in range(1000)) if not issuable(code))
    with pytest.raises(CodeError, match="cannot be issued"):
        encode(star)
    assert is_complete(f"HFC{star}*")
    assert classify(Scan(f"HFC{star}*".encode())) == Text(f"HFC{star}*")


@pytest.mark.parametrize("text", ["", "HFC", "HFCA", "hfcSALEX", "XHFCSALE"])
def test_no_command_at_all(text: str) -> None:
    with pytest.raises(CodeError):
        decode(text)


@pytest.mark.parametrize("text", ["A999914123456N", "G123489654321Y"])
def test_donation_numbers_as_blood_banks_print_them(text: str) -> None:
    """ISBT 128 uses the same check; these two are its published examples."""
    assert is_complete(text)
