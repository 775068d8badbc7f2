"""A Document block by block on a sheet of one printer model; the bytes are the affair of each language's Sheet.

Pure and deterministic; milliseconds of CPU and, at first use, the import of python-escpos: call it in a thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, assert_never

from holdfast_drivers.barcodes.gs1 import format_element_string, parse_brackets
from holdfast_drivers.printers import bitmap, layout, symbols
from holdfast_drivers.printers.linear import linear_modules
from holdfast_drivers.printers.profiles import Profile, escpos_module
from holdfast_drivers.values import Align, Barcode, Block, Columns, Document, Feed, Image, Rule, Symbol, Text

BAR_DOTS = 80
_BAR_WIDTHS = (3, 2)
"""Dots per module that scanners read, the better one first."""
_QR_SIZES = (6, 5, 4, 3)
_QR_QUIET = 8
"""Light modules a QR code needs on its two sides together."""
_TEAR_LINES = 4
"""Feed that brings the last line past the tear bar of a printer without cutter."""


@dataclass(frozen=True, slots=True)
class Look:
    """How characters stand on a line."""

    align: Align = Align.LEFT
    bold: bool = False
    big: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """A linear barcode."""

    symbol: Symbol
    text: str
    """As a person reads it."""
    command: bytes
    """EAN-13: the digits; else the argument of `GS k 73`."""
    modules: symbols.Modules
    width: int
    """Dots per module."""


class Sheet(ABC):
    """Collects bytes; remembers the look and code page in force, so that they are sent only when they change."""

    line_rows: ClassVar[int] = bitmap.LINE_DOTS
    """Height of a line drawn as dots."""
    pages: Sequence[str]
    """Code pages of the model by their names in the printer database, preferred first."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.out = bytearray()
        self.dots = profile.dots // 8 * 8
        """Widest picture: rasters count whole bytes."""
        self._page: str | None = None

    @abstractmethod
    def put(self, runs: list[tuple[str, str]], look: Look) -> None:
        """One line of text: (code page, text) runs."""

    @abstractmethod
    def picture(self, image: Any) -> None:
        """A Pillow mode `1` image as wide as `dots`, 1 is ink."""

    def drawn_line(self, image: Any) -> None:
        """A line of text as a picture, `line_rows` or twice as high."""
        self.picture(image)

    @abstractmethod
    def bars(self, bars: Bars, *, caption: bool) -> bool:
        """A linear barcode by the printer's own command; False when the model cannot."""

    @abstractmethod
    def qr(self, data: str, size: int) -> bool:
        """A QR code by the printer's own command; False when the model cannot."""

    @abstractmethod
    def gap(self) -> None:
        """Some blank dots between text and symbol, the quiet zone above."""

    @abstractmethod
    def feed(self, lines: int) -> None: ...

    @abstractmethod
    def cut(self) -> None:
        """Feed to the cutter and cut."""

    def document(self, document: Document) -> bytes:
        """Raises ValueError: data that its symbol cannot carry."""
        for block in document.blocks:
            _print_block(self, block)
        if document.cut and self.profile.cutter:
            self.cut()
        elif document.cut:
            self.feed(_TEAR_LINES)
        return bytes(self.out)

    def line(self, line: str, look: Look) -> None:
        """One line that fits the paper, as text if some code pages hold all of it, else as dots."""
        runs = self._runs(line)
        if runs is None:
            self.drawn_line(self._drawn(line, look))
        else:
            self.put(runs, look)

    def _drawn(self, line: str, look: Look) -> Any:
        scale = 2 if look.big else 1
        cell = self.profile.dots // self.profile.columns
        free = self.dots - layout.width(line) * cell * scale
        x = max(0, {Align.LEFT: 0, Align.CENTRE: free // 2, Align.RIGHT: free}[look.align])
        return bitmap.text_bitmap(
            line,
            x=x,
            dots=self.dots,
            cell=cell,
            bold=look.bold,
            big=look.big,
            font=self.profile.font,
            rows=self.line_rows,
        )

    def _runs(self, line: str) -> list[tuple[str, str]] | None:
        """`line` in (code page, text) runs, few page changes; None when a character has no page."""
        runs = []
        while True:
            page, length = self._longest(line)
            if line and not length:
                return None
            self._page = page
            runs.append((page, line[:length]))
            line = line[length:]
            if not line:
                return runs

    def _longest(self, line: str) -> tuple[str, int]:
        """The page that holds most first characters of `line`, and how many; the page in force wins a tie."""
        names = [*([] if self._page is None else [self._page]), *self.pages]
        best = (names[0], _prefix(names[0], line))
        for name in names[1:]:
            if best[1] == len(line):
                break
            best = max(best, (name, _prefix(name, line)), key=lambda found: found[1])
        return best


@cache
def _upper_half(page: str) -> frozenset[str]:
    """The characters that the code page holds beyond ASCII."""
    return frozenset(bytes(range(0x80, 0x100)).decode(codec(page), "ignore"))


def pages_of(profile: Profile) -> dict[int, str]:
    """The model's code pages by their `ESC t` number, in Python's names: for a virtual printer of that model."""
    return {number: codec(page) for page, number in profile.pages}


@cache
def codec(page: str) -> str:
    """Python's name for a code page of the printer database."""
    return str(escpos_module("codepages").CodePages.get_encoding(page)["python_encode"])


def _prefix(page: str, line: str) -> int:
    """How many first characters of `line` the code page holds."""
    if line.isascii():
        return len(line)
    held = _upper_half(page)
    lacking = (i for i, char in enumerate(line) if not (char.isascii() or char in held))
    return next(lacking, len(line))


def _print_block(sheet: Sheet, block: Block) -> None:
    columns = sheet.profile.columns
    match block:
        case Text():
            for line in layout.wrap(layout.clean(block.text), columns // 2 if block.big else columns):
                sheet.line(line, Look(block.align, block.bold, block.big))
        case Columns():
            left, right = layout.clean(block.left), layout.clean(block.right)
            for line in layout.two_columns(left, right, columns):
                sheet.line(line, Look(bold=block.bold))
        case Rule():
            sheet.line("─" * columns, Look())
        case Feed():
            sheet.feed(block.lines)
        case Barcode():
            sheet.gap()
            _print_barcode(sheet, block)
        case Image():
            sheet.picture(bitmap.centred(bitmap.unpacked(block, sheet.dots), sheet.dots))
        case _:
            assert_never(block)


def _print_barcode(sheet: Sheet, block: Barcode) -> None:
    match block.symbol:
        case Symbol.CODE128:
            command = symbols.code128_command(block.data)
            _print_linear(sheet, block, command, symbols.code128_modules(command))
        case Symbol.GS1_128:
            command = symbols.gs1_128_command(format_element_string(parse_brackets(block.data).elements))
            _print_linear(sheet, block, command, symbols.code128_modules(command))
        case Symbol.EAN13:
            if not symbols.ean13_check(block.data):
                raise ValueError(f"not an EAN-13: {block.data!r}")
            _print_linear(sheet, block, block.data.encode(), linear_modules("ean13", block.data))
        case Symbol.QR:
            _print_qr(sheet, block)
        case _:
            assert_never(block.symbol)


def _print_linear(sheet: Sheet, block: Barcode, command: bytes, modules: symbols.Modules) -> None:
    width = next((w for w in _BAR_WIDTHS if len(modules[0]) * w <= sheet.profile.dots), None)
    if width is None:
        _print_qr(sheet, block)
        return
    own_caption = block.caption and block.symbol is not Symbol.GS1_128  # printers leave out the brackets
    if not sheet.bars(Bars(block.symbol, block.data, command, modules, width), caption=own_caption):
        own_caption = False
        sheet.picture(bitmap.centred(bitmap.modules_bitmap(modules, scale=width, bar_dots=BAR_DOTS), sheet.dots))
    if not own_caption:
        _print_caption(sheet, block)


def _print_qr(sheet: Sheet, block: Barcode) -> None:
    data = block.data.encode()
    side = symbols.qr_side(len(data)) + _QR_QUIET
    size = next((s for s in _QR_SIZES if side * s <= sheet.profile.dots), None)
    if size is None:
        raise ValueError(f"a QR code of {len(data)} bytes does not fit {sheet.profile.dots} dots")
    if not sheet.qr(block.data, size):
        modules = symbols.qr_modules(data)
        sheet.picture(bitmap.centred(bitmap.modules_bitmap(modules, scale=size), sheet.dots))
    _print_caption(sheet, block)


def _print_caption(sheet: Sheet, block: Barcode) -> None:
    if block.caption:
        for line in layout.wrap(layout.clean(block.data), sheet.profile.columns):
            sheet.line(line, Look(align=Align.CENTRE))
