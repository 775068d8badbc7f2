"""Linear symbols other than Code 128 as bars. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from holdfast_drivers.barcodes.gtin import check_digit, compress_upc_a, expand_upc_e, with_check_digit
from holdfast_drivers.printers.symbols import Modules, row

_LIBRARY = frozenset(("ean13", "ean8", "upca", "code39", "itf", "codabar"))
"""What python-barcode draws."""

_UPC_ODD = (
    "0001101",
    "0011001",
    "0010011",
    "0111101",
    "0100011",
    "0110001",
    "0101111",
    "0111011",
    "0110111",
    "0001011",
)
"""Digits in number set A; set B is the same in reverse and inverted (GS1 General Specifications, UPC-E)."""
_UPCE_EVEN = ("EEEOOO", "EEOEOO", "EEOOEO", "EEOOOE", "EOEEOO", "EOOEEO", "EOOOEE", "EOEOEO", "EOEOOE", "EOOEOE")
"""Which digits stand in set B, by the check digit."""

_CODE93 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_CODE93_BARS = (
    *("100010100", "101001000", "101000100", "101000010", "100101000", "100100100", "100100010", "101010000"),
    *("100010010", "100001010", "110101000", "110100100", "110100010", "110010100", "110010010", "110001010"),
    *("101101000", "101100100", "101100010", "100110100", "100011010", "101011000", "101001100", "101000110"),
    *("100101100", "100010110", "110110100", "110110010", "110101100", "110100110", "110010110", "110011010"),
    *("101101100", "101100110", "100110110", "100111010", "100101110", "111010100", "111010010", "111001010"),
    *("101101110", "101110110", "110101110", "100100110", "111011010", "111010110", "100110010"),
)
"""By value; 43 to 46 shift into full ASCII (AIM BC5)."""
_CODE93_EDGE = "101011110"
_SHIFT_DOLLAR, _SHIFT_PERCENT, _SHIFT_SLASH, _SHIFT_PLUS = 43, 44, 45, 46
_PERCENTED = dict(
    zip(
        (*range(27, 32), *range(59, 64), *range(91, 96), *range(123, 128), 0, 64, 96),
        "ABCDEFGHIJKLMNOPQRSTUVW",
        strict=True,
    )
)
"""Characters that follow the percent shift."""


def linear_modules(kind: str, data: str) -> Modules:
    """The bars of an `ean13`, `ean8`, `upca`, `upce`, `code39`, `code93`, `itf` or `codabar`.

    Raises ValueError: data does not fit it.
    """
    if kind == "upce":
        return row(_upce(data))
    if kind == "code93":
        return row(_code93(data))
    library = import_module("barcode")
    if kind not in _LIBRARY:
        raise ValueError(f"cannot draw {kind}")
    try:
        if kind == "code39":
            code = library.get_barcode_class(kind)(data.strip("*"), add_checksum=False)
        else:
            code = library.get_barcode_class(kind)(data)
        return row(code.build()[0].replace("G", "1"))
    except (library.errors.BarcodeError, ValueError, KeyError, IndexError) as error:
        raise ValueError(f"{kind}: {error}") from error


def linear_text(kind: str, data: str) -> str:
    """What a printer writes beside the bars: with the check digit that belongs there. As it is what does not fit."""
    lengths = {"ean13": 12, "ean8": 7, "upca": 11}
    try:
        if kind in lengths and len(data) >= lengths[kind]:
            return with_check_digit(data[: lengths[kind]])
        return _upce_digits(data) if kind == "upce" else data
    except ValueError:
        return data


def _upce(data: str) -> str:
    digits = _upce_digits(data)
    odd = "O" if digits[0] == "0" else "E"
    bars = (
        _UPC_ODD[int(digit)] if parity == odd else _even(int(digit))
        for digit, parity in zip(digits[1:7], _UPCE_EVEN[int(digits[7])], strict=True)
    )
    return "101" + "".join(bars) + "010101"


def _upce_digits(data: str) -> str:
    """Of 6 digits, 7 with the number system, 8 with the check digit too, or a UPC-A of 11 or 12 digits."""
    if not (data.isascii() and data.isdigit() and len(data) in (6, 7, 8, 11, 12)):
        raise ValueError(f"no UPC-E: {data!r}")
    if len(data) >= 11:
        return compress_upc_a(with_check_digit(data[:11]))
    body = data.zfill(7)[:7]
    return body + check_digit(expand_upc_e(body + "0")[:11])


def _even(digit: int) -> str:
    return "".join("0" if bit == "1" else "1" for bit in reversed(_UPC_ODD[digit]))


def _code93(data: str) -> str:
    values = [value for char in data for value in _code93_values(char)]
    for longest in (20, 15):
        weights = (i % longest + 1 for i in range(len(values)))
        values.append(sum(w * v for w, v in zip(weights, reversed(values), strict=True)) % 47)
    return _CODE93_EDGE + "".join(_CODE93_BARS[value] for value in values) + _CODE93_EDGE + "1"


def _code93_values(char: str) -> Iterator[int]:
    code = ord(char)
    if char in _CODE93:
        yield _CODE93.index(char)
    elif code in _PERCENTED:
        yield from (_SHIFT_PERCENT, _CODE93.index(_PERCENTED[code]))
    elif code <= 26:
        yield from (_SHIFT_DOLLAR, _CODE93.index(chr(code + 64)))
    elif 33 <= code <= 58:
        yield from (_SHIFT_SLASH, _CODE93.index(chr(code + 32)))
    elif "a" <= char <= "z":
        yield from (_SHIFT_PLUS, _CODE93.index(char.upper()))
    else:
        raise ValueError(f"no Code 93 character: {char!r}")
