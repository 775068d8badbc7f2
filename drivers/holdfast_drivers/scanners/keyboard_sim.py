"""A keyboard-like scanner that is not there: writes the input events its keys would make."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Iterator

from holdfast_drivers.links.base import Link
from holdfast_drivers.scanners.keyboard import (
    ALTGR,
    ENTER,
    EV_KEY,
    EV_SYN,
    INPUT_EVENT,
    LEFT_CTRL,
    LEFT_SHIFT,
    PRESSED,
    RELEASED,
    SYN_DROPPED,
    SYN_REPORT,
    TAB,
)
from holdfast_drivers.scanners.layouts import US, Layout
from holdfast_drivers.scanners.simulator import ScannerSimulator

EV_MSC, MSC_SCAN = 4, 4
_HOLD = {0: None, 1: LEFT_SHIFT, 2: ALTGR}
_RIGHT_BRACKET = 27
_SPECIAL = {"\r": ENTER, "\n": ENTER, "\t": TAB}

KEY_INTERVAL = 0.0005
"""Seconds between a press and a release: a thousand keys a second."""

Key = tuple[int, int]
"""Code and value."""


def keys(text: str, layout: Layout = US) -> Iterator[Key]:
    """What a scanner set to `layout` presses and releases for `text`; GS as Ctrl and the bracket key.

    Raises ValueError for a character the layout has not.
    """
    for char in text:
        if char == "\x1d":
            yield from _chord(_RIGHT_BRACKET, LEFT_CTRL)
            continue
        code, level = (_SPECIAL[char], 0) if char in _SPECIAL else _find(char, layout)
        yield from _chord(code, _HOLD[level])
        if (code, level) in layout.dead:
            yield from _chord(57, None)


def _chord(code: int, hold: int | None) -> Iterator[Key]:
    if hold is not None:
        yield hold, PRESSED
    yield code, PRESSED
    yield code, RELEASED
    if hold is not None:
        yield hold, RELEASED


def _find(char: str, layout: Layout) -> Key:
    for level, table in enumerate((layout.plain, layout.shift, layout.altgr)):
        for code, meaning in table.items():
            if meaning == char:
                return code, level
    raise ValueError(f"{char!r} is not on the keyboard {layout.name}")


def events(pressed: Iterator[Key], at: float, *, between: float = 0.0, event: struct.Struct = INPUT_EVENT) -> bytes:
    """The structs the kernel would hand out: scan code, key, report; the first at `at` seconds, one key each
    `between` seconds.
    """
    out = bytearray()
    for number, (code, value) in enumerate(pressed):
        stamp = divmod(round((at + number * between) * 1_000_000), 1_000_000)
        out += event.pack(*stamp, EV_MSC, MSC_SCAN, code)
        out += event.pack(*stamp, EV_KEY, code, value)
        out += event.pack(*stamp, EV_SYN, SYN_REPORT, 0)
    return bytes(out)


def dropped(at: float, *, event: struct.Struct = INPUT_EVENT) -> bytes:
    """What the kernel says instead of events it had no room for."""
    stamp = divmod(round(at * 1_000_000), 1_000_000)
    return event.pack(*stamp, EV_SYN, SYN_DROPPED, 0) + event.pack(*stamp, EV_SYN, SYN_REPORT, 0)


class KeyboardSimulator(ScannerSimulator):
    """Set to `layout`, which need not be the one the hub believes in."""

    def __init__(self, link: Link, *, layout: Layout = US, seed: int = 0) -> None:
        super().__init__(link, seed=seed)
        self._layout = layout

    async def scan(
        self, text: str, *, aim: str = "]E0", terminator: str = "\r", per_byte_delay: float | None = None
    ) -> None:
        whole = aim + text + terminator
        if per_byte_delay is None:
            await self._send(events(keys(whole, self._layout), time.monotonic(), between=KEY_INTERVAL))
            return
        for char in whole:
            await self._send(events(keys(char, self._layout), time.monotonic()))
            await asyncio.sleep(per_byte_delay)
