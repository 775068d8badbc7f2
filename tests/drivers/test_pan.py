"""Card numbers in unknown text are found and masked. All here are the schemes' public test numbers, or random."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.barcodes.pan import looks_like_pan, mask_pan

TEST_CARDS = {
    "Visa": "4111111111111111",
    "Visa, 19 digits": "4000000000000000006",
    "Mastercard": "5555555555554444",
    "Mastercard, 2-series": "2223003122003222",
    "American Express": "378282246310005",
    "Discover": "6011111111111117",
    "Diners Club": "30569309025904",
    "JCB": "3530111333300000",
    "UnionPay": "6200000000000005",
    "Maestro": "6759649826438453",
    "Mir": "2201382000000013",
}


@pytest.mark.parametrize("pan", TEST_CARDS.values(), ids=TEST_CARDS)
def test_the_schemes_test_cards_are_found_alone_and_in_text(pan: str) -> None:
    for text in (pan, f";{pan}=25121010000000000000?", f"card {pan}, thanks", f"%B{pan}^DOE/JOHN^2512"):
        assert looks_like_pan(text)
        assert mask_pan(text) == text.replace(pan, "*" * (len(pan) - 4) + pan[-4:])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111", "**** **** **** 1111"),
        ("3782-822463-10005", "****-******-*0005"),
        ("tel 12 4111 1111 1111 1111 ext 7", "tel 12 **** **** **** 1111 ext 7"),
        ("4187244670084707 763457534007", "**************** ********4007"),  # the first one's last four begin a second
        ("4111111111111111 5555555555554444", "************1111 ************4444"),
    ],
)
def test_digits_in_groups_are_found(text: str, masked: str) -> None:
    assert mask_pan(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111111111111112",  # Luhn
        "411111111111111",  # Luhn, a digit short
        "9999999999999995",  # no issuer
        "4006381333931",  # 13 digits
        "00000041111111111111111",  # longer than any card
        "4111 1111\n1111 1111",
        "4111  1111 1111 1111",
        "٤111111111111111",
    ],
)
def test_what_is_no_card_stays(text: str) -> None:
    assert not looks_like_pan(text)
    assert mask_pan(text) == text


def with_luhn_digit(body: str) -> str:
    return next(body + digit for digit in "0123456789" if looks_like_luhn(body + digit))


def looks_like_luhn(digits: str) -> bool:
    """The rule once more, written the other way round."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) << (place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def test_ten_thousand_random_cards_are_all_masked() -> None:
    rng = Random(41)
    for _ in range(10_000):
        prefix = rng.choice(("4", "51", "2300", "34", "37", "6011", "3530", "62", "36"))
        length = rng.randrange(14, 20)
        pan = with_luhn_digit(prefix + "".join(rng.choices("0123456789", k=length - len(prefix) - 1)))
        assert mask_pan(f"x{pan}y") == f"x{'*' * (length - 4)}{pan[-4:]}y"


@given(st.text(alphabet="0123456789 -A", max_size=60))
def test_masking_is_final_and_keeps_the_length(text: str) -> None:
    masked = mask_pan(text)
    assert not looks_like_pan(masked)
    assert len(masked) == len(text)
