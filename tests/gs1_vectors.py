"""Other people's GS1 vectors asked of our parsers: per row, what is different, or None.

What may differ, and why, is in `OVERRULED`, and what is not asked in `gs1_vectors_biip.NOT_OFFERED`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gs1_vectors_biip
from holdfast_drivers.barcodes import gs1_associations as associations
from holdfast_drivers.barcodes.classify import Text, classify
from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.gs1 import (
    MAX_ELEMENTS,
    SEPARATOR,
    Element,
    ElementString,
    format_element_string,
    parse_brackets,
    parse_element_string,
)
from holdfast_drivers.barcodes.gs1_digital_link import Rules, parse_digital_link
from holdfast_drivers.barcodes.gs1_scan_data import Message, Symbology, read_scan_data, write_scan_data
from holdfast_drivers.barcodes.gtin import Gtin, compress_upc_a, expand_upc_e, split_add_on, with_check_digit
from holdfast_drivers.values import Scan

Row = dict[str, Any]
Ask = Callable[[Row], str | None]

FOLDER = Path(__file__).parent / "drivers" / "data" / "gs1"

OVERRULED = {
    "(401)12": "(401) begins with a company prefix, of four digits at least",
    "(8010)12345ABC(8011)0": "the dictionary allows (8011) no zero in front, and makes no exception for 0",
    "https://id.gs1.org/01/12312312312333/22/ABC%2d123?99=XYZ%2x987": "a percent sign without two hex digits is data",
}
"""BWIPP's rows on which GS1's syntax engine decides otherwise: it is the authority, and we follow it."""

FORBIDDEN = {
    ("10", "cset82"),  # a blank in a lot
    ("3922", "too_long"),  # a price of 51 digits
    ("3932", "iso4217"),  # a currency 040
    ("422", "iso3166"),  # a country 123
    ("423", "iso3166"),  # countries 012 and the like
    ("8110", "couponcode"),
}
"""What ZXing's sample images hold against GS1's rules: read with the rest, and reported among the faults."""


def rows(name: str) -> list[Row]:
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").split("\n")
    return [json.loads(gs1_vectors_biip.this_year(line)) for line in lines if line]


def verdict(row: Row, read: Callable[[], str | None]) -> str | None:
    """Compares whether it is accepted, and the result where the row tells it."""
    wanted, accept = row.get("expect"), row.get("ok", True)
    try:
        found = read()
    except CodeError as error:
        return f"refused: {error}" if accept else None
    if not accept:
        return f"accepted: {found!r}"
    return None if wanted is None or found == wanted else f"{found!r}, not {wanted!r}"


# GS1's syntax engine


def engine(row: Row) -> str | None:
    return ENGINE[row["kind"]](row)


def _brackets(row: Row) -> str | None:
    return verdict(row, lambda: _message(parse_brackets(row["input"])))


def _element_string(row: Row) -> str | None:
    if row["input"] == "buf":
        return _limits(accepted=row["ok"])
    return verdict(row, lambda: _message(_parse_message(row["input"])))


def _limits(*, accepted: bool) -> str | None:
    """The rows that stand for what the engine's test builds in C: the limits, or one more."""
    more = 0 if accepted else 1
    longest, most = "^99" + "A" * (90 + more), "^99XY" * (MAX_ELEMENTS + more)
    return next((text for text in (longest, most) if _refused(text) is accepted), None)


def _associations(row: Row) -> str | None:
    check = CHECKS[row["check"]]
    elements = parse_brackets(row["input"], unknown_ais=True).elements
    return verdict(row, lambda: check(elements))


CHECKS: dict[str, Callable[[Iterable[Element]], None]] = {
    "validateAImutex": associations.check_exclusions,
    "validateAIrequisites": associations.check_requirements,
    "validateAIrepeats": associations.check_repeats,
    "validateDigSigRequiresSerialisedKey": associations.check_signature,
}


def _digital_link(row: Row) -> str | None:
    options = {name.lower(): value for name, value in row.get("options", {}).items()}
    rules = Rules(
        short_gtins=options.get("permitzerosuppressedgtinindluris") == "true",
        alphas=options.get("permitconveniencealphas") == "true",
        unknown_ais=options.get("permitunknownais") == "true",
        unknown_attributes=options.get("validationenabled", "").endswith("false"),
    )
    return verdict(row, lambda: _message(parse_digital_link(row["input"], rules)))


def _read_scan(row: Row) -> str | None:
    symbology = Symbology(row["symbology"]) if row["ok"] else None

    def read() -> str:
        message = read_scan_data(row["input"])
        assert message.symbology is symbology or not row["ok"]
        return message.text

    return verdict(row, read)


def _write_scan(row: Row) -> str | None:
    if "symbology" not in row:  # no symbology, no scan data: here the type forbids it
        return None if not row["ok"] else "a message without a symbology"
    add_check_digit = row.get("options", {}).get("AddCheckDigit") == "true"
    message = Message(Symbology(row["symbology"]), row["input"])
    return verdict(row, lambda: write_scan_data(message, add_check_digit=add_check_digit))


ENGINE: dict[str, Ask] = {
    "bracketed_ai_to_element_string": _brackets,
    "validate_element_string": _element_string,
    "validate_ai_associations": _associations,
    "digital_link_to_element_string": _digital_link,
    "scan_data_to_message": _read_scan,
    "message_to_scan_data": _write_scan,
}


def _message(elements: ElementString) -> str:
    return "^" + format_element_string(elements.elements).replace(SEPARATOR, "^")


def _parse_message(text: str) -> ElementString:
    if not text.startswith("^"):
        raise CodeError("no FNC1 in front")
    return parse_element_string(text[1:].replace("^", SEPARATOR))


def _refused(message: str) -> bool:
    try:
        _parse_message(message)
    except CodeError:
        return True
    return False


# BWIPP, which makes barcodes: check digits may be left to it, and an add-on follows a blank


def bwipp(row: Row) -> str | None:
    return verdict(row, lambda: BWIPP[row["kind"]](row["input"]))


def _associated(text: str) -> None:
    associations.check_associations(parse_brackets(text).elements)


def _link(text: str) -> None:
    parse_digital_link(text, Rules(short_gtins=True))


def _ean_13(text: str) -> None:
    number, _, add_on = text.partition(" ")
    if len(number) == 12:
        number = with_check_digit(number)
    _only(13, number, add_on)


def _ean_8(text: str) -> None:
    _only(8, with_check_digit(text) if len(text) == 7 else text)


def _upc_a(text: str) -> None:
    number, _, add_on = text.partition(" ")
    if len(number) in {7, 8}:
        number = _expanded(number)
    elif len(number) == 11:
        number = with_check_digit(number)
    _only(12, number, add_on)


def _upc_e(text: str) -> None:
    number, _, add_on = text.partition(" ")
    if len(number) in {11, 12}:
        number = compress_upc_a(with_check_digit(number) if len(number) == 11 else number)
    _only(12, _expanded(number), add_on)


def _expanded(number: str) -> str:
    return with_check_digit(expand_upc_e(number + "0")[:-1]) if len(number) == 7 else expand_upc_e(number)


def _only(length: int, number: str, add_on: str = "") -> None:
    if len(number) != length:
        raise CodeError(f"{len(number)} digits")
    split_add_on(Gtin.parse(number).digits[1:] + add_on)


def _single(ai: str) -> Callable[[str], None]:
    def read(text: str) -> None:
        if [element.ai for element in parse_brackets(text).elements] != [ai]:
            raise CodeError("another AI")

    return read


BWIPP: dict[str, Callable[[str], None]] = {
    "bracketed_ai": _associated,
    "digital_link": _link,
    "ean13": _ean_13,
    "ean8": _ean_8,
    "upca": _upc_a,
    "upce": _upc_e,
    "ean14": _single("01"),
    "sscc18": _single("00"),
}


# ZXing: what a camera read in sample images


def zxing(row: Row) -> str | None:
    kind, text = row["kind"], row["input"]
    if kind.startswith("rssexpanded"):
        return _zxing_elements(text)
    aim = row.get("aim_id") or next((aim for name, aim in AIM_IDS.items() if kind.startswith(name)), "]C0")
    code = classify(Scan(text.encode(), aim=aim))
    if aim in {"]E0", "]E3", "]E4"}:
        wanted = Gtin.parse(expand_upc_e(text) if kind == "upce-1" and len(text) == 8 else text[:13])
        return None if code == wanted else f"{code} is not {wanted}"
    if aim == "]e0" and len(text) == len("01") + 14:
        return None if isinstance(code, ElementString) and code.gtin.digits == text[2:] else f"{code}"
    return None if code == Text(text) or (isinstance(code, Gtin) and text.endswith(code.shortest)) else f"{code}"


AIM_IDS = {
    "ean13-extension": "]E3",
    "upca-extension": "]E3",
    "upcean-extension": "]E0",
    "ean13": "]E0",
    "ean8": "]E4",
    "upc": "]E0",
    "rss14": "]e0",
    "itf": "]I0",
}


def held(text: str) -> str:
    """What the symbol holds, of text that may be shown with brackets."""
    return SEPARATOR.join(ai + value for ai, value in _shown(text)) or text


def _shown(text: str) -> list[Element]:
    return [Element(ai, value) for ai, value in re.findall(r"\((\d{2,4})\)(.*?)(?=\(\d{2,4}\)|$)", text)]


def _zxing_elements(text: str) -> str | None:
    """ZXing shows brackets, zxing-cpp what the symbol holds. The brackets say where our parser has to cut."""
    shown = _shown(text)
    read = parse_element_string(held(text), tolerant=True)
    kept = [*read.elements, *(Element(fault.ai, fault.value) for fault in read.faults)]
    if shown and sorted(kept) != sorted(shown):
        return f"{kept}, not {shown}"
    unlisted = {(fault.ai, fault.reason) for fault in read.faults} - FORBIDDEN
    return f"faults {unlisted}" if unlisted else None


FILES: dict[str, Ask] = {
    "gs1_syntax_engine": engine,
    "bwipp_gs1": bwipp,
    "biip_parse": gs1_vectors_biip.difference,
    "zxing_decoded_text": zxing,
}
