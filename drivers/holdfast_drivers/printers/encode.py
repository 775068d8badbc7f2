"""A Document as ESC/POS bytes for one printer model.

Pure and deterministic; milliseconds of CPU and, at first use, the import of python-escpos: call it in a thread.
Proof of printing is the driver's affair and not in these bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, assert_never

from holdfast_drivers.printers import bitmap, layout, symbols
from holdfast_drivers.printers.profiles import Profile, escpos_module
from holdfast_drivers.values import Align, Barcode, Block, Columns, Document, Feed, Rule, Symbol, Text

RESET = b"\x1b@"
_PREAMBLE = RESET + b"\x1bR\x00" + b"\x1c."
"""Power-on modes, the plain ASCII character set, and out of the double-byte mode that some units start in."""

_BAR_DOTS = 80
_BAR_WIDTHS = (3, 2)
"""Dots per module that scanners read, the better one first."""
_QR_SIZES = (6, 5, 4, 3)
_QR_QUIET = 8
"""Light modules a QR code needs on its two sides together."""
_GAP = b"\x1bJ\x14"
"""ESC J: 20 dots between text and symbol, the quiet zone above."""
_TEAR_LINES = 4
"""Feed that brings the last line past the tear bar of a printer without cutter."""


def encode(document: Document, profile: Profile) -> bytes:
    """The bytes that print `document` on a printer of `profile`.

    Text that no code page of the model holds is sent as dots, line by line. A linear barcode too wide for the paper is
    printed as a QR code of the same content. Raises ValueError: data that its symbol cannot carry.
    """
    sheet = _Sheet(profile)
    for block in document.blocks:
        _print_block(sheet, block)
    if document.cut:
        sheet.cut()
    return _PREAMBLE + bytes(sheet.out)


@dataclass(frozen=True, slots=True)
class _Style:
    align: Align = Align.LEFT
    bold: bool = False
    big: bool = False


class _Sheet:
    """Collects bytes; remembers the style in force, so that it is sent only when it changes."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.out = bytearray()
        self._dots = profile.dots // 8 * 8
        """Widest picture: `GS v 0` counts whole bytes."""
        self._printer = escpos_module("printer.dummy").Dummy(profile=profile.name)
        self._page: str | None = None
        self._style = _Style()

    def line(self, line: str, style: _Style) -> None:
        """One line that fits the paper, as text if some code pages hold all of it, else as dots."""
        runs = self._runs(line)
        if runs is None:
            self._raster_line(line, style)
            return
        self._set_style(style)
        for page, text in runs:
            self._printer.magic.force_encoding(page)
            self._printer.text(text)
        self._printer.text("\n")
        self._collect()

    def raw(self, command: bytes, style: _Style = _Style(align=Align.CENTRE)) -> None:
        """A command that prints under `style`."""
        self._set_style(style)
        self._collect()
        self.out += command

    def image(self, image: Any) -> None:
        """Dots in the middle of the paper."""
        self.raw(bitmap.raster(bitmap.centred(image, self._dots)), _Style())

    def qr(self, data: str, size: int) -> None:
        self._set_style(_Style(align=Align.CENTRE))
        library = escpos_module("constants")
        self._printer.qr(data, ec=library.QR_ECLEVEL_M, size=size, native=True)
        self._collect()

    def feed(self, lines: int) -> None:
        self._printer.print_and_feed(min(lines, 255))
        self._collect()

    def cut(self) -> None:
        """Feed to the cutter and cut (`GS V 66 0`), or to the tear bar."""
        if not self.profile.cutter:
            self.feed(_TEAR_LINES)
            return
        self._printer.cut(feed=False)
        self._collect()

    def _set_style(self, style: _Style) -> None:
        if style == self._style:
            return
        big = {"double_width": True, "double_height": True} if style.big else {"normal_textsize": True}
        self._printer.set(align=_ALIGN[style.align], bold=style.bold, **big)
        self._style = style

    def _raster_line(self, line: str, style: _Style) -> None:
        scale = 2 if style.big else 1
        cell = self.profile.dots // self.profile.columns
        free = self._dots - layout.width(line) * cell * scale
        x = max(0, {Align.LEFT: 0, Align.CENTRE: free // 2, Align.RIGHT: free}[style.align])
        image = bitmap.text_bitmap(line, x=x, dots=self._dots, bold=style.bold, big=style.big, font=self.profile.font)
        self.raw(bitmap.raster(image), _Style())

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
        names = [name for name, _ in self.profile.pages]
        if self._page is not None:
            names.insert(0, self._page)
        best = (names[0], _prefix(names[0], line))
        for name in names[1:]:
            if best[1] == len(line):
                break
            best = max(best, (name, _prefix(name, line)), key=lambda found: found[1])
        return best

    def _collect(self) -> None:
        self.out += self._printer.output
        self._printer.clear()


@cache
def _upper_half(page: str) -> frozenset[str]:
    """The characters that the code page holds beyond ASCII."""
    codec = escpos_module("codepages").CodePages.get_encoding(page)["python_encode"]
    return frozenset(bytes(range(0x80, 0x100)).decode(codec, "ignore"))


def _prefix(page: str, line: str) -> int:
    """How many first characters of `line` the code page holds."""
    held = _upper_half(page)
    lacking = (i for i, char in enumerate(line) if not (char.isascii() or char in held))
    return next(lacking, len(line))


_ALIGN = {Align.LEFT: "left", Align.CENTRE: "center", Align.RIGHT: "right"}


def _print_block(sheet: _Sheet, block: Block) -> None:
    columns = sheet.profile.columns
    match block:
        case Text():
            for line in layout.wrap(layout.clean(block.text), columns // 2 if block.big else columns):
                sheet.line(line, _Style(block.align, block.bold, block.big))
        case Columns():
            left, right = layout.clean(block.left), layout.clean(block.right)
            for line in layout.two_columns(left, right, columns):
                sheet.line(line, _Style(bold=block.bold))
        case Rule():
            sheet.line("─" * columns, _Style())
        case Feed():
            sheet.feed(block.lines)
        case Barcode():
            _print_barcode(sheet, block)
        case _:
            assert_never(block)


def _print_barcode(sheet: _Sheet, block: Barcode) -> None:
    sheet.raw(_GAP)
    match block.symbol:
        case Symbol.CODE128:
            command = symbols.code128_command(block.data)
            _print_linear(sheet, block, b"\x49", command, symbols.code128_modules(command))
        case Symbol.EAN13:
            if not symbols.ean13_check(block.data):
                raise ValueError(f"not an EAN-13: {block.data!r}")
            modules = symbols.linear_modules("ean13", block.data)
            _print_linear(sheet, block, b"\x43", block.data.encode(), modules)
        case Symbol.QR:
            _print_qr(sheet, block)
        case _:
            assert_never(block.symbol)


def _print_linear(sheet: _Sheet, block: Barcode, kind: bytes, command: bytes, modules: symbols.Modules) -> None:
    width = next((w for w in _BAR_WIDTHS if len(modules[0]) * w <= sheet.profile.dots), None)
    if width is None:
        _print_qr(sheet, block)
    elif sheet.profile.barcodes:
        setup = b"\x1dh" + bytes([_BAR_DOTS]) + b"\x1dw" + bytes([width])
        caption = b"\x1df\x00\x1dH" + (b"\x02" if block.caption else b"\x00")
        sheet.raw(setup + caption + b"\x1dk" + kind + bytes([len(command)]) + command)
    else:
        sheet.image(bitmap.modules_bitmap(modules, scale=width, bar_dots=_BAR_DOTS))
        _print_caption(sheet, block)


def _print_qr(sheet: _Sheet, block: Barcode) -> None:
    data = block.data.encode()
    side = symbols.qr_side(len(data)) + _QR_QUIET
    size = next((s for s in _QR_SIZES if side * s <= sheet.profile.dots), None)
    if size is None:
        raise ValueError(f"a QR code of {len(data)} bytes does not fit {sheet.profile.dots} dots")
    if sheet.profile.qr:
        sheet.qr(block.data, size)
    else:
        sheet.image(bitmap.modules_bitmap(symbols.qr_modules(data), scale=size))
    _print_caption(sheet, block)


def _print_caption(sheet: _Sheet, block: Barcode) -> None:
    if block.caption:
        for line in layout.wrap(layout.clean(block.data), sheet.profile.columns):
            sheet.line(line, _Style(align=Align.CENTRE))
