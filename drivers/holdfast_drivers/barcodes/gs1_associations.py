"""Which elements must, and which must not, stand together.

GS1 asks this of all symbols on one item taken together, not of each: a single symbol may lack what its neighbour has.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast_drivers.barcodes.errors import Fault, Gs1Error
from holdfast_drivers.barcodes.gs1 import Element
from holdfast_drivers.barcodes.gs1_dictionary import Entry, dictionary

_SIGNATURE = "8030"
_SERIALISABLE = ("253", "255", "8003")
"""Keys whose serial part is optional, but not under a signature."""


def check_associations(elements: Iterable[Element]) -> None:
    """All of the checks below. Raises Gs1Error for the first rule broken."""
    elements = tuple(elements)
    check_exclusions(elements)
    check_requirements(elements)
    check_repeats(elements)
    check_signature(elements)


def check_exclusions(elements: Iterable[Element]) -> None:
    """No AI beside one it excludes. Raises Gs1Error(`excluded_ai`)."""
    ais = _ais(elements)
    for ai in ais:
        for pattern in _entry(ai).excludes:
            if _present(pattern, ais, ai):
                raise Gs1Error(Fault("excluded_ai", None, ai))


def check_requirements(elements: Iterable[Element]) -> None:
    """With every AI those it requires. Raises Gs1Error(`required_ai`)."""
    ais = _ais(elements)
    for ai in ais:
        for groups in _entry(ai).requires:
            if not any(all(_present(pattern, ais, ai) for pattern in group) for group in groups):
                raise Gs1Error(Fault("required_ai", None, ai))


def check_repeats(elements: Iterable[Element]) -> None:
    """An AI that comes again says the same again. Raises Gs1Error(`repeated_ai`)."""
    seen: dict[str, str] = {}
    for ai, value in elements:
        if seen.setdefault(ai, value) != value:
            raise Gs1Error(Fault("repeated_ai", None, ai))


def check_signature(elements: Iterable[Element]) -> None:
    """A digital signature (8030) is about one serialised thing. Raises Gs1Error(`serial_missing`)."""
    elements = tuple(elements)
    if _SIGNATURE not in _ais(elements):
        return
    for ai, value in elements:
        if ai in _SERIALISABLE and len(value) == _entry(ai).shortest:
            raise Gs1Error(Fault("serial_missing", None, ai))


def _ais(elements: Iterable[Element]) -> frozenset[str]:
    return frozenset(ai for ai, _ in elements)


def _entry(ai: str) -> Entry:
    """Of elements that were parsed: an AI that is not allocated asks for nothing."""
    entry = dictionary().get(ai, unknown=True)
    if entry is None:
        raise Gs1Error(Fault("unknown_ai", None, ai))
    return entry


def _present(pattern: str, ais: frozenset[str], but: str) -> bool:
    """Whether an AI like this is there, `but` left aside."""
    front = pattern.rstrip("n")  # two digits at least, and these decide how many an AI has
    return any(ai.startswith(front) and ai != but for ai in ais)
