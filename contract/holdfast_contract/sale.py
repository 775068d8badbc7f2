"""Cart and sale events."""

from __future__ import annotations

import msgspec
from msgspec import field

from holdfast_contract.body import Body, Posting


class CartOpened(Body, frozen=True):
    """The subject is the cart id, e.g. `c42`."""

    station: str = field(name="s")
    training: bool = field(default=False, name="t")


class LineAdded(Body, frozen=True):
    """A committed line keeps its price for life (INV-1.4). The subject is the cart id."""

    line: int = field(name="l")
    sku: str = field(name="k")
    price: int = field(name="a")
    """Minor units for `base` of the quantity, after pipeline steps 1 and 2."""
    qty: int = field(default=1, name="q")
    discount: int = field(default=0, name="d")
    """Minor units off the line, step 3; never more than its gross."""
    trace: str = field(default="", name="t")
    """Which rules made the price, e.g. `manual`."""
    ppm: int = field(default=0, name="r")
    """The rate behind `discount`, so that it follows the quantity."""
    base: int = field(default=1, name="b")
    """What `price` is for (EN 16931 BT-149): 1000 when `qty` is grams and `price` for a kilogram."""


class LineChanged(Body, frozen=True):
    line: int = field(name="l")
    qty: int = field(name="q")
    """New quantity; 0 voids the line."""
    discount: int = field(default=0, name="d")
    ppm: int = field(default=0, name="r")


class CartParked(Body, frozen=True):
    why: str = field(default="", name="w")


class CartResumed(Body, frozen=True):
    station: str = field(name="s")


class CartAbandoned(Body, frozen=True):
    """Void before completion: uses no number, keeps the lines (fraud pattern)."""

    total: int = field(name="a")
    lines: int = field(name="n")
    why: str = field(default="", name="w")
    training: bool = field(default=False, name="t")


class SaleLine(msgspec.Struct, frozen=True, array_like=True):
    """A line as sold."""

    sku: str
    qty: int
    price: int
    """Minor units for `base` of `qty`."""
    group: int
    """Index into the sale's tax groups."""
    discount: int = 0
    base: int = 1
    """1000 when `qty` is grams; the line's gross is price x qty / base, half away from zero."""


class TaxGroup(msgspec.Struct, frozen=True, array_like=True):
    """Totals of one (category, rate); gross = net + tax exactly (INV-1.1)."""

    category: str
    ppm: int
    net: int
    tax: int


class SaleCompleted(Posting, frozen=True):
    """The sale: number, lines, tax, tender, stock and money in one event. The subject is the cart id.

    A training sale has a number of series T and no moves and no posts (G-12).
    """

    number: int = field(name="n")
    day: int = field(name="d")
    """Business date, days since 1970-01-01."""
    shift: int = field(name="s")
    lines: tuple[SaleLine, ...] = field(name="l")
    groups: tuple[TaxGroup, ...] = field(name="g")
    payable: int = field(name="a")
    tendered: int = field(name="c")
    """Cash handed over."""
    change: int = field(default=0, name="b")
    rounding: int = field(default=0, name="r")
    """Cash rounding: payable + rounding = tendered - change (INV-3.2)."""
    training: bool = field(default=False, name="t")
    station: str = field(default="", name="w")
