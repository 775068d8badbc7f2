"""Carts as the tables hold them: reading them, and projecting what happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from holdfast.domain.core import Event, Projection, Refused, Tables
from holdfast.domain.numbers import RECEIPTS, TRAINING
from holdfast.domain.pricing import line_gross
from holdfast.domain.rows import scalar
from holdfast_contract.body import Body
from holdfast_contract.hub import HubCreated
from holdfast_contract.sale import (
    CartAbandoned,
    CartOpened,
    CartParked,
    CartResumed,
    LineAdded,
    LineChanged,
    SaleCompleted,
)

TABLES = """
CREATE TABLE IF NOT EXISTS cart (
    cart INTEGER PRIMARY KEY, station TEXT NOT NULL, training INTEGER NOT NULL, parked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cart_line (
    cart INTEGER, line INTEGER, sku TEXT NOT NULL, since INTEGER NOT NULL, price INTEGER NOT NULL, qty INTEGER NOT NULL,
    discount INTEGER NOT NULL, ppm INTEGER NOT NULL, trace TEXT NOT NULL, base INTEGER NOT NULL,
    PRIMARY KEY (cart, line)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cart_ended (cart INTEGER PRIMARY KEY, series TEXT NOT NULL, number INTEGER NOT NULL);
"""
"""`parked` is 0 for an open cart, else the order of parking. A voided line has quantity 0; `since` is the version of
the product it was made from. An ended cart keeps its document's series and number; an abandoned one has number 0."""


AMOUNT = "((2 * price * qty + base) / (2 * base) - discount)"
"""What a row of `cart_line` comes to: `pricing.line_gross` less the discount, in SQL."""


class Cart(NamedTuple):
    """A cart that has not ended."""

    number: int
    training: bool

    @property
    def subject(self) -> str:
        return f"c{self.number}"


class Line(NamedTuple):
    """A line of a cart."""

    line: int
    sku: str
    name: str
    price: int
    qty: int
    discount: int
    ppm: int
    since: int
    trace: str
    base: int

    @property
    def amount(self) -> int:
        return line_gross(self.price, self.qty, self.base) - self.discount


def find_open(tables: Tables, station: str) -> Cart | None:
    row = tables.one("SELECT cart, training FROM cart WHERE station = ? AND NOT parked", station)
    return None if row is None else Cart(row[0], bool(row[1]))


def require_open(tables: Tables, station: str) -> Cart:
    """The station's open cart. Raises Refused(`cart_not_open`)."""
    cart = find_open(tables, station)
    if cart is None:
        raise Refused("cart_not_open")
    return cart


def summed(tables: Tables, cart: Cart) -> tuple[int, int]:
    """Total and count of the lines that are not voided."""
    row = tables.one(
        f"SELECT coalesce(sum({AMOUNT}), 0), count(*) FROM cart_line WHERE cart = ? AND qty > 0",  # noqa: S608 - our own words
        cart.number,
    )
    assert row is not None
    return row[0], row[1]


def last_line(tables: Tables, cart: Cart) -> Line | None:
    row = tables.one(
        "SELECT l.line, l.sku, p.name, l.price, l.qty, l.discount, l.ppm, l.since, l.trace, l.base FROM cart_line l"
        " JOIN product p ON p.sku = l.sku AND p.since = l.since"
        " WHERE l.cart = ? AND l.qty > 0 ORDER BY l.line DESC LIMIT 1",
        cart.number,
    )
    return None if row is None else Line(*row)


def next_number(tables: Tables) -> int:
    """Number of the next cart."""
    return scalar(
        tables,
        "SELECT max((SELECT coalesce(max(cart), 0) FROM cart), (SELECT coalesce(max(cart), 0) FROM cart_ended)) + 1",
    )


def _opened(tables: Tables, event: Event, body: CartOpened) -> None:
    tables.run("INSERT INTO cart VALUES (?, ?, ?, 0)", _number(event), body.station, int(body.training))


def _line_added(tables: Tables, event: Event, body: LineAdded) -> None:
    tables.run(
        "INSERT INTO cart_line VALUES (?, ?, ?, "
        "(SELECT coalesce(max(since), 0) FROM product WHERE sku = ?), ?, ?, ?, ?, ?, ?)",
        _number(event), body.line, body.sku, body.sku, body.price, body.qty, body.discount, body.ppm, body.trace,
        body.base,
    )  # fmt: skip


def _line_changed(tables: Tables, event: Event, body: LineChanged) -> None:
    tables.run(
        "UPDATE cart_line SET qty = ?, discount = ?, ppm = ? WHERE cart = ? AND line = ?",
        body.qty, body.discount, body.ppm, _number(event), body.line,
    )  # fmt: skip


def _parked(tables: Tables, event: Event, _: CartParked) -> None:
    tables.run("UPDATE cart SET parked = (SELECT max(parked) + 1 FROM cart) WHERE cart = ?", _number(event))


def _resumed(tables: Tables, event: Event, body: CartResumed) -> None:
    tables.run("UPDATE cart SET parked = 0, station = ? WHERE cart = ?", body.station, _number(event))


def _abandoned(tables: Tables, event: Event, _: CartAbandoned) -> None:
    _end(tables, _number(event), "", 0)


def _completed(tables: Tables, event: Event, body: SaleCompleted) -> None:
    _end(tables, _number(event), TRAINING if body.training else RECEIPTS, body.number)


def _end(tables: Tables, cart: int, series: str, number: int) -> None:
    tables.run("DELETE FROM cart_line WHERE cart = ?", cart)
    tables.run("DELETE FROM cart WHERE cart = ?", cart)
    tables.run("INSERT INTO cart_ended VALUES (?, ?, ?)", cart, series, number)


def _begin_incarnation(tables: Tables, _: Event, __: HubCreated) -> None:
    """Product versions and numbers begin again; carts go on."""
    tables.run("UPDATE cart_line SET since = 0")
    tables.run("UPDATE cart_ended SET series = '', number = 0")


def _number(event: Event) -> int:
    return int(event.subject[1:])


PROJECTIONS: Mapping[type[Body], Projection] = {
    HubCreated: _begin_incarnation,
    CartOpened: _opened,
    LineAdded: _line_added,
    LineChanged: _line_changed,
    CartParked: _parked,
    CartResumed: _resumed,
    CartAbandoned: _abandoned,
    SaleCompleted: _completed,
}
