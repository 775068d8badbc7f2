"""What a printer puts on paper, as values. Dots are counted from the left edge and from the last cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast_drivers.values import Align

_CELLS = {0: (12, 24), 1: (9, 17)}
"""Font A and B, dots."""


@dataclass(frozen=True, slots=True)
class Style:
    font: int = 0
    wide: int = 1
    tall: int = 1
    bold: bool = False
    underline: int = 0
    """Thickness in dots."""
    invert: bool = False
    upside_down: bool = False

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height of a character in dots."""
        width, height = _CELLS[self.font]
        return width * self.wide, height * self.tall


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one style, each `step` dots after the one before."""

    x: int
    text: str
    style: Style
    step: int

    @property
    def size(self) -> tuple[int, int]:
        return self.step * len(self.text), self.style.cell[1]


@dataclass(frozen=True, slots=True)
class Picture:
    """Packed rows, most significant bit left, 1 is ink; printed `scale` (x, y) times as large."""

    x: int
    width: int
    height: int
    rows: bytes
    scale: tuple[int, int] = (1, 1)

    @property
    def size(self) -> tuple[int, int]:
        return self.width * self.scale[0], self.height * self.scale[1]


@dataclass(frozen=True, slots=True)
class Line:
    """What one line feed put on paper; no pieces for a blank line."""

    y: int
    height: int
    pieces: tuple[Run | Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Symbol:
    """A barcode the printer draws itself, `height` dots of paper with its caption."""

    y: int
    height: int
    kind: str
    """`qr`, `code128`, `ean13`, `ean8`, `upca`, `code39`, `itf`, `codabar`; others are known by name, not by looks."""
    data: bytes
    module: int
    align: Align = Align.LEFT
    bar_height: int = 0
    caption: int = 0
    """GS H: 0 none, 1 above, 2 below, 3 both."""
    level: str = "M"
    """QR error correction."""


@dataclass(frozen=True, slots=True)
class Cut:
    full: bool


@dataclass(frozen=True, slots=True)
class Pulse:
    """A drawer kick that came in the stream."""

    pin: int
    on_ms: int


@dataclass(frozen=True, slots=True)
class Request:
    """A command that the printer answers, or obeys as a machine, in order: ESC @, GS r, GS I, GS a, GS ( H."""

    prefix: bytes
    args: bytes


Item = Line | Symbol | Cut | Pulse | Request


@dataclass(frozen=True, slots=True)
class Receipt:
    """The paper between two cuts."""

    dots: int
    items: tuple[Item, ...]

    @property
    def height(self) -> int:
        """Dots."""
        return max((item.y + item.height for item in self.items if isinstance(item, Line | Symbol)), default=0)


def torn(items: Iterable[Item], dots: int) -> list[Receipt]:
    """The strips of paper that the cuts among `items` leave, and what follows the last cut; none without print."""
    strips: list[list[Item]] = [[]]
    for item in items:
        if isinstance(item, Cut):
            strips.append([])
        elif isinstance(item, Line | Symbol):
            strips[-1].append(item)
    return [Receipt(dots, tuple(strip)) for strip in strips if strip]
