"""GS1 Digital Link: element strings as web addresses, read and written, never fetched.

`https://any.host/any/path/<key AI>/<value>/<qualifier AI>/<value>?<AI>=<value>`, by the rules of GS1's syntax engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from holdfast_drivers.barcodes.errors import Fault, Gs1Error
from holdfast_drivers.barcodes.gs1 import MAX_ELEMENTS, Collector, Element, ElementString
from holdfast_drivers.barcodes.gs1_associations import check_repeats
from holdfast_drivers.barcodes.gs1_dictionary import Entry, dictionary

STEM = "https://id.gs1.org"
"""GS1's own resolver, the stem of the canonical form."""

SCHEME = re.compile(r"https?://|HTTPS?://")
"""Capitals come from the alphanumeric mode of QR codes; a mixture is not allowed."""

_IN_PATH = r"A-Za-z0-9\-._~:/\[\]@!$&'()*+,;=%"
_URI = re.compile(
    rf"(?:https?|HTTPS?)://[A-Za-z0-9\-.:\[\]]+(?P<path>/[{_IN_PATH}]*)"
    rf"(?:\?(?P<query>[{_IN_PATH}?]*))?(?:#[{_IN_PATH}?#]*)?"
)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_SHORT_GTINS = (8, 12, 13)

_ALPHAS = {
    "cpid": "8010",
    "cpsn": "8011",
    "cpv": "22",
    "gcn": "255",
    "gdti": "253",
    "giai": "8004",
    "ginc": "401",
    "gln": "414",
    "glnx": "254",
    "gmn": "8013",
    "grai": "8003",
    "gsin": "402",
    "gsrn": "8018",
    "gsrnp": "8017",
    "gtin": "01",
    "itip": "8006",
    "lot": "10",
    "party": "417",
    "refno": "8020",
    "ser": "21",
    "srin": "8019",
    "sscc": "00",
}
"""Names for AIs in paths, withdrawn by GS1."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What to accept beyond the present standard."""

    short_gtins: bool = False
    """(01) with 8, 12 or 13 digits, as in the first links: zero-filled."""
    alphas: bool = False
    """`gtin` for `01` and the like, in paths."""
    unknown_ais: bool = False
    unknown_attributes: bool = False
    """AIs that are not allocated in the query, where `unknown_ais` lets them pass at all."""
    tolerant: bool = False
    """An attribute that breaks a rule of its AI is reported among the faults."""


STRICT = Rules()
LENIENT = Rules(short_gtins=True, tolerant=True)
"""What labels in shops carry."""


class _Part(NamedTuple):
    """One AI and its value where they stand in the address, the value still escaped."""

    entry: Entry
    value: str
    start: int


def parse_digital_link(uri: str, rules: Rules = STRICT) -> ElementString:
    """The elements, key and qualifiers first. Raises Gs1Error. What is no AI in the query is passed over."""
    match = _URI.match(uri)
    if match is None or match.end() < len(uri):
        raise Gs1Error(Fault("uri", match.end() if match else 0))
    path = _key_and_qualifiers(match["path"], match.start("path"), rules)
    query = list(_attributes(match["query"] or "", match.start("query"), rules))
    if len(path) + len(query) > MAX_ELEMENTS:
        raise Gs1Error(Fault("too_many_elements"))
    _check_sequence([part.entry for part in path], query, rules)
    read = Collector()
    for part in path:
        read.take(part.entry, _value(part.entry, part.value, rules), part.start)
    for part in query:
        value = _value(part.entry, part.value.replace("+", " "), rules)
        read.take(part.entry, value, part.start, tolerant=rules.tolerant)
    return read.whole()


def format_digital_link(elements: Iterable[Element], stem: str = STEM) -> str:
    """The canonical address, or the same under another stem: key, its qualifiers, the rest by AI as attributes.

    Raises Gs1Error when no element is a primary key, or one may not stand in an address.
    """
    elements = tuple(elements)
    check_repeats(elements)
    key = next((element for element in elements if _entry(element.ai).qualifiers is not None), None)
    if key is None:
        raise Gs1Error(Fault("no_primary_key"))
    values = dict(elements)
    sequences = _entry(key.ai).qualifiers or ()
    chosen = max(([ai for ai in sequence if ai in values] for sequence in sequences), key=len)
    path = "".join(f"/{ai}/{quote(values[ai], safe='')}" for ai in (key.ai, *chosen))
    rest = sorted(ai for ai in values if ai not in {key.ai, *chosen})
    for ai in rest:
        if not _entry(ai).attribute:
            raise Gs1Error(Fault("not_an_attribute", None, ai))
    query = "&".join(f"{ai}={quote(values[ai], safe='')}" for ai in rest)
    return stem.rstrip("/") + path + ("?" + query if query else "")


def _key_and_qualifiers(path: str, start: int, rules: Rules) -> list[_Part]:
    """From the last primary key in the path on. AIs and values alternate, so the search goes back from the end."""
    steps = path.split("/")
    places = [start]
    for step in steps:
        places.append(places[-1] + len(step) + 1)
    parts: list[_Part] = []
    for index in range(len(steps) - 2, 0, -2):
        ai = _ALPHAS.get(steps[index], steps[index]) if rules.alphas else steps[index]
        entry = dictionary().get(ai, unknown=rules.unknown_ais)
        if entry is None:
            break
        parts.insert(0, _Part(entry, steps[index + 1], places[index + 1]))
        if entry.qualifiers is not None:
            return parts
    raise Gs1Error(Fault("no_primary_key", start))


def _attributes(query: str, start: int, rules: Rules) -> Iterator[_Part]:
    for parameter in query.split("&"):
        name, equals, value = parameter.partition("=")
        if equals and not name.strip("0123456789"):
            entry = dictionary().get(name, unknown=rules.unknown_ais)
            if entry is None:
                raise Gs1Error(Fault("unknown_ai", start, name))
            yield _Part(entry, value, start + len(name) + 1)
        start += len(parameter) + 1


def _check_sequence(path: list[Entry], query: list[_Part], rules: Rules) -> None:
    """Qualifiers in the order the key wants them, attributes that are none of them, nothing twice."""
    ais = [entry.ai for entry in path]
    qualifiers = {ai for sequence in path[0].qualifiers or () for ai in sequence}
    if not _is_sequence(path[0], ais[1:]):
        raise Gs1Error(Fault("qualifier_sequence", None, ais[0]))
    seen = set(ais)
    for part in query:
        ai = part.entry.ai
        if ai in seen:
            raise Gs1Error(Fault("repeated_ai", part.start, ai))
        seen.add(ai)
        allocated = ai in dictionary().entries
        if not (part.entry.attribute if allocated else rules.unknown_attributes):
            raise Gs1Error(Fault("not_an_attribute", part.start, ai))
        longer = ([*ais[1:place], ai, *ais[place:]] for place in range(1, len(ais) + 1))
        if ai in qualifiers and any(_is_sequence(path[0], sequence) for sequence in longer):
            raise Gs1Error(Fault("belongs_in_path", part.start, ai))


def _is_sequence(key: Entry, ais: list[str]) -> bool:
    """Whether these may follow the key: some of one of its alternatives, in its order."""
    return any(ais == [ai for ai in sequence if ai in ais] for sequence in key.qualifiers or ())


def _value(entry: Entry, escaped: str, rules: Rules) -> str:
    value = _unescape(escaped)
    short = rules.short_gtins and entry.ai == "01" and len(value) in _SHORT_GTINS
    return value.zfill(14) if short else value


def _unescape(text: str) -> str:
    """One character per byte: no AI's value goes beyond ASCII. A percent sign without two hex digits stays."""
    if "%" not in text:
        return text
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)


def _entry(ai: str) -> Entry:
    entry = dictionary().get(ai)
    if entry is None:
        raise Gs1Error(Fault("unknown_ai", None, ai))
    return entry
