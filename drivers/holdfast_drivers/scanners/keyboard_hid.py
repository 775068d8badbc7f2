"""A scanner in USB keyboard mode that is not there, as the USB port sees it: boot keyboard reports.

Sources: USB-IF, HID 1.11 appendix B.1 (the report, its descriptor) and HID Usage Tables, keyboard page 07; which key
code Linux makes of a usage is `hid_keyboard` in drivers/hid/hid-input.c.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import MappingProxyType

from holdfast_drivers.links.base import Link
from holdfast_drivers.scanners.keyboard import ALTGR, LEFT_CTRL, LEFT_SHIFT, PRESSED
from holdfast_drivers.scanners.keyboard_sim import Key, keys
from holdfast_drivers.scanners.layouts import US, Layout
from holdfast_drivers.scanners.simulator import ScannerSimulator

DESCRIPTOR = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810195057501050819012905910295017503910195067508150025650507"
    "190029658100c0"
)

_LETTERS = (30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44)
_REST = (28, 1, 14, 15, 57, 12, 13, 26, 27, 43, 43, 39, 40, 41, 51, 52, 53)
"""Usages 28 to 38 (hexadecimal): Enter, Escape, Backspace, Tab, space, and the marks around the letters."""
_USAGES = {
    **{code: 0x04 + at for at, code in enumerate(_LETTERS)},
    **{code: 0x1E + at for at, code in enumerate(range(2, 12))},
    **{code: 0x28 + at for at, code in reversed(list(enumerate(_REST)))},
    86: 0x64,
}
USAGES = MappingProxyType(_USAGES)
"""Usage by Linux key code."""
_BITS = {LEFT_CTRL: 0x01, LEFT_SHIFT: 0x02, ALTGR: 0x40}
_REPORT_S = 0.001
"""Seconds between reports: the port of a full speed device is asked once a millisecond."""


def reports(pressed: Iterator[Key]) -> Iterator[bytes]:
    """A report for every change: modifiers, a reserved byte, up to six keys held."""
    modifiers, held = 0, 0
    for code, value in pressed:
        down = value == PRESSED
        if code in _BITS:
            modifiers = modifiers | _BITS[code] if down else modifiers & ~_BITS[code]
        else:
            held = USAGES[code] if down else 0
        yield bytes([modifiers, 0, held, 0, 0, 0, 0, 0])


class HidKeyboardSimulator(ScannerSimulator):
    """Set to `layout`; on a link that takes one report a write (links/uhid.py)."""

    def __init__(self, link: Link, *, layout: Layout = US, seed: int = 0) -> None:
        super().__init__(link, seed=seed)
        self._layout = layout

    async def scan(
        self, text: str, *, aim: str = "]E0", terminator: str = "\r", per_byte_delay: float | None = None
    ) -> None:
        for report in reports(keys(aim + text + terminator, self._layout)):
            await self._send(report)
            await asyncio.sleep(per_byte_delay or _REPORT_S)
