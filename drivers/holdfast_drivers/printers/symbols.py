"""Barcodes as data: what a printer's own symbol commands carry, and the same symbols as dark and light modules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any

Modules = Sequence[Sequence[bool]]
"""Rows of modules, True is dark. A linear symbol has one row."""

FNC1 = 102
_START = {"A": 103, "B": 104, "C": 105}
_STOP = "1100011101011"
_TO_SET = {"A": 101, "B": 100, "C": 99}
_SHIFT = 98
_DIGIT_RUN = re.compile(rb"(?:\d\d){2,}")
"""Code set C pays from four digits on."""

_QR_CAPACITY = {
    "L": (17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858),
    "M": (14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666),
    "Q": (11, 20, 32, 46, 60, 74, 86, 108, 130, 151, 177, 203, 241, 258, 292, 322, 364, 394, 442, 482),
    "H": (7, 14, 24, 34, 44, 58, 64, 84, 98, 119, 137, 155, 177, 194, 220, 250, 280, 310, 338, 382),
}
"""Bytes that QR versions 1..20 hold by level of error correction (ISO/IEC 18004 table 7)."""


def code128_command(data: str) -> bytes:
    """The argument of `GS k 73`: code set B, runs of digits in set C. Raises ValueError: not printable ASCII."""
    return _code128([_printable(data)], lead=b"")


def gs1_128_command(elements: str) -> bytes:
    """The same for a GS1 element string: FNC1 in front and for each separator (0x1D)."""
    return _code128([_printable(part) for part in elements.split("\x1d")], lead=b"{1")


def _code128(parts: Iterable[bytes], *, lead: bytes) -> bytes:
    """`parts` one after the other, `lead` before each."""
    out = bytearray()
    current = b""
    for part in parts:
        before = lead
        for run, digits in _digit_runs(part):
            wanted = b"{C" if digits else b"{B"
            out += (wanted if wanted != current else b"") + before
            out += bytes(int(run[i : i + 2]) for i in range(0, len(run), 2)) if digits else run.replace(b"{", b"{{")
            current, before = wanted, b""
    return bytes(out)


def _printable(data: str) -> bytes:
    raw = data.encode("ascii")
    if not raw or any(not 0x20 <= byte <= 0x7E for byte in raw):
        raise ValueError(f"not printable ASCII: {data!r}")
    return raw


def code128_values(command: bytes) -> list[int]:
    """Start code, symbol values and check of a `GS k 73` argument. Raises ValueError when it is not one."""
    if command[:1] != b"{" or command[1:2] not in (b"A", b"B", b"C"):
        raise ValueError("Code 128 data does not start with a code set")
    code_set = chr(command[1])
    values = [_START[code_set]]
    rest = iter(command[2:])
    for byte in rest:
        if byte != ord("{"):
            values.append(_code128_value(byte, code_set))
            continue
        escape = chr(next(rest, 0))
        if escape in _TO_SET:
            code_set = escape
        values.append(_escaped_value(escape, code_set))
    check = values[0] + sum(i * value for i, value in enumerate(values))
    return [*values, check % 103]


def code128_text(command: bytes) -> str:
    """What a `GS k 73` argument says to a person: its characters without code sets, function codes left out."""
    out = ""
    code_set = "B"
    rest = iter(command)
    for byte in rest:
        if byte == ord("{"):
            escape = chr(next(rest, 0))
            code_set = escape if escape in _TO_SET else code_set
            out += "{" if escape == "{" else ""
        else:
            out += f"{byte:02d}" if code_set == "C" else chr(byte)
    return out


def code128_modules(command: bytes) -> Modules:
    """The bars of a `GS k 73` argument. Raises ValueError when it is not one."""
    patterns = import_module("barcode.charsets.code128").CODES
    bits = "".join(patterns[value] for value in code128_values(command)) + _STOP
    return row(bits)


def ean13_check(digits: str) -> bool:
    """Whether `digits` are 13 digits with the right check digit."""
    if len(digits) != 13 or not (digits.isascii() and digits.isdigit()):
        return False
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0


@cache
def qr_modules(data: bytes, level: str = "M") -> Modules:
    """The QR code of `data`, without quiet zone; level L, M, Q or H. Raises ValueError: more than a QR code holds."""
    library: Any = import_module("qrcode")
    code = library.QRCode(error_correction=getattr(library.constants, f"ERROR_CORRECT_{level}"), border=0)
    code.add_data(data)
    try:
        code.make(fit=True)
    except library.exceptions.DataOverflowError as error:
        raise ValueError(str(error)) from error
    return tuple(tuple(row) for row in code.get_matrix())


def qr_side(length: int, level: str = "M") -> int:
    """Modules per side of a QR code of `length` bytes, less if they are digits. Raises ValueError above version 20."""
    for version, capacity in enumerate(_QR_CAPACITY[level], start=1):
        if length <= capacity:
            return 17 + 4 * version
    raise ValueError(f"{length} bytes are more than a receipt's QR code can hold")


def _digit_runs(raw: bytes) -> Iterator[tuple[bytes, bool]]:
    """`raw` in pieces, each with whether it is an even run of digits."""
    at = 0
    for match in _DIGIT_RUN.finditer(raw):
        if match.start() > at:
            yield raw[at : match.start()], False
        yield match.group(), True
        at = match.end()
    if at < len(raw):
        yield raw[at:], False


def _code128_value(byte: int, code_set: str) -> int:
    if code_set == "C":
        value = byte
    elif code_set == "A" and byte < 0x20:
        value = byte + 64
    else:
        value = byte - 32
    if not 0 <= value < FNC1:
        raise ValueError(f"byte {byte:#x} is not in code set {code_set}")
    return value


def _escaped_value(escape: str, code_set: str) -> int:
    if escape in _TO_SET:
        return _TO_SET[escape]
    special = {"1": FNC1, "2": 97, "3": 96, "4": 101 if code_set == "A" else 100, "S": _SHIFT, "{": ord("{") - 32}
    if escape not in special:
        raise ValueError(f"unknown Code 128 escape {escape!r}")
    return special[escape]


def row(bits: str) -> Modules:
    """A linear symbol of `1` and `0`."""
    return (tuple(bit == "1" for bit in bits),)
