"""The table of invariants and the tests that carry their ids speak of the same things."""

from __future__ import annotations

import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]
TEST = re.compile(r"def test_((?:(?:g_\d+|inv_\d+_\d+)_)+)")
ID = re.compile(r"(g)_(\d+)|(inv)_(\d+)_(\d+)")


def documented() -> set[str]:
    text = (HOUSE / "docs" / "invariants.md").read_text()
    return set(re.findall(r"^\| (G-\d+|INV-\d+\.\d+) \|", text, re.MULTILINE))


def ids_in(source: str) -> set[str]:
    found = set()
    for names in TEST.findall(source):
        for match in ID.finditer(names):
            found.add(f"G-{match[2]}" if match[1] else f"INV-{match[4]}.{match[5]}")
    return found


def held() -> set[str]:
    return {
        found
        for folder in ("tests", "hil")
        for path in (HOUSE / folder).rglob("test_*.py")
        for found in ids_in(path.read_text())
    }


def test_every_documented_invariant_is_held_by_a_test_and_the_other_way_round() -> None:
    assert held() ^ documented() == set()


def test_ids_are_read_from_names() -> None:
    assert ids_in("async def test_g_3_g_9_inv_12_1_kills(x):") == {"G-3", "G-9", "INV-12.1"}
    assert ids_in("def test_nothing_of_the_kind():") == set()
