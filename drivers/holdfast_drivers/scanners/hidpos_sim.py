"""A scanner in USB HID POS mode that is not there: each of its writes is one report."""

from __future__ import annotations

import asyncio

from holdfast_drivers.scanners.hidpos import MAX_DATA, Report
from holdfast_drivers.scanners.simulator import ScannerSimulator

DESCRIPTOR = bytes.fromhex("058c0902a1018502150026ff007508953f09fe8102c0")
"""Usage page 8C, usage "bar code scanner": input report 2 of 63 bytes. Real ones name each field of it."""
_NO_AIM = "]X0"
"""ISO/IEC 15424: other bar code."""


def reports(aim: str, data: bytes) -> list[bytes]:
    """A read in as many reports as it takes."""
    pieces = [data[start : start + MAX_DATA] for start in range(0, len(data), MAX_DATA)]
    return [Report(aim, piece, number < len(pieces) - 1).encode() for number, piece in enumerate(pieces)]


class HidPosSimulator(ScannerSimulator):
    """The terminator belongs to what a report carries."""

    async def scan(
        self, text: str, *, aim: str = "]E0", terminator: str = "\r", per_byte_delay: float | None = None
    ) -> None:
        for report in reports(aim or _NO_AIM, (text + terminator).encode()):
            await self._send(report)
            await asyncio.sleep(per_byte_delay or 0)
