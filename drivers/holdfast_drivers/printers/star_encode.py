"""A Document as Star Line Mode bytes; StarPRNT understands the same commands.

Pure and deterministic; milliseconds of CPU: call it in a thread. Source: STAR Line Mode Command Specifications.
"""

from __future__ import annotations

from typing import Any

from holdfast_drivers.printers import bitmap
from holdfast_drivers.printers.profiles import Profile
from holdfast_drivers.printers.sheet import BAR_DOTS, Bars, Look, Sheet, codec
from holdfast_drivers.values import Align, Document, Symbol

_PREAMBLE = b"\x1b@\x1b\x1eF\x00\x1b \x00\x1bR\x00\x1bz\x01"
"""Power-on modes, font A, no extra gap, the plain ASCII character set, 4 mm a line."""
_PAGES = {
    "CP437": 1,
    "CP858": 4,
    "CP1252": 32,
    "CP852": 5,
    "CP1250": 33,
    "CP737": 15,
    "CP866": 10,
    "CP1251": 34,
    "CP855": 11,
    "CP857": 12,
    "CP865": 9,
    "CP860": 6,
    "CP863": 8,
    "CP861": 7,
}
"""`ESC GS t`, the same on every model; most widely built in first."""
_KINDS = {Symbol.CODE128: 6, Symbol.EAN13: 3}
"""`ESC b`."""
_NARROWEST = 2
"""Dots a module in width mode 1."""
_CODE_B = 11
"""Modules a character of Code 128 takes in set B; start, check and stop take 35."""
_GAP = b"\x1bJ\x0a"
"""2.5 mm."""
_STRIPE = 24
"""Rows of a bit image."""
_LEADING = 4
"""Quarters of a millimetre from a stripe to the next line of text."""
_QR_LARGEST = 8
_ALIGN = {Align.LEFT: 0, Align.CENTRE: 1, Align.RIGHT: 2}


def encode(document: Document, profile: Profile) -> bytes:
    """The bytes that print `document` on a Star printer as wide as `profile`; its code pages are Star's.

    Text that no code page holds is sent as dots, line by line. A linear barcode too wide for the paper is printed as a
    QR code of the same content. Raises ValueError: data that its symbol cannot carry.
    """
    return _PREAMBLE + _StarSheet(profile).document(document)


class _StarSheet(Sheet):
    line_rows = _STRIPE
    pages = tuple(_PAGES)

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._look = Look()
        self._sent_page = ""

    def put(self, runs: list[tuple[str, str]], look: Look) -> None:
        self._set_look(look)
        for page, text in runs:
            if page != self._sent_page:
                self.out += bytes((0x1B, 0x1D, 0x74, _PAGES[page]))
                self._sent_page = page
            self.out += text.encode(codec(page))
        self.out += b"\n"

    def picture(self, image: Any) -> None:
        """`ESC X`, stripe by stripe with 3 mm feeds between, which is their height."""
        self._set_look(Look())
        self.out += b"\x1b0"
        for stripe in bitmap.stripes(image, _STRIPE):
            self.out += b"\x1bX" + image.width.to_bytes(2, "little") + stripe + b"\n"
        self.out += b"\x1bz\x01"

    def drawn_line(self, image: Any) -> None:
        """One stripe, or two, and up to the height of a line of text."""
        self.picture(image)
        self.out += b"\x1bJ" + bytes([_LEADING * image.height // _STRIPE])

    def bars(self, bars: Bars, *, caption: bool) -> bool:
        """GS1-128 is drawn by us: only newer models have it. So is a Code 128 that fits in the best code sets only."""
        kind = _KINDS.get(bars.symbol)
        data = bars.text.replace("%", "%0").encode()
        widest = len(bars.modules[0]) if bars.symbol is Symbol.EAN13 else len(data) * _CODE_B + 35
        if kind is None or widest * bars.width > self.dots:
            return False
        self._set_look(Look(align=Align.CENTRE))
        head = (0x1B, 0x62, kind, 2 if caption else 1, bars.width - _NARROWEST + 1, BAR_DOTS)
        self.out += bytes(head) + data + b"\x1e"
        return True

    def qr(self, data: str, size: int) -> bool:
        """Model 2, level M."""
        raw = data.encode()
        self._set_look(Look(align=Align.CENTRE))
        self.out += b"\x1b\x1dyS0\x02\x1b\x1dyS1\x01\x1b\x1dyS2" + bytes([min(size, _QR_LARGEST)])
        self.out += b"\x1b\x1dyD1\x00" + len(raw).to_bytes(2, "little") + raw + b"\x1b\x1dyP"
        return True

    def gap(self) -> None:
        self.out += _GAP

    def feed(self, lines: int) -> None:
        self.out += b"\n" * lines

    def cut(self) -> None:
        """`ESC d 3`: feed to the cutter, leave a tab."""
        self.out += b"\x1bd\x03"

    def _set_look(self, look: Look) -> None:
        if look.align is not self._look.align:
            self.out += bytes((0x1B, 0x1D, 0x61, _ALIGN[look.align]))
        if look.bold is not self._look.bold:
            self.out += b"\x1bE" if look.bold else b"\x1bF"
        if look.big is not self._look.big:
            self.out += b"\x1bi\x01\x01" if look.big else b"\x1bi\x00\x00"
        self._look = look
