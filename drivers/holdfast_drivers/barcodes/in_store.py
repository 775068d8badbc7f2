"""In-store numbers with a weight, price or count among their digits: EAN-13 with prefix 02 or 20 to 29, UPC-A with 2.

Each country, and where it gives no rule each shop, lays them out as it likes: patterns are configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.gtin import Gtin, with_check_digit

_LAYOUT = re.compile(r"P+(?:C?V+|V+C)")
_PREFIX = re.compile(r"02|2[0-9]")


class Measure(Enum):
    WEIGHT = "weight"
    """Kilograms."""
    PRICE = "price"
    """In the currency of the country."""
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Pattern:
    """How the numbers of one prefix are laid out. Raises CodeError when it cannot be."""

    prefix: str
    """`02` (a UPC-A's 2) or `20` to `29`."""
    layout: str
    """12 letters, prefix and all but the last check digit: P item, V value, C the value's own check digit."""
    measure: Measure
    places: int
    """Decimal places of the value."""

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise CodeError(f"prefix {self.prefix!r} is not 02 or 20 to 29")
        if len(self.layout) != 12 or not _LAYOUT.fullmatch(self.layout):
            raise CodeError(f"layout {self.layout!r} is not 12 letters like PPPPPPCVVVVV")
        if "C" in self.layout and self.layout.count("V") not in {4, 5}:
            raise CodeError(f"layout {self.layout!r}: only values of 4 or 5 digits have a check digit")
        if not 0 <= self.places <= self.layout.count("V"):
            raise CodeError(f"{self.places} decimal places in {self.layout!r}")


@dataclass(frozen=True, slots=True)
class InStoreNumber:
    item: Gtin
    """The number with value 0, to look the product up by."""
    measure: Measure
    units: int
    """The value is `units` / 10 ** `places`."""
    places: int


def read_in_store(gtin: Gtin, patterns: Iterable[Pattern]) -> InStoreNumber | None:
    """What the number says by the pattern of its prefix; None without one.

    Raises CodeError when the check digit of the value is wrong.
    """
    digits = gtin.digits[1:]
    pattern = next((pattern for pattern in patterns if digits.startswith(pattern.prefix)), None)
    if pattern is None or not gtin.variable_measure:
        return None
    value = _letters("V", digits, pattern.layout)
    if "C" in pattern.layout and _letters("C", digits, pattern.layout) != value_check_digit(value):
        raise CodeError(f"{gtin}: the check digit of the value should be {value_check_digit(value)}")
    return InStoreNumber(_item(digits, pattern.layout), pattern.measure, int(value), pattern.places)


def value_check_digit(value: str) -> str:
    """The check digit of a price or weight of 4 or 5 digits (GS1 General Specifications 7.9.2 to 7.9.4).

    Raises CodeError for another length.
    """
    if len(value) not in {4, 5} or not (value.isascii() and value.isdigit()):
        raise CodeError(f"{value!r} is not 4 or 5 digits")
    digits = [int(digit) for digit in value]
    if len(digits) == 4:
        a, b, c, d = digits
        return str((_minus(2, a) + _minus(2, b) + 3 * c + _minus(5, d)) * 3 % 10)
    a, b, c, d, e = digits
    total = _plus(5, a) + _minus(2, b) + _minus(5, c) + _plus(5, d) + _minus(2, e)
    return next(str(check) for check in range(10) if (_minus(5, check) + total) % 10 == 0)


def _minus(factor: int, digit: int) -> int:
    """GS1's weighting 2- and 5-: the tens of the product taken from its units."""
    tens, units = divmod(factor * digit, 10)
    return units - tens


def _plus(factor: int, digit: int) -> int:
    tens, units = divmod(factor * digit, 10)
    return units + tens


def _letters(letter: str, digits: str, layout: str) -> str:
    return "".join(digit for digit, place in zip(digits, layout, strict=False) if place == letter)


def _item(digits: str, layout: str) -> Gtin:
    zero = "0" * layout.count("V")
    blank = {"V": "0", "C": value_check_digit(zero) if "C" in layout else ""}
    body = "".join(blank.get(place, digit) for digit, place in zip(digits, layout, strict=False))
    return Gtin.parse(with_check_digit(body))


def _patterns(layout: str, measure: Measure, places: Mapping[str, int]) -> tuple[Pattern, ...]:
    return tuple(Pattern(prefix, layout, measure, number) for prefix, number in places.items())


_8_4 = "PPPPPPPPVVVV"
_6_6 = "PPPPPPVVVVVV"
_DE = "PPPPPPCVVVVV"
_NORDIC_WEIGHT = _patterns(_8_4, Measure.WEIGHT, {"23": 3, "24": 2, "25": 1})
_NORDIC_PRICE = _patterns(_8_4, Measure.PRICE, {"20": 2, "21": 1, "22": 0})

COUNTRIES: Mapping[str, tuple[Pattern, ...]] = {
    "de": (
        *_patterns(_DE, Measure.PRICE, {"22": 2, "23": 2}),
        *_patterns(_DE, Measure.COUNT, {"25": 0, "26": 0}),
        *_patterns(_DE, Measure.WEIGHT, {"28": 3, "29": 3}),
    ),
    "dk": (
        *_patterns(_6_6, Measure.PRICE, {"21": 2, "22": 2, "23": 2, "24": 2}),
        *_patterns(_6_6, Measure.WEIGHT, {"26": 3, "28": 3}),
        *_patterns("PPPPPPPVVVVV", Measure.WEIGHT, {"27": 3}),
    ),
    "ee": _NORDIC_WEIGHT,
    "fi": _NORDIC_WEIGHT,
    "gb": _patterns("PPPPPPPCVVVV", Measure.PRICE, {"20": 2}),
    "lt": _NORDIC_WEIGHT,
    "lv": _NORDIC_WEIGHT,
    "no": (*_NORDIC_PRICE, *_NORDIC_WEIGHT),
    "se": (*_NORDIC_PRICE, *_NORDIC_WEIGHT),
}
"""The rules of GS1's national organisations by ISO 3166-1 alpha-2 code. Norway has none: its shops do as Sweden's."""
