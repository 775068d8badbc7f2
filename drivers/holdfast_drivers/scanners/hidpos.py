"""A scanner in USB HID POS mode (usage page 8C, "bar code scanner"): binary safe, AIM identifier in every report.

Sources: USB-IF, HID Point of Sale Usage Tables 1.02; the report as Hand Held Products' 2020-5b guide and Access-IS's
LSR110, LSR118 and ATR110 manuals print it. 64 bytes: report id 2, length of the data, AIM identifier (3), data
(up to 56), the maker's symbology, reserved, bit 0 of the last byte: more follows. Zebra and Datalogic scanners are
seen to put one more byte before the AIM identifier (NielsLeenheer/WebHidBarcodeScanner); its `]` tells. Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.framing import MAX_FRAME, bare
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.values import Scan

REPORT_ID = 2
REPORT = 64
"""Bytes, report id included."""
MAX_DATA = 56
CONTINUED = 1
FLAGS = 63
USAGE_PAGE = b"\x05\x8c"
"""HID report descriptor item: usage page 8C."""
GAP = 0.5
"""Seconds within which a continued read goes on: reports follow each other within milliseconds."""

_AIM_AT = (2, 3)
_AIM_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Report:
    aim: str
    data: bytes
    continued: bool = False

    def encode(self) -> bytes:
        """Raises ValueError for more than MAX_DATA bytes of data."""
        if len(self.data) > MAX_DATA:
            raise ValueError(f"{len(self.data)} bytes do not fit a report")
        head = bytes([REPORT_ID, len(self.data)]) + self.aim.encode("ascii") + self.data
        return head.ljust(FLAGS, b"\0") + bytes([CONTINUED * self.continued])


def decode(report: bytes) -> Report | Garbled | None:
    """None: a report of another kind."""
    if report[:1] != bytes([REPORT_ID]):
        return None
    aim_at = next((at for at in _AIM_AT if report[at : at + 1] == b"]"), None)
    if len(report) != REPORT or aim_at is None or report[1] > MAX_DATA:
        return Garbled()
    data_at = aim_at + _AIM_LENGTH
    aim = report[aim_at:data_at].decode("latin-1")
    return Report(aim, report[data_at : data_at + report[1]], bool(report[FLAGS] & CONTINUED))


class HidPosDecoder:
    """A `Decoder` of a link that gives one report a read, as /dev/hidraw does."""

    gap = GAP

    def __init__(self) -> None:
        self.oversize = 0
        self._begun: Report | None = None
        self._last_byte_at = 0.0

    @property
    def open(self) -> bool:
        return self._begun is not None

    def feed(self, data: bytes, at: float) -> list[Scan | Garbled]:
        report = decode(data)
        if report is None:
            return []
        begun, self._begun = self._begun, None
        if isinstance(report, Garbled) or (begun and begun.aim != report.aim):
            return [Garbled()]
        self._last_byte_at = at
        whole = replace(report, data=begun.data + report.data) if begun else report
        if len(whole.data) > MAX_FRAME:
            self.oversize += 1
            return []
        if whole.continued:
            self._begun = whole
            return []
        frame = bare(whole.data)
        return [Scan(frame, aim=whole.aim, at=at)] if frame else []

    def idle(self, at: float) -> list[Scan | Garbled]:
        """A read that does not go on is damaged: its end is missing."""
        if not self.open or at - self._last_byte_at < self.gap:
            return []
        self.drop()
        return [Garbled()]

    def drop(self) -> bool:
        begun = self.open
        self._begun = None
        return begun


class HidPosScanner(LineScanner):
    """A `Scanner` without capabilities, over a link of HID reports (links/hidraw.py)."""

    def __init__(self, opener: Opener) -> None:
        super().__init__(opener, HidPosDecoder())
