"""Amounts, rates and days as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.counter import figures
from holdfast.counter.language import Language


@pytest.mark.parametrize(
    ("amount", "exponent", "language", "text"),
    [
        (0, 2, "en", "0.00"),
        (5, 2, "en", "0.05"),
        (-5, 2, "en", "-0.05"),
        (123_456_789, 2, "en", "1,234,567.89"),
        (123_456_789, 2, "de", "1.234.567,89"),
        (123_456_789, 2, "fr", "1 234 567,89"),
        (1250, 0, "en", "1,250"),
        (1250, 3, "de", "1,250"),
    ],
)
def test_money(amount: int, exponent: int, language: Language, text: str) -> None:
    assert figures.money(amount, exponent, language) == text


@given(st.integers(-(10**13), 10**13), st.integers(0, 4), st.sampled_from(["en", "de", "fr"]))
def test_money_loses_nothing(amount: int, exponent: int, language: Language) -> None:
    digits = "".join(c for c in figures.money(amount, exponent, language) if c.isdigit())
    assert int(digits) == abs(amount)
    assert figures.money(amount, exponent, language).startswith("-") == (amount < 0)


@pytest.mark.parametrize(
    ("ppm", "language", "text"),
    [(190_000, "en", "19 %"), (55_000, "de", "5,5 %"), (0, "fr", "0 %"), (77_125, "en", "7.7125 %")],
)
def test_percent(ppm: int, language: Language, text: str) -> None:
    assert figures.percent(ppm, language) == text


def test_a_business_day() -> None:
    assert figures.day(0) == "1970-01-01"
    assert figures.day(20_717) == "2026-09-21"
