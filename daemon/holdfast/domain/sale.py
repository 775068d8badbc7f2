"""Completing a cart: number, tax, money and stock in one event. And which documents there are."""

from __future__ import annotations

from typing import NamedTuple

from holdfast.domain import cart_state, inventory, jobs, limits, money, numbers, pricing, shift
from holdfast.domain.cart_state import Cart
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork, Urgency
from holdfast.domain.pricing import Priced
from holdfast.domain.rows import scalar
from holdfast_contract.hub import HubCreated
from holdfast_contract.ledger import CASH, ROUNDING, Move, Place, Post, revenue, tax
from holdfast_contract.sale import SaleCompleted, SaleLine
from holdfast_contract.shift import ShiftClosed

TABLES = """
CREATE TABLE IF NOT EXISTS document (
    series TEXT, number INTEGER, seq INTEGER NOT NULL, day INTEGER NOT NULL, shift INTEGER NOT NULL,
    cart INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (series, number)) WITHOUT ROWID;
"""
"""Documents of this incarnation: `amount` is a receipt's payable or a closing's gross; a closing has cart 0."""


class PayCash(Command, frozen=True, tag="sale.pay_cash", kw_only=True):
    """Complete the station's open cart, or `cart` when named. `tendered` in minor units; None is the exact amount.

    A named cart that is already completed answers with its first number.
    """

    urgency = Urgency.ALWAYS
    station: str
    tendered: int | None = None
    cart: str = ""


class Sold(NamedTuple):
    """A cart line, as it is sold."""

    sku: str
    qty: int
    price: int
    discount: int
    category: str
    ppm: int
    merchant: str
    stocked: bool
    base: int

    @property
    def amount(self) -> int:
        return pricing.line_gross(self.price, self.qty, self.base) - self.discount


class Cash(NamedTuple):
    """What happens at the drawer: due = payable + rounding = tendered - change (INV-3.2)."""

    due: int
    tendered: int
    change: int
    rounding: int


def next_number(tables: Tables, series: str) -> int:
    """The next number of a series; taken only by completing a document in the same unit of work."""
    return scalar(tables, "SELECT coalesce(max(number), 0) + 1 FROM document WHERE series = ?", series)


def pay_cash(uow: UnitOfWork, command: PayCash) -> Outcome:
    if (before := _completed_before(uow, command.cart)) is not None:
        return before
    cart = cart_state.require_open(uow, command.station)
    if command.cart not in ("", cart.subject):
        raise Refused("cart_not_open")
    number = shift.require_open(uow)
    lines = _lines(uow, cart)
    priced = pricing.price([pricing.Line(line.amount, line.category, line.ppm, line.merchant) for line in lines])
    cash = _cash(uow, priced.payable, command.tendered)
    sale = _sale(uow, cart, lines, priced, cash, shift_number=number, station=command.station)
    seq = uow.emit(cart.subject, sale)
    inventory.note_discrepancies(uow, [move.sku for move in sale.moves])
    return _sold(uow, cart, sale, seq, cash)


def _completed_before(uow: UnitOfWork, subject: str) -> Outcome | None:
    """The answer to paying a named cart again (INV-3.1)."""
    if not (subject.startswith("c") and subject[1:].isdecimal()):
        return None
    row = uow.one(
        "SELECT e.series, e.number, d.amount FROM cart_ended e"
        " JOIN document d ON d.series = e.series AND d.number = e.number WHERE e.cart = ?",
        int(subject[1:]),
    )
    if row is None:
        return None
    return Outcome(data={"cart": subject, "number": _printed(uow, row[0], row[1]), "total": row[2]})


def _lines(uow: UnitOfWork, cart: Cart) -> list[Sold]:
    """What the cart sells. Raises Refused: `cart_empty`; `unknown_code` for a product whose catalogue was lost."""
    rows = uow.all(
        "SELECT l.sku, l.qty, l.price, l.discount, p.category, p.ppm, p.merchant, NOT p.open_price, l.base"
        " FROM cart_line l"
        " LEFT JOIN product p ON p.sku = l.sku AND p.since = l.since WHERE l.cart = ? AND l.qty > 0 ORDER BY l.line",
        cart.number,
    )
    if not rows:
        raise Refused("cart_empty")
    if lost := [row[0] for row in rows if row[4] is None]:
        raise Refused("unknown_code", sku=lost[0])
    return [Sold(*row) for row in rows]


def _cash(uow: UnitOfWork, payable: int, tendered: int | None) -> Cash:
    rounding = pricing.cash_rounding(payable, uow.policy.cash_rounding)
    due = payable + rounding
    given = due if tendered is None else limits.amount(tendered)
    if given < due:
        raise Refused("cash_short", due=due)
    return Cash(due, given, given - due, rounding)


def _sale(
    uow: UnitOfWork, cart: Cart, lines: list[Sold], priced: Priced, cash: Cash, *, shift_number: int, station: str
) -> SaleCompleted:
    """A training sale moves nothing and posts nothing (G-12)."""
    return SaleCompleted(
        number=next_number(uow, numbers.TRAINING if cart.training else numbers.RECEIPTS),
        day=uow.day,
        shift=shift_number,
        lines=tuple(
            SaleLine(line.sku, line.qty, line.price, group, line.discount, line.base)
            for line, group in zip(lines, priced.group_of, strict=True)
        ),
        groups=priced.groups,
        payable=priced.payable,
        tendered=cash.tendered,
        change=cash.change,
        rounding=cash.rounding,
        training=cart.training,
        station=station,
        moves=() if cart.training else _moves(lines),
        posts=() if cart.training else _posts(priced, cash),
    )


def _moves(lines: list[Sold]) -> tuple[Move, ...]:
    """One move for each sku (INV-3.3). What is sold at a keyed amount has no stock."""
    sold: dict[str, int] = {}
    for line in lines:
        if line.stocked:
            sold[line.sku] = sold.get(line.sku, 0) + line.qty
    return tuple(Move(sku, Place.SELLABLE, Place.CUSTOMER, qty) for sku, qty in sold.items())


def _posts(priced: Priced, cash: Cash) -> tuple[Post, ...]:
    return money.balanced(
        Post(CASH, cash.due),
        *(Post(revenue(merchant), -net) for merchant, net in priced.revenue.items()),
        *(Post(tax(group.category, group.ppm), -group.tax) for group in priced.groups),
        Post(ROUNDING, -cash.rounding),
    )


def _sold(uow: UnitOfWork, cart: Cart, sale: SaleCompleted, seq: int, cash: Cash) -> Outcome:
    if not cart.training:
        uow.enqueue(jobs.DRAWER, seq)
    return Outcome(
        data={
            "cart": cart.subject,
            "number": _printed(uow, numbers.TRAINING if cart.training else numbers.RECEIPTS, sale.number),
            "total": sale.payable,
            "due": cash.due,
            "change": cash.change,
            "lines": len(sale.lines),
            "job": uow.enqueue(jobs.RECEIPT, seq),
        }
    )


def _printed(uow: UnitOfWork, series: str, number: int) -> str:
    return numbers.printed(uow.policy.code, uow.inc, series, number)


def _completed(tables: Tables, event: Event, body: SaleCompleted) -> None:
    tables.run(
        "INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?)",
        numbers.TRAINING if body.training else numbers.RECEIPTS, body.number, event.seq, body.day, body.shift,
        int(event.subject[1:]), body.payable,
    )  # fmt: skip


def _shift_closed(tables: Tables, event: Event, body: ShiftClosed) -> None:
    tables.run(
        "INSERT INTO document VALUES (?, ?, ?, ?, ?, 0, ?)",
        numbers.CLOSINGS, body.number, event.seq, body.day, int(event.subject[1:]), body.totals.gross,
    )  # fmt: skip


def _begin_incarnation(tables: Tables, _: Event, __: HubCreated) -> None:
    """Every series begins again."""
    tables.run("DELETE FROM document")


AREA = Area(
    name="sale",
    tables=TABLES,
    handlers={PayCash: pay_cash},
    projections={HubCreated: _begin_incarnation, SaleCompleted: _completed, ShiftClosed: _shift_closed},
)
