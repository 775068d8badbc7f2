"""A Newland scanner that is not there: answers framed commands."""

from __future__ import annotations

import re

from holdfast_drivers.links.base import Link
from holdfast_drivers.scanners.newland import ACK, NAK
from holdfast_drivers.scanners.simulator import ObedientSimulator

_COMMAND = re.compile(rb"~\x01(\d{4})([@#])([A-Z0-9]{6})([^;]*);\x03")


class NewlandSimulator(ObedientSimulator):
    """Knows `settings`, tag and subtag to value; `lasting` fills when a command is stored for good."""

    def __init__(self, link: Link, *, seed: int = 0) -> None:
        super().__init__(link, seed=seed)
        self.settings = {"GRBFRQ": "2730", "GRBVLL": "16"}
        self.lasting: list[str] = []
        self._pending = b""

    async def _obey(self, data: bytes) -> None:
        self._pending += data
        while command := _COMMAND.search(self._pending):
            self._pending = self._pending[command.end() :]
            await self._do(*command.groups())
        self._pending = self._pending[-256:]

    async def _do(self, address: bytes, storage: bytes, tag: bytes, data: bytes) -> None:
        key, value = tag.decode(), data.decode("latin-1")
        if storage == b"@":
            self.lasting.append(key)
        known = key in self.settings
        if known and value == "*":
            data = self.settings[key].encode()
        elif known:
            self.settings[key] = value
            self.told(f"set {key}={value}")
        await self._send(b"\x02\x01" + address + storage + tag + data + (ACK if known else NAK) + b";\x03")
