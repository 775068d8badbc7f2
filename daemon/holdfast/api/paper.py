"""A document as plain text: what a screen shows of what a printer would."""

from __future__ import annotations

import textwrap

from holdfast_drivers.values import Align, Barcode, Block, Columns, Document, Feed, Image, Rule, Text

WIDTH = 42
"""Characters a line, as on 80 mm paper."""
_JUSTIFY = {Align.LEFT: str.ljust, Align.CENTRE: str.center, Align.RIGHT: str.rjust}


def plain_text(document: Document, *, width: int = WIDTH) -> str:
    """Lines of at most `width` characters."""
    return "\n".join(line.rstrip() for block in document.blocks for line in _lines(block, width))


def _lines(block: Block, width: int) -> list[str]:
    match block:
        case Text(text, align):
            return [_JUSTIFY[align](line, width) for line in _wrapped(text, width)]
        case Columns(left, right):
            return _columns(left, right, width)
        case Rule():
            return ["-" * width]
        case Feed(lines):
            return [""] * lines
        case Image():
            return ["[picture]".center(width)]
        case Barcode(_, data):
            return [line.center(width) for line in textwrap.wrap(f"[{data}]", width)]


def _columns(left: str, right: str, width: int) -> list[str]:
    wrapped = _wrapped(left, max(width - len(right) - 1, 1))
    last = wrapped[-1]
    return [*wrapped[:-1], last + right.rjust(width - len(last))]


def _wrapped(text: str, width: int) -> list[str]:
    """By words; line breaks of the text are kept."""
    return [line for part in text.split("\n") for line in (textwrap.wrap(part, width) or [""])]
