"""A printed Receipt as plain text and as a picture. A picture takes tens of milliseconds: not on the event loop."""

from __future__ import annotations

import io
from functools import lru_cache
from importlib import import_module
from typing import Any

from holdfast_drivers.printers import symbols
from holdfast_drivers.printers.bitmap import load_font, modules_bitmap
from holdfast_drivers.printers.linear import linear_modules, linear_text
from holdfast_drivers.printers.paper import Line, Picture, Receipt, Run, Style, Symbol
from holdfast_drivers.values import Align

_PAPER, _INK = 250, 25
"""Greys of thermal paper."""
_MARGIN = 32
"""Dots the head does not reach on either side."""
_HEAD_TO_CUTTER = 96
"""Blank paper above the first line: the way from cutter to head."""
_TOOTH = 8
_TEXT_CELL = 12
_MAX_DOTS = 40_000
"""Five metres; a longer strip is drawn up to here."""
_BASELINE = 0.79
_FONT_SIZE = {0: 20, 1: 15}
"""DejaVu Sans Mono fills font A's 12 dots at 20 and font B's 9 at 15."""


def to_text(receipt: Receipt) -> str:
    """The receipt on a grid of font A characters; `[...]` stands for pictures and barcodes. Ends with a newline."""
    lines: list[str] = []
    for item in receipt.items:
        if isinstance(item, Line):
            lines.append(_text_line(item))
        elif isinstance(item, Symbol):
            lines.append(f"[{item.kind}] {symbol_text(item)}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def to_image(receipt: Receipt) -> Any:
    """The receipt as a greyscale Pillow image, one pixel a dot, with the paper's margins and cut edges."""
    height = min(receipt.height, _MAX_DOTS) + 2 * _HEAD_TO_CUTTER
    sheet = import_module("PIL.Image").new("L", (receipt.dots + 2 * _MARGIN, height), _PAPER)
    draw = import_module("PIL.ImageDraw").Draw(sheet)
    for item in receipt.items:
        if isinstance(item, Line) and item.y < _MAX_DOTS:
            foot = _HEAD_TO_CUTTER + item.y + max((piece.size[1] for piece in item.pieces), default=0)
            for piece in item.pieces:
                at = (_MARGIN + piece.x, foot - piece.size[1])
                _draw_run(sheet, piece, at) if isinstance(piece, Run) else _draw_picture(sheet, piece, at)
        elif isinstance(item, Symbol) and item.y < _MAX_DOTS:
            _draw_symbol(sheet, item, receipt.dots)
    _tear(draw, sheet.size)
    return sheet


def to_png(receipt: Receipt) -> bytes:
    """`to_image` as a PNG file."""
    out = io.BytesIO()
    to_image(receipt).save(out, "PNG")
    return out.getvalue()


def symbol_text(symbol: Symbol) -> str:
    """What a person would read under the barcode."""
    if symbol.kind == "code128":
        return symbols.code128_text(symbol.data)
    return linear_text(symbol.kind, symbol.data.decode("utf-8", "replace"))


def _text_line(line: Line) -> str:
    out = ""
    for piece in line.pieces:
        text = piece.text if isinstance(piece, Run) else f"[picture {piece.size[0]}x{piece.size[1]}]"
        column = (piece.x + _TEXT_CELL // 2) // _TEXT_CELL  # one way for every piece of a line
        out = out[:column].ljust(column) + text + out[column + len(text) :]
    return out


def _draw_run(sheet: Any, run: Run, at: tuple[int, int]) -> None:
    image = import_module("PIL.Image")
    mask = image.new("L", run.size, 0)
    for index, char in enumerate(run.text):
        mask.paste(_glyph(char, run.style), (index * run.step, 0))
    if run.style.underline:
        mask.paste(255, (0, run.size[1] - run.style.underline, *run.size))
    if run.style.invert:
        mask = import_module("PIL.ImageOps").invert(mask)
    if run.style.upside_down:
        mask = mask.rotate(180)
    sheet.paste(_INK, at, mask)


@lru_cache(maxsize=2048)
def _glyph(char: str, style: Style) -> Any:
    width, height = style.cell
    cell = import_module("PIL.Image").new("L", (width // style.wide * style.tall, height), 0)
    draw = import_module("PIL.ImageDraw").Draw(cell)
    font = load_font(_FONT_SIZE[style.font] * style.tall)
    for shift in (0, style.tall) if style.bold else (0,):
        draw.text((shift, round(height * _BASELINE)), char, fill=255, font=font, anchor="ls")
    return cell if cell.size == (width, height) else cell.resize((width, height))


def _draw_picture(sheet: Any, picture: Picture, at: tuple[int, int]) -> None:
    mask = import_module("PIL.Image").frombytes("1", (picture.width, picture.height), picture.rows)
    sheet.paste(_INK, at, mask.resize(picture.size))


def _draw_symbol(sheet: Any, symbol: Symbol, dots: int) -> None:
    mask = _symbol_mask(symbol)
    top = _HEAD_TO_CUTTER + symbol.y + (26 if symbol.caption & 1 else 0)
    left = _MARGIN + _aligned(symbol.align, dots, mask.width)
    sheet.paste(_INK, (left, top), mask)
    text = symbol_text(symbol)
    for bit, y in ((1, top - 26), (2, top + symbol.bar_height + 2)):
        if symbol.caption & bit:
            x = left + (mask.width - len(text) * _TEXT_CELL) // 2
            _draw_run(sheet, Run(0, text, Style(), _TEXT_CELL), (max(0, x), y))


def _symbol_mask(symbol: Symbol) -> Any:
    """The bars; a box of noise for what cannot be drawn."""
    try:
        modules = _modules(symbol)
    except ValueError:
        return import_module("PIL.Image").effect_noise((200, symbol.bar_height), 255).convert("1")
    return modules_bitmap(modules, scale=symbol.module, bar_dots=None if symbol.kind == "qr" else symbol.bar_height)


def _modules(symbol: Symbol) -> symbols.Modules:
    if symbol.kind == "qr":
        return symbols.qr_modules(symbol.data, symbol.level)
    if symbol.kind in ("code128", "gs1-128"):
        return symbols.code128_modules(symbol.data)
    return linear_modules(symbol.kind, symbol.data.decode("ascii"))


def _aligned(align: Align, dots: int, width: int) -> int:
    free = max(0, dots - width)
    return {Align.LEFT: 0, Align.CENTRE: free // 2, Align.RIGHT: free}[align]


def _tear(draw: Any, size: tuple[int, int]) -> None:
    """Saw teeth where the cutter went through."""
    width, height = size
    for x in range(0, width, _TOOTH * 2):
        draw.polygon([(x, 0), (x + _TOOTH * 2, 0), (x + _TOOTH, _TOOTH)], fill=200)
        draw.polygon([(x, height), (x + _TOOTH * 2, height), (x + _TOOTH, height - _TOOTH)], fill=200)
