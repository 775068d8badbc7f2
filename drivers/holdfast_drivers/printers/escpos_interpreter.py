"""ESC/POS for the virtual printer: what each command does to the print head.

Standard mode. What page mode would place freely is printed in the order it comes; 90 degree rotation, downloaded
characters, stored logos and double-byte text are understood as commands but not drawn. QR codes of model 1 and Micro QR
are drawn as model 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from holdfast_drivers.printers import commands
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
from holdfast_drivers.printers.printhead import EPSON_PAGES, PrintHead

_LINEAR_A = ("upca", "upce", "ean13", "ean8", "code39", "itf", "codabar")
_LINEAR_B = (*_LINEAR_A, "code93", "code128", "gs1-128", *("databar",) * 4, "code128auto")
_TWO_D = {
    0x30: "pdf417",
    0x31: "qr",
    0x32: "maxicode",
    0x33: "databar",
    0x34: "composite",
    0x35: "aztec",
    0x36: "datamatrix",
}
_LEVELS = {48: "L", 49: "M", 50: "Q", 51: "H"}
_UNKNOWN_2D_DOTS = 120
_BEMATECH_QR = 81
_LINEAR_B_FIRST = 65


def _initialise(head: PrintHead, _: bytes) -> None:
    head.reset()
    head.emit(Request(b"\x1b@", b""))


def _print_mode(style: Style, args: bytes) -> Style:
    """ESC ! n: font, emphasis, size and underline at once."""
    n = args[0]
    tall, wide = 2 if n & 0x10 else 1, 2 if n & 0x20 else 1
    return replace(style, font=n & 1, bold=bool(n & 8), tall=tall, wide=wide, underline=1 if n & 0x80 else 0)


def _size(style: Style, args: bytes) -> Style:
    """GS ! n: width and height 1..8."""
    return replace(style, wide=(args[0] >> 4 & 7) + 1, tall=(args[0] & 7) + 1)


def _bold(style: Style, args: bytes) -> Style:
    return replace(style, bold=bool(args and args[0] & 1))


def _country(head: PrintHead, args: bytes) -> None:
    if args[0] <= 13:
        head.modes.country = args[0]


def _tab_stops(head: PrintHead, args: bytes) -> None:
    head.modes.tabs = tuple(args[:-1])


def _feed_lines(head: PrintHead, args: bytes) -> None:
    if not args[0]:
        head.line_feed(0)
    for _ in range(args[0]):
        head.line_feed()


def _relative(head: PrintHead, args: bytes) -> None:
    head.move_by(int.from_bytes(args, "little", signed=True))


def _cut(head: PrintHead, args: bytes) -> None:
    head.flush()
    if len(args) > 1 and args[1]:
        head.line_feed(args[1])
    head.cut(full=args[0] in (0, 48, 65, 97, 103))


def _pulse(head: PrintHead, args: bytes) -> None:
    head.emit(Pulse(pin=args[0] & 1, on_ms=args[1] * 2))


def _bit_image(head: PrintHead, args: bytes) -> None:
    """ESC * m nL nH: 8 or 24 dots high, single density printed twice as wide, 8-dot modes three times as high."""
    mode, width = args[0], low_high(args[1:])
    height = 24 if mode >= 32 else 8
    scale = (1 if mode & 1 else 2, 1 if mode >= 32 else 3)
    if width:
        head.column_image(Picture(0, width, height, columns(args[3:], height), scale))


def _raster(head: PrintHead, args: bytes) -> None:
    """GS v 0 m xL xH yL yH: x in bytes; m doubles width (1) and height (2)."""
    mode, row_bytes, height = args[1], low_high(args[2:]), low_high(args[4:])
    scale = (2 if mode & 1 else 1, 2 if mode & 2 else 1)
    if row_bytes and height:
        head.picture(Picture(0, row_bytes * 8, height, args[6:], scale))


def _vertical(head: PrintHead, args: bytes) -> None:
    """GS Q 0 m xL xH yL yH: column by column, x in dots, y in bytes; m as for GS v 0."""
    mode, width, height = args[1], low_high(args[2:]), low_high(args[4:]) * 8
    scale = (2 if mode & 1 else 1, 2 if mode & 2 else 1)
    if width and height:
        head.picture(Picture(0, width, height, columns(args[6:], height), scale))


def _graphics(head: PrintHead, args: bytes) -> None:
    """The body of GS ( L and GS 8 L: function 112 stores rows, 113 columns, 2 and 50 print."""
    function, body = args[1:2], args[2:]
    if function in (b"\x70", b"\x71") and len(body) >= 8:
        width, height = low_high(body[4:]), low_high(body[6:])
        by_row = function == b"\x70"
        rows = body[8:] if by_row else columns(body[8:], (height + 7) // 8 * 8)
        needed = (width + 7) // 8 * height
        if width and height and len(rows) >= needed:
            head.graphics = Picture(0, width, height, rows[:needed], (max(1, body[1]), max(1, body[2])))
    elif function in (b"\x02", b"\x32") and head.graphics is not None:
        head.picture(head.graphics)
        head.graphics = None


def _graphics_long(head: PrintHead, args: bytes) -> None:
    if args[:1] == b"L":
        _graphics(head, args[5:])


def _define_download(head: PrintHead, args: bytes) -> None:
    width, height = args[0] * 8, args[1] * 8
    if width and height:
        head.download = Picture(0, width, height, columns(args[2:], height))


def _print_download(head: PrintHead, args: bytes) -> None:
    if head.download is not None:
        mode = digit(args) & 3
        head.picture(replace(head.download, scale=(2 if mode & 1 else 1, 2 if mode & 2 else 1)))


def _linear(head: PrintHead, args: bytes) -> None:
    """GS k m in either form."""
    modes, kind = head.modes, args[0]
    if kind == _BEMATECH_QR:
        draw_qr(head, args[7:])
        return
    form_b = kind >= _LINEAR_B_FIRST
    names, at = (_LINEAR_B, kind - _LINEAR_B_FIRST) if form_b else (_LINEAR_A, kind)
    if at < len(names):
        data = args[2:] if form_b else args[1:-1]
        if names[at] == "code128" and not data.startswith(b"{"):
            data = b"{B" + data  # as other makers' printers read it; Epson's print nothing
        module, height, caption = modes.bar_module, modes.bar_height, modes.bar_caption
        head.symbol(names[at], data, module=module, height=height, caption=caption)


def _two_d(head: PrintHead, args: bytes) -> None:
    """GS ( k cn fn: settings, then data (80), then print (81)."""
    kind, function, body = _TWO_D.get(args[0], "two-dimensional"), args[1], args[2:]
    if function == 67 and body:
        head.modes.qr_module = max(1, min(body[0], 16))
    elif function == 69 and body:
        head.modes.qr_level = _LEVELS.get(body[0], "L")
    elif function == 80:
        head.modes.qr_data = body[1:]
    elif function == 81 and head.modes.qr_data:
        if kind == "qr":
            draw_qr(head, head.modes.qr_data)
        else:
            head.symbol(kind, head.modes.qr_data, module=head.modes.qr_module, height=_UNKNOWN_2D_DOTS)


def _parenthesis(head: PrintHead, args: bytes) -> None:
    """GS ( X: a family by its letter."""
    family, body = args[:1], args[3:]
    if family == b"k" and len(body) >= 2:
        _two_d(head, body)
    elif family == b"L":
        _graphics(head, body)
    elif family == b"H":
        head.flush()
        head.emit(Request(b"\x1d(H", body))


_ACTIONS: Mapping[bytes, Action] = {
    b"\n": lambda head, _: head.line_feed(),
    b"\x0c": lambda head, _: head.flush(),
    b"\t": lambda head, _: head.tab(),
    b"\x1b@": _initialise,
    b"\x1b!": restyle(_print_mode),
    b"\x1d!": restyle(_size),
    b"\x1bM": restyle(lambda style, args: replace(style, font=digit(args) & 1)),
    b"\x1bE": restyle(_bold),
    b"\x1bG": restyle(_bold),
    b"\x1bF": restyle(_bold),
    b"\x1b-": restyle(lambda style, args: replace(style, underline=min(digit(args), 2))),
    b"\x1dB": restyle(lambda style, args: replace(style, invert=bool(args[0] & 1))),
    b"\x1b{": restyle(lambda style, args: replace(style, upside_down=bool(args[0] & 1))),
    b"\x1ba": align,
    b"\x1bt": set_mode("page", lambda args: args[0]),
    b"\x1bR": _country,
    b"\x1b2": set_mode("spacing", lambda _: 30),
    b"\x1b3": set_mode("spacing", lambda args: args[0]),
    b"\x1b ": set_mode("char_gap", lambda args: args[0]),
    b"\x1dL": set_mode("left", low_high),
    b"\x1dW": set_mode("width", low_high),
    b"\x1b$": lambda head, args: head.move(low_high(args)),
    b"\x1b\\": _relative,
    b"\x1bD": _tab_stops,
    b"\x1bd": _feed_lines,
    b"\x1bJ": lambda head, args: head.line_feed(args[0]),
    b"\x1dV": _cut,
    b"\x1bi": lambda head, _: head.cut(full=True),
    b"\x1bm": lambda head, _: head.cut(full=False),
    b"\x1bp": _pulse,
    b"\x1b*": _bit_image,
    b"\x1dv": _raster,
    b"\x1dQ": _vertical,
    b"\x1d(": _parenthesis,
    b"\x1d8": _graphics_long,
    b"\x1d*": _define_download,
    b"\x1d/": _print_download,
    b"\x1dh": set_mode("bar_height", lambda args: max(1, args[0])),
    b"\x1dw": set_mode("bar_module", lambda args: max(1, min(args[0], 6))),
    b"\x1dH": set_mode("bar_caption", lambda args: digit(args) & 3),
    b"\x1dk": _linear,
}

ESCPOS = Language(commands.ESCPOS, _ACTIONS, frozenset((b"\x1dr", b"\x1dI", b"\x1da")), EPSON_PAGES)
