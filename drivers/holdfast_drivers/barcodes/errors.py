"""The one error of every parser and encoder here, and what GS1 data adds to it."""

from __future__ import annotations

from typing import NamedTuple


class CodeError(ValueError):
    """The text is not, or cannot become, that kind of code. The message says why, and never holds a secret."""


class Fault(NamedTuple):
    """One broken rule of GS1 data."""

    reason: str
    """A stable key: a linter of the GS1 syntax dictionary, or a rule of docs/barcodes.md."""
    position: int | None = None
    """Index in the text that was read; None when the rule is about several elements."""
    ai: str = ""
    """The application identifier it was found in, once that is known."""
    value: str = ""
    """What stood there."""


class Gs1Error(CodeError):
    """GS1 data breaks a rule."""

    def __init__(self, fault: Fault) -> None:
        where = f" at {fault.position}" if fault.position is not None else ""
        super().__init__(f"({fault.ai}) {fault.reason}{where}" if fault.ai else fault.reason + where)
        self.fault = fault
