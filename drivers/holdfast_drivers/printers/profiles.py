"""What a printer model can do, taken from the printer database that python-escpos ships."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

PICKLE_DIR = "ESCPOS_CAPABILITIES_PICKLE_DIR"
"""Where python-escpos keeps its parsed database; a long-lived private folder here saves 0.2 s at start."""

TRUSTED_PAGES = (
    "CP437",
    "CP858",
    "CP1252",
    "CP850",
    "CP852",
    "CP1250",
    "CP737",
    "CP1253",
    "ISO_8859-7",
    "CP866",
    "CP1251",
    "CP855",
    "CP857",
    "CP1254",
    "CP865",
    "CP860",
    "CP863",
    "CP861",
    "CP775",
    "CP1257",
    "ISO_8859-2",
    "ISO_8859-15",
)
"""Left-to-right single-byte pages, most widely built in first. CP858 before the others that also hold `€`
on paper, as some firmware prints older revisions of ISO 8859-7 and CP857 without it."""

DOTS_PER_COLUMN = 12
"""Font A cell width in dots (ESC/POS: font A is 12 x 24)."""

_import_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Profile:
    """One printer model."""

    name: str
    """Key in the printer database, e.g. `TM-T20III`."""
    dots: int
    """Printable width."""
    columns: int
    """Characters of font A on a line."""
    pages: tuple[tuple[str, int], ...]
    """Usable code pages, preferred first: database name and its `ESC t` number on this model."""
    qr: bool = True
    """Draws QR codes itself."""
    barcodes: bool = True
    """Draws Code 128 and EAN-13 itself (`GS k` form B)."""
    cutter: bool = True
    raster: bool = True
    """Prints `GS v 0`."""
    font: Path | None = None
    """Font file for lines no code page can print; None: DejaVu Sans Mono."""


@cache
def load_profile(
    name: str = "default", *, dots: int | None = None, columns: int | None = None, font: Path | None = None
) -> Profile:
    """The model called `name`, with width and columns overridden where given. Raises ValueError: no such model."""
    data = database()["profiles"].get(name)
    if data is None:
        raise ValueError(f"no printer profile {name!r}")
    columns = columns or int(data["fonts"]["0"]["columns"])
    features = data["features"]
    numbers = {page: int(number) for number, page in data["codePages"].items()}
    return Profile(
        name=name,
        dots=dots or _known_dots(data["media"]["width"].get("pixels")) or columns * DOTS_PER_COLUMN,
        columns=columns,
        pages=tuple((page, numbers[page]) for page in TRUSTED_PAGES if page in numbers),
        qr=bool(features["qrCode"]),
        barcodes=bool(features["barcodeB"]),
        cutter=bool(features["paperFullCut"] or features["paperPartCut"]),
        raster=bool(features["bitImageRaster"]),
        font=font,
    )


def profile_names() -> tuple[str, ...]:
    """Every model in the database."""
    return tuple(sorted(database()["profiles"]))


@cache
def escpos_module(name: str) -> Any:
    """A module of python-escpos, imported at first use without its import's side effects.

    Importing it adds a root log handler and pickles its database under a shared temporary folder; here the handler
    is taken off again and the pickle goes to a folder of ours (`PICKLE_DIR` if set, else one that is gone at once).
    """
    with _import_lock, tempfile.TemporaryDirectory(prefix="holdfast-escpos-") as private:
        handlers = list(logging.root.handlers)
        mine = os.environ.setdefault(PICKLE_DIR, private) == private
        try:
            return import_module(f"escpos.{name}")
        finally:
            if mine:
                del os.environ[PICKLE_DIR]
            for handler in set(logging.root.handlers) - set(handlers):
                logging.root.removeHandler(handler)


def database() -> Any:
    """The printer database: `profiles` and `encodings`."""
    return escpos_module("capabilities").CAPABILITIES


def _known_dots(pixels: object) -> int | None:
    return pixels if isinstance(pixels, int) else None
