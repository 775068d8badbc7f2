"""GS1 element strings. So far the one element every trade item begins with: (01) and 14 digits."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.gtin import Gtin

AIM_IDS = frozenset({"]C1", "]d2", "]Q3", "]e0"})
"""GS1-128, GS1 DataMatrix, GS1 QR, GS1 DataBar: what they hold is always element strings (ISO/IEC 15424)."""

SEPARATOR = "\x1d"
"""How FNC1 arrives: ends an element of variable length; tolerated in front."""

_GTIN = "01"


@dataclass(frozen=True, slots=True)
class ElementString:
    gtin: Gtin
    rest: str
    """What follows (01), unread: further elements, separators kept."""


def parse(text: str) -> ElementString:
    """Reads `01` + GTIN-14 from the front of `text`. Raises CodeError."""
    elements = text.lstrip(SEPARATOR)
    if not elements.startswith(_GTIN):
        raise CodeError("the first element is not (01)")
    return ElementString(Gtin(elements[2:16]), elements[16:].lstrip(SEPARATOR))
