"""What makes a catalogue row acceptable, whether it came as CSV, over the API or from headquarters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from holdfast.domain.limits import MAX_AMOUNT
from holdfast.domain.pricing import MILLION
from holdfast_contract.catalogue import KILOGRAM, Product

TAXED = frozenset("SLM")
"""EN 16931 categories (UNCL5305) with a rate of their own: standard, Canary Islands, Ceuta and Melilla."""
UNTAXED = frozenset({"Z", "E", "AE", "K", "G", "O"})
"""Zero rated, exempt, reverse charge, intra-community, export, outside scope: the rate is 0."""

MAX_CODE = 40
MAX_NAME = 120
MAX_CODES = 64
"""GTINs and aliases of one product."""


def pack(products: Iterable[Product]) -> bytes:
    """The blob of a catalogue: its rows in order of sku."""
    return msgspec.msgpack.encode(sorted(products, key=lambda product: product.sku))


def gtin_ok(digits: str) -> bool:
    """Whether these are 14 digits with the right check digit (GS1 General Specifications 7.9)."""
    if len(digits) != 14 or not (digits.isascii() and digits.isdigit()):
        return False
    return sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits)) % 10 == 0


def faults(product: Product) -> Iterator[str]:
    """What is wrong with a row, in words; nothing when it may be sold by."""
    for what, value, most in (
        ("sku", product.sku, MAX_CODE),
        ("name", product.name, MAX_NAME),
        ("merchant", product.merchant, MAX_CODE),
        ("unit", product.unit, MAX_CODE),
    ):
        if not _tidy(value, most):
            yield f"{what} must be 1 to {most} printable characters, trimmed"
    if not 0 <= product.price <= MAX_AMOUNT:
        yield "price is out of range"
    if product.open_price and product.unit == KILOGRAM:
        yield "sold by weight or at a keyed amount, not both"
    yield from _tax_faults(product.tax_category, product.tax_ppm)
    if len(product.gtins) + len(product.aliases) > MAX_CODES:
        yield f"more than {MAX_CODES} codes"
    yield from (f"GTIN {gtin!r} has a wrong check digit or length" for gtin in product.gtins if not gtin_ok(gtin))
    yield from (f"alias {alias!r} is not usable" for alias in product.aliases if not _tidy(alias, MAX_CODE))


def _tax_faults(category: str, ppm: int) -> Iterator[str]:
    if category not in TAXED | UNTAXED:
        yield f"tax category {category!r} is none of EN 16931"
    elif category in UNTAXED and ppm:
        yield f"tax category {category} has no rate but 0"
    if not 0 <= ppm <= MILLION:
        yield "tax rate must be 0 to 100 %"


def _tidy(text: str, most: int) -> bool:
    return 0 < len(text) <= most and text.isprintable() and text == text.strip()
