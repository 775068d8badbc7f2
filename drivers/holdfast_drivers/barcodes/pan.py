"""Payment card numbers in text: found by shape, so that they are masked before anything is stored or shown.

For free text and unknown scans only: one valid EAN-13 in ten passes the Luhn test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_GROUP = re.compile(r"[0-9]+")
_LENGTHS = range(14, 20)

_ISSUERS = (
    ("1", "1"),  # UATP
    ("2200", "2205"),  # Mir, Borica
    ("2221", "2720"),  # Mastercard
    ("300", "305"),  # Diners Club
    ("34", "34"),  # American Express
    ("3528", "3589"),  # JCB
    ("36", "39"),  # Diners Club, American Express
    ("4", "4"),  # Visa
    ("50", "69"),  # Maestro, Mastercard, Discover, UnionPay, RuPay
    ("81", "82"),  # UnionPay, RuPay
    ("9792", "9792"),  # Troy
)
"""First and last prefix of each range, both of one length. ISO/IEC 7812-1 gives the scheme, the issuers the ranges."""


def looks_like_pan(text: str) -> bool:
    """Whether `text` holds 14 to 19 digits with an issuer's prefix and a right Luhn digit, in one run or in groups."""
    return any(_card_numbers(text))


def mask_pan(text: str) -> str:
    """`text` with `*` for the digits of each such number, all but the last four."""
    while spans := list(_card_numbers(text)):  # again: the last four may begin another with what follows
        for start, end in spans:
            text = text[:start] + _GROUP.sub(lambda run: "*" * len(run[0]), text[start : end - 4]) + text[end - 4 :]
    return text


def _card_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where they are. Groups of digits with one blank or dash between count as one number, as embossed and typed."""
    groups = [group.span() for group in _GROUP.finditer(text)]
    for index, (start, _) in enumerate(groups):
        digits, end = "", start
        for group_start, group_end in groups[index : index + _LENGTHS.stop]:
            if text[end:group_start] not in {"", " ", "-"}:
                break
            digits, end = digits + text[group_start:group_end], group_end
            if len(digits) in _LENGTHS and _has_issuer(digits) and _passes_luhn(digits):
                yield start, end


def _has_issuer(digits: str) -> bool:
    return any(first <= digits[: len(first)] <= last for first, last in _ISSUERS)


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right counts double, its own digits added up."""
    doubled = (sum(divmod(int(digit) * 2, 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[::-2]))) % 10 == 0
