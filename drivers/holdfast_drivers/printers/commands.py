"""Where one printer command ends and the next begins. Pure: bytes in, tokens out, at most one command kept.

The grammar here is ESC/POS; lengths follow Epson's command reference, commands that only other makers know are marked
in the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

MAX_COMMAND = 1 << 20
"""A command that announces more bytes than this (576 dots x 14 m of raster) is noise: its first byte is unknown."""

NEED_MORE = -1
NONSENSE = -2
"""Instead of a length: not enough bytes to tell; no command."""

Length = int | Callable[[bytearray, int], int]
"""Bytes after the prefix: fixed, or computed from the buffer and the offset of the first of them."""


@dataclass(frozen=True, slots=True)
class Printable:
    """Characters in the code page in force."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Command:
    prefix: bytes
    """The fixed first bytes, e.g. ESC E."""
    args: bytes


@dataclass(frozen=True, slots=True)
class Unknown:
    """A byte that no command begins with, or the two of an unknown command."""

    data: bytes


Token = Printable | Command | Unknown


def counted(width: int, multiplier: int = 1, header: int = 0) -> Length:
    """`header` bytes, a little-endian count of `width` bytes, then count x multiplier bytes."""

    def length(buffer: bytearray, at: int) -> int:
        if len(buffer) < at + header + width:
            return NEED_MORE
        count = int.from_bytes(buffer[at + header : at + header + width], "little")
        return header + width + count * multiplier

    return length


def until_nul(buffer: bytearray, at: int) -> int:
    end = buffer.find(0, at, at + 256)
    if end >= 0:
        return end - at + 1
    return NEED_MORE if len(buffer) < at + 256 else NONSENSE


def by_first(lengths: dict[int, int]) -> Length:
    """Total length by the value of the first byte; other values are no command."""

    def length(buffer: bytearray, at: int) -> int:
        if len(buffer) <= at:
            return NEED_MORE
        return lengths.get(buffer[at], NONSENSE)

    return length


def _bit_image(buffer: bytearray, at: int) -> int:
    """ESC * m nL nH: 8-dot modes 0 and 1 have one byte a column, 24-dot modes 32 and 33 three."""
    if len(buffer) < at + 3:
        return NEED_MORE
    if buffer[at] not in (0, 1, 32, 33):
        return NONSENSE
    return 3 + int.from_bytes(buffer[at + 1 : at + 3], "little") * (3 if buffer[at] >= 32 else 1)


def _raster(buffer: bytearray, at: int) -> int:
    """GS v 0 m xL xH yL yH."""
    if len(buffer) < at + 6:
        return NEED_MORE
    if buffer[at] != 0x30:
        return NONSENSE
    columns = int.from_bytes(buffer[at + 2 : at + 4], "little")
    return 6 + columns * int.from_bytes(buffer[at + 4 : at + 6], "little")


def _vertical_image(buffer: bytearray, at: int) -> int:
    """GS Q 0 m xL xH yL yH: x in dots, y in bytes."""
    if len(buffer) < at + 6:
        return NEED_MORE
    if buffer[at] != 0x30:
        return NONSENSE
    return 6 + int.from_bytes(buffer[at + 2 : at + 4], "little") * int.from_bytes(buffer[at + 4 : at + 6], "little")


def _windows_bitmap(buffer: bytearray, at: int) -> int:
    """GS D m fn a kc1 kc2 b c, then a BMP file, which says how long it is."""
    if len(buffer) < at + 13:
        return NEED_MORE
    if buffer[at] != 0x30 or buffer[at + 7 : at + 9] != b"BM":
        return NONSENSE
    return 7 + int.from_bytes(buffer[at + 9 : at + 13], "little")


def _barcode(buffer: bytearray, at: int) -> int:
    """GS k m: form A (m 0-8) ends at NUL, form B (m 65-79) carries its length; m 81 is Bematech's QR code."""
    if len(buffer) < at + 2:
        return NEED_MORE
    if buffer[at] == 81:
        return 7 + int.from_bytes(buffer[at + 5 : at + 7], "little") if len(buffer) >= at + 7 else NEED_MORE
    if buffer[at] <= 8:
        end = until_nul(buffer, at + 1)
        return end + 1 if end >= 0 else end
    return 2 + buffer[at + 1] if 65 <= buffer[at] <= 79 else NONSENSE


def _downloaded_image(buffer: bytearray, at: int) -> int:
    """GS * x y."""
    return 2 + buffer[at] * buffer[at + 1] * 8 if len(buffer) >= at + 2 else NEED_MORE


def _user_characters(buffer: bytearray, at: int) -> int:
    """ESC & y c1 c2, then per character its width and y bytes a column."""
    if len(buffer) < at + 3:
        return NEED_MORE
    height, first, last = buffer[at : at + 3]
    end = at + 3
    for _ in range(first, last + 1):
        if len(buffer) <= end:
            return NEED_MORE
        end += 1 + buffer[end] * height
    return end - at


def _stored_logos(buffer: bytearray, at: int) -> int:
    """FS q n, then per image xL xH yL yH and x * y * 8 bytes."""
    if len(buffer) <= at:
        return NEED_MORE
    end = at + 1
    for _ in range(buffer[at]):
        if len(buffer) < end + 4:
            return NEED_MORE
        columns = int.from_bytes(buffer[end : end + 2], "little")
        end += 4 + columns * int.from_bytes(buffer[end + 2 : end + 4], "little") * 8
    return end - at


def _bematech(buffer: bytearray, at: int) -> int:
    """GS F9h: two bytes, but for the buzzer on cut."""
    if len(buffer) <= at:
        return NEED_MORE
    return 3 if buffer[at] == ord("D") else 2


def _user_memory(buffer: bytearray, at: int) -> int:
    """FS g 1 and 2: m, four bytes of address, a count; 1 writes, so that many bytes follow."""
    if len(buffer) < at + 8:
        return NEED_MORE
    if buffer[at] not in (0x31, 0x32):
        return NONSENSE
    return 8 + (int.from_bytes(buffer[at + 6 : at + 8], "little") if buffer[at] == 0x31 else 0)


_PARENTHESIS = counted(2, header=1)
"""ESC ( X, FS ( X and GS ( X: a letter, then two length bytes."""

_ESC: dict[str, Length] = {
    **dict.fromkeys("@2<FHLSimvNOP45\x0c\x0f", 0),
    **dict.fromkeys(" !%-39=?AEGJKMRTUVadert{uj", 1),
    **dict.fromkeys("$\\Bf", 2),
    **dict.fromkeys("7p", 3),
    "W": 8,
    "(": _PARENTHESIS,
    "*": _bit_image,
    "&": _user_characters,
    "D": until_nul,
    "c": by_first(dict.fromkeys(b"01345", 2)),
}
"""Of these ESC F, H (Bematech), N, O, P, j (Elgin), B (buzzer), 4, 5, SI (italic, condensed), 7 (heating) and 9 (code
page of Chinese printers) are other makers'."""

_FS: dict[str, Length] = {
    **dict.fromkeys("&.", 0),
    **dict.fromkeys("!-C?W", 1),
    **dict.fromkeys("Sp", 2),
    "2": 74,
    "(": _PARENTHESIS,
    "q": _stored_logos,
    "g": _user_memory,
}

_GS: dict[str, Length] = {
    **dict.fromkeys(":cFO<\x0c", 0),
    **dict.fromkeys("!/BEHITabfhjrw", 1),
    **dict.fromkeys("$ALPW\\", 2),
    "^": 3,
    "\xf8": 1,
    "\xf9": _bematech,
    "\xfa": 1,
    "V": by_first({**dict.fromkeys((0, 1, 48, 49), 1), **dict.fromkeys((65, 66, 67, 68, 97, 98, 103, 104), 2)}),
    "C": by_first({0x30: 3, 0x31: 7, 0x32: 3}),
    "g": by_first({0x30: 4, 0x32: 4}),
    "z": by_first({0x30: 3}),
    "(": _PARENTHESIS,
    "8": counted(4, header=1),
    "*": _downloaded_image,
    "k": _barcode,
    "v": _raster,
    "Q": _vertical_image,
    "D": _windows_bitmap,
}

_REALTIME: dict[str, Length] = {
    "\x04": by_first({**dict.fromkeys(range(1, 7), 1), 7: 2, 8: 2, 18: 2}),
    "\x05": by_first(dict.fromkeys(range(3), 1)),
    "\x14": by_first({1: 3, 2: 3, 3: 6, 7: 2, 8: 8}),
}

_DLE = 0x10
_CHARACTERS = re.compile(rb"[\x20-\xff]+")


@dataclass(frozen=True, slots=True)
class Grammar:
    """The commands of one printer language."""

    families: Mapping[int, Mapping[str, Length]]
    """Two-byte prefixes: first byte, second byte as a character, what follows."""
    controls: frozenset[int]
    """Commands of one byte."""

    def without(self, *prefixes: bytes) -> Grammar:
        """The same language with commands it does not know: their prefix is lost, the rest is printed as text."""
        families = {
            first: {second: length for second, length in family.items() if bytes((first, ord(second))) not in prefixes}
            for first, family in self.families.items()
        }
        return Grammar(families, self.controls)


ESCPOS = Grammar(
    {0x1B: _ESC, 0x1C: _FS, 0x1D: _GS, _DLE: _REALTIME},
    # NUL, BEL, SO, SI, DC2 and DC4 do nothing here; HT, LF, FF, CR; CAN clears a page; DC1, DC3: a host's flow control.
    frozenset(b"\x00\x07\x09\x0a\x0c\x0d\x0e\x0f\x11\x12\x13\x14\x18"),
)


class Tokeniser:
    """Cuts a stream into tokens. Any split gives the same commands; keeps at most MAX_COMMAND bytes."""

    def __init__(self, grammar: Grammar = ESCPOS) -> None:
        self.grammar = grammar
        """May be another one after any token."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Token]:
        """The tokens that `data` completes. Characters come out in runs as they arrived."""
        self._buffer += data
        at = 0
        while at < len(self._buffer):
            size, token = self._next(at)
            if token is None:
                break
            at += size
            yield token
        del self._buffer[:at]

    @property
    def pending(self) -> int:
        """Bytes of a command whose end has not arrived."""
        return len(self._buffer)

    def _next(self, at: int) -> tuple[int, Token | None]:
        first = self._buffer[at]
        if first in self.grammar.families:
            return self._command(at)
        if first in self.grammar.controls:
            return 1, Command(bytes([first]), b"")
        if first < 0x20:
            return 1, Unknown(bytes([first]))
        characters = _CHARACTERS.match(self._buffer, at)
        assert characters is not None, "every byte below 0x20 is dealt with above"
        return characters.end() - at, Printable(characters.group())

    def _command(self, at: int) -> tuple[int, Token | None]:
        if len(self._buffer) < at + 2:
            return 0, None
        prefix = bytes(self._buffer[at : at + 2])
        rule = self.grammar.families[prefix[0]].get(chr(prefix[1]), NONSENSE)
        size = rule if isinstance(rule, int) else rule(self._buffer, at + 2)
        if size == NEED_MORE and len(self._buffer) - at > MAX_COMMAND:
            size = NONSENSE
        if size == NONSENSE or size > MAX_COMMAND:
            unknown = prefix[:1] if prefix[0] == _DLE else prefix  # after a stray DLE printers go on as usual
            return len(unknown), Unknown(unknown)
        end = at + 2 + size
        if size == NEED_MORE or len(self._buffer) < end:
            return 0, None
        return end - at, Command(prefix, bytes(self._buffer[at + 2 : end]))
