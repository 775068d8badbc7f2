"""Stock events. Balances are folds over their moves."""

from __future__ import annotations

from msgspec import field

from holdfast_contract.body import Body, Posting


class DeliveryOpened(Body, frozen=True):
    """Receiving began at a station. The subject is the delivery id, e.g. `d7`."""

    station: str = field(name="s")
    reference: str = field(default="", name="r")
    """ASN number; empty is NOASN."""


class DeliveryLineSet(Body, frozen=True):
    """`qty` units of `sku` are counted in so far; 0 takes the line away."""

    sku: str = field(name="k")
    qty: int = field(name="q")


class DeliveryAbandoned(Body, frozen=True):
    why: str = field(default="", name="w")


class StockReceived(Posting, frozen=True):
    """Goods came in (SUPPLIER to SELLABLE). The subject is the delivery id."""

    reference: str = field(default="", name="r")


class StockAdjusted(Posting, frozen=True):
    """A posted count: the delta between what was counted and the balance at `as_of`. The subject is the sku."""

    counted: int = field(name="c")
    as_of: int = field(name="o")
    reason: str = field(name="r")


class DiscrepancyOpened(Body, frozen=True):
    """A scan sold a unit the ledger does not have (INV-2.2). The subject is the sku."""

    balance: int = field(name="b")


class DiscrepancyClosed(Body, frozen=True):
    balance: int = field(name="b")
