"""ACME's ring scanner: every read is `<`, the code, two hexadecimal digits of its sum, `>`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast_drivers.links.base import Opener
from holdfast_drivers.registry import ScannerDriver
from holdfast_drivers.scanners.base import Capability, Garbled
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.values import Scan

MAX_FRAME = 512


class RingCodec:
    """Pure: bytes in, scans out, however they are split."""

    gap = 0.1

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.oversize = 0

    @property
    def open(self) -> bool:
        return bool(self._buffer)

    def feed(self, data: bytes, at: float) -> Sequence[object]:
        self._buffer += data
        frames: list[object] = []
        while (end := self._buffer.find(b">")) >= 0:
            frames.append(_frame(bytes(self._buffer[:end]), at))
            del self._buffer[: end + 1]
        if len(self._buffer) > MAX_FRAME:
            self._buffer.clear()
            self.oversize += 1
        return frames

    def idle(self, at: float) -> Sequence[object]:  # noqa: ARG002 - the signature is Decoder's
        """Half a code is no code."""
        return [Garbled()] if self.drop() else []

    def drop(self) -> bool:
        begun = bool(self._buffer)
        self._buffer.clear()
        return begun


def _frame(text: bytes, at: float) -> object:
    code, checksum = text[1:-2], text[-2:]
    if not text.startswith(b"<") or not code or checksum != b"%02X" % (sum(code) % 256):
        return Garbled()
    return Scan(code, at=at)


class RingScanner(LineScanner):
    capabilities = frozenset({Capability.FEEDBACK})

    def __init__(self, opener: Opener, *, loud: bool) -> None:
        super().__init__(opener, RingCodec())
        self._tone = b"!" if loud else b"."

    async def good_read(self, *, beeps: int = 1) -> None:
        await self._send(self._tone * beeps)

    async def bad_read(self) -> None:
        await self._send(b"?")


def make(opener: Opener, options: Mapping[str, Any]) -> RingScanner:
    unknown = options.keys() - {"loud"}
    if unknown:
        raise ValueError(f"unknown options: {', '.join(sorted(unknown))}")
    return RingScanner(opener, loud=bool(options.get("loud", True)))


DRIVER = ScannerDriver("acme-ring", make, "ACME ring scanner")
