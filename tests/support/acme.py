"""ACME's hardware, as the example drivers meet it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from holdfast_drivers.links.base import Link
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.values import DeviceError


def ring(code: str) -> bytes:
    """What the ring scanner sends for a code."""
    data = code.encode()
    return b"<%s%02X>" % (data, sum(data) % 256)


def ups(battery: Battery) -> dict[int, bytes]:
    """The battery board's registers."""
    words = {0: round(battery.cell_mv), 2: round(battery.charge * 1000), 4: int(battery.mains)}
    return {register: word.to_bytes(2, "little") for register, word in words.items()}


class Desk:
    """The desk printer. `paper` holds the text of every receipt that was cut; `status` is its flag bits."""

    def __init__(self, link: Link) -> None:
        self.paper: list[str] = []
        self.status = 0
        self.kicks = 0
        self._link = link
        self._line = bytearray()
        self._buffer = bytearray()

    async def run(self) -> None:
        with suppress(DeviceError):
            while True:
                self._buffer += await self._link.read(4096)
                while await self._step():
                    pass

    async def _step(self) -> bool:
        """One command; False: more bytes are needed."""
        data = self._buffer
        if not data:
            return False
        length = 1
        if data[0] == 0x1B:
            length = 3 if data[1:2] == b"N" else 2
        elif data[0] == 0x1D:
            length = 8 + int.from_bytes(data[4:6], "little") * int.from_bytes(data[6:8], "little")
        if len(data) < max(length, 8 if data[0] == 0x1D else 1):
            return False
        command = bytes(data[:length])
        del data[:length]
        await self._obey(command)
        return True

    async def _obey(self, command: bytes) -> None:
        if command == b"\x05":
            await self._link.write(bytes([0x40 | self.status]), timeout=1)
        elif command.startswith(b"\x1bN"):
            await asyncio.sleep(0.02)
            await self._link.write(bytes([0x80 | command[2]]), timeout=1)
        elif command == b"\x0c":
            self.paper.append(self._line.decode("cp858"))
            self._line.clear()
        elif command == b"\x07":
            self.kicks += 1
        elif len(command) == 1 and command != b"\0":
            self._line += command
