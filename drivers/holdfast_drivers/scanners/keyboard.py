"""A scanner that pretends to be a keyboard: its keys, read from Linux's input layer, back into scans.

Source: Linux, Documentation/input/event-codes.rst and uapi/linux/input.h. Keys are read as codes and given a meaning
here, so no console, desktop or Caps Lock has a say in it. What scanners do to send a character their layout lacks is
understood: Ctrl with a letter or bracket for a control character, Alt with a number on the keypad for any.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from holdfast_drivers.barcodes import commands, receipts
from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.framing import GAP, MAX_FRAME, as_scan, bare
from holdfast_drivers.scanners.layouts import KEYPAD, LAYOUTS, US, Layout
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.values import Scan

INPUT_EVENT = struct.Struct("@llHHi")
"""struct input_event: seconds, microseconds, type, code, value. 24 bytes for a 64-bit process, 16 for a 32-bit one."""

EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
RELEASED, PRESSED = 0, 1

ENTER, TAB, KEYPAD_ENTER = 28, 15, 96
LEFT_SHIFT, RIGHT_SHIFT = 42, 54
LEFT_CTRL, RIGHT_CTRL = 29, 97
LEFT_ALT, ALTGR = 56, 100
CAPS_LOCK, NUM_LOCK, SCROLL_LOCK = 58, 69, 70

_ENDS = frozenset({ENTER, TAB, KEYPAD_ENTER})
_MODIFIERS = frozenset({LEFT_SHIFT, RIGHT_SHIFT, LEFT_CTRL, RIGHT_CTRL, LEFT_ALT, ALTGR})
_LOCKS = frozenset({CAPS_LOCK, NUM_LOCK, SCROLL_LOCK})
_ACCENTS = {"^": "\u0302", "\N{ACUTE ACCENT}": "\u0301", "`": "\u0300", "¨": "\u0308", "~": "\u0303"}
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""For a key without a meaning: the code is then none that is known, instead of another one."""
_GS = "\x1d"
_HOUSE = "HF"
_AIM_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Event:
    type: int
    code: int
    value: int
    at: float
    """Seconds, by the kernel."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A key pressed, and what was held down with it."""

    code: int
    shift: bool = False
    altgr: bool = False
    ctrl: bool = False


Strokes = Sequence[Stroke | str]
"""Keys, and characters given by their number."""


class KeyboardDecoder:
    """A `Decoder` of input events. Enter or Tab ends a read; so does a pause of `gap` between two keys.

    When the kernel says that it lost events, the read they belong to is dropped to its end, as `Garbled`.
    """

    def __init__(
        self,
        *,
        layout: Layout = US,
        gs_substitute: str = "",
        gap: float = GAP,
        event: struct.Struct = INPUT_EVENT,
    ) -> None:
        self.gap = gap
        self.oversize = 0
        self._layout = layout
        self._gs_substitute = gs_substitute
        self._event = event
        self._partial = b""
        self._strokes: list[Stroke | str] = []
        self._held: set[int] = set()
        self._number = ""
        self._skipping = False
        self._overrun = False
        self._last_key_at = 0.0
        self._last_byte_at = 0.0

    @property
    def open(self) -> bool:
        return bool(self._strokes) or self._skipping

    def feed(self, data: bytes, at: float) -> list[Scan | Garbled]:
        heard: list[Scan | Garbled] = []
        for event in self._events(data):
            heard += self._take(event, at)
        self._last_byte_at = at
        return heard

    def idle(self, at: float) -> list[Scan | Garbled]:
        if not self.open or at - self._last_byte_at < self.gap:
            return []
        return [*self._end(self._last_byte_at, terminated=False)]

    def drop(self) -> bool:
        begun = self.open
        self._strokes.clear()
        self._skipping = False
        self._number = ""
        return begun

    def _events(self, data: bytes) -> Iterator[Event]:
        data = self._partial + data
        whole = len(data) - len(data) % self._event.size
        self._partial = data[whole:]
        for seconds, microseconds, kind, code, value in self._event.iter_unpack(data[:whole]):
            yield Event(kind, code, value, seconds + microseconds / 1_000_000)

    def _take(self, event: Event, at: float) -> list[Scan | Garbled]:
        if event.type == EV_SYN and event.code == SYN_DROPPED:
            self._overrun = True
            self._held.clear()
            self.drop()
            self._skipping = True
            return [Garbled()]
        if self._overrun:
            self._overrun = not (event.type == EV_SYN and event.code == SYN_REPORT)
        elif event.type == EV_KEY and event.code in _MODIFIERS:
            self._hold(event)
        elif event.type == EV_KEY and event.value == PRESSED and event.code not in _LOCKS:
            return [*self._press(event, at)]
        return []

    def _hold(self, event: Event) -> None:
        if event.value != RELEASED:
            self._held.add(event.code)
            return
        self._held.discard(event.code)
        if event.code == LEFT_ALT and self._number:
            self._append(_numbered(int(self._number)))
            self._number = ""

    def _press(self, event: Event, at: float) -> Iterator[Scan]:
        if self.open and event.at - self._last_key_at > self.gap:
            yield from self._end(at, terminated=False)
        self._last_key_at = event.at
        held = self._held
        if event.code in _ENDS:
            yield from self._end(at, terminated=True)
        elif LEFT_ALT in held and KEYPAD.get(event.code, "").isdigit():
            self._number = (self._number + KEYPAD[event.code])[-4:]
        else:
            shift = LEFT_SHIFT in held or RIGHT_SHIFT in held
            ctrl = LEFT_CTRL in held or RIGHT_CTRL in held
            altgr = ALTGR in held or (LEFT_ALT in held and ctrl)
            self._append(Stroke(event.code, shift, altgr, ctrl and not altgr))

    def _append(self, stroke: Stroke | str) -> None:
        if self._skipping:
            return
        self._strokes.append(stroke)
        if len(self._strokes) > MAX_FRAME:
            self._strokes.clear()
            self._skipping = True
            self.oversize += 1

    def _end(self, at: float, *, terminated: bool) -> Iterator[Scan]:
        strokes = tuple(self._strokes)
        self.drop()
        scan = read(strokes, self._layout, at, terminated=terminated, gs_substitute=self._gs_substitute)
        if scan.data:
            yield scan


def read(strokes: Strokes, layout: Layout, at: float, *, terminated: bool = True, gs_substitute: str = "") -> Scan:
    """What the keys say in `layout`. A house code that is wrong in it, but right in just one other, is read in that.

    So a command card works whatever layout the scanner is set to; its check character tells which.
    """

    def in_layout(one: Layout) -> Scan:
        text = spell(strokes, one).replace(gs_substitute, _GS) if gs_substitute else spell(strokes, one)
        return as_scan(bare(text.encode()), at, terminated=terminated)

    scan = in_layout(layout)
    if _is_proved(scan) or _HOUSE not in spell(strokes[: _AIM_LENGTH + len(_HOUSE)], layout):
        return scan
    proved = {one.data: one for one in map(in_layout, LAYOUTS.values()) if _is_proved(one)}
    return proved.popitem()[1] if len(proved) == 1 else scan


def spell(strokes: Strokes, layout: Layout) -> str:
    """The text that the keys write in `layout`."""
    text: list[str] = []
    accent = ""
    for stroke in strokes:
        char = stroke if isinstance(stroke, str) else _character(stroke, layout)
        if accent:
            text.append(_accented(accent, char))
            accent = ""
        elif isinstance(stroke, Stroke) and (stroke.code, _level(stroke)) in layout.dead:
            accent = char
        else:
            text.append(char)
    return "".join(text) + accent


def _level(stroke: Stroke) -> int:
    return 2 if stroke.altgr else int(stroke.shift)


def _character(stroke: Stroke, layout: Layout) -> str:
    if stroke.code in KEYPAD:
        return KEYPAD[stroke.code]
    char = (layout.plain, layout.shift, layout.altgr)[_level(stroke)].get(stroke.code, _UNKNOWN)
    if not stroke.ctrl:
        return char
    control = _control(char)
    return control if control != _UNKNOWN else _control(US.plain.get(stroke.code, _UNKNOWN))


def _control(char: str) -> str:
    """Where a layout has none on a key, what a US keyboard has there counts: GS by the place of the bracket."""
    upper = char.upper()
    return chr(ord(upper) & 0x1F) if "@" <= upper <= "_" else _UNKNOWN


def _accented(accent: str, char: str) -> str:
    if char == " ":
        return accent
    composed = unicodedata.normalize("NFC", char + _ACCENTS[accent])
    return composed if len(composed) == 1 else accent + char


def _numbered(number: int) -> str:
    """Alt and a number: Windows code page 1252."""
    return bytes([number]).decode("cp1252", "replace") if number < 256 else _UNKNOWN


def _is_proved(scan: Scan) -> bool:
    """A house code whose check character is right."""
    text = scan.data.decode("latin-1")
    for decode in (commands.decode, receipts.decode_receipt):
        with suppress(CodeError):
            decode(text)
            return True
    return False


class KeyboardScanner(LineScanner):
    """A `Scanner` without capabilities, over a link of input events (links/evdev.py)."""

    def __init__(self, opener: Opener, *, layout: Layout = US, gs_substitute: str = "", gap: float = GAP) -> None:
        super().__init__(opener, KeyboardDecoder(layout=layout, gs_substitute=gs_substitute, gap=gap))
