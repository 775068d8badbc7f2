"""Drives a Datalogic (PSC) scanner by its single-byte host commands, on RS-232 and USB-COM.

Sources: host command tables of Magellan 9300i/9800i/800i, PowerScan and Gryphon guides. No command is answered but
`i`, whose answer only the PowerScan guide frames: it is asked with `identify` alone. Nothing here outlives the
scanner's power; `R` (reset) is never sent.
"""

from __future__ import annotations

import re

from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.base import Capability
from holdfast_drivers.scanners.dialogue import Dialogue, Reply, ReplyShape
from holdfast_drivers.scanners.framing import GAP
from holdfast_drivers.scanners.line import LineScanner

ENABLE = b"E"
DISABLE = b"D"
GOOD_READ = b"B"
"""The good read tone, where the scanner's own settings allow one."""
NOT_ON_FILE = b"F"
"""A long tone; several models read nothing after it until ENABLE."""
IDENTIFY = b"i"
TRIGGER_ON = b"T"
TRIGGER_OFF = b"X"
ANSWER_WITHIN = 1.0
"""Seconds."""

IDENTITY = ReplyShape(b"\x01\x02", re.compile(rb"\x03\x04"))
"""SOH STX … ETX EOT."""


class DatalogicScanner(LineScanner):
    """A `Scanner` with feedback and switch, and with `identify` (PowerScan) query; `trigger` besides (PowerScan)."""

    def __init__(self, opener: Opener, *, gap: float = GAP, identify: bool = False) -> None:
        super().__init__(opener, Dialogue(gap=gap, shape=IDENTITY))
        can = {Capability.FEEDBACK, Capability.SWITCH}
        self.capabilities = frozenset(can | {Capability.QUERY} if identify else can)
        self._disabled = False

    async def good_read(self, *, beeps: int = 1) -> None:
        await self._send(GOOD_READ * beeps)

    async def bad_read(self) -> None:
        await self._send(NOT_ON_FILE if self._disabled else NOT_ON_FILE + ENABLE)

    async def enable(self) -> None:
        await self._send(ENABLE)
        self._disabled = False

    async def disable(self) -> None:
        self._disabled = True
        await self._send(DISABLE)

    async def _probe(self) -> None:
        await self._ask(IDENTIFY, lambda frame: isinstance(frame, Reply), within=ANSWER_WITHIN)

    async def trigger(self, *, on: bool) -> None:
        """Begin to look for a code, or give up."""
        await self._send(TRIGGER_ON if on else TRIGGER_OFF)
