"""Simulated I²C chips as register maps, and a bus of them in this process."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Protocol


class Nack(Exception):  # noqa: N818 - the wire's word for it, not a fault of this program
    """A simulated chip does not acknowledge."""


class Hang(Exception):  # noqa: N818 - as above
    """A simulated chip holds the bus: the transfer never ends."""


class RegisterMap(Protocol):
    """A simulated chip: what stands at its registers. Both methods raise Nack or Hang to fail as the wire would."""

    def read(self, register: int, length: int) -> bytes:
        """`length` bytes from `register` on, in wire order."""
        ...

    def write(self, register: int, data: bytes) -> None:
        """Take `data`, in wire order, at `register`."""
        ...


class MemoryBus:
    """SMBusLike over register maps in this process. `Hang` becomes ETIMEDOUT, as when the adapter gives up."""

    def __init__(self, chips: Mapping[int, RegisterMap]) -> None:
        self.chips = chips

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        return self._read(i2c_addr, register, 1)[0]

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        return int.from_bytes(self._read(i2c_addr, register, 2), "little")

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        return list(self._read(i2c_addr, register, length))

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._chip(i2c_addr).write(register, bytes([value]))

    def write_word_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._chip(i2c_addr).write(register, value.to_bytes(2, "little"))

    def close(self) -> None:
        """Nothing is held."""

    def _read(self, address: int, register: int, length: int) -> bytes:
        try:
            return self._chip(address).read(register, length)
        except Nack:
            raise OSError(errno.EREMOTEIO, "no acknowledge") from None
        except Hang:
            raise OSError(errno.ETIMEDOUT, "bus held") from None

    def _chip(self, address: int) -> RegisterMap:
        chip = self.chips.get(address)
        if chip is None:
            raise OSError(errno.EREMOTEIO, "no acknowledge")
        return chip
