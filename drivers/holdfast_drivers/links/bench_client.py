"""The bench seen from the daemon: a blocking I²C bus and a chip of lines (links/bench.py says what goes over the wire).

There is no reconnecting: once the bench is gone every call raises DeviceError("unplugged"), and the owner opens anew.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from contextlib import suppress
from itertools import count

import msgspec

from holdfast_drivers.links.bench import FRAME_LIMIT, AnyRequest, Edges, Get, Give, Read, Reply, Set, Take, Write
from holdfast_drivers.links.lines import Edge, LineConfig, OnEdge
from holdfast_drivers.values import DeviceError

TIMEOUT = 1.0
"""Seconds for one call, connect included."""


class _Connection:
    """One socket to the bench. Calls from any thread, one at a time."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._ids = count(1)
        self._buffer = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise DeviceError("absent", f"bench {path}: {error.strerror or error}") from error

    def next_id(self) -> int:
        return next(self._ids)

    def call(self, request: AnyRequest) -> Reply:
        """The bench's answer. Raises DeviceError: `timeout`, `unplugged`, `garbled` or what the bench refused with."""
        deadline = time.monotonic() + TIMEOUT
        with self._lock:
            self._send(msgspec.json.encode(request) + b"\n")
            reply = self._reply(request.id, deadline)
        if reply.error:
            raise DeviceError(reply.error, reply.detail)
        return reply

    def receive(self, deadline: float | None) -> bytes:
        """The next message, newline taken off."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) >= FRAME_LIMIT:
                self.close()
                raise DeviceError("garbled", f"bench {self.path}: oversize message")
            self._buffer += self._chunk(deadline)
        frame = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return frame

    def close(self) -> None:
        """Ends a receive() under way in another thread, too. Idempotent."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _reply(self, wanted: int, deadline: float) -> Reply:
        """Skips late answers to calls given up before."""
        while True:
            try:
                reply = msgspec.json.decode(self.receive(deadline), type=Reply)
            except msgspec.DecodeError as error:
                raise DeviceError("garbled", f"bench {self.path}: {error}") from error
            if reply.id == wanted:
                return reply

    def _send(self, frame: bytes) -> None:
        try:
            self._socket.settimeout(TIMEOUT)
            self._socket.sendall(frame)
        except TimeoutError as error:
            self.close()
            raise DeviceError("timeout", f"bench {self.path} takes no more") from error
        except OSError as error:
            raise DeviceError("unplugged", f"bench {self.path}") from error

    def _chunk(self, deadline: float | None) -> bytes:
        try:
            self._socket.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.001))
            chunk = self._socket.recv(FRAME_LIMIT)
        except TimeoutError as error:
            raise DeviceError("timeout", f"bench {self.path} did not answer") from error
        except OSError as error:
            raise DeviceError("unplugged", f"bench {self.path}") from error
        if not chunk:
            raise DeviceError("unplugged", f"bench {self.path} ended")
        return chunk


class BenchBus:
    """SMBusLike at the bench. Raises OSError as an adapter does, DeviceError when the bench itself fails."""

    def __init__(self, path: str) -> None:
        """Raises DeviceError("absent") when no bench answers at `path`."""
        self._connection = _Connection(path)

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        return self._read(i2c_addr, register, 1)[0]

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        return int.from_bytes(self._read(i2c_addr, register, 2), "little")

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        return list(self._read(i2c_addr, register, length))

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._call(Write(self._connection.next_id(), i2c_addr, register, bytes([value]).hex()))

    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None:
        data = value.to_bytes(2, "little").hex()
        self._call(Write(self._connection.next_id(), i2c_addr, register, data))

    def close(self) -> None:
        """Idempotent; never raises."""
        self._connection.close()

    def _read(self, address: int, register: int, length: int) -> bytes:
        reply = self._call(Read(self._connection.next_id(), address, register, length))
        data = bytes.fromhex(reply.data)
        if len(data) != length:
            raise DeviceError("garbled", f"{len(data)} bytes for {length}")
        return data

    def _call(self, request: AnyRequest) -> Reply:
        try:
            return self._connection.call(request)
        except DeviceError as error:
            if error.kind == "absent":
                raise OSError(errno.EREMOTEIO, error.detail) from error
            raise


class BenchChip:
    """LineChip at the bench. Edges come over a connection of their own, opened with the first watched line."""

    def __init__(self, path: str) -> None:
        """Raises DeviceError("absent") when no bench answers at `path`."""
        self.name = f"bench {path}"
        self._path = path
        self._connection = _Connection(path)
        self._edges: _Connection | None = None
        self._watched: dict[int, OnEdge] = {}

    def configure(self, line: int, config: LineConfig, on_edge: OnEdge | None = None) -> None:
        if on_edge is None or config.output:
            self._watched.pop(line, None)
        else:
            self._watched[line] = on_edge
            self._listen()
        taken = Take(self._connection.next_id(), line, config.output, config.high, config.pull, config.debounce)
        self._connection.call(taken)

    def read(self, line: int) -> bool:
        return bool(self._connection.call(Get(self._connection.next_id(), line)).high)

    def write(self, line: int, *, high: bool) -> None:
        self._connection.call(Set(self._connection.next_id(), line, high))

    def release(self, line: int) -> None:
        self._watched.pop(line, None)
        with suppress(DeviceError):  # a bench that is gone has freed it
            self._connection.call(Give(self._connection.next_id(), line))

    def close(self) -> None:
        """The bench frees the lines of a connection that ends."""
        self._watched.clear()
        self._connection.close()
        if self._edges is not None:
            self._edges.close()

    def _listen(self) -> None:
        if self._edges is None:
            self._edges = _Connection(self._path)
            self._edges.call(Edges(self._edges.next_id()))
            threading.Thread(target=self._follow, args=(self._edges,), name=f"edges {self.name}", daemon=True).start()

    def _follow(self, edges: _Connection) -> None:
        while True:
            try:
                edge = msgspec.json.decode(edges.receive(None), type=Edge)
            except (DeviceError, msgspec.DecodeError):  # a reader of the level learns that the bench is gone
                edges.close()
                return
            if (on_edge := self._watched.get(edge.line)) is not None:
                on_edge(edge)
