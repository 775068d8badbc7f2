"""Keyboard layouts as tables: what a key of Linux's input layer means with Shift and with AltGr.

The four rows of a PC keyboard are written as they lie there. Source: xkeyboard-config's `us`, `gb`, `de`, `fr`; in all
that barcodes hold these agree with the Windows layouts that scanners are set to. Dead keys are those of Windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_ROWS = (
    (41, *range(2, 14)),
    range(16, 28),
    (*range(30, 41), 43),
    (86, *range(44, 54)),
)
"""Key codes (linux/input-event-codes.h) from the key left of 1, Tab's neighbour, A, and the key left of Z on."""

NONE = "\0"
"""Stands for a key that means nothing at its level."""

_KEYPAD = {55: "*", 74: "-", 78: "+", 83: ".", 98: "/", 117: "="}
_KEYPAD |= dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True))
KEYPAD = MappingProxyType(_KEYPAD)
"""Num Lock counts as on: a scanner that uses the keypad means its digits. The decimal key counts as a point."""


@dataclass(frozen=True, slots=True)
class Layout:
    name: str
    plain: Mapping[int, str]
    shift: Mapping[int, str]
    altgr: Mapping[int, str]
    dead: frozenset[tuple[int, int]] = frozenset()
    """Keys, by code and level (0 plain, 1 shift, 2 AltGr), that wait for the next one: a space leaves their character
    as it is, a letter takes it as an accent."""


def _level(*rows: str) -> Mapping[int, str]:
    keys = {key: text for codes, row in zip(_ROWS, rows, strict=True) for key, text in zip(codes, row, strict=True)}
    return MappingProxyType({key: text for key, text in keys.items() if text != NONE} | {57: " "})


def _sparse(text: str, keys: tuple[int, ...]) -> Mapping[int, str]:
    return MappingProxyType(dict(zip(keys, text, strict=True)))


US = Layout(
    "us",
    plain=_level("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", "\\zxcvbnm,./"),
    shift=_level("~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"|', "|ZXCVBNM<>?"),
    altgr=MappingProxyType({}),
)
UK = Layout(
    "uk",
    plain=_level("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "\\zxcvbnm,./"),
    shift=_level('¬!"£$%^&*()_+', "QWERTYUIOP{}", "ASDFGHJKL:@~", "|ZXCVBNM<>?"),
    altgr=_sparse("€", (5,)),
)
DE = Layout(
    "de",
    plain=_level("^1234567890ß\N{ACUTE ACCENT}", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"),
    shift=_level('°!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"),
    altgr=_sparse("²³{[]}\\@€~µ|", (3, 4, 8, 9, 10, 11, 12, 16, 18, 27, 50, 86)),
    dead=frozenset({(41, 0), (13, 0), (13, 1)}),
)
FR = Layout(
    "fr",
    plain=_level("²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "<wxcvbn,;:!"),
    shift=_level(NONE + "1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", ">WXCVBN?./§"),
    altgr=_sparse("~#{[|`\\^@]}€¤", (*range(3, 14), 18, 27)),
    dead=frozenset({(26, 0), (26, 1), (3, 2), (8, 2)}),
)

LAYOUTS: Mapping[str, Layout] = MappingProxyType({layout.name: layout for layout in (US, UK, DE, FR)})
