"""A catalogue as people keep it: what is read, and what is said about what cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalogue_csv import Problem, parse_csv, scaled
from holdfast_contract.catalogue import Product

HEADER = "sku,gtin,name,price,tax_category,tax_rate,merchant,unit,aliases,open_price\n"
GOOD = HEADER + (
    "mug,4006381333931|96385074, Mug ,12.9,s,19,clay,,A-mug|B-mug|,\n"
    '"candle",,"Candle, ""tall""",19.99,S,7.7,,,,no\n'
    "misc,,Misc,,E,0,,,,yes\n"
)


def problems(text: str, exponent: int = 2) -> list[Problem]:
    return list(parse_csv(text, exponent)[1])


def test_rows_come_out_by_sku() -> None:
    rows, faults = parse_csv(GOOD, 2)
    assert faults == ()
    assert rows == (
        Product("candle", 'Candle, "tall"', 1999, "S", 77_000),
        Product("misc", "Misc", 0, "E", 0, open_price=True),
        Product(
            "mug", "Mug", 1290, "S", 190_000, "clay",
            gtins=("04006381333931", "00000096385074"), aliases=("A-mug", "B-mug"),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_a_byte_order_mark_and_a_decimal_comma(separator: str) -> None:
    text = "\ufeff" + "sku,name,price,tax_category,tax_rate\nmug,Mug,PRICE,S,19\n".replace(",", separator)
    rows, faults = parse_csv(text.replace("PRICE", "12,90").replace("\n", "\r\n"), 2)
    assert faults == ()
    assert rows == (Product("mug", "Mug", 1290, "S", 190_000),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mug,4006381333932,Mug,1,S,19,,,,", "check digit"),
        ("mug,4.00638E+12,Mug,1,S,19,,,,", "check digit or length"),
        ("mug,,Mug,1.999,S,19,,,,", "more than 2 digits"),
        ("mug,,Mug,1e3,S,19,,,,", "plain decimal"),
        ("mug,,Mug,-1,S,19,,,,", "plain decimal"),
        ("mug,,Mug,٣,S,19,,,,", "plain decimal"),
        ("mug,,Mug,1,S,101,,,,", "0 to 100 %"),
        ("mug,,Mug,1,X,19,,,,", "none of EN 16931"),
        ("mug,,Mug,1,E,19,,,,", "no rate but 0"),
        ("mug,,,1,S,19,,,,", "name must be"),
        (",,Mug,1,S,19,,,,", "sku must be"),
        ("mug,,Mug\x07,1,S,19,,,,", "printable"),
        ("mug,,Mug,1,S,19,,,,maybe", "yes or no"),
        ("mug,,Mug,1,S,19", "fields"),
        ("mug,,Mug,1,S,19,,,,,,", "fields"),
        ('mug,,"Mug,1,S,19,,,,', "not CSV"),
        ("mug,,Mug,9999999999999,S,19,,,,", "out of range"),
    ],
)
def test_every_problem_names_its_line(line: str, said: str) -> None:
    found = problems(HEADER + "tea,,Tea,1,S,19,,,,\n" + line + "\n")
    assert len(found) == 1, found
    assert found[0].line == 3
    assert said in found[0].reason


def test_a_sku_twice_is_a_problem() -> None:
    assert problems(HEADER + "mug,,Mug,1,S,19,,,,\n" * 2) == [Problem(3, "sku 'mug' is there twice")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column sku is missing"),
        ("sku,name,price,tax_category\n", "column tax_rate is missing"),
        (HEADER.replace("unit", "size"), "column 'size' is not known"),
        (HEADER.replace("unit", "sku"), "column 'sku' is there twice"),
        (HEADER, "no product in the file"),
    ],
)
def test_a_file_that_is_no_catalogue(text: str, said: str) -> None:
    assert said in [problem.reason for problem in problems(text)]


@given(value=st.integers(0, 10**12), digits=st.integers(0, 4))
def test_decimal_text_is_exact(value: int, digits: int) -> None:
    whole, fraction = divmod(value, 10**digits)
    text = f"{whole}.{fraction:0{digits}}" if digits else str(whole)
    assert scaled(text, digits) == value


@given(text=st.text(max_size=200))
def test_any_text_gives_rows_or_problems(text: str) -> None:
    rows, faults = parse_csv(HEADER + text, 2)
    assert rows or faults
