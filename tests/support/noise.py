"""A chip on a bus that says anything."""

from __future__ import annotations

from holdfast_drivers.links.registers import Nack


class Fuzz:
    """A chip whose every read is whatever comes next."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.writes = 0

    def read(self, _register: int, length: int) -> bytes:
        head, self.data = self.data[:length], self.data[length:]
        if not head:
            raise Nack
        return head.ljust(length, b"\xff")

    def write(self, _register: int, _data: bytes) -> None:
        self.writes += 1
