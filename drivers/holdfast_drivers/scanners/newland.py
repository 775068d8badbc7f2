"""Drives a Newland scanner by its framed commands.

Sources: Newland user guides HR52, FM530, HR42; Serial Programming Command Manual. A command is `~ SOH 0000`, storage
(`@` for good, `#` until switched off), tag, subtag, data, `; ETX`; it comes back as `STX SOH 0000 … ACK ; ETX`, or
with NAK. Only `#` is ever sent. The guides name no command that beeps: there is no feedback.
"""

from __future__ import annotations

import re

from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.base import Capability
from holdfast_drivers.scanners.dialogue import Dialogue, Reply, ReplyShape
from holdfast_drivers.scanners.framing import GAP
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.values import DeviceError

PREFIX = b"~\x010000"
TEMPORARY = b"#"
SUFFIX = b";\x03"
CURRENT = "*"
PROBE = "GRBFRQ"
"""The pitch of the good read beep: asked, never set."""
ANSWER_WITHIN = 1.0
"""Seconds."""
ACK, NAK = b"\x06", b"\x15"

REPLY = ReplyShape(b"\x02\x010000", re.compile(rb";\x03"))
_SETTING = re.compile(r"[A-Z0-9]{3}[A-Z0-9]{3}[0-9]+")


def command(tag_and_subtag: str, data: str) -> bytes:
    """A setting that lasts until the scanner is next switched off; `data` `*` asks and sets nothing.

    Raises ValueError for what is not one setting.
    """
    if data != CURRENT and not _SETTING.fullmatch(tag_and_subtag + data):
        raise ValueError(f"{tag_and_subtag}{data} is not a setting to change")
    return PREFIX + TEMPORARY + (tag_and_subtag + data).encode("ascii") + SUFFIX


class NewlandScanner(LineScanner):
    """A `Scanner` with query, and `configure` besides."""

    capabilities = frozenset({Capability.QUERY})

    def __init__(self, opener: Opener, *, gap: float = GAP) -> None:
        super().__init__(opener, Dialogue(gap=gap, shape=REPLY))

    async def _probe(self) -> None:
        await self._exchange(PROBE, CURRENT)

    async def configure(self, tag_and_subtag: str, data: str) -> None:
        """Change one setting until the scanner is next switched off. Raises DeviceError, or ValueError."""
        reply = await self._exchange(tag_and_subtag, data)
        if not reply.body.endswith(ACK + SUFFIX):
            raise DeviceError("refused", f"{tag_and_subtag}{data}")

    async def _exchange(self, tag_and_subtag: str, data: str) -> Reply:
        question = command(tag_and_subtag, data)
        reply: Reply = await self._ask(question, lambda frame: isinstance(frame, Reply), within=ANSWER_WITHIN)
        return reply
