"""What a Star printer answers, and what that says about it. Pure: bytes in, replies out, no clock, no port.

Source: Star Micronics, STAR Line Mode Command Specifications, appendix 2, automatic status (ASB). The same bytes answer
ESC ACK SOH and ETB and report changes. Bytes are told apart by their fixed bits; the first header gives the length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from holdfast_drivers.values import PrinterStatus, Tri

ASK = b"\x1b\x06\x01"
"""ESC ACK SOH: answered at once, also while offline. Not while automatic status is on."""
ASB_ON = b"\x1b\x1ea\x01"
ASB_OFF = b"\x1b\x1ea\x00"
ETB = b"\x17"
"""When all data before it is printed: the counter goes on by one and, with ASB on, a report is sent."""
ASK_VERSION = b"\x1b#*\n\0"
"""ESC # *: answered by model and firmware, in its turn."""
COUNTS = 32
"""Values of the ETB counter."""

_XON, _XOFF = 0x11, 0x13
_SHORTEST = 6
"""Two headers and the first four status bytes: what `fold` reads."""
_VERSION_HEAD = b"\x1b#*,"
_MAX_VERSION = 128
_COUNTER = 7
"""Offset of the ETB counter."""


@dataclass(frozen=True, slots=True)
class AutoStatus:
    """One report, headers and all."""

    data: bytes

    @property
    def version(self) -> int:
        """Of the report: up to 3 Star Line, from 4 StarPRNT."""
        return _coded(self.data[1])

    @property
    def executed(self) -> bool:
        """Whether an ETB was carried out since power on or the last reset of the counter."""
        return bool(self.data[2] & 0x02)

    @property
    def counter(self) -> int | None:
        """Times an ETB was carried out, modulo COUNTS; None: this model does not count."""
        if len(self.data) <= _COUNTER:
            return None
        byte = self.data[_COUNTER]
        return (byte & 0x60) >> 2 | (byte & 0x0E) >> 1


@dataclass(frozen=True, slots=True)
class Flow:
    """XON (`ready`) or XOFF."""

    ready: bool


@dataclass(frozen=True, slots=True)
class Junk:
    """Bytes that are no report."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Version:
    """Answer to ASK_VERSION, head and NUL and all."""

    data: bytes

    @property
    def text(self) -> bytes:
        """Model and firmware, as the printer puts them."""
        return self.data[len(_VERSION_HEAD) : -1]


Reply = AutoStatus | Flow | Junk | Version


class StarDecoder:
    """Cuts a printer's bytes into reports. Any split of the bytes gives the same; keeps at most one report."""

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes."""
        return [reply for byte in data for reply in self._take(byte)]

    def _take(self, byte: int) -> list[Reply]:
        if byte in (_XON, _XOFF):
            return [Flow(ready=byte == _XON)]
        if not self._partial:
            return self._begin(byte)
        if self._partial[0] == _VERSION_HEAD[0]:
            return self._continue_version(byte)
        fixed = 0x11 if len(self._partial) == 1 else 0x91
        if byte & fixed:
            return [Junk(self._drain()), *self._begin(byte)]
        self._partial.append(byte)
        return [self._whole()] if len(self._partial) == self._length() else []

    def _continue_version(self, byte: int) -> list[Reply]:
        at = len(self._partial)
        if byte == 0 and at >= len(_VERSION_HEAD):
            return [Version(self._drain() + b"\0")]
        if at == _MAX_VERSION or (at < len(_VERSION_HEAD) and byte != _VERSION_HEAD[at]):
            return [Junk(self._drain()), *self._begin(byte)]
        self._partial.append(byte)
        return []

    def _begin(self, byte: int) -> list[Reply]:
        if byte & 0x91 != 0x01 and byte != _VERSION_HEAD[0]:
            return [Junk(bytes([byte]))]
        self._partial.append(byte)
        return []

    def _length(self) -> int:
        """Of the report begun; at least two, as the second header may add to it."""
        return max(2, _coded(self._partial[0]) + (2 if self._partial[1] & 0x80 else 0))

    def _whole(self) -> Reply:
        data = self._drain()
        return AutoStatus(data) if len(data) >= _SHORTEST else Junk(data)

    def _drain(self) -> bytes:
        data = bytes(self._partial)
        self._partial.clear()
        return data


def fold(status: PrinterStatus, report: AutoStatus, at: float, *, drawer_open_high: bool | None) -> PrinterStatus:
    """`status` after a report received at `at`. A hot head is no fault: it cools and printing goes on."""
    printer, errors, more_errors, paper = report.data[2:6]
    drawer = Tri.UNKNOWN
    if drawer_open_high is not None:
        drawer = _yes_if(bool(printer & 0x04) is drawer_open_high)
    return replace(
        status,
        online=_yes_if(not printer & 0x08),
        cover_open=_yes_if(printer & 0x20),
        paper=_yes_if(not paper & 0x08),
        paper_low=_yes_if(paper & 0x0E),
        cutter_fault=_yes_if(errors & 0x08),
        fault=_yes_if(errors & 0x2C or more_errors & 0x0E),
        drawer_open=drawer,
        at=at,
    )


def _coded(header: int) -> int:
    """The number in a header: bits 6, 5, 3, 2, 1 count 16, 8, 4, 2, 1."""
    return (header & 0x60) >> 2 | (header & 0x0E) >> 1


def _yes_if(bits: int) -> Tri:
    return Tri.YES if bits else Tri.NO
