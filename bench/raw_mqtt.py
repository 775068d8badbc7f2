"""As little MQTT as it takes to fill a broker and to count what comes out: nobody's client library is measured here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from typing import Self

CONNACK, SUBACK = 4, 5
"""Bytes of the answers."""
CHUNK = 1 << 16
QUIET_S = 60.0


def packet(head: int, body: bytes) -> bytes:
    """Fixed header with the remaining length as a variable byte integer (MQTT 3.1.1, 2.2.3), then the body."""
    length, left = bytearray(), len(body)
    while True:
        left, low = left >> 7, left & 0x7F
        length.append(low | (0x80 if left else 0))
        if not left:
            return bytes([head]) + bytes(length) + body


def text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


class Connection:
    """An MQTT 3.1.1 client, connected."""

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=QUIET_S)
        self._socket.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text(name)))
        self._take(CONNACK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def publish(self, topic: str, payloads: Iterable[bytes]) -> int:
        """Publish all at QoS 1 and wait for every PUBACK; how many they were."""
        packets = [
            packet(0x32, text(topic) + (number % 65535 + 1).to_bytes(2, "big") + payload)
            for number, payload in enumerate(payloads)
        ]
        sender = threading.Thread(target=self._socket.sendall, args=(b"".join(packets),), daemon=True)
        sender.start()
        self._take(len(packets) * 4)
        sender.join()
        return len(packets)

    def subscribe(self, topic: str) -> None:
        """At QoS 0: counting costs the broker as little as can be."""
        self._socket.sendall(packet(0x82, b"\x00\x01" + text(topic) + b"\x00"))
        self._take(SUBACK)

    def count(self, size: int, messages: int) -> float:
        """Messages a second, from the first on, until so many of `size` bytes on the wire have come."""
        came = len(self._socket.recv(CHUNK))
        began, counted = time.perf_counter(), came
        while came < size * messages:
            came += self._some()
        return (came - counted) / size / (time.perf_counter() - began)

    def _take(self, size: int) -> None:
        while size > 0:
            size -= len(self._socket.recv(min(size, CHUNK)))

    def _some(self) -> int:
        data = self._socket.recv(CHUNK)
        if not data:
            raise ConnectionError("the broker hung up")
        return len(data)
