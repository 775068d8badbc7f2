"""Star Line Mode and StarPRNT for the virtual printer: grammar and meaning of the commands a receipt is made of.

Source: Star Micronics, STAR Line Mode Command Specifications; ESC GS S is StarPRNT's. Page mode, raster mode (ESC * r),
logos, presenter and double-byte text are not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from holdfast_drivers.printers.commands import (
    NEED_MORE,
    NONSENSE,
    Grammar,
    Length,
    counted,
    until_nul,
)
from holdfast_drivers.printers.language import (
    Action,
    Language,
    align,
    columns,
    digit,
    draw_qr,
    low_high,
    restyle,
    set_mode,
)
from holdfast_drivers.printers.paper import Picture, Pulse, Request, Style
from holdfast_drivers.printers.printhead import PrintHead

STAR_PAGES: Mapping[int, str] = {
    0: "cp437",
    1: "cp437",
    2: "katakana",
    3: "cp437",
    4: "cp858",
    5: "cp852",
    6: "cp860",
    7: "cp861",
    8: "cp863",
    9: "cp865",
    10: "cp866",
    11: "cp855",
    12: "cp857",
    13: "cp862",
    14: "cp864",
    15: "cp737",
    17: "cp869",
    21: "cp874",
    32: "cp1252",
    33: "cp1250",
    34: "cp1251",
}
"""`ESC GS t` numbers and the Python codec of each."""

_LINEAR = ("upce", "upca", "ean8", "ean13", "code39", "itf", "code128", "code93", "codabar", "gs1-128")
_LEVELS = "LMQH"
_FEED_3_MM, _FEED_4_MM = 24, 32
_COLUMN_DOTS = 12


def _by_letter(lengths: Mapping[str, Length]) -> Length:
    """A letter, then what belongs to it."""

    def length(buffer: bytearray, at: int) -> int:
        if len(buffer) <= at:
            return NEED_MORE
        rule = lengths.get(chr(buffer[at]), NONSENSE)
        rest = rule if isinstance(rule, int) else rule(buffer, at + 1)
        return rest if rest < 0 else 1 + rest

    return length


def _barcode(buffer: bytearray, at: int) -> int:
    """ESC b n1 n2 n3 n4, data, RS."""
    end = buffer.find(0x1E, at + 4, at + 260)
    if end >= 0:
        return end - at + 1
    return NEED_MORE if len(buffer) < at + 260 else NONSENSE


def _raster(buffer: bytearray, at: int) -> int:
    """ESC GS S m xL xH yL yH n, rows."""
    if len(buffer) < at + 6:
        return NEED_MORE
    return 6 + int.from_bytes(buffer[at + 1 : at + 3], "little") * int.from_bytes(buffer[at + 3 : at + 5], "little")


_ESC: dict[str, Length] = {
    **dict.fromkeys("@EF4501MPp:g67", 0),
    **dict.fromkeys(" -_R/WhzAJjIalQdCN$\x06", 1),
    **dict.fromkeys("is\x07", 2),
    "O": 0,
    "D": until_nul,
    "#": until_nul,
    "?": until_nul,
    "*": until_nul,
    "b": _barcode,
    "k": counted(2, 24),
    "X": counted(2, 3),
    "K": counted(2),
    "L": counted(2),
    "\x1e": _by_letter(dict.fromkeys("aEFRACc", 1)),
    "\x1d": _by_letter(
        {
            **dict.fromkeys("atPh", 1),
            **dict.fromkeys("AR", 2),
            "\x03": 3,
            "S": _raster,
            "y": _by_letter({"S": 2, "D": counted(2, header=2), "P": 0, "I": 0}),
            "x": _by_letter({"S": _by_letter({"0": 3, "1": 1, "2": 1, "3": 1}), "D": counted(2), "P": 0, "I": 0}),
        }
    ),
}

_CONTROLS = frozenset(b"\x00\x04\x05\x07\x09\x0a\x0c\x0d\x0f\x12\x17\x18\x19\x1a\x1c\x1e")
"""EOT and ENQ ask, BEL, EM, SUB and FS open drawers, SI and DC2 turn upside down and back, ETB counts, CAN resets."""


def _size(style: Style, args: bytes) -> Style:
    """ESC i n1 n2: height and width, 0 for once."""
    return replace(style, tall=min(digit(args), 5) + 1, wide=min(digit(args[1:]), 5) + 1)


def _wide(style: Style, args: bytes) -> Style:
    return replace(style, wide=min(digit(args), 5) + 1)


def _tall(style: Style, args: bytes) -> Style:
    return replace(style, tall=min(digit(args), 5) + 1)


def _country(head: PrintHead, args: bytes) -> None:
    if digit(args) <= 13:
        head.modes.country = digit(args)


def _right_margin(head: PrintHead, args: bytes) -> None:
    """ESC Q n: the print area ends after n columns."""
    width = args[0] * _COLUMN_DOTS - head.modes.left
    head.modes.width = width if width > 0 else None


def _feed_lines(head: PrintHead, args: bytes) -> None:
    for _ in range(args[0]):
        head.line_feed()


def _cut(head: PrintHead, args: bytes) -> None:
    head.cut(full=digit(args) in (0, 2))


def _pulse_times(head: PrintHead, args: bytes) -> None:
    head.modes.pulse_ms = args[0] * 10


def _pulse(pin: int) -> Action:
    return lambda head, _: head.emit(Pulse(pin, head.modes.pulse_ms if pin == 0 else 200))


def _barcode_printed(head: PrintHead, args: bytes) -> None:
    """ESC b: symbology, caption and feed, width, height, data, RS."""
    kind, caption, width = digit(args), digit(args[1:]), digit(args[2:])
    if 0 <= kind < len(_LINEAR):
        name = _LINEAR[kind]
        data = _code128(args[4:-1]) if name == "code128" else args[4:-1]
        module = (width - 1) % 3 + 2  # modes 4 to 9 only change the ratio of wide to narrow
        head.symbol(name, data, module=module, height=max(1, args[3]), caption=2 if caption in (2, 4) else 0)


def _code128(data: bytes) -> bytes:
    """Star's own escapes as those of `GS k 73`: %0 is a percent sign, %1 FNC1; the rest is printable ASCII."""
    return b"{B" + data.replace(b"{", b"{{").replace(b"%1", b"{1").replace(b"%0", b"%")


def _rows(head: PrintHead, args: bytes) -> None:
    """ESC k: 24 rows of packed bytes inside the line."""
    if width := low_high(args) * 8:
        head.column_image(Picture(0, width, 24, args[2:]))


def _columns_24(head: PrintHead, args: bytes) -> None:
    """ESC X: columns of three bytes inside the line."""
    if width := low_high(args):
        head.column_image(Picture(0, width, 24, columns(args[2:], 24)))


def _columns_8(scale: tuple[int, int]) -> Action:
    """ESC K and ESC L: columns of one byte inside the line."""

    def draw(head: PrintHead, args: bytes) -> None:
        if width := low_high(args):
            head.column_image(Picture(0, width, 8, columns(args[2:], 8), scale))

    return draw


def _picture(head: PrintHead, args: bytes) -> None:
    """ESC GS S m x y n: x in bytes, y in dots."""
    row_bytes, height = low_high(args[1:]), low_high(args[3:])
    if row_bytes and height:
        head.picture(Picture(0, row_bytes * 8, height, args[6:]))


def _qr(head: PrintHead, args: bytes) -> None:
    """ESC GS y: settings (S 1 level, S 2 size), data (D 1 m nL nH), print (P)."""
    what, body = args[:2], args[2:]
    if what == b"S1":
        head.modes.qr_level = _LEVELS[digit(body) & 3]
    elif what == b"S2":
        head.modes.qr_module = max(1, min(digit(body), 8))
    elif what == b"D1":
        head.modes.qr_data = body[3:]
    elif args == b"P" and head.modes.qr_data:
        draw_qr(head, head.modes.qr_data)


_ESC_GS: Mapping[int, Action] = {
    ord("a"): align,
    ord("t"): set_mode("page", lambda args: args[0]),
    ord("A"): lambda head, args: head.move(low_high(args)),
    ord("R"): lambda head, args: head.move_by(int.from_bytes(args, "little", signed=True)),
    ord("S"): _picture,
    ord("y"): _qr,
}
_ESC_RS: Mapping[int, Action] = {
    ord("F"): restyle(lambda style, args: replace(style, font=digit(args) & 1)),
    ord("a"): lambda head, args: head.emit(Request(b"\x1b\x1ea", args)),
    ord("E"): lambda head, args: head.emit(Request(b"\x1b\x1eE", args)),
}


def _lettered(actions: Mapping[int, Action]) -> Action:
    def act(head: PrintHead, args: bytes) -> None:
        if args[0] in actions:
            actions[args[0]](head, args[1:])

    return act


_ACTIONS: Mapping[bytes, Action] = {
    b"\n": lambda head, _: head.line_feed(),
    b"\x0c": lambda head, _: head.flush(),
    b"\t": lambda head, _: head.tab(),
    b"\x18": lambda head, _: head.reset(),
    b"\x1b@": lambda head, _: head.reset(),
    b"\x07": _pulse(0),
    b"\x1c": _pulse(0),
    b"\x19": _pulse(1),
    b"\x1a": _pulse(1),
    b"\x1b\x07": _pulse_times,
    b"\x0f": restyle(lambda style, _: replace(style, upside_down=True)),
    b"\x12": restyle(lambda style, _: replace(style, upside_down=False)),
    b"\x1bE": restyle(lambda style, _: replace(style, bold=True)),
    b"\x1bF": restyle(lambda style, _: replace(style, bold=False)),
    b"\x1b4": restyle(lambda style, _: replace(style, invert=True)),
    b"\x1b5": restyle(lambda style, _: replace(style, invert=False)),
    b"\x1b-": restyle(lambda style, args: replace(style, underline=2 * (digit(args) & 1))),
    b"\x1bi": restyle(_size),
    b"\x1bW": restyle(_wide),
    b"\x1bh": restyle(_tall),
    b"\x1bR": _country,
    b"\x1b ": set_mode("char_gap", digit),
    b"\x1b0": set_mode("spacing", lambda _: _FEED_3_MM),
    b"\x1bz": set_mode("spacing", lambda args: _FEED_4_MM if digit(args) & 1 else _FEED_3_MM),
    b"\x1bl": set_mode("left", lambda args: args[0] * _COLUMN_DOTS),
    b"\x1bQ": _right_margin,
    b"\x1bD": set_mode("tabs", lambda args: tuple(args[:-1])),
    b"\x1ba": _feed_lines,
    b"\x1bJ": lambda head, args: head.line_feed(args[0] * 2),
    b"\x1bI": lambda head, args: head.line_feed(args[0]),
    b"\x1bd": _cut,
    b"\x1bb": _barcode_printed,
    b"\x1bk": _rows,
    b"\x1bX": _columns_24,
    b"\x1bK": _columns_8((2, 3)),
    b"\x1bL": _columns_8((1, 3)),
    b"\x1b\x1d": _lettered(_ESC_GS),
    b"\x1b\x1e": _lettered(_ESC_RS),
}

STAR = Language(Grammar({0x1B: _ESC}, _CONTROLS), _ACTIONS, frozenset((b"\x17", b"\x1b#")), STAR_PAGES)
