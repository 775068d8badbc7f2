"""Document numbers as people see them: `CODE-INC-SNNNNNN`, hub code, incarnation, series and number."""

from __future__ import annotations

import re

RECEIPTS = "R"
TRAINING = "T"
CLOSINGS = "Z"

_REST = re.compile(r"([RTZ])([0-9]{6,12})")


def printed(code: str, inc: int, series: str, number: int) -> str:
    """E.g. `BER-1-R000042`. A number past 999999 grows longer."""
    return f"{code}-{inc}-{series}{number:06}"


def parse(text: str, code: str, inc: int) -> tuple[str, int] | None:
    """Series and number of a document of hub `code` in incarnation `inc`, with or without dashes; None if it is none.

    Without its dashes a number is only unambiguous to the hub that knows its own code.
    """
    plain = text.strip().upper().replace("-", "")
    own = f"{code}{inc}"
    match = _REST.fullmatch(plain.removeprefix(own)) if plain.startswith(own) else None
    return None if match is None else (match[1], int(match[2]))
