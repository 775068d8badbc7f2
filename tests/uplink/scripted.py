"""An MQTT server that misbehaves on request. It speaks just enough of 3.1.1 and 5 to be hostile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple, Self

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14


class Published(NamedTuple):
    topic: str
    payload: bytes
    mid: int
    retain: bool
    dup: bool
    connection: int


@dataclass
class Manners:
    """How the server behaves; change it while it runs."""

    connack: bool = True
    """False: take the connection and never answer."""
    puback: int | None = 0x00
    """Reason code; None: never answer. MQTT 3.1.1 has no room for a code."""
    suback: int = 0x01
    die_on_publish: bool = False
    """Close the connection without an answer."""
    close_on_disconnect: bool = True


@dataclass
class ScriptedBroker:
    manners: Manners = field(default_factory=Manners)
    published: list[Published] = field(default_factory=list)
    acked: list[int] = field(default_factory=list)
    """Message ids the client has acknowledged."""
    connections: int = 0
    closed: int = 0

    async def __aenter__(self) -> Self:
        self._writers: list[asyncio.StreamWriter] = []
        self._v5: dict[asyncio.StreamWriter, bool] = {}
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.drop()
        await asyncio.sleep(0)

    def drop(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def send(self, topic: str, payload: bytes, *, mid: int, qos: int = 1) -> None:
        """A PUBLISH to the newest client."""
        writer = self._writers[-1]
        name = topic.encode()
        body = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if qos else b"")
        body += (b"\x00" if self._v5[writer] else b"") + payload
        writer.write(packet(PUBLISH << 4 | qos << 1, body))

    def send_raw(self, data: bytes) -> None:
        self._writers[-1].write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._writers.append(writer)
        try:
            while True:
                first = (await reader.readexactly(1))[0]
                body = await reader.readexactly(await read_length(reader))
                if not self._answer(writer, first, body, number):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed += 1
            writer.close()

    def _answer(self, writer: asyncio.StreamWriter, first: int, body: bytes, number: int) -> bool:
        kind, manners = first >> 4, self.manners
        if kind == CONNECT:
            self._v5[writer] = body[6] == 5
            if manners.connack:
                writer.write(packet(0x20, b"\x00\x00\x00" if self._v5[writer] else b"\x00\x00"))
        elif kind == SUBSCRIBE:
            count = topics_in(body, self._v5[writer])
            gap = b"\x00" if self._v5[writer] else b""
            writer.write(packet(0x90, body[:2] + gap + bytes([manners.suback]) * count))
        elif kind == PUBLISH:
            self.published.append(parse_publish(first, body, number, v5=self._v5[writer]))
            if manners.die_on_publish:
                return False
            if manners.puback is not None:
                code = bytes([manners.puback]) if self._v5[writer] and manners.puback else b""
                writer.write(packet(0x40, self.published[-1].mid.to_bytes(2, "big") + code))
        elif kind == PUBACK:
            self.acked.append(int.from_bytes(body[:2], "big"))
        elif kind == PINGREQ:
            writer.write(b"\xd0\x00")
        return not (kind == DISCONNECT and manners.close_on_disconnect)


def packet(first: int, body: bytes) -> bytes:
    length, head = len(body), bytearray([first])
    while True:
        head.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return bytes(head) + body


async def read_length(reader: asyncio.StreamReader) -> int:
    total = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        total |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return total


def topics_in(body: bytes, v5: bool) -> int:
    at, count = 3 + body[2] if v5 else 2, 0
    while at < len(body):
        at += 2 + int.from_bytes(body[at : at + 2], "big") + 1
        count += 1
    return count


def parse_publish(first: int, body: bytes, number: int, *, v5: bool) -> Published:
    size = int.from_bytes(body[:2], "big")
    topic, at = body[2 : 2 + size].decode(), 2 + size
    mid, at = int.from_bytes(body[at : at + 2], "big"), at + 2
    if v5:
        at += 1 + body[at]
    return Published(topic, body[at:], mid, bool(first & 1), bool(first & 8), number)
