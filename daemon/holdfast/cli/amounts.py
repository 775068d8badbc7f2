"""Money as people type and read it; always whole minor units in between, never a float."""

from __future__ import annotations

import re

from holdfast.cli.client import UsageError

_AMOUNT = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]+))?")


def amount_of(text: str, exponent: int) -> int:
    """`12.50` or `12,50` in minor units of a currency with `exponent` digits. Raises UsageError."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not an amount; write it like {format_amount(1250, exponent)}")
    fraction = match[2] or ""
    if len(fraction) > exponent:
        raise UsageError(f"{text!r} has more than {exponent} digits after the point")
    return int(match[1] + fraction.ljust(exponent, "0"))


def format_amount(amount: int, exponent: int) -> str:
    """Minor units with the point in its place: 1250 is `12.50`."""
    digits = f"{abs(amount):0{exponent + 1}}"
    whole, fraction = (digits[:-exponent], digits[-exponent:]) if exponent else (digits, "")
    return ("-" if amount < 0 else "") + whole + ("." + fraction if fraction else "")


def pair_of(text: str) -> tuple[str, int]:
    """`CODE=3` is three of it, `CODE` one. Raises UsageError."""
    code, equals, quantity = text.rpartition("=")
    if not equals:
        return text, 1
    if not code or not (quantity.isascii() and quantity.isdigit() and int(quantity) > 0):
        raise UsageError(f"{text!r}: write CODE=QUANTITY, the quantity a whole number above 0")
    return code, int(quantity)
