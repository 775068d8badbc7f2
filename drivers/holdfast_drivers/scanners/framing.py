"""How a scanner's bytes become scans: any split of the same bytes gives the same scans.

A read ends at CR, LF, TAB or ETX, or, for a scanner programmed to send none of these, when it falls silent. GS (0x1D)
is data: it separates GS1 elements, and text functions that take it for white space must not come near.
"""

from __future__ import annotations

import re

from holdfast_drivers.values import Scan

MAX_FRAME = 8192
"""Bytes. The largest QR code holds 7089 digits; more without an end is noise."""

GAP = 0.05
"""Seconds of silence inside a read that end it: 48 characters long at 9600 baud."""

_TERMINATORS = b"\r\n\t\x03"
_TERMINATOR = re.compile(b"[" + _TERMINATORS + b"]")
_STX = b"\x02"
_AIM_ID = re.compile(rb"\][A-Za-z][0-9A-Za-z](?=.)", re.DOTALL)
"""ISO/IEC 15424: flag, code character, modifier. Data must follow, or `]` is data itself."""


class Framer:
    """Bytes in, scans out. Knows no clock: `at` is the monotonic time of the caller, in seconds."""

    def __init__(self, *, gap: float = GAP, max_frame: int = MAX_FRAME) -> None:
        self.gap = gap
        self.oversize = 0
        """Reads dropped for being longer than `max_frame`."""
        self._max_frame = max_frame
        self._frame = bytearray()
        self._skipping = False
        self._last_byte_at = 0.0

    @property
    def open(self) -> bool:
        """A read has begun and not ended."""
        return bool(self._frame) or self._skipping

    def feed(self, data: bytes, at: float) -> list[Scan]:
        """The scans that `data`, received at `at`, completes."""
        *ended, begun = _TERMINATOR.split(data)
        scans = []
        for piece in ended:
            self._append(piece)
            scans += self._end(at, terminated=True)
        self._append(begun)
        self._last_byte_at = at
        return scans

    def idle(self, at: float) -> list[Scan]:
        """The scan that silence until `at` ends, if the last byte is `gap` seconds old."""
        if not self.open or at - self._last_byte_at < self.gap:
            return []
        return self._end(self._last_byte_at, terminated=False)

    def drop(self) -> bool:
        """Forget a read that has begun: its end will never come. True when there was one."""
        begun = self.open
        self._frame.clear()
        self._skipping = False
        return begun

    def _append(self, piece: bytes) -> None:
        if self._skipping:
            return
        self._frame += piece
        if len(self._frame) > self._max_frame:
            self._frame.clear()
            self._skipping = True
            self.oversize += 1

    def _end(self, at: float, *, terminated: bool) -> list[Scan]:
        """One scan, or none for an empty or over-long read."""
        frame = bytes(self._frame).lstrip(_STX)
        self.drop()
        return [as_scan(frame, at, terminated=terminated)] if frame else []


def as_scan(frame: bytes, at: float, *, terminated: bool = True) -> Scan:
    """A read without its framing bytes, its AIM identifier set apart."""
    aim = _AIM_ID.match(frame)
    if aim is None:
        return Scan(frame, terminated=terminated, at=at)
    return Scan(frame[aim.end() :], aim=aim[0].decode("ascii"), terminated=terminated, at=at)


def first_read(data: bytes) -> int:
    """Length of the first read in `data`, its terminator included; all of it when none ends."""
    end = _TERMINATOR.search(data)
    return end.end() if end else len(data)


def bare(frame: bytes) -> bytes:
    """A read that came whole in a packet, less STX and terminators at its ends."""
    return frame.lstrip(_STX).rstrip(_TERMINATORS)
