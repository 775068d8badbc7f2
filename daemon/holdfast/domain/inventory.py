"""Stock: balances folded from moves, discrepancies, counts."""

from __future__ import annotations

from holdfast.domain.core import Command


class CountStock(Command, frozen=True, tag="inventory.count", kw_only=True):
    """Post a count: `counted` sellable units were there after event `as_of`. Role supervisor if it changes anything."""

    sku: str
    counted: int
    as_of: int
    reason: str
