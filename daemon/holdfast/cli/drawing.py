"""Ink on a page, for what the CLI prints as PDF: text that always fits, Code 128 that always scans."""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.colors import Color, HexColor, black, white
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import getFont, getRegisteredFontNames, registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD, MONO = "Helvetica", "Helvetica-Bold", "Courier"
_WIDE = {REGULAR: "Vera", BOLD: "VeraBd"}
"""Fonts that come with reportlab and know most of Europe's Latin letters."""
INK, PALE, LINE = HexColor("#1b2733"), HexColor("#66727f"), HexColor("#c9d1d9")
MODULE = 0.26 * mm
"""Width of the narrowest bar: every office printer draws it, every counter scanner reads it."""
QUIET = 10
"""Modules of blank paper that Code 128 needs on either side (ISO/IEC 15417)."""


def lettered(text: str, font: str) -> tuple[str, str]:
    """Text and the font to draw it in. Letters that neither the PDF's own fonts nor Vera have lose their accent."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        wide = _WIDE[font]
        if wide not in getRegisteredFontNames():
            registerFont(TTFont(wide, f"{wide}.ttf"))
        glyphs = getFont(wide).face.charToGlyph
        return "".join(_closest(character, glyphs) for character in text), wide
    return text, font


def _closest(character: str, glyphs: Container[int]) -> str:
    candidates = (character, unicodedata.normalize("NFKD", character)[0], "?")
    return next(one for one in candidates if ord(one) in glyphs)


def barcode_width(text: str) -> float:
    """Width of a barcode with its quiet zones, in points."""
    width: float = _code128(text, 1.0).width + 2 * QUIET * MODULE
    return width


def draw_barcode(page: Any, text: str, *, left: float, bottom: float, width: float, height: float) -> None:
    """Code 128 centred in `width`, white behind it. Raises ValueError when it does not fit."""
    code = _code128(text, height)
    if barcode_width(text) > width:
        raise ValueError(f"{text} needs {barcode_width(text) / mm:.0f} mm")
    page.setFillColor(black)
    code.drawOn(page, left + (width - code.width) / 2, bottom)


def _code128(text: str, height: float) -> Code128:
    return Code128(text, barWidth=MODULE, barHeight=height, quiet=False)


def draw_lines(
    page: Any,
    text: str,
    *,
    left: float,
    top: float,
    width: float,
    font: str = REGULAR,
    size: float = 9,
    lines: int = 2,
    color: Color = INK,
) -> float:
    """Wrapped text from `top` down, smaller when it needs more than `lines` lines. Returns where it ended."""
    text, font = lettered(text, font)
    while len(wrapped := simpleSplit(text, font, size, width)) > lines and size > 5:
        size -= 0.5
    page.setFillColor(color)
    page.setFont(font, size)
    for line in wrapped[:lines]:
        top -= size * 1.15
        page.drawString(left, top, line)
    return top


def draw_chip(page: Any, text: str, *, right: float, bottom: float, color: Color, size: float = 6) -> float:
    """A small filled label ending at `right`. Returns its left edge."""
    width: float = stringWidth(text, BOLD, size) + 2 * mm
    page.setFillColor(color)
    page.roundRect(right - width, bottom, width, size + 1.4 * mm, 0.8 * mm, stroke=0, fill=1)
    page.setFillColor(white)
    page.setFont(BOLD, size)
    page.drawString(right - width + mm, bottom + 0.95 * mm, text)
    return right - width
