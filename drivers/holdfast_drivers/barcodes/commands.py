"""Command codes: the printed cards that drive a hub. `HFC` + code + check character over all before it."""

from __future__ import annotations

from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.iso7064 import check_character, in_alphabet, is_complete

PREFIX = "HFC"


def encode(code: str) -> str:
    """The text to print for `code` (0-9, A-Z).

    Raises CodeError for other characters, and for the one code in 37 whose check would be `*`: not issued, so
    that every command has characters any symbology and scanner carries.
    """
    if not in_alphabet(code):
        raise CodeError(f"{code!r} is not one or more of 0-9 and A-Z")
    check = check_character(PREFIX + code)
    if check == "*":
        raise CodeError(f"{code} cannot be issued: its check character would be *")
    return PREFIX + code + check


def decode(text: str) -> str:
    """The code in a scanned `text`. Raises CodeError when the text is not whole and right."""
    code = text[len(PREFIX) : -1]
    if not text.startswith(PREFIX) or not in_alphabet(code):
        raise CodeError("not a command code")
    if text.endswith("*") or not is_complete(text):
        raise CodeError("a damaged command code: its check character is wrong")
    return code
