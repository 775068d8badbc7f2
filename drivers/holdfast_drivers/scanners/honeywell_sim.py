"""A Honeywell scanner that is not there: obeys menu commands, trigger, beeps and host responses."""

from __future__ import annotations

import re

from holdfast_drivers.links.base import Link
from holdfast_drivers.scanners.honeywell import ACK, ENQ, NAK
from holdfast_drivers.scanners.simulator import ObedientSimulator

_COMMAND = re.compile(rb"\x16M\r([A-Z0-9_]+)([?^*]?)([.!])|\x16([TU\x07])\r|\x1b(.),", re.DOTALL)
_ACTS = {b"T": "trigger on", b"U": "trigger off", b"\x07": "good", b"7": "good", b"8": "bad"}


class HoneywellSimulator(ObedientSimulator):
    """Knows `settings`, tag and subtag to value; `lasting` fills when a command is ended by `.`."""

    def __init__(self, link: Link, *, seed: int = 0) -> None:
        super().__init__(link, seed=seed)
        self.settings = {"CBRENA": "1", "BEPLVL": "2"}
        self.lasting: list[str] = []
        self._pending = b""

    async def _obey(self, data: bytes) -> None:
        self._pending += data
        while command := _COMMAND.search(self._pending):
            self._pending = self._pending[command.end() :]
            menu, query, end, simple, escape = command.groups()
            if menu is None:
                self.told(_ACTS.get(simple or escape, f"unknown {simple or escape!r}"))
            else:
                await self._menu(menu.decode(), bool(query), end)
        self._pending = self._pending[-64:]

    async def _menu(self, command: str, query: bool, end: bytes) -> None:
        key, data = command[:6], command[6:]
        if end == b".":
            self.lasting.append(command)
        if key not in self.settings:
            answer = ENQ
        elif not query and not data.isdigit():
            answer = NAK
        else:
            answer = ACK
            if query:
                command += self.settings[key]
            else:
                self.settings[key] = data
                self.told(f"set {key}={data}")
        await self._send(command.encode() + answer + end)
