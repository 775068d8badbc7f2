r"""What scanners send, with AIM identifiers, and what a barcode says, in the notation of GS1's syntax engine.

In a message `^` stands for FNC1, and element strings begin with it; `\^` in front is a real `^`. `|` divides the
linear part of a composite symbol from its 2D component.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from holdfast_drivers.barcodes.errors import Fault, Gs1Error
from holdfast_drivers.barcodes.gs1 import SEPARATOR, parse_element_string
from holdfast_drivers.barcodes.gs1_dictionary import dictionary
from holdfast_drivers.barcodes.gs1_digital_link import SCHEME, parse_digital_link
from holdfast_drivers.barcodes.gtin import Gtin, with_check_digit

MAX_LENGTH = 8190
"""Characters, the AIM identifier not counted."""

COMPONENT = "|]e0"
"""Begins the 2D component of a composite EAN/UPC symbol: a message of its own."""

_FNC1 = "^"
_ESCAPED_FNC1 = re.compile(r"\\*\^")


class Symbology(Enum):
    """Those GS1 uses, under the names of its syntax engine."""

    QR = "QR"
    DATA_MATRIX = "DM"
    DOTCODE = "DotCode"
    GS1_128 = "GS1_128_CCA"
    DATABAR_EXPANDED = "DataBarExpanded"
    DATABAR_OMNI = "DataBarOmni"
    DATABAR_LIMITED = "DataBarLimited"
    EAN_13 = "EAN13"
    EAN_8 = "EAN8"
    UPC_A = "UPCA"
    UPC_E = "UPCE"


@dataclass(frozen=True, slots=True)
class Message:
    symbology: Symbology
    text: str


_READ = {
    "]Q1": (Symbology.QR, False),
    "]Q3": (Symbology.QR, True),
    "]d1": (Symbology.DATA_MATRIX, False),
    "]d2": (Symbology.DATA_MATRIX, True),
    "]J0": (Symbology.DOTCODE, False),
    "]J1": (Symbology.DOTCODE, True),
    "]C1": (Symbology.GS1_128, True),
    "]e0": (Symbology.DATABAR_EXPANDED, True),
    "]E0": (Symbology.EAN_13, False),
    "]E4": (Symbology.EAN_8, False),
}
"""AIM identifier: symbology (of those that share it, the first) and whether it holds element strings."""

_MATRIX = {
    Symbology.QR: ("]Q1", "]Q3"),
    Symbology.DATA_MATRIX: ("]d1", "]d2"),
    Symbology.DOTCODE: ("]J0", "]J1"),
}
"""AIM identifiers for plain text and for element strings."""

_NUMBERS = {
    Symbology.EAN_13: ("]E0", 13),
    Symbology.EAN_8: ("]E4", 8),
    Symbology.UPC_A: ("]E00", 12),
    Symbology.UPC_E: ("]E00", 12),
    Symbology.DATABAR_OMNI: ("]e001", 14),
    Symbology.DATABAR_LIMITED: ("]e001", 14),
}
"""What is sent before the number, and its digits."""

_EAN_UPC = {Symbology.EAN_13, Symbology.EAN_8, Symbology.UPC_A, Symbology.UPC_E}


def read_scan_data(data: str) -> Message:
    """What a scan with its AIM identifier says, every element and check digit verified. Raises CodeError."""
    aim, content = data[:3], data[3:]
    if aim not in _READ:
        raise Gs1Error(Fault("aim_id", 0))
    if len(content) > MAX_LENGTH:
        raise Gs1Error(Fault("too_long", len(data)))
    symbology, element_string = _READ[aim]
    if symbology in _NUMBERS:
        return Message(symbology, _read_number(content, _NUMBERS[symbology][1]))
    if element_string:
        return Message(symbology, _read_elements(content))
    if SCHEME.match(content):
        parse_digital_link(content)
    return Message(symbology, "\\" + content if _ESCAPED_FNC1.match(content) else content)


def write_scan_data(message: Message, *, add_check_digit: bool = False) -> str:
    """What a scanner sends for a symbol that says this. Raises CodeError when that symbology cannot say it.

    With `add_check_digit` the number of an EAN/UPC or DataBar symbol is given without its last digit.
    """
    symbology, text = message.symbology, message.text
    if symbology in _MATRIX:
        plain, gs1 = _MATRIX[symbology]
        return gs1 + _elements(text) if text.startswith(_FNC1) else plain + _plain(text)
    linear, composite, component = text.partition("|")
    tail = _elements(component) if composite else ""
    if symbology in _NUMBERS:
        front, length = _NUMBERS[symbology]
        number = _number(linear, length, symbology, add_check_digit=add_check_digit)
        return front + number + (COMPONENT if composite and symbology in _EAN_UPC else "") + tail
    if composite:
        return "]e0" + _elements(linear) + _separator_after(linear) + tail
    return ("]C1" if symbology is Symbology.GS1_128 else "]e0") + _elements(linear)


def _read_number(content: str, length: int) -> str:
    number, composite, component = content.partition(COMPONENT)
    if len(number) != length:
        raise Gs1Error(Fault("too_short" if len(number) < length else "too_long", len(content)))
    Gtin.parse(number)
    return number + ("|" + _read_elements(component) if composite else "")


def _read_elements(content: str) -> str:
    parse_element_string(content)
    return _FNC1 + content.replace(SEPARATOR, _FNC1)


def _elements(text: str) -> str:
    """An element string as sent: the first FNC1 is told by the AIM identifier."""
    if not text.startswith(_FNC1):
        raise Gs1Error(Fault("no_fnc1", 0))
    content = text[1:].replace(_FNC1, SEPARATOR)
    parse_element_string(content)
    return content


def _separator_after(linear: str) -> str:
    """Between the parts of a composite, when the last element of the first needs one."""
    last = parse_element_string(linear[1:].replace(_FNC1, SEPARATOR)).elements[-1]
    return SEPARATOR if dictionary().entries[last.ai].separated else ""


def _number(text: str, length: int, symbology: Symbology, *, add_check_digit: bool) -> str:
    """The GTIN of a symbol for `length` digits, which may be given as `^01` and 14 digits."""
    number = text.removeprefix(_FNC1 + "01" + "0" * (14 - length))
    if add_check_digit:
        number = with_check_digit(number)
    if len(number) != length or (symbology is Symbology.DATABAR_LIMITED and number[0] > "1"):
        raise Gs1Error(Fault("number", 0))
    Gtin.parse(number)
    return number


def _plain(text: str) -> str:
    return text[1:] if text.startswith("\\") and _ESCAPED_FNC1.match(text) else text
