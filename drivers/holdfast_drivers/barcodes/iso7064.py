"""ISO/IEC 7064 MOD 37-2: one check character over 0-9 and A-Z; `*` stands for the 37th value.

37 is prime and no power of two below the 36th is 1 modulo 37, so it finds every single wrong character and every swap
of two neighbours.
"""

from __future__ import annotations

from holdfast_drivers.barcodes.errors import CodeError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: value for value, character in enumerate(ALPHABET + "*")}


def check_character(text: str) -> str:
    """The character that completes `text` (of ALPHABET only; else CodeError)."""
    if not in_alphabet(text):
        raise CodeError(f"{text!r} has characters beyond 0-9 and A-Z")
    total = 0
    for character in text:
        total = (total + _VALUES[character]) * 2 % 37
    return (ALPHABET + "*")[(1 - total) % 37]


def is_complete(text: str) -> bool:
    """Whether `text` ends in the right check character."""
    return in_alphabet(text[:-1]) and text[-1:] == check_character(text[:-1])


def in_alphabet(text: str) -> bool:
    """Whether `text` is one or more of 0-9 and A-Z."""
    return bool(text) and all(character in ALPHABET for character in text)
