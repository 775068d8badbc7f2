"""ESC/Bematech for the virtual printer: what Bematech's printers understand once `GS F9h 5 0` has chosen it.

Source: Bematech, MP-4200 TH Programmer's Manual revision 1.0, chapters 2 and 3. Italic, superscript, page lengths and
East Asian pages are understood and not drawn; a line of double width or height ends with the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from holdfast_drivers.printers import commands
from holdfast_drivers.printers.commands import Grammar, counted
from holdfast_drivers.printers.escpos_interpreter import ESCPOS
from holdfast_drivers.printers.language import Action, Language, digit, restyle, set_mode
from holdfast_drivers.printers.paper import Pulse
from holdfast_drivers.printers.printhead import UTF_8, PrintHead

COMMAND_SET = b"\x1d\xf9"
SELECT = frozenset((0x35, 0x20))
"""First byte after COMMAND_SET: for good, for now. The second one is even for ESC/Bematech, odd for ESC/POS."""

_ESC = 0x1B
_CELL_DOTS = 12
_PAGES: Mapping[int, str] = {
    2: "cp850",
    3: "cp437",
    4: "cp860",
    5: "cp858",
    6: "cp866",
    7: "cp864",
    8: UTF_8,
    21: "cp862",
}

_GRAMMAR = Grammar(
    {
        **commands.ESCPOS.families,
        _ESC: {
            **commands.ESCPOS.families[_ESC],
            **dict.fromkeys("EFHPTVZwx\x0e\x0f45", 0),
            **dict.fromkeys("!-3ACJNQRSW[abdltvyz}\x80", 1),
            **dict.fromkeys("cf", 2),
            "K": counted(2),
        },
    },
    frozenset(b"\x00\x02\x03\x05\x07\x09\x0a\x0c\x0d\x0e\x0f\x12\x14\x18"),
)


def _expanded(head: PrintHead, _: bytes) -> None:
    head.modes.style = replace(head.modes.style, wide=2)
    head.modes.one_line = True


def _tall(head: PrintHead, _: bytes) -> None:
    head.modes.style = replace(head.modes.style, tall=2)
    head.modes.one_line = True


def _line_feed(head: PrintHead, _: bytes) -> None:
    head.line_feed()
    if head.modes.one_line:
        head.modes.style = replace(head.modes.style, wide=1, tall=1)
        head.modes.one_line = False


def _fine_feed(head: PrintHead, args: bytes) -> None:
    head.line_feed(max(0, args[0] - 48))


def _skip(head: PrintHead, args: bytes) -> None:
    """ESC f: columns (0) or lines (1)."""
    if digit(args) == 0:
        head.move_by(args[1] * _CELL_DOTS)
    else:
        for _ in range(args[1]):
            head.line_feed()


def _pulse(pin: int) -> Action:
    return lambda head, args: head.emit(Pulse(pin, args[0]))


_condense = restyle(lambda style, _: replace(style, font=1))
_uncondense = restyle(lambda style, _: replace(style, font=0))
_ACTIONS: Mapping[bytes, Action] = {
    b"\n": _line_feed,
    b"\x0e": _expanded,
    b"\x14": restyle(lambda style, _: replace(style, wide=1)),
    b"\x0f": _condense,
    b"\x12": _uncondense,
    b"\x1b\x0e": _expanded,
    b"\x1b\x0f": _condense,
    b"\x1bH": _uncondense,
    b"\x1bP": _uncondense,
    b"\x1bV": _tall,
    b"\x1bW": restyle(lambda style, args: replace(style, wide=1 + (digit(args) & 1))),
    b"\x1bd": restyle(lambda style, args: replace(style, tall=1 + (digit(args) & 1))),
    b"\x1bE": restyle(lambda style, _: replace(style, bold=True)),
    b"\x1bF": restyle(lambda style, _: replace(style, bold=False)),
    b"\x1b}": restyle(lambda style, args: replace(style, upside_down=bool(digit(args) & 1))),
    b"\x1bl": set_mode("left", lambda args: args[0] * _CELL_DOTS),
    b"\x1bA": lambda head, args: head.line_feed(0 if args[0] < 17 else min(args[0], 85) * 3),
    b"\x1bJ": _fine_feed,
    b"\x1bf": _skip,
    b"\x1bw": lambda head, _: head.cut(full=True),
    b"\x1bv": _pulse(0),
    b"\x1b\x80": _pulse(1),
}
_NOT_HERE = frozenset((b"\x1bR", b"\x1bG", b"\x1bM", b"\x1bK"))

BEMATECH = Language(
    _GRAMMAR,
    {**{prefix: action for prefix, action in ESCPOS.actions.items() if prefix not in _NOT_HERE}, **_ACTIONS},
    ESCPOS.requests,
    _PAGES,
)
