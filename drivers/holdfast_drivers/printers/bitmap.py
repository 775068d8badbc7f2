"""Dots for what a printer cannot draw itself: text in any script its font covers, symbols, and `GS v 0` around them."""

from __future__ import annotations

from functools import cache
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from holdfast_drivers.printers.symbols import Modules

LINE_DOTS = 30
"""Height of one line of text, the usual line spacing of ESC/POS printers (font A's 24 dots and a gap)."""

_CELL_DOTS = 12
_FONT_SIZE = 20
"""DejaVu Sans Mono is 12 dots wide at 20."""


def text_bitmap(line: str, *, x: int, dots: int, bold: bool, big: bool, font: Path | None) -> Any:
    """`line` drawn at dot `x` on a Pillow mode `1` image `dots` wide, one line high (two when `big`).

    The default font covers Latin, Greek, Cyrillic, Georgian, Arabic, currency signs, arrows and box drawing; not CJK,
    Hebrew, Thai, Indic scripts or emoji, which need `font`. A character the font lacks is drawn as its hollow box.
    """
    scale = 2 if big else 1
    image = import_module("PIL.Image").new("1", (dots, LINE_DOTS * scale))
    draw = import_module("PIL.ImageDraw").Draw(image)
    face = load_font(_FONT_SIZE * scale, font)
    for shift in (0, scale) if bold else (0,):
        draw.text((x + shift, LINE_DOTS * scale * 4 // 5), line, fill=1, font=face, anchor="ls")
    return image


def modules_bitmap(modules: Modules, *, scale: int, bar_dots: int | None = None) -> Any:
    """A symbol as a Pillow mode `1` image, `scale` dots per module; `bar_dots` is the height of a one-row symbol."""
    image = import_module("PIL.Image").new("1", (len(modules[0]), len(modules)))
    image.putdata([module for row in modules for module in row])
    return image.resize((len(modules[0]) * scale, bar_dots or len(modules) * scale))


def centred(image: Any, dots: int) -> Any:
    """`image` in the middle of one that is `dots` wide. Raises ValueError: wider than the paper."""
    if image.width > dots:
        raise ValueError(f"{image.width} dots do not fit {dots}")
    sheet = import_module("PIL.Image").new("1", (dots, image.height))
    sheet.paste(image, ((dots - image.width) // 2, 0))
    return sheet


def raster(image: Any) -> bytes:
    """`image` (Pillow mode `1`, 1 is ink) as one `GS v 0` command."""
    row_bytes = (image.width + 7) // 8
    size = row_bytes.to_bytes(2, "little") + image.height.to_bytes(2, "little")
    return b"".join((b"\x1dv0\x00", size, image.tobytes()))


@cache
def load_font(size: int, path: Path | None = None) -> Any:
    """A Pillow font; None: DejaVu Sans Mono (Bitstream Vera licence), which python-barcode carries."""
    font = import_module("PIL.ImageFont")
    if path is not None:
        return font.truetype(str(path), size)
    with resources.as_file(resources.files("barcode") / "fonts" / "DejaVuSansMono.ttf") as default:
        return font.truetype(str(default), size)
