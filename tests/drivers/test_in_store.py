"""In-store numbers by country and by a shop's own pattern."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.gtin import Gtin, with_check_digit
from holdfast_drivers.barcodes.in_store import (
    COUNTRIES,
    InStoreNumber,
    Measure,
    Pattern,
    read_in_store,
    value_check_digit,
)

US = Pattern("02", "PPPPPPPCVVVV", Measure.PRICE, 2)
"""As many American shops print: 2, five digits of item, check digit, four of price."""


@pytest.mark.parametrize(
    ("country", "number", "item", "says"),
    [
        ("se", "2004211231237", "200421120000", (Measure.PRICE, 3123, 2)),
        ("no", "2345678123438", "234567810000", (Measure.WEIGHT, 2343, 3)),
        ("de", "2330714002396", "233071000000", (Measure.PRICE, 239, 2)),
        ("de", "2630719000121", "263071000000", (Measure.COUNT, 12, 0)),
        ("dk", "2712341002251", "271234100000", (Measure.WEIGHT, 225, 3)),
    ],
)
def test_known_numbers(country: str, number: str, item: str, says: tuple[Measure, int, int]) -> None:
    read = read_in_store(Gtin.parse(number), COUNTRIES[country])
    assert read == InStoreNumber(Gtin.parse(with_check_digit(item)), *says)


def test_a_upc_a_is_read_by_prefix_02() -> None:
    number = with_check_digit("212345" + value_check_digit("0499") + "0499")
    assert read_in_store(Gtin.parse(number), [US]) == InStoreNumber(
        Gtin.parse(with_check_digit("212345" + "0" + "0000")), Measure.PRICE, 499, 2
    )


def test_a_wrong_inner_check_digit_is_refused() -> None:
    right = int(value_check_digit("00239"))
    for digit in range(10):
        number = Gtin.parse(with_check_digit(f"233071{digit}00239"))
        if digit == right:
            assert read_in_store(number, COUNTRIES["de"])
        else:
            with pytest.raises(CodeError):
                read_in_store(number, COUNTRIES["de"])


@pytest.mark.parametrize("number", ["4006381333931", "2345678123438", "96385074", with_check_digit("2012345")])
def test_other_numbers_say_nothing(number: str) -> None:
    assert read_in_store(Gtin.parse(number), COUNTRIES["gb"]) is None


def test_a_case_of_an_in_store_number_is_none() -> None:
    assert read_in_store(Gtin.parse(with_check_digit("1200421123123")), COUNTRIES["se"]) is None


@pytest.mark.parametrize(
    ("prefix", "layout", "places"),
    [
        ("30", "PPPPPPPPVVVV", 2),
        ("2", "PPPPPPPPVVVV", 2),
        ("20", "PPPPPPPPVVV", 2),
        ("20", "PPPPVVVVPPPP", 2),
        ("20", "VVVVVVVVVVVV", 2),
        ("20", "PPPPPPPPCVVV", 2),
        ("20", "PPPPPCVVVVVV", 2),
        ("20", "PPPPPPPPVVVV", 5),
        ("20", "PPPPPPPPVVVV", -1),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(prefix: str, layout: str, places: int) -> None:
    with pytest.raises(CodeError):
        Pattern(prefix, layout, Measure.PRICE, places)


@pytest.mark.parametrize(("value", "digit"), [("2875", "9"), ("14685", "6"), ("0000", "0"), ("00000", "0")])
def test_check_digits_of_values(value: str, digit: str) -> None:
    assert value_check_digit(value) == digit


@pytest.mark.parametrize("value", ["", "123", "123456", "12a4", "١٢٣٤"])
def test_only_four_or_five_digits_have_one(value: str) -> None:
    with pytest.raises(CodeError):
        value_check_digit(value)


@given(st.sampled_from(["dk", "gb", "se", "de"]), st.integers(0, 9999), st.data())
def test_a_composed_number_says_what_was_put_in_and_its_item_says_nothing(
    country: str, units: int, data: st.DataObject
) -> None:
    pattern = data.draw(st.sampled_from(COUNTRIES[country]))
    item = data.draw(st.text("0123456789", min_size=(size := pattern.layout.count("P")) - 2, max_size=size - 2))
    value = str(units).zfill(pattern.layout.count("V"))
    check = value_check_digit(value) if "C" in pattern.layout else ""
    read = read_in_store(Gtin.parse(with_check_digit(pattern.prefix + item + check + value)), COUNTRIES[country])
    assert read is not None
    assert (read.measure, read.units, read.places) == (pattern.measure, units, pattern.places)
    assert str(read.item)[:size] == pattern.prefix + item
    again = read_in_store(read.item, COUNTRIES[country])
    assert again is not None
    assert (again.item, again.units) == (read.item, 0)
