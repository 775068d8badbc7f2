"""Receipt codes: linear `HFR` + number without dashes + check character, or a signed body `HFR1.` in a QR.

The linear form carries the whole MOD 37-2 alphabet, `*` included: numbers run without gaps, so none can be left out.
"""

from __future__ import annotations

import re

from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.iso7064 import check_character, is_complete

PREFIX = "HFR"
SIGNED_PREFIX = "HFR1."

_NUMBER = re.compile(r"[A-Z0-9]{2,4}[0-9]+[RTZ][0-9]{6,}")
"""Hub code, incarnation, series letter, number of six digits or more."""


def encode_receipt(number: str) -> str:
    """The linear code for a number as printed, e.g. `BER-1-R000042`. Raises CodeError."""
    plain = number.replace("-", "")
    if not _NUMBER.fullmatch(plain):
        raise CodeError(f"{number!r} is not a document number")
    return PREFIX + plain + check_character(PREFIX + plain)


def decode_receipt(text: str) -> str:
    """The number, without its dashes, of a linear code. Raises CodeError."""
    number = text[len(PREFIX) : -1]
    if not text.startswith(PREFIX) or not _NUMBER.fullmatch(number):
        raise CodeError("not a receipt code")
    if not is_complete(text):
        raise CodeError("a damaged receipt code: its check character is wrong")
    return number
