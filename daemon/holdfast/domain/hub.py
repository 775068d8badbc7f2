"""The hub's own technical log: starts, stops, the link to headquarters, what a security reviewer counts."""

from __future__ import annotations

from holdfast.domain.core import Command


class NoteStarted(Command, frozen=True, tag="hub.note_started", kw_only=True):
    """The daemon is up. Whether the last run stopped in order is read from the journal itself."""

    version: str
    kernel_boot: str
    speed: int = 1


class NoteStopped(Command, frozen=True, tag="hub.note_stopped", kw_only=True):
    """The daemon stops in order."""

    why: str


class NoteLink(Command, frozen=True, tag="hub.note_link", kw_only=True):
    """The link to headquarters is `online`, `degraded`, `offline` or `catching_up`; no event when it already was."""

    state: str


class NoteSecurity(Command, frozen=True, tag="hub.note_security", kw_only=True):
    """`card_data_masked`, `badge_refused`, … happened at `where`. Never carries the offending data."""

    kind: str
    where: str = ""
