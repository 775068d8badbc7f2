"""Every row of the vectors in data/gs1, and the table of what differs. `pytest -s` shows it."""

from __future__ import annotations

from collections import Counter

import pytest

from gs1_vectors import FILES, FORBIDDEN, OVERRULED, Row, held, rows
from gs1_vectors_biip import NOT_OFFERED, not_offered
from holdfast_drivers.barcodes.gs1 import parse_element_string

COUNTS = {"gs1_syntax_engine": 187, "bwipp_gs1": 501, "biip_parse": 184, "zxing_decoded_text": 244}
TOLERATED = {"gs1_syntax_engine": 0.0, "bwipp_gs1": 0.01, "biip_parse": 0.01, "zxing_decoded_text": 0.01}
"""Share of the rows asked that may differ, each with its reason."""


def asked(name: str) -> list[Row]:
    return [row for row in rows(name) if not not_offered(row)]


def differences(name: str) -> dict[str, str]:
    """What is different, by input."""
    return {row["input"]: text for row in asked(name) if (text := FILES[name](row)) is not None}


@pytest.mark.parametrize("name", FILES)
def test_vectors(name: str) -> None:
    found = differences(name)
    print(f"\n{name}: {len(rows(name))} rows, {len(asked(name))} asked, {len(found)} different")
    for text, how in found.items():
        print(f"  {text}: {how}. {OVERRULED.get(text, 'NO REASON')}")
    assert len(rows(name)) == COUNTS[name]
    assert len(found) <= TOLERATED[name] * len(asked(name))
    assert found.keys() <= OVERRULED.keys()


def test_no_reason_outlives_its_difference() -> None:
    assert differences("bwipp_gs1").keys() == OVERRULED.keys()
    zxing = [row["input"] for row in rows("zxing_decoded_text") if row["kind"].startswith("rssexpanded")]
    faults = [fault for text in zxing for fault in parse_element_string(held(text), tolerant=True).faults]
    assert {(fault.ai, fault.reason) for fault in faults} == FORBIDDEN


def test_what_is_not_asked_is_told() -> None:
    left_out = Counter(not_offered(row) for row in rows("biip_parse") if not_offered(row))
    for reason, count in left_out.items():
        print(f"\nbiip_parse, {count} rows not asked: {reason}")
    assert left_out.keys() == set(NOT_OFFERED.values())
    assert left_out.total() == 27


def test_an_accepted_row_with_a_wrong_result_is_a_difference() -> None:
    row = next(row for row in rows("gs1_syntax_engine") if "expect" in row)
    ask = FILES["gs1_syntax_engine"]
    assert ask(row) is None
    assert ask(row | {"expect": "^01"}) is not None
    assert ask(row | {"ok": False}) is not None
