"""Dots for what a printer cannot draw itself: text in any script its font covers, symbols, and `GS v 0` around them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from holdfast_drivers.printers.symbols import Modules
from holdfast_drivers.values import Image

LINE_DOTS = 30
"""Height of one line of text, the usual line spacing of ESC/POS printers (font A's 24 dots and a gap)."""

_FONT = Path(__file__).with_name("fonts") / "DejaVuSansMono.ttf"

CELL_DOTS = 12
_FONT_SIZE = 20
"""DejaVu Sans Mono is 12 dots wide at 20."""

_BAND_ROWS = 256
"""Rows of one raster: small printers hold a whole one before they print it."""

_MAX_PIXELS = 50_000_000
"""Of a picture file; a phone's photo has 12 million."""


def text_bitmap(
    line: str, *, x: int, dots: int, cell: int, bold: bool, big: bool, font: Path | None, rows: int = LINE_DOTS
) -> Any:
    """`line` drawn at dot `x`, `cell` dots a character, on a Pillow mode `1` image `dots` wide and `rows` high.

    `big` is twice as wide and high.

    The default font covers Latin, Greek, Cyrillic, Armenian, Georgian, Arabic, currency signs, arrows and box drawing;
    not CJK, Hebrew, Thai, Indic scripts or emoji, which need `font`. What the font lacks is drawn as its hollow box.
    """
    scale = 2 if big else 1
    image = import_module("PIL.Image").new("1", (dots, rows * scale))
    draw = import_module("PIL.ImageDraw").Draw(image)
    face = load_font(_FONT_SIZE * min(cell, CELL_DOTS) // CELL_DOTS * scale, font)
    for shift in (0, scale) if bold else (0,):
        draw.text((x + shift, rows * scale * 4 // 5), line, fill=1, font=face, anchor="ls")
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
    """`image` (Pillow mode `1`, 1 is ink) as `GS v 0` commands, band after band."""
    row_bytes = (image.width + 7) // 8
    rows = image.tobytes()
    bands = []
    for top in range(0, image.height, _BAND_ROWS):
        height = min(_BAND_ROWS, image.height - top)
        size = row_bytes.to_bytes(2, "little") + height.to_bytes(2, "little")
        bands += [b"\x1dv0\x00", size, rows[top * row_bytes : (top + height) * row_bytes]]
    return b"".join(bands)


def columns(image: Any) -> bytes:
    """`image` (Pillow mode `1`, whole bytes high) column by column, the most significant bit at the top."""
    return bytes(image.transpose(import_module("PIL.Image").Transpose.TRANSPOSE).tobytes())


def stripes(image: Any, height: int) -> list[bytes]:
    """`columns` of `image` in stripes of `height` rows, the last one filled up with white."""
    return [columns(image.crop((0, top, image.width, top + height))) for top in range(0, image.height, height)]


def unpacked(block: Image, dots: int) -> Any:
    """`block` as a Pillow mode `1` image, made smaller when it is wider than `dots`."""
    image = import_module("PIL.Image").frombytes("1", (block.width, block.height), block.rows)
    return image if block.width <= dots else image.resize((dots, max(1, block.height * dots // block.width)))


def load_picture(path: Path, *, dots: int, rows: int) -> Image:
    """The picture file at `path`, at most `dots` wide and `rows` high, in black dots (Floyd-Steinberg) on white.

    Raises OSError: unreadable, or no picture that Pillow knows. Tens of milliseconds: not on the event loop.
    """
    library = import_module("PIL.Image")
    with library.open(path) as file:
        if file.width * file.height > _MAX_PIXELS:
            raise OSError(f"{path}: {file.width} x {file.height} pixels are too many")
        coloured = file.convert("RGBA")
    coloured.thumbnail((dots, rows))
    grey = library.new("RGBA", coloured.size, "white")
    grey.alpha_composite(coloured)
    ink = import_module("PIL.ImageOps").invert(grey.convert("L")).convert("1")
    return Image(ink.width, ink.height, ink.tobytes())


@cache
def load_font(size: int, path: Path | None = None) -> Any:
    """A Pillow font; None: DejaVu Sans Mono, which lies beside this."""
    return import_module("PIL.ImageFont").truetype(str(path or _FONT), size)
