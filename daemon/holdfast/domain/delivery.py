"""Goods coming in: counted at a station, or booked in bulk."""

from __future__ import annotations

from holdfast.domain.core import Command


class OpenDelivery(Command, frozen=True, tag="delivery.open", kw_only=True):
    """Start receiving at a station. `reference` is the ASN number; empty is NOASN."""

    station: str
    reference: str = ""


class CountIn(Command, frozen=True, tag="delivery.count_in", kw_only=True):
    """`qty` more units of the product with `code` (GTIN-14 digits or house code)."""

    station: str
    code: str
    qty: int = 1


class SetCountedIn(Command, frozen=True, tag="delivery.set_counted_in", kw_only=True):
    """Set the quantity of the product counted last; 0 takes it away."""

    station: str
    qty: int


class FinishDelivery(Command, frozen=True, tag="delivery.finish", kw_only=True):
    station: str


class AbandonDelivery(Command, frozen=True, tag="delivery.abandon", kw_only=True):
    station: str
    why: str = ""


class ReceiveStock(Command, frozen=True, tag="delivery.receive", kw_only=True):
    """Book goods in at once: `(sku, qty)` lines, qty > 0."""

    lines: tuple[tuple[str, int], ...]
    reference: str = ""
