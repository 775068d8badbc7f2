"""Paper that was asked for again, and paper nobody can vouch for."""

from __future__ import annotations

from holdfast.domain.core import Command


class Reprint(Command, frozen=True, tag="paper.reprint", kw_only=True):
    """A copy of the document with this printed number; empty is the receipt numbered last."""

    number: str = ""


class NoteUnknownPaper(Command, frozen=True, tag="paper.note_unknown", kw_only=True):
    """Print job `job` of `kind` about event `ref` may or may not be on paper."""

    job: int
    kind: str
    ref: int
    why: str = ""
