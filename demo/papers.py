"""What lies under the printer, read from the text of the papers. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_RECEIPT = re.compile(r"Receipt\s+(\S+-R\d+)\s*$")
_CLOSING = re.compile(r"Number\s+(\S+-Z\d+)\s*$")
_COPY = re.compile(r"\s*COPY \d+\s*$")
_LATE = re.compile(r"\s*LATE\s*$")
_BARCODE = "[code128] HFR"
"""The last thing on a receipt that is on no other part of it."""


@dataclass(frozen=True, slots=True)
class Paper:
    """Papers by document number."""

    whole: Counter[str] = field(default_factory=Counter)
    """Originals from head to barcode."""
    torn: Counter[str] = field(default_factory=Counter)
    """Originals that end in the middle."""
    copies: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    """Originals marked LATE."""
    closings: Counter[str] = field(default_factory=Counter)
    """Z reports."""


def read_papers(texts: Iterable[str]) -> Paper:
    """A paper cut off by a crash runs into the next one, so documents are told apart by their heads."""
    paper = Paper()
    for text in texts:
        _read(text.splitlines(), paper)
    return paper


def _read(lines: Iterable[str], paper: Paper) -> None:
    number, copy, late = "", False, False
    copy_next, late_next = False, False
    for line in lines:
        copy_next |= bool(_COPY.match(line))
        late_next |= bool(_LATE.match(line))
        if found := _CLOSING.match(line):
            paper.closings[found[1]] += 1
        elif found := _RECEIPT.match(line):
            paper.torn.update([number] if number and not copy else [])
            number, copy, late = found[1], copy_next, late_next
            copy_next = late_next = False
        elif number and line.startswith(_BARCODE):
            (paper.copies if copy else paper.whole)[number] += 1
            paper.late.update([number] if late and not copy else [])
            number = ""
    paper.torn.update([number] if number and not copy else [])
