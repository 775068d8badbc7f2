"""A print head and its paper feed: modes, the line being filled, and what has been printed. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from holdfast_drivers.printers.paper import Cut, Item, Line, Picture, Run, Style, Symbol
from holdfast_drivers.printers.profiles import database
from holdfast_drivers.values import Align

EPSON_PAGES: Mapping[int, str] = {
    0: "cp437",
    1: "katakana",
    2: "cp850",
    3: "cp860",
    4: "cp863",
    5: "cp865",
    13: "cp857",
    14: "cp737",
    15: "iso8859_7",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
    21: "iso8859_11",
    30: "TCVN-3-1",
    31: "TCVN-3-2",
    32: "cp720",
    33: "cp775",
    34: "cp855",
    35: "cp861",
    36: "cp862",
    37: "cp864",
    38: "cp869",
    39: "iso8859_2",
    40: "iso8859_15",
    45: "cp1250",
    46: "cp1251",
    47: "cp1253",
    48: "cp1254",
    49: "cp1255",
    50: "cp1256",
    51: "cp1257",
    52: "cp1258",
    53: "kz1048",
}
"""`ESC t` numbers of current Epson models and the Python codec of each, or a page of the printer database."""

_KATAKANA = "".join(
    (
        "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯\xa0",
        *map(chr, range(0xFF61, 0xFFA0)),
        "═╞╪╡◢◣◥◤♠♥♦♣●○\u2571\u2572\u2573円年月日時分秒〒市区町村人▒\xa0",
    )
)
"""Page 1 from 0x80 on, which Python has no codec for."""

_DATABASE_PAGES = frozenset(("TCVN-3-1", "TCVN-3-2"))

_COUNTRY_POSITIONS = "#$@[\\]^`{|}~"
_COUNTRIES = (
    *("#$@[\\]^`{|}~", "#$à°ç§^`éùè¨", "#$§ÄÖÜ^`äöüß", "£$@[\\]^`{|}~", "#$@ÆØÅ^`æøå~"),
    *("#¤ÉÄÖÅÜéäöåü", "#$@°\\é^ùàòèì", "₧$@¡Ñ¿^`¨ñ}~", "#$@[¥]^`{|}~", "#¤ÉÆØÅÜéæøåü"),
    *("#$ÉÆØÅÜéæøåü", "#$á¡Ñ¿é`íñóú", "#$á¡Ñ¿éüíñóú", "#$@[₩]^`{|}~"),
)
"""What `ESC R` n puts at the twelve positions: USA, France, Germany, UK, Denmark, Sweden, Italy, Spain, Japan, ..."""

UTF_8 = "utf-8"
"""A page that is no page: characters of several bytes."""

_MAX_PIECES = 512
"""On one line; a stream that overprints one spot for ever is cut into lines here."""
_CAPTION_DOTS = 26


@dataclass(slots=True)
class Modes:
    """Everything that ESC @ resets."""

    style: Style = field(default_factory=Style)
    align: Align = Align.LEFT
    spacing: int = 30
    """Dots per line feed; ESC 2 sets about 1/6 inch."""
    char_gap: int = 0
    left: int = 0
    width: int | None = None
    """Of the print area, dots; None: all that is right of `left`."""
    page: int = 0
    country: int = 0
    tabs: tuple[int, ...] = tuple(range(8, 256, 8))
    bar_height: int = 162
    bar_module: int = 3
    bar_caption: int = 0
    qr_module: int = 3
    qr_level: str = "L"
    qr_data: bytes = b""
    one_line: bool = False
    """Bematech: double width or height ends with the line."""
    pulse_ms: int = 200
    """Star: how long a drawer pulse lasts."""


class PrintHead:
    """Fills lines `dots` wide; `take` hands over what is on paper since the last call."""

    def __init__(self, dots: int, pages: Mapping[int, str]) -> None:
        self.modes = Modes()
        self.graphics: Picture | None = None
        """Stored by GS ( L, waiting for its print command."""
        self.download: Picture | None = None
        """Stored by GS *."""
        self._dots = dots
        self.pages = pages
        """Number and codec of each code page, or `utf-8`."""
        self._pieces: list[Run | Picture] = []
        self._x = 0
        self._y = 0
        self._items: list[Item] = []
        self._utf8 = codecs.getincrementaldecoder(UTF_8)("replace")

    def take(self) -> list[Item]:
        items, self._items = self._items, []
        return items

    def emit(self, item: Item) -> None:
        self._items.append(item)

    def reset(self) -> None:
        """ESC @: power-on modes, and the line begun is gone."""
        self.modes = Modes()
        self._pieces.clear()
        self._x = 0

    def text(self, raw: bytes) -> None:
        """Characters of the page in force; a full line is printed."""
        codec = self.pages.get(self.modes.page)
        if codec == UTF_8:
            text = self._utf8.decode(raw)
        else:
            text = raw.decode("latin-1").translate(_characters(codec, self.modes.country))
        step = self.modes.style.cell[0] + self.modes.char_gap
        while text:
            room = (self._area() - self._x) // step
            if self._pieces and (room < 1 or len(self._pieces) >= _MAX_PIECES):
                self.line_feed()
                continue
            room = max(room, 1)
            self._pieces.append(Run(self._x, text[:room], self.modes.style, step))
            self._x += step * min(room, len(text))
            text = text[room:]

    def column_image(self, picture: Picture) -> None:
        """A bit image inside the line."""
        if len(self._pieces) >= _MAX_PIECES:
            self.line_feed()
        self._pieces.append(replace(picture, x=self._x))
        self._x += picture.size[0]

    def move(self, x: int) -> None:
        """Go on printing `x` dots right of the left margin; outside the area nothing happens."""
        if 0 <= x <= self._area():
            self._x = x

    def move_by(self, dots: int) -> None:
        self.move(self._x + dots)

    def tab(self) -> None:
        """To the next tab stop, counted in characters."""
        cell = self.modes.style.cell[0] + self.modes.char_gap
        self.move(next((stop * cell for stop in self.modes.tabs if stop * cell > self._x), self._x))

    def line_feed(self, least: int | None = None) -> None:
        """Print the line and advance by the line spacing, or by `least` dots, but past what is on the line."""
        tallest = max((piece.size[1] for piece in self._pieces), default=0)
        height = max(tallest, self.modes.spacing if least is None else least)
        shift = self.modes.left + self._offset(self._x)
        pieces = tuple(replace(piece, x=piece.x + shift) for piece in self._pieces)
        self._items.append(Line(self._y, height, pieces))
        self._pieces.clear()
        self._x = 0
        self._y += height

    def flush(self) -> None:
        """Print the line if anything is on it."""
        if self._pieces:
            self.line_feed()

    def picture(self, picture: Picture) -> None:
        """Print a picture on a line of its own."""
        self.flush()
        self.column_image(picture)
        self.line_feed(0)

    def symbol(self, kind: str, data: bytes, *, module: int, height: int, caption: int = 0, level: str = "M") -> None:
        """Print a barcode on lines of its own."""
        self.flush()
        paper = height + _CAPTION_DOTS * (0, 1, 1, 2)[caption]
        self._items.append(Symbol(self._y, paper, kind, data, module, self.modes.align, height, caption, level))
        self._y += paper

    def cut(self, full: bool) -> None:
        self.flush()
        self._items.append(Cut(full))
        self._y = 0

    def _area(self) -> int:
        room = self._dots - self.modes.left
        return max(0, room if self.modes.width is None else min(self.modes.width, room))

    def _offset(self, used: int) -> int:
        free = max(0, self._area() - used)
        return {Align.LEFT: 0, Align.CENTRE: free // 2, Align.RIGHT: free}[self.modes.align]


@cache
def _characters(codec: str | None, country: int) -> dict[int, str]:
    """What each byte prints as; U+FFFD where the page has nothing."""
    table = dict(zip(map(ord, _COUNTRY_POSITIONS), _COUNTRIES[country], strict=True))
    return table | dict(enumerate(_upper_half(codec or "ascii"), start=0x80))


def _upper_half(codec: str) -> str:
    if codec == "katakana":
        return _KATAKANA
    if codec in _DATABASE_PAGES:
        return "".join(database()["encodings"][codec]["data"])
    return bytes(range(0x80, 0x100)).decode(codec, "replace")
