"""Zebra's Simple Serial Interface (SSI): packets, and the raw scans between them. Pure.

Source: Zebra, Simple Serial Interface Programmer's Guide 72E-40451, and the SSI chapters of the SE955, MS4404, DS9908
and MP72 guides. A packet is `length opcode source status data… checksum(2)`; length counts itself to the end of the
data; the checksum is the two's complement of the sum of all bytes before it, high byte first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag

from holdfast_drivers.links.tape import mask_text
from holdfast_drivers.scanners.base import Garbled
from holdfast_drivers.scanners.framing import GAP, Framer, first_read
from holdfast_drivers.values import Scan

WAKE = b"\x00"
"""Wakes a scanner that sleeps to save power; one that is awake takes no notice."""
HEADER = 4
MAX_DATA = 251
CHECKSUM = 2
INTERCHARACTER = 0.2
"""Seconds of silence inside a packet that end it."""
_TELLING = 3
"""Bytes of a frame that tell a packet from text: length, opcode, source."""


class Source(IntEnum):
    SCANNER = 0
    HOST = 4


class Status(IntFlag):
    RETRANSMISSION = 1
    CONTINUATION = 2
    """More packets of the same message follow."""
    PERMANENT = 8
    """Keep a parameter over a power cycle. Never sent by this library."""


class Opcode(IntEnum):
    """E9 enables and EA disables, in every Zebra guide seen."""

    CUSTOM_DEFAULTS = 0x12
    SSI_MGMT = 0x80
    REQUEST_REVISION = 0xA3
    REPLY_REVISION = 0xA4
    REPLY_ID = 0xA6
    AIM_OFF = 0xC4
    AIM_ON = 0xC5
    PARAM_SEND = 0xC6
    PARAM_REQUEST = 0xC7
    PARAM_DEFAULTS = 0xC8
    CMD_ACK = 0xD0
    CMD_NAK = 0xD1
    FLUSH_QUEUE = 0xD2
    CAPABILITIES_REQUEST = 0xD3
    CAPABILITIES_REPLY = 0xD4
    START_SESSION = 0xE4
    STOP_SESSION = 0xE5
    BEEP = 0xE6
    LED_ON = 0xE7
    LED_OFF = 0xE8
    SCAN_ENABLE = 0xE9
    SCAN_DISABLE = 0xEA
    SLEEP = 0xEB
    DECODE_DATA = 0xF3
    EVENT = 0xF6


class Nak(IntEnum):
    """The data byte of CMD_NAK."""

    RESEND = 1
    BAD_CONTEXT = 2
    DENIED = 6
    CANCEL = 10


OPCODES = {
    Source.SCANNER: frozenset(
        {
            Opcode.CMD_ACK,
            Opcode.CMD_NAK,
            Opcode.DECODE_DATA,
            Opcode.EVENT,
            Opcode.REPLY_REVISION,
            Opcode.REPLY_ID,
            Opcode.CAPABILITIES_REPLY,
            Opcode.PARAM_SEND,
            Opcode.SSI_MGMT,
        }
    ),
    Source.HOST: frozenset(Opcode)
    - {Opcode.DECODE_DATA, Opcode.EVENT, Opcode.REPLY_REVISION, Opcode.REPLY_ID, Opcode.CAPABILITIES_REPLY},
}
"""Who sends what."""


@dataclass(frozen=True, slots=True)
class Packet:
    opcode: int
    source: int
    data: bytes = b""
    status: int = 0

    def encode(self) -> bytes:
        """Raises ValueError for more than MAX_DATA bytes of data."""
        if len(self.data) > MAX_DATA:
            raise ValueError(f"{len(self.data)} bytes do not fit a packet")
        body = bytes([HEADER + len(self.data), self.opcode, self.source, self.status]) + self.data
        return body + checksum(body)

    @property
    def repeated(self) -> bool:
        return bool(self.status & Status.RETRANSMISSION)


def checksum(body: bytes) -> bytes:
    return (-sum(body) & 0xFFFF).to_bytes(CHECKSUM, "big")


class SsiDecoder:
    """Packets from `source`, and raw scans between them: a scanner not told to packet its data sends plain text.

    Where a frame may begin, three bytes tell: a packet's length, opcode and source never begin a text. A raw scan runs
    to its terminator or to silence of `gap`, whatever it holds. A damaged packet is dropped whole, as `Garbled`.
    """

    def __init__(self, *, source: Source = Source.SCANNER, gap: float = GAP) -> None:
        self._source = source
        self._framer = Framer(gap=gap)
        self._held = b""
        self._last_byte_at = 0.0

    @property
    def gap(self) -> float:
        return INTERCHARACTER if len(self._held) >= _TELLING else self._framer.gap

    @property
    def open(self) -> bool:
        return bool(self._held) or self._framer.open

    @property
    def oversize(self) -> int:
        return self._framer.oversize

    def feed(self, data: bytes, at: float) -> list[Packet | Scan | Garbled]:
        heard: list[Packet | Scan | Garbled] = []
        rest, self._held = self._held + data, b""
        self._last_byte_at = at
        while rest := rest if self._framer.open else rest.lstrip(WAKE):
            if self._framer.open or not self._may_be_packet(rest):
                end = first_read(rest)
                heard += self._framer.feed(rest[:end], at)
            else:
                end = rest[0] + CHECKSUM
                if len(rest) < end:
                    self._held = rest
                    break
                heard.append(_packet(rest[:end]))
            rest = rest[end:]
        return heard

    def idle(self, at: float) -> list[Packet | Scan | Garbled]:
        if at - self._last_byte_at < self.gap:
            return []
        held, self._held = self._held, b""
        if len(held) >= _TELLING:
            return [Garbled()]
        return [*self._framer.feed(held, self._last_byte_at), *self._framer.idle(at)]

    def drop(self) -> bool:
        begun = self.open
        self._held = b""
        self._framer.drop()
        return begun

    def _may_be_packet(self, data: bytes) -> bool:
        return (
            data[:1] >= bytes([HEADER])
            and (len(data) < 2 or data[1] in OPCODES[self._source])
            and (len(data) < 3 or data[2] == self._source)
        )


def _packet(frame: bytes) -> Packet | Garbled:
    body = frame[:-CHECKSUM]
    if checksum(body) != frame[-CHECKSUM:]:
        return Garbled()
    return Packet(body[1], body[2], body[HEADER:], body[3])


def mask_packets(data: bytes) -> bytes:
    """For tapes (links/tape.py): masks the data of packets that are whole in `data`, and everything else as text."""
    masked = bytearray()
    while data:
        end = data[0] + CHECKSUM
        packet = _packet(data[:end]) if len(data) >= end > HEADER else Garbled()
        if isinstance(packet, Packet) and packet.source in tuple(Source):
            masked += replace(packet, data=packet.data[:1] + mask_text(packet.data[1:])).encode()
            data = data[end:]
        else:
            masked += mask_text(data[:1])
            data = data[1:]
    return bytes(masked)
