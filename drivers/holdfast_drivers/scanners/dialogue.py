"""Scanners that answer in between: their replies set apart from their scans. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.framing import GAP, Framer, first_read
from holdfast_drivers.values import Scan

MAX_REPLY = 1024
"""Bytes. Longer, it is no reply."""


@dataclass(frozen=True, slots=True)
class ReplyShape:
    """How a reply looks. A scan that begins as one but runs into `stop` first is a scan."""

    begin: bytes
    end: re.Pattern[bytes]
    stop: re.Pattern[bytes] | None = None
    """None: nothing but a reply begins so."""


@dataclass(frozen=True, slots=True)
class Reply:
    body: bytes
    """All of it, `begin` and `end` included."""


class Dialogue:
    """A `Decoder` of plain text scans and of replies of one shape, where a shape is set."""

    def __init__(self, *, gap: float = GAP, shape: ReplyShape | None = None) -> None:
        self.shape = shape
        """What to look out for. It stays when an answer was waited for in vain: a late one must not become a scan."""
        self._framer = Framer(gap=gap)
        self._held = b""
        self._last_byte_at = 0.0

    @property
    def gap(self) -> float:
        return self._framer.gap

    @property
    def open(self) -> bool:
        return bool(self._held) or self._framer.open

    @property
    def oversize(self) -> int:
        return self._framer.oversize

    def feed(self, data: bytes, at: float) -> list[Scan | Reply | Garbled]:
        heard: list[Scan | Reply | Garbled] = []
        rest, self._held = self._held + data, b""
        self._last_byte_at = at
        while rest:
            length = 0 if self._framer.open else self._reply_length(rest)
            if length is None:
                self._held = rest
                break
            if length:
                heard.append(Reply(rest[:length]))
            else:
                length = first_read(rest)
                heard += self._framer.feed(rest[:length], at)
            rest = rest[length:]
        return heard

    def idle(self, at: float) -> list[Scan | Reply | Garbled]:
        if at - self._last_byte_at < self.gap:
            return []
        held, self._held = self._held, b""
        if held and self.shape is not None and self.shape.stop is None and held.startswith(self.shape.begin):
            return [Garbled()]
        return [*self._framer.feed(held, self._last_byte_at), *self._framer.idle(at)]

    def drop(self) -> bool:
        begun = self.open
        self._held = b""
        self._framer.drop()
        return begun

    def _reply_length(self, data: bytes) -> int | None:
        """Length of the reply `data` begins with; 0: it begins with none; None: more bytes will tell."""
        if self.shape is None or not (data.startswith(self.shape.begin) or self.shape.begin.startswith(data)):
            return 0
        end = self.shape.end.search(data, 0, MAX_REPLY)
        stop = self.shape.stop.search(data) if self.shape.stop else None
        if end and not (stop and stop.start() < end.start()):
            return end.end()
        return 0 if stop or len(data) >= MAX_REPLY else None
