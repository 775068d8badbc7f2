"""Digital Link: what GS1's own vectors do not ask. Those are in test_gs1_vectors.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gs1_strategies import VALUES, element_lists, refusal
from holdfast_drivers.barcodes.errors import Gs1Error
from holdfast_drivers.barcodes.gs1 import Element
from holdfast_drivers.barcodes.gs1_digital_link import LENIENT, STRICT, format_digital_link, parse_digital_link
from holdfast_drivers.barcodes.gs1_scan_data import read_scan_data

GTIN = "04006381333931"
QUALIFIERS = ("22", "10", "21")
ATTRIBUTES = ("15", "17", "20", "30", "3103", "3922", "423", "91")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("ftp://a/01/04006381333931", "uri"),
        ("https://a b/01/04006381333931", "uri"),
        ("https://a_b/01/04006381333931", "uri"),
        ("https://a?b/01/04006381333931", "uri"),
        ("https://a/01/04006381333931#{", "uri"),
        ("https://a", "uri"),
        ("https://a/b", "no_primary_key"),
        ("https://a/10/AB", "no_primary_key"),
        ("https://a/01/04006381333932", "csum"),
        ("https://a/01/4006381333931", "too_short"),
        ("https://a/01/04006381333931/21/1/10/A", "qualifier_sequence"),
        ("https://a/01/04006381333931/17/271231", "qualifier_sequence"),
        ("https://a/01/04006381333931?10=A", "belongs_in_path"),
        ("https://a/01/04006381333931?17=271231&17=271231", "repeated_ai"),
        ("https://a/01/04006381333931?8200=x", "not_an_attribute"),
        ("https://a/01/04006381333931?12345=x", "unknown_ai"),
        ("https://a/01/04006381333931?17=", "too_short"),
        ("https://a/01/04006381333931/10/a%20b", "cset82"),
        ("https://a/01/04006381333931?99=a+b", "cset82"),  # a blank, in a query
        ("https://a/01/04006381333931/10/a%1Db", "cset82"),
        ("https://a/01/04006381333931?" + "&".join(f"{ai}=1" for ai in range(90, 100)) * 7, "too_many_elements"),
    ],
)
def test_a_broken_rule_is_named(uri: str, reason: str) -> None:
    with pytest.raises(Gs1Error) as caught:
        parse_digital_link(uri)
    assert caught.value.fault.reason == reason


def test_a_fault_is_placed_in_the_address() -> None:
    uri = "https://a/b/01/04006381333931/10/AB?x=1&17=271331"
    with pytest.raises(Gs1Error) as caught:
        parse_digital_link(uri)
    assert uri[caught.value.fault.position :] == "1331"
    with pytest.raises(Gs1Error, match=r"^uri at 11$"):
        parse_digital_link("https://a/b{/01/04006381333931")


def test_shops_read_short_gtins_and_pass_over_broken_attributes() -> None:
    read = parse_digital_link("http://shop.example/01/4006381333931/10/AB?17=271331&gclid=x", LENIENT)
    assert read.elements == (Element("01", GTIN), Element("10", "AB"))
    assert [(fault.ai, fault.reason) for fault in read.faults] == [("17", "yymmd0")]
    with pytest.raises(Gs1Error):
        parse_digital_link("https://a/01/4006381333932", LENIENT)


def test_the_canonical_form_puts_qualifiers_in_the_path_and_sorts_the_rest() -> None:
    gtin = Element("01", GTIN)
    elements = [Element("30", "2"), Element("21", "1/2"), gtin, Element("10", "A+B"), Element("17", "271231")]
    assert format_digital_link(elements) == f"https://id.gs1.org/01/{GTIN}/10/A%2BB/21/1%2F2?17=271231&30=2"
    assert format_digital_link([gtin], "https://shop.example/x/") == f"https://shop.example/x/01/{GTIN}"


@pytest.mark.parametrize(
    "elements",
    [
        [Element("10", "AB")],
        [Element("01", GTIN), Element("8200", "http://a")],
        [Element("01", GTIN), Element("10", "A"), Element("10", "B")],
        [Element("89", "A")],
    ],
)
def test_what_an_address_cannot_say_is_not_written(elements: list[Element]) -> None:
    with pytest.raises(Gs1Error):
        format_digital_link(elements)


@given(VALUES["01"], element_lists((*QUALIFIERS, *ATTRIBUTES)))
def test_written_addresses_read_back(gtin: str, elements: list[Element]) -> None:
    whole = [Element("01", gtin), *elements]
    uri = format_digital_link(whole, "HTTPS://EXAMPLE.COM")
    assert sorted(parse_digital_link(uri).elements) == sorted(whole)
    assert read_scan_data("]Q1" + uri).text == uri


@given(st.text("htps:/.?&=#%+0123456789ABab[](){}\x1d é", max_size=50).map(lambda text: "https://a/01/" + text))
def test_any_address_is_read_or_refused(uri: str) -> None:
    for rules in (STRICT, LENIENT):
        fault = refusal(lambda text, rules=rules: parse_digital_link(text, rules), uri)
        assert fault is None or fault.position is None or 0 <= fault.position <= len(uri)
