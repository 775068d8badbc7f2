"""Text on a grid of columns: wrapping, two-column lines, alignment. Pure; knows no printer."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from holdfast_drivers.values import Align

_SPACES = {0x00A0: " ", 0x202F: " ", 0x2007: " ", 0x2009: " ", 0x2011: "-", 0x00AD: None, 0xFEFF: None}
"""Typographers' spaces and hyphens that few code pages hold and paper does not need."""
_YOUNG = {0x058F: "AMD", 0x20BC: "AZN", 0x20BE: "GEL", 0x1E9E: "SS"}
"""Characters younger than printers and their fonts: currencies by their ISO 4217 code, the capital sharp s as two."""
_LOOKS = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": ""}
"""By Unicode category: controls, line and paragraph separators, formatting, halves of a character."""
_REPLACED = {**_SPACES, **_YOUNG}


def clean(text: str) -> str:
    """`text` composed (NFC), every control character but newline made a space, what has no looks left out.

    A product name must never carry a printer command to the paper.
    """
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text).translate(_REPLACED)
    return "".join(c if c == "\n" else _LOOKS.get(unicodedata.category(c), c) for c in composed)


def width(text: str) -> int:
    """Columns that `text` takes: East Asian wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(c) for c in text)


def wrap(text: str, columns: int) -> list[str]:
    """`text` in lines of at most `columns`, broken at spaces, inside a word only when it is longer than a line.

    Newlines start a new line; an empty text is one empty line.
    """
    return [line for paragraph in text.split("\n") for line in _wrap_paragraph(paragraph, columns)]


def two_columns(left: str, right: str, columns: int) -> list[str]:
    """`left` wrapped beside `right`, which ends the last line whole.

    When less than a third of the line would be left for `left`, `right` gets a line of its own.
    """
    room = columns - width(right) - 1
    if room * 3 < columns:
        return [*wrap(left, columns), *(align(line, columns, Align.RIGHT) for line in wrap(right, columns))]
    *above, last = wrap(left, room)
    return [*above, last + " " * (columns - width(last) - width(right)) + right]


def align(line: str, columns: int, how: Align) -> str:
    """`line` moved right by spaces to stand `how` in `columns`."""
    free = max(0, columns - width(line))
    return " " * {Align.LEFT: 0, Align.CENTRE: free // 2, Align.RIGHT: free}[how] + line


@lru_cache(maxsize=4096)
def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _wrap_paragraph(paragraph: str, columns: int) -> list[str]:
    text = paragraph.strip(" ")
    indent = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))] if text else ""
    first, *others = text.split(" ")
    *lines, last = _hard_break(indent + first, columns)
    for word in others:
        if width(last) + 1 + width(word) <= columns:
            last = f"{last} {word}"
        else:
            *pieces, next_last = _hard_break(word, columns)
            lines += [last, *pieces]
            last = next_last
    return [*lines, last]


def _hard_break(word: str, columns: int) -> list[str]:
    if width(word) <= columns:
        return [word]
    pieces = [""]
    for char in word:
        if width(pieces[-1]) + _char_width(char) > columns:
            pieces.append("")
        pieces[-1] += char
    return pieces
