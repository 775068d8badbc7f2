"""The one error of every parser and encoder here."""

from __future__ import annotations


class CodeError(ValueError):
    """The text is not, or cannot become, that kind of code. The message says why, and never holds a secret."""
