"""What a two-line customer display understands: Epson's ESC/POS of the DM-D series, and that of the CD5220. Pure.

Sources: Epson, DM-D110 Specification (ESC @, ESC t, pass-through to a printer); Epson, TM-H5000 manual (bits of ESC =);
POS-X XP8200 manual, 4.1.2 (Epson mode: CLR, HOM, US $, US MD1, US C, ESC R, ESC t 0 to 5); CD5220 user's manual, 6.1
and 7.2 (ESC Q A, ESC Q B; nothing but CLR may follow them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from holdfast_drivers.displays.text import best_page, laid_out, spelled
from holdfast_drivers.values import Columns

WIDTH, HEIGHT = 20, 2
CLEAR, HOME, CR = b"\x0c", b"\x0b", b"\r"
INITIALISE = b"\x1b@"
OVERWRITE = b"\x1f\x01"
NO_CURSOR = b"\x1fC\x00"
ASCII_SET = b"\x1bR\x00"
"""International character set 0, USA: `#`, `$`, `[` and their like are what they are."""
TO_PRINTER, TO_DISPLAY = b"\x1b=\x01", b"\x1b=\x02"

PAGES: Mapping[str, int] = {
    "cp437": 0, "cp850": 2, "cp860": 3, "cp863": 4, "cp865": 5, "cp1252": 16, "cp866": 17, "cp852": 18, "cp858": 19,
}  # fmt: skip
"""`ESC t` numbers of the DM-D110; other makers have 0 to 5."""
COMMON_PAGES = ("cp437", "cp850")


class Dialect(Enum):
    EPSON = "epson"
    CD5220 = "cd5220"


@dataclass(frozen=True, slots=True)
class Language:
    """How to speak to one display. Raises ValueError for what does not go together."""

    dialect: Dialect = Dialect.EPSON
    pages: tuple[str, ...] = COMMON_PAGES
    """Code pages it has, preferred first. A CD5220 is told none: the one it is set to, or no page for ASCII alone."""
    pass_through: bool = False
    """It hangs on a printer's line: every command is for the display alone, and the printer is selected after it."""

    def __post_init__(self) -> None:
        if strange := set(self.pages) - PAGES.keys():
            raise ValueError(f"no display has the code page {min(strange)}")
        if self.dialect is Dialect.CD5220 and len(self.pages) > 1:
            raise ValueError("a CD5220 has one code page, the one it is set to")
        if self.dialect is Dialect.CD5220 and self.pass_through:
            raise ValueError("a CD5220 that shows a string takes no command but clear: it cannot give the line back")

    def begin(self) -> bytes:
        """Dark, from whatever state it was left in."""
        setup = OVERWRITE + ASCII_SET + NO_CURSOR if self.dialect is Dialect.EPSON else b""
        return self._alone(INITIALISE + self._selected() + setup + CLEAR)

    def clear(self) -> bytes:
        return self._alone(CLEAR)

    def show(self, upper: Columns, lower: Columns) -> bytes:
        """Both lines, each from its first cell to its last."""
        return self._alone(b"".join(self._line(number, line) for number, line in enumerate((upper, lower))))

    def seen(self, line: Columns) -> str:
        """What a line looks like, cell by cell."""
        page = best_page(line.left + line.right, self.pages)
        return laid_out(spelled(line.left, page), spelled(line.right, page), WIDTH)

    def _line(self, number: int, line: Columns) -> bytes:
        page = best_page(line.left + line.right, self.pages)
        cells = self.seen(line).encode(page)
        if self.dialect is Dialect.CD5220:
            return b"\x1bQ" + b"AB"[number : number + 1] + cells + CR
        table = b"\x1bt" + bytes([PAGES[page]]) if page in PAGES else b""
        return table + b"\x1f$\x01" + bytes([number + 1]) + cells

    def _selected(self) -> bytes:
        return TO_DISPLAY if self.pass_through else b""

    def _alone(self, commands: bytes) -> bytes:
        return self._selected() + commands + (TO_PRINTER if self.pass_through else b"")
