"""The two things every stock and money fold reads: moves and posts. Both are double entry, in integers."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Place(IntEnum):
    """Where a unit is: six buckets at the hub, then outside. Balances over all places sum to zero (G-5)."""

    SELLABLE = 1
    PICKED = 2
    QC = 3
    REPACK = 4
    DAMAGED = 5
    QUARANTINE = 6
    SUPPLIER = 20
    OMS_TRANSIT = 21
    MICROFACTORY = 22
    CUSTOMER = 23
    COURIER = 24
    WASTE = 25
    RECYCLER = 26
    ADJUSTMENT = 27


BUCKETS = frozenset(place for place in Place if place < Place.SUPPLIER)


class Move(msgspec.Struct, frozen=True, array_like=True):
    """`qty` units of `sku` go from `src` to `dst`; qty > 0 in the SKU's base unit."""

    sku: str
    src: Place
    dst: Place
    qty: int


class Post(msgspec.Struct, frozen=True, array_like=True):
    """`amount` minor units on `account`, debit positive. A document's posts sum to zero (G-6)."""

    account: str
    amount: int


CASH = "tender:cash"
FLOAT = "drawer:float"
SAFE = "drawer:safe"
PAY_IN = "drawer:payin"
PAY_OUT = "drawer:payout"
OVER_SHORT = "drawer:over_short"
ROUNDING = "rounding"


def revenue(merchant: str) -> str:
    """Account of a creator's net revenue."""
    return f"revenue:{merchant}"


def tax(category: str, ppm: int) -> str:
    """Account of a tax group: EN 16931 category letter and rate in parts per million."""
    return f"tax:{category}:{ppm}"
