"""Products, their versions by seq, and the codes they are scanned by."""

from __future__ import annotations

from holdfast.domain.core import Command


class ImportCatalogue(Command, frozen=True, tag="catalogue.import", kw_only=True):
    """A complete catalogue: the msgpack array of Product, sorted by sku. Version 0 is one above the version in use."""

    version: int
    blob: bytes


class ChangePrice(Command, frozen=True, tag="catalogue.change_price", kw_only=True):
    """A local price, minor units a piece, until the next import says otherwise. Role: supervisor."""

    sku: str
    price: int
    why: str = ""
