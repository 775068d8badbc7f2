"""Drives a Honeywell (Hand Held Products) scanner in serial mode by its host commands.

Sources: Honeywell user guides Voyager 1400, Hyperion 1300, Xenon/Granit, Vuquest 3310g (menu commands, trigger, host
responses), Honeywell's engine tools (SYN BEL CR). Menu commands are sent for the present run alone, ended by `!`;
the scanner keeps nothing. Defaults, resets and interface settings are never sent.
"""

from __future__ import annotations

import re

from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.base import Capability
from holdfast_drivers.scanners.dialogue import Dialogue, Reply, ReplyShape
from holdfast_drivers.scanners.framing import GAP
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.values import DeviceError

TRIGGER_ON = b"\x16T\r"
TRIGGER_OFF = b"\x16U\r"
BEEP = b"\x16\x07\r"
BAD_READ = b"\x1b8,"
"""Host response "not a successful read": the error tone."""
MENU = b"\x16M\r"
VOLATILE = b"!"
CURRENT = "?"
PROBE = "CBRENA"
"""Whether Codabar is read: asked, never set. Every model knows it."""
ANSWER_WITHIN = 1.0
"""Seconds."""

ACK, ENQ, NAK = b"\x06", b"\x05", b"\x15"
_REPLY_END = re.compile(rb"[\x05\x06\x15]!")
_REPLY_STOP = re.compile(rb"[\r\n\t\x03]")
_SETTING = re.compile(r"([A-Z0-9]{3}[A-Z0-9]{3})([0-9A-F]+)")
_NEVER = ("DEF", "RES", "TER", "PAP", "232")
"""Tags that reset, restore, or change how scanner and host talk."""


def menu_command(tag_and_subtag: str, data: str) -> bytes:
    """A menu command that lasts until the scanner is next switched off; `data` `?` asks and sets nothing.

    Raises ValueError for what is not one setting, or one that must not be touched.
    """
    if data != CURRENT and (not _SETTING.fullmatch(tag_and_subtag + data) or tag_and_subtag.startswith(_NEVER)):
        raise ValueError(f"{tag_and_subtag}{data} is not a setting to change")
    return MENU + (tag_and_subtag + data).encode("ascii") + VOLATILE


def reply_shape(tag_and_subtag: str) -> ReplyShape:
    """The command comes back with ACK, ENQ or NAK before its `!`."""
    return ReplyShape(tag_and_subtag.encode("ascii"), _REPLY_END, _REPLY_STOP)


class HoneywellScanner(LineScanner):
    """A `Scanner` with feedback and query, and `trigger` and `configure` besides. Leave its Host ACK mode off."""

    capabilities = frozenset({Capability.FEEDBACK, Capability.QUERY})

    def __init__(self, opener: Opener, *, gap: float = GAP) -> None:
        self._dialogue = Dialogue(gap=gap)
        super().__init__(opener, self._dialogue)

    async def good_read(self, *, beeps: int = 1) -> None:
        await self._send(BEEP * beeps)

    async def bad_read(self) -> None:
        await self._send(BAD_READ)

    async def _probe(self) -> None:
        await self._menu(PROBE, CURRENT)

    async def trigger(self, *, on: bool) -> None:
        """Begin to look for a code, or give up. The scanner must be in serial trigger mode."""
        await self._send(TRIGGER_ON if on else TRIGGER_OFF)

    async def configure(self, tag_and_subtag: str, data: str) -> None:
        """Change one setting until the scanner is next switched off. Raises DeviceError, or ValueError."""
        reply = await self._menu(tag_and_subtag, data)
        if reply.body[-2:-1] != ACK:
            raise DeviceError("refused", f"{tag_and_subtag}: {'unknown' if reply.body[-2:-1] == ENQ else 'bad data'}")

    async def _menu(self, tag_and_subtag: str, data: str) -> Reply:
        command = menu_command(tag_and_subtag, data)
        self._dialogue.shape = reply_shape(tag_and_subtag)
        reply: Reply = await self._ask(command, lambda frame: isinstance(frame, Reply), within=ANSWER_WITHIN)
        return reply
