"""Catalogue events."""

from __future__ import annotations

import msgspec
from msgspec import field

from holdfast_contract.body import Body

KILOGRAM = "kg"
"""Unit of what is sold by weight: its price is for a kilogram, its quantity and stock are grams."""


def base_of(unit: str) -> int:
    """How many of what is counted a price is for (EN 16931 BT-149): 1000 grams, or one piece."""
    return 1000 if unit == KILOGRAM else 1


class Product(msgspec.Struct, frozen=True, array_like=True):
    """One row of a catalogue blob. Strings are trimmed; price in minor units, tax included, for one `unit`."""

    sku: str
    name: str
    price: int
    tax_category: str
    tax_ppm: int
    merchant: str = "house"
    unit: str = "piece"
    """KILOGRAM is sold by weight; any other is a name for a piece."""
    gtins: tuple[str, ...] = ()
    """GTIN-14, check digit verified."""
    aliases: tuple[str, ...] = ()
    """House codes, exact match."""
    open_price: bool = False
    """Sold at an amount keyed at the till (the MISC line)."""


class CatalogueImported(Body, frozen=True):
    """A complete catalogue took effect. The blob is the msgpack array of Product, sorted by sku."""

    version: int = field(name="v")
    blob: bytes = field(name="b")
    """SHA-256 of the blob, which is also the digest."""
    rows: int = field(name="n")


class PriceChanged(Body, frozen=True):
    """A local price change. The subject is the sku."""

    price: int = field(name="a")
    why: str = field(default="", name="w")
