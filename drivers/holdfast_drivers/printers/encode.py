"""A Document as ESC/POS bytes for one printer model.

Pure and deterministic; milliseconds of CPU and, at first use, the import of python-escpos: call it in a thread.
Proof of printing is the driver's affair and not in these bytes.
"""

from __future__ import annotations

from typing import Any

from holdfast_drivers.printers import bitmap
from holdfast_drivers.printers.profiles import Profile, escpos_module
from holdfast_drivers.printers.sheet import BAR_DOTS, Bars, Look, Sheet, codec
from holdfast_drivers.values import Align, Document, Symbol

RESET = b"\x1b@"
_PREAMBLE = RESET + b"\x1bR\x00" + b"\x1c."
"""Power-on modes, the plain ASCII character set, and out of the double-byte mode that some units start in."""
_GAP = b"\x1bJ\x14"
_KINDS = {Symbol.CODE128: b"\x49", Symbol.GS1_128: b"\x49", Symbol.EAN13: b"\x43"}
"""`GS k` form B. GS1-128 goes as Code 128 that begins with FNC1: older printers have no 74."""
_ALIGN = {Align.LEFT: "left", Align.CENTRE: "center", Align.RIGHT: "right"}
_PLAIN, _CENTRED = Look(), Look(align=Align.CENTRE)


def encode(document: Document, profile: Profile) -> bytes:
    """The bytes that print `document` on a printer of `profile`.

    Text that no code page of the model holds is sent as dots, line by line. A linear barcode too wide for the paper is
    printed as a QR code of the same content. Raises ValueError: data that its symbol cannot carry.
    """
    return _PREAMBLE + _EscPosSheet(profile).document(document)


class _EscPosSheet(Sheet):
    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._numbers = dict(profile.pages)
        self.pages = list(self._numbers)
        self._sent_page = ""
        self._printer = escpos_module("printer.dummy").Dummy(profile=profile.name)
        self._look = Look()

    def put(self, runs: list[tuple[str, str]], look: Look) -> None:
        self._set_look(look)
        self._collect()
        for page, text in runs:
            if page != self._sent_page:
                self.out += b"\x1bt" + bytes([self._numbers[page]])
                self._sent_page = page
            self.out += text.encode(codec(page))
        self.out += b"\n"

    def picture(self, image: Any) -> None:
        """`GS v 0`, or `ESC * 1` in stripes of 8 rows for needle printers, which draws it taller than it is."""
        if self.profile.raster:
            self._raw(bitmap.raster(image), _PLAIN)
            return
        size = image.width.to_bytes(2, "little")
        lines = (b"\x1b*\x01" + size + stripe + b"\n" for stripe in bitmap.stripes(image, 8))
        self._raw(b"\x1b3\x10" + b"".join(lines) + b"\x1b2", _PLAIN)

    def bars(self, bars: Bars, *, caption: bool) -> bool:
        if not self.profile.barcodes:
            return False
        setup = b"\x1dh" + bytes([BAR_DOTS]) + b"\x1dw" + bytes([bars.width])
        below = b"\x1df\x00\x1dH" + (b"\x02" if caption else b"\x00")
        self._raw(setup + below + b"\x1dk" + _KINDS[bars.symbol] + bytes([len(bars.command)]) + bars.command, _CENTRED)
        return True

    def qr(self, data: str, size: int) -> bool:
        if not self.profile.qr:
            return False
        self._set_look(_CENTRED)
        library = escpos_module("constants")
        self._printer.qr(data, ec=library.QR_ECLEVEL_M, size=size, native=True)
        self._collect()
        return True

    def gap(self) -> None:
        self._raw(_GAP, _CENTRED)

    def feed(self, lines: int) -> None:
        self._printer.print_and_feed(min(lines, 255))
        self._collect()

    def cut(self) -> None:
        """`GS V 66 0`."""
        self._printer.cut(feed=False)
        self._collect()

    def _raw(self, command: bytes, look: Look) -> None:
        """A command that prints under `look`."""
        self._set_look(look)
        self._collect()
        self.out += command

    def _set_look(self, look: Look) -> None:
        if look == self._look:
            return
        big = {"double_width": True, "double_height": True} if look.big else {"normal_textsize": True}
        self._printer.set(align=_ALIGN[look.align], bold=look.bold, **big)
        self._look = look

    def _collect(self) -> None:
        self.out += self._printer.output
        self._printer.clear()
