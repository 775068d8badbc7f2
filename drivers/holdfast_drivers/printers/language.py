"""What a printer language is to the virtual printer: a grammar, and what each command does to the print head. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast_drivers.printers.commands import Grammar
from holdfast_drivers.printers.paper import Style
from holdfast_drivers.printers.printhead import PrintHead
from holdfast_drivers.printers.symbols import qr_side
from holdfast_drivers.values import Align

_ALIGN = (Align.LEFT, Align.CENTRE, Align.RIGHT)

Action = Callable[[PrintHead, bytes], None]
"""What a command does, given its arguments."""


@dataclass(frozen=True, slots=True)
class Language:
    """What the commands of a grammar do. One that is in neither table is understood and has no effect on paper."""

    grammar: Grammar
    actions: Mapping[bytes, Action]
    requests: frozenset[bytes]
    """Prefixes of what the printer answers, or obeys as a machine."""
    pages: Mapping[int, str]


def low_high(args: bytes) -> int:
    return int.from_bytes(args[:2], "little")


def digit(args: bytes) -> int:
    """A parameter that may be a number or its ASCII digit."""
    return args[0] - 0x30 if args[0] >= 0x30 else args[0]


def restyle(change: Callable[[Style, bytes], Style]) -> Action:
    """A command that only changes how characters look."""

    def apply(head: PrintHead, args: bytes) -> None:
        head.modes.style = change(head.modes.style, args)

    return apply


def set_mode(name: str, value: Callable[[bytes], object]) -> Action:
    """A command that only changes one mode."""

    def apply(head: PrintHead, args: bytes) -> None:
        setattr(head.modes, name, value(args))

    return apply


def columns(data: bytes, height: int) -> bytes:
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


def align(head: PrintHead, args: bytes) -> None:
    if digit(args) < len(_ALIGN):
        head.modes.align = _ALIGN[digit(args)]


def draw_qr(head: PrintHead, data: bytes) -> None:
    """A QR code in the size and level in force; none when it is too much for one."""
    modes = head.modes
    try:
        side = qr_side(len(data), modes.qr_level)
    except ValueError:
        return
    head.symbol("qr", data, module=modes.qr_module, height=side * modes.qr_module, level=modes.qr_level)
