"""A catalogue as people keep it: CSV text to rows, every problem with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import NamedTuple

from holdfast.domain.products import faults
from holdfast_contract.catalogue import Product

REQUIRED = ("sku", "name", "price", "tax_category", "tax_rate")
OPTIONAL = ("gtin", "merchant", "unit", "aliases", "open_price")
"""`gtin` and `aliases` hold several values separated by `|`."""

_DECIMAL = re.compile(r"([0-9]{1,13})(?:[.,]([0-9]{1,12}))?")
_YES, _NO = ("1", "yes", "true"), ("", "0", "no", "false")
_RATE_DIGITS = 4
"""Percent with four digits after the point is parts per million."""


class Problem(NamedTuple):
    """`line` counts from 1, the header; 0 speaks of the whole file."""

    line: int
    reason: str


def parse_csv(text: str, exponent: int) -> tuple[tuple[Product, ...], tuple[Problem, ...]]:
    """Rows by sku, and what is wrong. Prices have `exponent` digits after the point; an empty price is none (0).

    The header names the columns; commas, semicolons or tabs separate. Only a file without problems may be imported.
    """
    text = text.removeprefix("\ufeff")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    found: dict[str, Product] = {}
    problems: list[Problem] = []
    try:
        problems.extend(Problem(1, reason) for reason in _header_faults(reader.fieldnames or ()))
        for row in () if problems else reader:
            problems.extend(Problem(reader.line_num, reason) for reason in _take(row, exponent, found))
    except csv.Error as error:
        problems.append(Problem(reader.reader.line_num, f"not CSV: {error}"))
    if not found and not problems:
        problems.append(Problem(0, "no product in the file"))
    return tuple(found[sku] for sku in sorted(found)), tuple(problems)


def scaled(text: str, digits: int) -> int:
    """Decimal text times ten to the `digits`, exactly. Raises ValueError."""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text.strip()!r} is not a plain decimal number")
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > digits:
        raise ValueError(f"{text.strip()!r} has more than {digits} digits after the point")
    return int(match[1] + fraction.ljust(digits, "0"))


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _header_faults(names: Sequence[str]) -> list[str]:
    missing = [f"column {name} is missing" for name in REQUIRED if name not in names]
    unknown = [f"column {name!r} is not known" for name in names if name not in REQUIRED + OPTIONAL]
    twice = [f"column {name!r} is there twice" for name in set(names) if names.count(name) > 1]
    return missing + unknown + twice


def _take(row: dict[str, str], exponent: int, found: dict[str, Product]) -> list[str]:
    """Put the row's product in `found`, or say why not."""
    if None in row or None in row.values():
        return ["the line has more or fewer fields than the header"]
    try:
        product = _product(row, exponent)
    except ValueError as error:
        return [str(error)]
    if product.sku in found:
        return [f"sku {product.sku!r} is there twice"]
    found[product.sku] = product
    return list(faults(product))


def _product(row: dict[str, str], exponent: int) -> Product:
    open_price = row.get("open_price", "").strip().lower()
    if open_price not in _YES + _NO:
        raise ValueError(f"open_price is yes or no, not {open_price!r}")
    return Product(
        sku=row["sku"].strip(),
        name=row["name"].strip(),
        price=scaled(row["price"] or "0", exponent),
        tax_category=row["tax_category"].strip().upper(),
        tax_ppm=scaled(row["tax_rate"], _RATE_DIGITS),
        merchant=row.get("merchant", "").strip() or "house",
        unit=row.get("unit", "").strip() or "piece",
        gtins=tuple(gtin.zfill(14) for gtin in _several(row.get("gtin", ""))),
        aliases=_several(row.get("aliases", "")),
        open_price=open_price in _YES,
    )


def _several(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split("|") if part.strip()))
