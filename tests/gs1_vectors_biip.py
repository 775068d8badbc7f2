"""biip's tests asked of our parsers. `kind` names biip's test; `expected` is its result, of which the values count.

Fields that say to whom a prefix was issued are not compared, here and in `NOT_OFFERED`: that takes a register, which a
hub has no use for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from holdfast_drivers.barcodes.classify import classify
from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.gs1 import (
    SEPARATOR,
    ElementString,
    format_brackets,
    format_element_string,
    parse_brackets,
    parse_element_string,
)
from holdfast_drivers.barcodes.gs1_dictionary import dictionary
from holdfast_drivers.barcodes.gs1_digital_link import LENIENT, format_digital_link, parse_digital_link
from holdfast_drivers.barcodes.gs1_values import date_of, moment_of
from holdfast_drivers.barcodes.gtin import Gtin, check_digit, compress_upc_a, expand_upc_e, with_check_digit
from holdfast_drivers.barcodes.in_store import COUNTRIES, Measure, read_in_store, value_check_digit
from holdfast_drivers.values import Scan

Row = dict[str, Any]

NOT_OFFERED = {
    "test_gs1_prefixes": "to whom GS1 issued a prefix, and how long it is: a register, not a syntax",
    "test_symbology": "symbology identifiers apart from a scan, and `]Y`, which no scanner sends",
    "test_sscc.test_as_hri": "an SSCC with blanks for people",
}
"""By test or its module."""

TODAY = date(2026, 6, 1)
REGIONS = {
    "DENMARK": "dk",
    "ESTONIA": "ee",
    "FINLAND": "fi",
    "GERMANY": "de",
    "GREAT_BRITAIN": "gb",
    "LATVIA": "lv",
    "LITHUANIA": "lt",
    "NORWAY": "no",
    "SWEDEN": "se",
}
CURRENCIES = {"978": "EUR", "710": "ZAR"}


def not_offered(row: Row) -> str | None:
    kind = row["kind"]
    return NOT_OFFERED.get(kind) or NOT_OFFERED.get(kind.partition(".")[0])


def this_year(line: str) -> str:
    """A row copied from an f-string, as biip's test would see it this year."""
    return re.sub(r"f'(\d*)\{THIS_YEAR_SHORT\}(\d*)'", rf"\g<1>{TODAY:%y}\2", line)


def difference(row: Row) -> str | None:
    found, wanted = ASK[row["kind"].partition(".")[2]](row["input"], row)
    return None if found == wanted else f"{found!r}, not {wanted!r}"


def value(expected: Any) -> Any:
    """What biip's test builds, in the types of the standard library."""
    if not isinstance(expected, dict):
        return expected
    arguments = expected["_args"]
    if expected["_type"] == "Decimal":
        return Decimal(arguments[0])
    year = TODAY.year if arguments[0] == "THIS_YEAR" else arguments[0]
    return (date if expected["_type"] == "dt.date" else datetime)(year, *arguments[1:])


def refuses(parse: Callable[[], object]) -> tuple[object, object]:
    try:
        return parse(), "an error"
    except CodeError:
        return "an error", "an error"


def gtin(text: str) -> Gtin:
    """biip's Upc reads UPC-E, with and without its check digit."""
    if len(text) == 7:
        return Gtin.parse(with_check_digit(expand_upc_e(text + "0")[:-1]))
    return Gtin.parse(expand_upc_e(text) if len(text) == 8 else text)


def as_gtin(length: int) -> Callable[[str, Row], tuple[object, object]]:
    return lambda text, row: (gtin(text).digits[14 - length :], row["expected"])


def shortest(length: int) -> Callable[[str, Row], tuple[object, object]]:
    return lambda text, _: (len(Gtin.parse(text).shortest), length)


def measured(text: str, row: Row) -> tuple[object, object]:
    in_input = text.startswith("RcnRegion.")
    region = text.partition(".")[2] if in_input else row["kind"].rpartition("test_region_")[2].upper()
    number = read_in_store(Gtin.parse(row["value"] if in_input else text), COUNTRIES[REGIONS[region]])
    found = {number.measure.value: Decimal(number.units).scaleb(-number.places)} if number else {}
    wanted = {measure.value: value(row.get(measure.value)) for measure in Measure}
    return found, {name: amount for name, amount in wanted.items() if amount is not None}


def item(text: str, row: Row) -> tuple[object, object]:
    number = read_in_store(Gtin.parse(row["value"]), COUNTRIES[REGIONS[text.partition(".")[2]]])
    return number and number.item, Gtin.parse(row["expected"])


def unmeasured(text: str, row: Row) -> tuple[object, object]:
    patterns = COUNTRIES[REGIONS[text.partition(".")[2]]]
    numbers = [with_check_digit(prefix + "1111111111") for prefix in row.get("nonvariable_prefixes", ())]
    found = {read_in_store(Gtin.parse(number), patterns) for number in numbers or [row["value"]]}
    return found, {None}


def element(text: str) -> ElementString:
    return parse_element_string(text, tolerant=True)


def wanted_elements(expected: Row) -> list[tuple[str, str]]:
    strings = expected["element_strings"]["_args"][0]
    return [(string["ai"]["_args"][0], string["value"]) for string in strings]


def all_elements(read: ElementString) -> list[tuple[str, str]]:
    return sorted([*read.elements, *((fault.ai, fault.value) for fault in read.faults)])


def one_element(text: str, row: Row) -> tuple[object, object]:
    [(ai, content)] = element(text).elements
    expected = row["expected"]
    moments = [value(expected[name]) for name in ("date", "datetime") if expected.get(name)]
    found = [date_of(content, TODAY) if type(wanted) is date else moment_of(content, TODAY) for wanted in moments]
    return (ai, content, found), (expected["ai"]["_args"][0], expected["value"], moments)


def moments(text: str, row: Row) -> tuple[object, object]:
    [(_, content)] = element(text).elements
    moment = moment_of(content, TODAY) if row["expected_datetime"] else None
    return (date_of(content, TODAY), moment), (value(row["expected_date"]), value(row["expected_datetime"]))


def last_day(text: str, row: Row) -> tuple[object, object]:
    return date_of(element(text).elements[0].value, TODAY), value(row["expected"])


def scaled(text: str, row: Row) -> tuple[object, object]:
    number = element(text).scaled(text[:3])
    assert number is not None
    amount = Decimal(number.units).scaleb(-number.places)
    if "expected_currency" in row:
        return (CURRENCIES[number.currency], amount), (row["expected_currency"], value(row["expected_decimal"]))
    return amount, value(row["expected"])


def dictionary_entry(text: str, row: Row) -> tuple[object, object]:
    expected = row["expected"]
    entry = dictionary().at(text, 0)
    assert entry is not None
    form = f"N{len(entry.ai)}+N{entry.longest}"
    wanted = (expected["ai"], expected["data_title"], expected["separator_required"], expected["format"])
    return (entry.ai, entry.title, entry.separated, form), wanted


def message(text: str, row: Row) -> tuple[object, object]:
    for character in row.get("separator_chars", ()):
        text = text.replace(character, SEPARATOR)
    return format_brackets(element(text).elements), row["expected_hri"]


def for_people(text: str, row: Row) -> tuple[object, object]:
    read = parse_brackets(text)
    expected = row["expected"]
    return (format_element_string(read.elements), [*read.elements]), (expected["value"], wanted_elements(expected))


def link(text: str, row: Row) -> tuple[object, object]:
    return all_elements(parse_digital_link(text, LENIENT)), sorted(wanted_elements(row["expected"]))


def scan(text: str, row: Row) -> tuple[object, object]:
    """A scan as biip gets it: its AIM identifier in front, if any."""
    aim, content = (text[:3], text[3:]) if text.startswith("]") else ("", text)
    expected = row["expected"]
    if expected.get("gtin"):
        code = classify(Scan(content.encode(), aim=aim))
        found = code.gtin if isinstance(code, ElementString) else code
        return found, Gtin.parse(expected["gtin"]["value"])
    if expected.get("sscc"):
        return [*element(content).elements], wanted_elements(expected["gs1_message"])
    return refuses(lambda: parse_element_string(content))


ASK: dict[str, Callable[[str, Row], tuple[object, object]]] = {
    "test_as_gtin_14": as_gtin(14),
    "test_as_gtin_13": as_gtin(13),
    "test_as_gtin_12": as_gtin(12),
    "test_as_upc_a": as_gtin(12),
    "test_as_gtin_8_fails_for_too_long_values": lambda text, _: (len(Gtin.parse(text).shortest) > 8, True),
    "test_as_upc_e": lambda text, row: (compress_upc_a(text), row["expected"]),
    "test_parse_gtin_8": shortest(8),
    "test_parse_gtin_8_with_leading_zeros": shortest(8),
    "test_parse_gtin_12_with_1_leading_zero": shortest(12),
    "test_parse_gtin_12_with_3_leading_zero": shortest(12),
    "test_parse_gtin_13": shortest(13),
    "test_parse_rcn": lambda text, _: (read_in_store(Gtin.parse(text), COUNTRIES["se"]), None),
    "test_rcn_region_can_be_specified_as_string": lambda text, _: (text in COUNTRIES, True),
    **{f"test_region_{name}": measured for name in ("baltics", *(region.lower() for region in REGIONS))},
    "test_without_variable_measure_strips_variable_parts": item,
    "test_without_variable_measure_keeps_nonvariable_rcn_unchanged": unmeasured,
    "test_without_variable_measure_keeps_company_rcn_unchanged": unmeasured,
    "test_gs1_standard_check_digit": lambda text, row: (check_digit(text), str(row["expected"])),
    "test_gs1_standard_check_digit_with_nonnumeric_value": lambda text, _: refuses(lambda: check_digit(text)),
    "test_gs1_price_weight_check_digit": lambda text, row: (value_check_digit(text), str(row["expected"])),
    "test_gs1_price_weight_check_digit_with_nonnumeric_value": lambda text, _: refuses(lambda: value_check_digit(text)),
    "test_gs1_price_weight_check_digit_on_values_with_wrong_length": lambda text, _: refuses(
        lambda: value_check_digit(text)
    ),
    "test_parse_nonnumeric_value": lambda text, row: refuses(lambda: NUMBERS[row["kind"].partition(".")[0]](text)),
    "test_extract_gs1_ai": dictionary_entry,
    "test_parse": lambda text, row: (link if "digital_link" in row["kind"] else scan)(text, row),
    "test_parse_with_invalid_element_values": link,
    "test_parse_error": lambda text, _: refuses(lambda: parse_digital_link(text, LENIENT)),
    "test_as_uri": lambda text, row: (format_digital_link(parse_digital_link(text, LENIENT).elements), row["expected"]),
    "test_as_canonical_uri": lambda text, row: (
        format_digital_link(parse_digital_link(text, LENIENT).elements),
        row["expected"],
    ),
    "test_as_gs1_message": lambda text, row: (
        format_brackets(parse_digital_link(text, LENIENT).elements),
        row["expected"],
    ),
    "test_extract": one_element,
    "test_extract_with_nested_error": lambda text, _: refuses(lambda: parse_element_string(text)),
    "test_extract_fails_when_not_matching_pattern": lambda _, row: refuses(
        lambda: parse_element_string(row["bad_value"])
    ),
    "test_extract_date_and_datetime": moments,
    "test_extract_handles_min_and_max_year_correctly": one_element,
    "test_extract_handles_zero_day_as_last_day_of_month": last_day,
    "test_extract_variable_measures": scaled,
    "test_extract_amount_payable": scaled,
    "test_extract_amount_payable_and_currency": scaled,
    "test_extract_percentage_discount": scaled,
    "test_as_hri": lambda text, row: (format_brackets(element(text).elements), row["expected"]),
    "test_parse_with_separator_char": message,
    "test_parse_ignores_redundant_separator_chars": message,
    "test_parse_fails_if_unparsed_data_left": lambda text, _: refuses(lambda: parse_element_string(text)),
    "test_parse_hri": for_people,
    "test_parse_hri_fails_if_ai_is_unknown": lambda text, _: refuses(lambda: parse_brackets(text)),
}

NUMBERS: dict[str, Callable[[str], object]] = {
    "test_parse": gtin,
    "test_gln": lambda text: parse_element_string("414" + text),
    "test_sscc": lambda text: parse_element_string("00" + text),
}
