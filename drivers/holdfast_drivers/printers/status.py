"""What an ESC/POS printer answers, and what that says about it. Pure: bytes in, replies out, no clock, no port.

Replies carry no frame; they are told apart by their fixed bits (Epson ESC/POS reference: DLE EOT, GS a, GS r, GS I,
GS ( H). Automatic status may arrive at any time, so one decoder must see every byte that the port delivers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from holdfast_drivers.values import PrinterStatus, Tri

ASB_ON = b"\x1da\xff"
"""Automatic status back for every cause: one report at once, then one at each change."""
REALTIME_ALL = b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04"
"""DLE EOT 1..4; answered in this order even while offline. Never to be sent inside another command."""
IN_ORDER_PAPER = b"\x1dr\x01"
"""GS r 1: the paper sensor, answered when everything before it has been processed."""

JOB_ID_BYTES = 4
IDENTITY = 0x5F
"""Header of the block that answers GS I."""
_MAX_BLOCK = 128
"""Longest block data kept; the longest defined one (GS I) holds 80 characters."""
_XON, _XOFF, _NUL = 0x11, 0x13, 0x00
_BLOCK_HEADERS = frozenset((IDENTITY, 0x3D, 0x37, 0x35, 0x3B))
_JOB_DONE = (0x37, b"\x22")
_STATUS_BYTES = 4


@dataclass(frozen=True, slots=True)
class RealTime:
    """Answer to one DLE EOT; which one only the asker knows."""

    value: int


@dataclass(frozen=True, slots=True)
class AutoStatus:
    """Automatic status back."""

    data: bytes
    """Four bytes."""


@dataclass(frozen=True, slots=True)
class InOrder:
    """One byte in answer to GS r, or GS I with a number."""

    value: int


@dataclass(frozen=True, slots=True)
class JobDone:
    """GS ( H function 48: all data sent before the request carrying `job` is on paper."""

    job: bytes
    """Four characters."""


@dataclass(frozen=True, slots=True)
class Info:
    """Any other block of text, e.g. the model name for GS I 67."""

    header: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Flow:
    """XON (`ready`) or XOFF."""

    ready: bool


@dataclass(frozen=True, slots=True)
class Junk:
    """Bytes that are no reply."""

    data: bytes


Reply = RealTime | AutoStatus | InOrder | JobDone | Info | Flow | Junk


class StatusDecoder:
    """Cuts a printer's bytes into replies. Any split of the bytes gives the same replies; keeps at most one block."""

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
        if self._partial[0] in _BLOCK_HEADERS:
            return self._continue_block(byte)
        return self._continue_status(byte)

    def _begin(self, byte: int) -> list[Reply]:
        if byte in _BLOCK_HEADERS or byte & 0x93 == 0x10:
            self._partial.append(byte)
            return []
        if byte & 0x93 == 0x12:
            return [RealTime(byte)]
        return [InOrder(byte)] if byte & 0x90 == 0 else [Junk(bytes([byte]))]

    def _continue_status(self, byte: int) -> list[Reply]:
        if byte & 0x90:
            return [self._discard(), *self._begin(byte)]
        self._partial.append(byte)
        return [AutoStatus(self._drain())] if len(self._partial) == _STATUS_BYTES else []

    def _continue_block(self, byte: int) -> list[Reply]:
        if byte == _NUL:
            return [_block(self._drain())]
        if not 0x20 <= byte <= 0x7E or len(self._partial) == _MAX_BLOCK:
            return [self._discard(), *self._begin(byte)]
        self._partial.append(byte)
        return []

    def _discard(self) -> Junk:
        return Junk(self._drain())

    def _drain(self) -> bytes:
        data = bytes(self._partial)
        self._partial.clear()
        return data


def job_request(job: bytes) -> bytes:
    """GS ( H function 48 with four characters 0x20..0x7E; answered by JobDone once all data before it is printed."""
    if len(job) != JOB_ID_BYTES or any(not 0x20 <= byte <= 0x7E for byte in job):
        raise ValueError(f"not a job id: {job!r}")
    return b"\x1d(H\x06\x0000" + job


def identity_request(number: int) -> bytes:
    """GS I with 65 (firmware), 66 (maker), 67 (model) or 68 (serial number); answered by Info in its turn."""
    return b"\x1dI" + bytes([number])


def kick_pulse(pin: int) -> bytes:
    """ESC p: 100 ms on the drawer connector's pin 2 (`pin` 0) or 5 (`pin` 1), at least 500 ms off."""
    if pin not in (0, 1):
        raise ValueError(f"no such drawer pin: {pin}")
    return bytes((0x1B, 0x70, pin, 50, 250))


def is_paper_reply(reply: InOrder) -> bool:
    """Whether a one-byte reply can be GS r 1's: both near-end bits alike, both end bits alike, nothing else set."""
    return reply.value in (0x00, 0x03, 0x0C, 0x0F)


def fold_realtime(
    status: PrinterStatus, values: tuple[int, int, int, int], at: float, *, drawer_open_high: bool | None
) -> PrinterStatus:
    """`status` after the answers to DLE EOT 1..4, received at `at`."""
    printer, offline_cause, error, paper = values
    return replace(
        status,
        online=_no_if(printer & 0x08),
        cover_open=_yes_if(offline_cause & 0x04),
        paper=_no_if(paper & 0x60 or offline_cause & 0x20),
        paper_low=_yes_if(paper & 0x6C),
        cutter_fault=_yes_if(error & 0x08),
        fault=_yes_if(error & 0x2C),
        drawer_open=_drawer(printer & 0x04, drawer_open_high),
        at=at,
    )


def fold_auto(status: PrinterStatus, report: AutoStatus, at: float, *, drawer_open_high: bool | None) -> PrinterStatus:
    """`status` after an automatic report, received at `at`."""
    first, errors, paper, _ = report.data
    return replace(
        status,
        online=_no_if(first & 0x08),
        cover_open=_yes_if(first & 0x20),
        paper=_no_if(paper & 0x0C),
        paper_low=_yes_if(paper & 0x0F),
        cutter_fault=_yes_if(errors & 0x08),
        fault=_yes_if(errors & 0x2C),
        drawer_open=_drawer(first & 0x04, drawer_open_high),
        at=at,
    )


def _block(data: bytes) -> Reply:
    header, body = data[0], data[1:]
    if (header, body[:1]) == _JOB_DONE and len(body) == 1 + JOB_ID_BYTES:
        return JobDone(body[1:])
    return Info(header, body)


def _yes_if(bits: int) -> Tri:
    return Tri.YES if bits else Tri.NO


def _no_if(bits: int) -> Tri:
    return Tri.NO if bits else Tri.YES


def _drawer(pin_high: int, open_high: bool | None) -> Tri:
    if open_high is None:
        return Tri.UNKNOWN
    return _yes_if(bool(pin_high) is open_high)
