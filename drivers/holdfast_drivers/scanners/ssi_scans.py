"""Scans out of what a Zebra scanner sends as DECODE_DATA: a code type, then the data. Pure."""

from __future__ import annotations

from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.framing import MAX_FRAME, as_scan, bare
from holdfast_drivers.scanners.ssi import Packet, Status
from holdfast_drivers.values import Scan

STALE = 6.0
"""Seconds after which a scan continued in a further packet is given up: three tries of 2 s."""

AIM_IDS = {
    0x01: "]A0",
    0x02: "]F0",
    0x03: "]C0",
    0x06: "]I0",
    0x07: "]G0",
    0x08: "]E0",
    0x09: "]E0",
    0x0A: "]E4",
    0x0B: "]E0",
    0x0F: "]C1",
    0x11: "]L2",
    0x1B: "]d1",
    0x1C: "]Q1",
    0x2D: "]z0",
    0x30: "]e0",
    0x31: "]e0",
    0x32: "]e0",
    0x48: "]E3",
    0x49: "]E3",
    0x4B: "]E3",
    0x88: "]E3",
    0x89: "]E3",
    0x8B: "]E3",
    0xC1: "]d2",
    0xC2: "]Q3",
}
"""AIM identifier by DECODE_DATA's code type, where two of these agree: CS3000 guide table B-1, PDT 6800 guide table
F-6, the symbology constants of Zebra's CoreScanner and mobile SDKs. The CS3000 numbers DataBar 23..25, the SDKs 30..32
with postal codes at 23..25: those are left out."""


class ScanAssembler:
    """Scans out of DECODE_DATA: continued ones joined, ones sent again told apart from ones scanned again."""

    def __init__(self) -> None:
        self._last: bytes | None = None
        self._data = bytearray()
        self._type: int | None = None
        self._at = 0.0

    def take(self, packet: Packet, at: float) -> Scan | Garbled | None:
        """The scan that `packet` completes, Garbled if it is too long. None: more is to come, or it was had before."""
        if packet.repeated and packet.data == self._last:
            return None
        self._last = packet.data
        if at - self._at > STALE:
            self._begin()
        self._at = at
        self._append(packet.data)
        if packet.status & Status.CONTINUATION:
            return None
        return self._end(at)

    def _begin(self) -> None:
        self._data.clear()
        self._type = None

    def _append(self, data: bytes) -> None:
        """A further packet repeats the code type, as every DECODE_DATA has one; a packet that does not is all data."""
        if self._type is None:
            self._type = data[0] if data else 0
        if len(self._data) <= MAX_FRAME:
            self._data += data[1:] if data[:1] == bytes([self._type]) else data

    def _end(self, at: float) -> Scan | Garbled | None:
        frame, code_type = bare(bytes(self._data)), self._type
        self._begin()
        if not frame:
            return None
        if len(frame) > MAX_FRAME:
            return Garbled()
        scan = as_scan(frame, at)
        return scan if scan.aim else Scan(frame, aim=AIM_IDS.get(code_type or 0, ""), at=at)
