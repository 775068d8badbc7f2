"""An ESC/POS printer's firmware without the printer: bytes in, things drawn on paper out. Pure; keeps one line at most.

Standard mode. What page mode would place freely is printed in the order it comes; 90 degree rotation, downloaded
characters, stored logos and double-byte text are understood as commands but not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from holdfast_drivers.printers.commands import Command, Printable, Tokeniser, Unknown
from holdfast_drivers.printers.paper import Item, Picture, Pulse, Request, Style
from holdfast_drivers.printers.printhead import EPSON_PAGES, PrintHead
from holdfast_drivers.printers.symbols import qr_side
from holdfast_drivers.values import Align

_LINEAR_A = ("upca", "upce", "ean13", "ean8", "code39", "itf", "codabar")
_LINEAR_B = (*_LINEAR_A, "code93", "code128", "gs1-128", *("databar",) * 4, "code128auto")
_TWO_D = {0x30: "pdf417", 0x31: "qr", 0x32: "maxicode", 0x33: "databar", 0x35: "aztec", 0x36: "datamatrix"}
_ALIGN = (Align.LEFT, Align.CENTRE, Align.RIGHT)
_LEVELS = {48: "L", 49: "M", 50: "Q", 51: "H"}
_UNKNOWN_2D_DOTS = 120
_BEMATECH_QR = 81
_LINEAR_B_FIRST = 65


class Interpreter:
    """One printer `dots` wide. Of `total` bytes, `unknown` belonged to no command."""

    def __init__(self, dots: int = 576, pages: Mapping[int, str] = EPSON_PAGES) -> None:
        self.dots = dots
        self.total = 0
        self.unknown = 0
        self._tokens = Tokeniser()
        self._head = PrintHead(dots, pages)

    def feed(self, data: bytes) -> list[Item]:
        """What `data` completes, in order of printing."""
        self.total += len(data)
        for token in self._tokens.feed(data):
            match token:
                case Printable():
                    self._head.text(token.data)
                case Command():
                    _obey(self._head, token)
                case Unknown():
                    self.unknown += len(token.data)
        return self._head.take()

    @property
    def pending(self) -> int:
        """Bytes of a command whose end has not arrived."""
        return self._tokens.pending


def _obey(head: PrintHead, command: Command) -> None:
    if command.prefix in _REQUESTS:
        head.flush()
        head.emit(Request(command.prefix, command.args))
    elif command.prefix in _ACTIONS:
        _ACTIONS[command.prefix](head, command.args)


def _low_high(args: bytes) -> int:
    return int.from_bytes(args[:2], "little")


def _digit(args: bytes) -> int:
    """A parameter that may be a number or its ASCII digit."""
    return args[0] - 0x30 if args[0] >= 0x30 else args[0]


def _restyle(change: Callable[[Style, bytes], Style]) -> Callable[[PrintHead, bytes], None]:
    """A command that only changes how characters look."""

    def apply(head: PrintHead, args: bytes) -> None:
        head.modes.style = change(head.modes.style, args)

    return apply


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


def _align(head: PrintHead, args: bytes) -> None:
    if _digit(args) < len(_ALIGN):
        head.modes.align = _ALIGN[_digit(args)]


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


def _set(name: str, value: Callable[[bytes], object]) -> Callable[[PrintHead, bytes], None]:
    """A command that only changes one mode."""

    def apply(head: PrintHead, args: bytes) -> None:
        setattr(head.modes, name, value(args))

    return apply


def _cut(head: PrintHead, args: bytes) -> None:
    head.flush()
    if len(args) > 1 and args[1]:
        head.line_feed(args[1])
    head.cut(full=args[0] in (0, 48, 65, 97, 103))


def _pulse(head: PrintHead, args: bytes) -> None:
    head.emit(Pulse(pin=args[0] & 1, on_ms=args[1] * 2))


def _columns(data: bytes, height: int) -> bytes:
    """Column-wise dots (the first byte is the top of the left column) as packed rows."""
    depth = height // 8
    width = len(data) // depth
    rows = bytearray((width + 7) // 8 * height)
    row_bytes = (width + 7) // 8
    for index, byte in enumerate(data[: width * depth]):
        if byte:
            x, y = index // depth, index % depth * 8
            for bit in range(8):
                if byte & 0x80 >> bit:
                    rows[(y + bit) * row_bytes + x // 8] |= 0x80 >> x % 8
    return bytes(rows)


def _bit_image(head: PrintHead, args: bytes) -> None:
    """ESC * m nL nH: 8 or 24 dots high, single density printed twice as wide, 8-dot modes three times as high."""
    mode, width = args[0], _low_high(args[1:])
    height = 24 if mode >= 32 else 8
    scale = (1 if mode & 1 else 2, 1 if mode >= 32 else 3)
    if width:
        head.column_image(Picture(0, width, height, _columns(args[3:], height), scale))


def _raster(head: PrintHead, args: bytes) -> None:
    """GS v 0 m xL xH yL yH: x in bytes; m doubles width (1) and height (2)."""
    mode, row_bytes, height = args[1], _low_high(args[2:]), _low_high(args[4:])
    scale = (2 if mode & 1 else 1, 2 if mode & 2 else 1)
    if row_bytes and height:
        head.picture(Picture(0, row_bytes * 8, height, args[6:], scale))


def _graphics(head: PrintHead, args: bytes) -> None:
    """The body of GS ( L and GS 8 L: function 112 stores rows, 113 columns, 2 and 50 print."""
    function, body = args[1:2], args[2:]
    if function in (b"\x70", b"\x71") and len(body) >= 8:
        width, height = _low_high(body[4:]), _low_high(body[6:])
        by_row = function == b"\x70"
        rows = body[8:] if by_row else _columns(body[8:], (height + 7) // 8 * 8)
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
        head.download = Picture(0, width, height, _columns(args[2:], height))


def _print_download(head: PrintHead, args: bytes) -> None:
    if head.download is not None:
        mode = _digit(args) & 3
        head.picture(replace(head.download, scale=(2 if mode & 1 else 1, 2 if mode & 2 else 1)))


def _linear(head: PrintHead, args: bytes) -> None:
    """GS k m in either form."""
    modes, kind = head.modes, args[0]
    if kind == _BEMATECH_QR:
        _qr(head, args[7:])
        return
    form_b = kind >= _LINEAR_B_FIRST
    names, at = (_LINEAR_B, kind - _LINEAR_B_FIRST) if form_b else (_LINEAR_A, kind)
    if at < len(names):
        data = args[2:] if form_b else args[1:-1]
        module, height, caption = modes.bar_module, modes.bar_height, modes.bar_caption
        head.symbol(names[at], data, module=module, height=height, caption=caption)


def _two_d(head: PrintHead, args: bytes) -> None:
    """GS ( k cn fn: settings, then data (80), then print (81)."""
    kind, function, body = _TWO_D.get(args[0], "2d"), args[1], args[2:]
    if function == 67 and body:
        head.modes.qr_module = max(1, min(body[0], 16))
    elif function == 69 and body:
        head.modes.qr_level = _LEVELS.get(body[0], "L")
    elif function == 80:
        head.modes.qr_data = body[1:]
    elif function == 81 and head.modes.qr_data:
        if kind == "qr":
            _qr(head, head.modes.qr_data)
        else:
            head.symbol(kind, head.modes.qr_data, module=head.modes.qr_module, height=_UNKNOWN_2D_DOTS)


def _qr(head: PrintHead, data: bytes) -> None:
    """The height is that of error correction M; a lower or higher level may be one version off."""
    modes = head.modes
    try:
        side = qr_side(len(data))
    except ValueError:
        return
    head.symbol("qr", data, module=modes.qr_module, height=side * modes.qr_module, level=modes.qr_level)


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


_REQUESTS = frozenset((b"\x1dr", b"\x1dI", b"\x1da"))

_ACTIONS: Mapping[bytes, Callable[[PrintHead, bytes], None]] = {
    b"\n": lambda head, _: head.line_feed(),
    b"\x0c": lambda head, _: head.flush(),
    b"\t": lambda head, _: head.tab(),
    b"\x1b@": lambda head, _: head.reset(),
    b"\x1b!": _restyle(_print_mode),
    b"\x1d!": _restyle(_size),
    b"\x1bM": _restyle(lambda style, args: replace(style, font=_digit(args) & 1)),
    b"\x1bE": _restyle(_bold),
    b"\x1bG": _restyle(_bold),
    b"\x1bF": _restyle(_bold),
    b"\x1b-": _restyle(lambda style, args: replace(style, underline=min(_digit(args), 2))),
    b"\x1dB": _restyle(lambda style, args: replace(style, invert=bool(args[0] & 1))),
    b"\x1b{": _restyle(lambda style, args: replace(style, upside_down=bool(args[0] & 1))),
    b"\x1ba": _align,
    b"\x1bt": _set("page", lambda args: args[0]),
    b"\x1bR": _country,
    b"\x1b2": _set("spacing", lambda _: 30),
    b"\x1b3": _set("spacing", lambda args: args[0]),
    b"\x1b ": _set("char_gap", lambda args: args[0]),
    b"\x1dL": _set("left", _low_high),
    b"\x1dW": _set("width", _low_high),
    b"\x1b$": lambda head, args: head.move(_low_high(args)),
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
    b"\x1d(": _parenthesis,
    b"\x1d8": _graphics_long,
    b"\x1d*": _define_download,
    b"\x1d/": _print_download,
    b"\x1dh": _set("bar_height", lambda args: max(1, args[0])),
    b"\x1dw": _set("bar_module", lambda args: max(1, min(args[0], 6))),
    b"\x1dH": _set("bar_caption", lambda args: _digit(args) & 3),
    b"\x1dk": _linear,
}
