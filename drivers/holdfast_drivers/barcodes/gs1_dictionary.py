"""The GS1 Barcode Syntax Dictionary, compiled: which AIs there are, what their values look like, what belongs together.

The file in data/ is GS1's, unchanged, and its head explains its notation. It is read when the first GS1 data is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from holdfast_drivers.barcodes.errors import Fault
from holdfast_drivers.barcodes.gs1_linters import LINTERS, Linter

FILE = Path(__file__).parent / "data" / "gs1-syntax-dictionary.txt"

_CHARACTER_SETS = {"N": "csetnumeric", "X": "cset82", "Y": "cset39", "Z": "cset64"}
_COMPONENT = re.compile(r"(\[?)([NXYZ])(\.\.)?([1-9][0-9]*)\]?((?:,[a-z0-9]+)*)")
_AI = re.compile(r"[0-9]{2,4}")
_FLAGS = re.compile(r"[^0-9A-Za-z\[]+")
_LONGEST_UNKNOWN = 90

Group = tuple[str, ...]
"""AIs, or patterns of AIs with `n` for any digit at the end."""


class Component(NamedTuple):
    shortest: int
    longest: int
    optional: bool
    linters: tuple[tuple[str, Linter], ...]
    """Name and rule; the one of the character set first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One application identifier."""

    ai: str
    separated: bool
    """FNC1 follows unless it is the last; else the length is predefined."""
    attribute: bool
    """May stand in the query of a Digital Link."""
    components: tuple[Component, ...]
    shortest: int
    longest: int
    requires: tuple[tuple[Group, ...], ...] = ()
    """Of each of these, one group must be there as a whole."""
    excludes: Group = ()
    qualifiers: tuple[Group, ...] | None = None
    """Alternative sequences that may follow this primary key in a Digital Link's path; None: no primary key."""
    title: str = ""

    def fault(self, value: str, position: int = 0) -> Fault | None:
        """The first rule that `value`, read at `position` of a text, breaks."""
        if not self.shortest <= len(value) <= self.longest:
            short = len(value) < self.shortest
            return Fault("too_short" if short else "too_long", position + len(value), self.ai, value)
        start = 0
        for shortest, longest, _, linters in self.components:
            part = value[start : start + longest]
            if not part:  # and so are all after it, which are optional, or the whole were too short
                break
            if len(part) < shortest:
                return Fault("too_short", position + len(value), self.ai, value)
            for name, lint in linters:
                offset = lint(part)
                if offset is not None:
                    return Fault(name, position + start + offset, self.ai, value)
            start += longest
        return None


@dataclass(frozen=True, slots=True)
class Dictionary:
    entries: dict[str, Entry]
    ai_lengths: dict[str, int]
    """By the first two digits, which decide it."""

    def at(self, text: str, position: int) -> Entry | None:
        """The AI that `text` has there."""
        length = self.ai_lengths.get(text[position : position + 2], 0)
        return self.entries.get(text[position : position + length])

    def get(self, ai: str, *, unknown: bool = False) -> Entry | None:
        """The entry of an AI. With `unknown`, one is made up for an AI that is not allocated, where one may yet be."""
        entry = self.entries.get(ai)
        return self._unallocated(ai) if unknown and not entry else entry

    def _unallocated(self, ai: str) -> Entry | None:
        """As long as its kin, the AIs that begin with the same two digits; without kin, as free as any."""
        kin = next((entry for entry in self.entries.values() if entry.ai[:2] == ai[:2]), None)
        if not _AI.fullmatch(ai) or (kin and len(kin.ai) != len(ai)):
            return None
        separated = kin is None or kin.separated
        shortest, longest = (1, _LONGEST_UNKNOWN) if kin is None or kin.separated else (kin.shortest, kin.longest)
        component = Component(shortest, longest, optional=False, linters=_linters("X", ""))
        return Entry(ai, separated, attribute=False, components=(component,), shortest=shortest, longest=longest)


@cache
def dictionary() -> Dictionary:
    """The shipped one."""
    return compile_dictionary(FILE.read_text("utf-8"))


def compile_dictionary(text: str) -> Dictionary:
    """Raises ValueError, with the line, for what this code cannot check: an unknown linter, another notation."""
    entries: dict[str, Entry] = {}
    lengths: dict[str, int] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        try:
            found = list(_entries(line))
        except (KeyError, ValueError) as error:
            raise ValueError(f"cannot read {line!r}: {error}") from error
        for entry in found:
            if lengths.setdefault(entry.ai[:2], len(entry.ai)) != len(entry.ai):
                raise ValueError(f"cannot read {line!r}: AIs that begin alike differ in length")
            entries[entry.ai] = entry
    return Dictionary(entries, lengths)


def _entries(line: str) -> Iterator[Entry]:
    """The AIs of one line, which may give a range."""
    rule, _, title = line.partition("#")
    ais, *words = rule.split()
    flags = words.pop(0) if words and _FLAGS.fullmatch(words[0]) else ""
    components = tuple(_component(word) for word in words if _COMPONENT.fullmatch(word))
    attributes = [word.partition("=")[::2] for word in words if not _COMPONENT.fullmatch(word)]
    keys = [value for name, value in attributes if name == "dlpkey"]
    if not components or {name for name, _ in attributes} - {"req", "ex", "dlpkey"}:
        raise ValueError("another notation")
    first, _, last = ais.partition("-")
    entry = Entry(
        first,
        separated="*" not in flags,
        attribute="?" in flags,
        components=components,
        shortest=sum(part.shortest for part in components if not part.optional),
        longest=sum(part.longest for part in components),
        requires=tuple(
            tuple(_group(group, "+") for group in value.split(",")) for name, value in attributes if name == "req"
        ),
        excludes=tuple(ai for name, value in attributes if name == "ex" for ai in value.split(",")),
        qualifiers=tuple(_group(path, ",") for key in keys for path in key.split("|")) if keys else None,
        title=title.strip(),
    )
    for number in range(int(first), int(last or first) + 1):
        yield replace(entry, ai=f"{number:0{len(first)}}")


def _group(text: str, separator: str) -> Group:
    return tuple(text.split(separator)) if text else ()


def _component(word: str) -> Component:
    match = _COMPONENT.fullmatch(word)
    assert match is not None
    bracket, kind, variable, length, names = match.groups()
    return Component(1 if variable else int(length), int(length), bool(bracket), _linters(kind, names))


def _linters(kind: str, names: str) -> tuple[tuple[str, Linter], ...]:
    wanted = (_CHARACTER_SETS[kind], *names.split(",")[1:])
    implied = ("gcppos1", "gcppos2") if kind == "N" else ()
    return tuple((name, LINTERS[name]) for name in wanted if name not in implied)
