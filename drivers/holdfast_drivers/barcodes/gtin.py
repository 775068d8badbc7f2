"""GTIN-8, -12, -13 and -14 (GS1 General Specifications 4.2; check digit 7.9)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from holdfast_drivers.barcodes.errors import CodeError

LENGTHS = (8, 12, 13, 14)
ADD_ON_LENGTHS = (2, 5)
"""Digits of the small symbol beside an EAN/UPC one: the issue of a periodical, the price of a book."""

_ZERO = ord("0")


@dataclass(frozen=True, slots=True, order=True)
class Gtin:
    """A valid GTIN; anything else raises CodeError.

    The same number printed with 12, 13 or 14 digits is equal: the forms differ only by zero fill.
    """

    digits: str
    """14 digits, zero-filled on the left, check digit last and right."""

    def __post_init__(self) -> None:
        if len(self.digits) != 14 or not _is_digits(self.digits):
            raise CodeError(f"{self.digits!r} is not 14 digits")
        if check_digit(self.digits[:-1]) != self.digits[-1]:
            raise CodeError(f"{self.digits}: the check digit should be {check_digit(self.digits[:-1])}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """8, 12, 13 or 14 digits with a right check digit. Raises CodeError."""
        if len(text) not in LENGTHS or not _is_digits(text):
            raise CodeError(f"{text!r} is not 8, 12, 13 or 14 digits")
        return cls(text.zfill(14))

    @property
    def shortest(self) -> str:
        """The form people know: 8, 12, 13 or 14 digits."""
        length = next(n for n in LENGTHS if not self.digits[: 14 - n].strip("0"))
        return self.digits[14 - length :]

    @property
    def variable_measure(self) -> bool:
        """In-store number with a weight or price among its digits (GTIN-13 prefix 02, 20 to 29): no product key."""
        return self.digits.startswith(("002", "02"))

    def __str__(self) -> str:
        return self.shortest


def check_digit(body: str) -> str:
    """The mod-10 digit, weights 3 and 1 from the right, for the digits before it. Raises CodeError."""
    if not _is_digits(body):
        raise CodeError(f"{body!r} is not digits")
    codes = body.encode()
    threes, ones = codes[::-2], codes[-2::-2]
    return str((3 * (_ZERO * len(threes) - sum(threes)) + _ZERO * len(ones) - sum(ones)) % 10)


def with_check_digit(body: str) -> str:
    """`body` of 7, 11, 12 or 13 digits and its check digit. Raises CodeError."""
    if len(body) + 1 not in LENGTHS:
        raise CodeError(f"{body!r} is not 7, 11, 12 or 13 digits")
    return body + check_digit(body)


def expand_upc_e(text: str) -> str:
    """The 12 digits of a UPC-A that UPC-E's 8 (number system, 6, check) stand for. Raises CodeError."""
    if len(text) != 8 or not _is_digits(text) or text[0] not in "01":
        raise CodeError(f"{text!r} is not a UPC-E number")
    item, rule = text[1:6], text[6]
    match rule:
        case "0" | "1" | "2":
            item = item[:2] + rule + "0000" + item[2:]
        case "3":
            item = item[:3] + "00000" + item[3:]
        case "4":
            item = item[:4] + "00000" + item[4:]
        case _:
            item = item + "0000" + rule
    return text[0] + item + text[7]


def compress_upc_a(text: str) -> str:
    """The UPC-E (8 digits) that stands for a UPC-A (12 digits). Raises CodeError: few numbers have one."""
    Gtin.parse(text)
    a, b = text[1:6], text[6:11]
    for item in (a[:2] + b[2:] + a[2:3], a[:3] + b[3:] + "3", a[:4] + b[4:] + "4", a + b[4:]):
        code = text[:1] + item + text[11:]
        with suppress(CodeError):
            if expand_upc_e(code) == text:
                return code
    raise CodeError(f"{text!r} has no UPC-E")


def split_add_on(text: str) -> tuple[str, str]:
    """A scanned EAN-13 and the add-on read with it, which may be empty. Raises CodeError for any other length."""
    number, add_on = text[:13], text[13:]
    if add_on and len(add_on) not in ADD_ON_LENGTHS:
        raise CodeError(f"{len(text)} digits are no EAN-13 with an add-on")
    return number, add_on


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
