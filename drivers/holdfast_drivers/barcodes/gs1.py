"""GS1 element strings: AIs and their values, as symbols carry them and with brackets, as people read them.

Rules and lengths come from the syntax dictionary; element by element what GS1's own syntax engine accepts is accepted.
Which elements must or must not stand together is another question: `gs1_associations`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from holdfast_drivers.barcodes.errors import CodeError, Fault, Gs1Error
from holdfast_drivers.barcodes.gs1_dictionary import Entry, dictionary
from holdfast_drivers.barcodes.gs1_values import Scaled, date_of, scaled_of
from holdfast_drivers.barcodes.gtin import Gtin

AIM_IDS = frozenset({"]C1", "]d2", "]Q3", "]J1", "]e0"})
"""GS1-128, GS1 DataMatrix, GS1 QR, GS1 DotCode, GS1 DataBar: they hold element strings (ISO/IEC 15424)."""

SEPARATOR = "\x1d"
"""How FNC1 arrives: ends an element that has no predefined length."""

MAX_ELEMENTS = 64

_BRACKETED = re.compile(r"\(([^)]*)\)((?:[^(\\]|\\\(|\\)*)", re.DOTALL)


class Element(NamedTuple):
    ai: str
    value: str


@dataclass(frozen=True, slots=True, match_args=False)
class ElementString:
    """Elements in the order they were read."""

    __match_args__ = ("gtin", "elements")

    elements: tuple[Element, ...]
    """Every one keeps the rules of its AI."""
    faults: tuple[Fault, ...] = ()
    """Elements left out because they do not, when they were read tolerantly."""

    def get(self, ai: str) -> str | None:
        """The value of the first element with this AI."""
        return next((value for found, value in self.elements if found == ai), None)

    @property
    def gtin(self) -> Gtin:
        """(01). Raises CodeError when there is none; what `classify` gives has one."""
        digits = self.get("01")
        if digits is None:
            raise CodeError("no (01) among the elements")
        return Gtin(digits)

    @property
    def lot(self) -> str | None:
        """(10)."""
        return self.get("10")

    @property
    def serial(self) -> str | None:
        """(21)."""
        return self.get("21")

    @property
    def count(self) -> int | None:
        """(30), items in a pack of variable count, or (37), trade items in a logistic unit."""
        digits = self.get("30") or self.get("37")
        return int(digits) if digits else None

    @property
    def weight(self) -> Scaled | None:
        """(310n), net, in kilograms."""
        return self.scaled("310")

    @property
    def price(self) -> Scaled | None:
        """(392n) in the currency of the place, or (393n) with its own."""
        return self.scaled("392") or self.scaled("393")

    def expiry(self, today: date) -> date | None:
        """(17), or the day of (7003). The year is the one nearest to `today`; see `date_of`."""
        digits = self.get("17") or self.get("7003")
        return date_of(digits, today) if digits else None

    def scaled(self, family: str) -> Scaled | None:
        """The number of the first AI of a family (three digits, from 310 to 369 and 390 to 395)."""
        return next((scaled_of(ai, value) for ai, value in self.elements if ai[:3] == family), None)


class Collector:
    """Elements as they are read."""

    def __init__(self) -> None:
        self._elements: list[Element] = []
        self._faults: list[Fault] = []

    def take(self, entry: Entry, value: str, position: int, *, tolerant: bool = False) -> None:
        """A value read at `position`. Raises Gs1Error when it is broken; if tolerant, keeps the fault instead."""
        fault = entry.fault(value, position)
        if fault is None:
            self._elements.append(Element(entry.ai, value))
        elif tolerant:
            self._faults.append(fault)
        else:
            raise Gs1Error(fault)

    def whole(self) -> ElementString:
        """Raises Gs1Error when there is nothing, or more than any symbol can hold."""
        if not self._elements and not self._faults:
            raise Gs1Error(Fault("empty", 0))
        if len(self._elements) + len(self._faults) > MAX_ELEMENTS:
            raise Gs1Error(Fault("too_many_elements"))
        return ElementString(tuple(self._elements), tuple(self._faults))


def parse_element_string(data: str | bytes, *, tolerant: bool = False) -> ElementString:
    """What a GS1 symbol carries, its AIM identifier taken off. Raises Gs1Error.

    Strict, as GS1's engine: every element is sound and no separator is superfluous. Tolerant, for what real labels say:
    superfluous separators are skipped and an element that breaks a rule of its AI is reported among the faults, as long
    as it is clear where the next begins. An AI that is not allocated always raises.
    """
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    entry_at = dictionary().at
    read = Collector()
    position, length = 0, len(text)
    while position < length:
        if tolerant and text[position] == SEPARATOR:
            position += 1
            continue
        entry = entry_at(text, position)
        if entry is None:
            raise Gs1Error(Fault("unknown_ai", position))
        start = position + len(entry.ai)
        end = text.find(SEPARATOR, start)
        end = length if end < 0 else end
        if not entry.separated:
            end = min(end, start + entry.longest)
        read.take(entry, text[start:end], start, tolerant=tolerant)
        position = end + text.startswith(SEPARATOR, end)
    return read.whole()


def parse_brackets(text: str, *, unknown_ais: bool = False) -> ElementString:
    r"""The form for people, e.g. `(01)04006381333931(10)AB`; a bracket in a value is `\(`. Raises Gs1Error."""
    known = dictionary()
    read = Collector()
    position = 0
    while position < len(text):
        match = _BRACKETED.match(text, position)
        if match is None:
            raise Gs1Error(Fault("brackets", position))
        entry = known.get(match[1], unknown=unknown_ais)
        if entry is None:
            raise Gs1Error(Fault("unknown_ai", match.start(1), match[1]))
        read.take(entry, match[2].replace("\\(", "("), match.start(2))
        position = match.end()
    return read.whole()


def format_element_string(elements: Iterable[Element]) -> str:
    """What a symbol has to carry, without the FNC1 in front. Raises Gs1Error for an element no one could read."""
    text, separator = "", ""
    for ai, value in elements:
        entry = dictionary().get(ai, unknown=True)
        fault = entry.fault(value) if entry else Fault("unknown_ai", None, ai)
        if fault is not None:
            raise Gs1Error(fault)
        text += separator + ai + value
        separator = SEPARATOR if entry and entry.separated else ""
    return text


def format_brackets(elements: Iterable[Element]) -> str:
    """The form for people; `parse_brackets` reads it."""
    return "".join(f"({ai})" + value.replace("(", "\\(") for ai, value in elements)
