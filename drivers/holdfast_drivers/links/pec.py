"""Packet error checking of SMBus: a CRC-8 over a whole transfer. Source: SMBus specification 3.2, 6.4."""

from __future__ import annotations


def crc8(data: bytes) -> int:
    """CRC-8 with polynomial 0x07 and initial value 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def read_pec(address: int, register: int, data: bytes) -> int:
    """The byte that follows `data` when it is read from `register` of the chip at `address`."""
    return crc8(bytes([address << 1, register, address << 1 | 1]) + data)
