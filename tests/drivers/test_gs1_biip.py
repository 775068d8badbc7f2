"""Another library's opinion: biip, when it is installed. Only what both claim to do is compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from gs1_strategies import VALUES, element_lists
from holdfast_drivers.barcodes.gs1 import Element, format_element_string, parse_element_string
from holdfast_drivers.barcodes.gtin import Gtin

biip: Any = pytest.importorskip("biip", reason="biip is not installed: nothing to compare with")

BOTH = tuple(ai for ai in VALUES if ai != "7007")
"""biip reads no period of two dates in (7007)."""


@given(element_lists(BOTH))
def test_both_cut_the_same_elements(elements: list[Element]) -> None:
    text = format_element_string(elements)
    theirs = biip.parse("]C1" + text).gs1_message
    assert theirs is not None
    assert [(element.ai.ai, element.value) for element in theirs.element_strings] == [
        *parse_element_string(text).elements
    ]


@given(VALUES["01"])
def test_both_know_a_gtin(digits: str) -> None:
    assert biip.parse("]C101" + digits).gtin.as_gtin_14() == Gtin(digits).digits
