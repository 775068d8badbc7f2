"""How large a value the domain takes: every sum stays inside 64 bits and every record inside its size."""

from __future__ import annotations

from holdfast.domain.core import Refused

MAX_AMOUNT = 10**12
"""Minor units of one price, line or tender."""
MAX_QTY = 10**6
MAX_LINES = 1000
"""Lines of a cart, voided ones counted."""
MAX_TEXT = 200
"""Characters of a reason or reference."""
MAX_NAME = 64
"""Characters of a station, badge or person."""


def amount(value: int, *, least: int = 0) -> int:
    """`value` if it is a sane amount. Raises Refused(`invalid`)."""
    return _within(value, least, MAX_AMOUNT, "amount")


def quantity(value: int) -> int:
    """`value` if it is a sane quantity, 1 or more. Raises Refused(`invalid`)."""
    return _within(value, 1, MAX_QTY, "quantity")


def text(value: str, limit: int = MAX_TEXT) -> str:
    """`value` with its white space tidied. Raises Refused(`invalid`) when it is too long or not printable."""
    tidy = " ".join(value.split())
    if len(tidy) > limit or not tidy.isprintable():
        raise Refused("invalid", detail=f"text must be printable and at most {limit} characters")
    return tidy


def name(value: str) -> str:
    """`value` as a name: tidy and not empty. Raises Refused(`invalid`)."""
    tidy = text(value, MAX_NAME)
    if not tidy:
        raise Refused("invalid", detail="a name is empty")
    return tidy


def _within(value: int, least: int, most: int, what: str) -> int:
    if not least <= value <= most:
        raise Refused("invalid", detail=f"{what} {value} is not within {least} to {most}")
    return value
