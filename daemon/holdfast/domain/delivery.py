"""Goods coming in: counted at a station, or booked in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from holdfast.domain import catalogue, limits
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork, Urgency
from holdfast.domain.inventory import note_discrepancies
from holdfast.domain.operator import refuse_training
from holdfast.domain.rows import scalar
from holdfast_contract.ledger import Move, Place
from holdfast_contract.stock import DeliveryAbandoned, DeliveryLineSet, DeliveryOpened, StockReceived

LINES_PER_EVENT = 500

TABLES = """
CREATE TABLE IF NOT EXISTS delivery (
    delivery INTEGER PRIMARY KEY, station TEXT NOT NULL, reference TEXT NOT NULL, state TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS delivery_open ON delivery (station) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS delivery_line (
    delivery INTEGER, sku TEXT, qty INTEGER NOT NULL, step INTEGER NOT NULL, PRIMARY KEY (delivery, sku)) WITHOUT ROWID;
"""
"""States: open, received, abandoned. `step` orders the lines of an open delivery; the highest was counted last."""


class OpenDelivery(Command, frozen=True, tag="delivery.open", kw_only=True):
    """Start receiving at a station. `reference` is the ASN number; empty is NOASN."""

    station: str
    reference: str = ""


class CountIn(Command, frozen=True, tag="delivery.count_in", kw_only=True):
    """`qty` more units of the product with `code` (GTIN-14 digits or house code); `grams` of what is sold by weight."""

    station: str
    code: str
    qty: int = 1
    grams: int = 0


class SetCountedIn(Command, frozen=True, tag="delivery.set_counted_in", kw_only=True):
    """Set the quantity of the product counted last, in pieces or grams; 0 takes it away."""

    station: str
    qty: int


class FinishDelivery(Command, frozen=True, tag="delivery.finish", kw_only=True):
    urgency = Urgency.ALWAYS
    station: str


class AbandonDelivery(Command, frozen=True, tag="delivery.abandon", kw_only=True):
    urgency = Urgency.ALWAYS
    station: str
    why: str = ""


class ReceiveStock(Command, frozen=True, tag="delivery.receive", kw_only=True):
    """Book goods in at once: `(sku, qty)` lines, qty > 0."""

    urgency = Urgency.BULK
    lines: tuple[tuple[str, int], ...]
    reference: str = ""


class Delivery(NamedTuple):
    """An open delivery."""

    number: int
    reference: str

    @property
    def subject(self) -> str:
        return f"d{self.number}"


def find_open(tables: Tables, station: str) -> Delivery | None:
    row = tables.one("SELECT delivery, reference FROM delivery WHERE station = ? AND state = 'open'", station)
    return None if row is None else Delivery(*row)


def open_delivery(uow: UnitOfWork, command: OpenDelivery) -> Outcome:
    station = limits.name(command.station)
    refuse_training(uow, station)
    if find_open(uow, station) is not None:
        raise Refused("delivery_open")
    delivery = Delivery(_next_number(uow), limits.text(command.reference))
    uow.emit(delivery.subject, DeliveryOpened(station=station, reference=delivery.reference))
    return Outcome(data={"delivery": delivery.subject})


def count_in(uow: UnitOfWork, command: CountIn) -> Outcome:
    delivery = _require_open(uow, command.station)
    item = catalogue.find(uow, command.code)
    catalogue.require_sku(uow, item.sku)
    row = uow.one("SELECT qty FROM delivery_line WHERE delivery = ? AND sku = ?", delivery.number, item.sku)
    qty = limits.quantity(item.counted(command.qty, command.grams) + (row[0] if row else 0))
    return _set_line(uow, delivery, item.sku, item.name, qty)


def set_counted_in(uow: UnitOfWork, command: SetCountedIn) -> Outcome:
    delivery = _require_open(uow, command.station)
    row = uow.one(
        "SELECT l.sku, p.name FROM delivery_line l JOIN product p ON p.sku = l.sku"
        " WHERE l.delivery = ? ORDER BY l.step DESC, p.since DESC LIMIT 1",
        delivery.number,
    )
    if row is None:
        raise Refused("line_unknown")
    qty = limits.quantity(command.qty) if command.qty else 0
    sku, name = row
    return _set_line(uow, delivery, sku, name, qty)


def finish_delivery(uow: UnitOfWork, command: FinishDelivery) -> Outcome:
    delivery = _require_open(uow, command.station)
    lines = uow.all("SELECT sku, qty FROM delivery_line WHERE delivery = ? ORDER BY step", delivery.number)
    if not lines:
        raise Refused("delivery_empty")
    return _receive(uow, delivery, lines)


def abandon_delivery(uow: UnitOfWork, command: AbandonDelivery) -> Outcome:
    delivery = _require_open(uow, command.station)
    uow.emit(delivery.subject, DeliveryAbandoned(why=limits.text(command.why)))
    return Outcome(data={"delivery": delivery.subject})


def receive_stock(uow: UnitOfWork, command: ReceiveStock) -> Outcome:
    lines: dict[str, int] = {}
    for sku, qty in command.lines:
        lines[sku] = limits.quantity(lines.get(sku, 0) + limits.quantity(qty))
    if not lines:
        raise Refused("delivery_empty")
    for sku in lines:
        catalogue.require_sku(uow, sku)
    return _receive(uow, Delivery(_next_number(uow), limits.text(command.reference)), list(lines.items()))


def _receive(uow: UnitOfWork, delivery: Delivery, lines: Sequence[tuple[str, int]]) -> Outcome:
    moves = tuple(Move(sku, Place.SUPPLIER, Place.SELLABLE, qty) for sku, qty in lines)
    for start in range(0, len(moves), LINES_PER_EVENT):
        uow.emit(
            delivery.subject,
            StockReceived(reference=delivery.reference, moves=moves[start : start + LINES_PER_EVENT]),
        )
    note_discrepancies(uow, [sku for sku, _ in lines])
    return Outcome(data={"delivery": delivery.subject, "lines": len(moves), "qty": sum(move.qty for move in moves)})


def _set_line(uow: UnitOfWork, delivery: Delivery, sku: str, name: str, qty: int) -> Outcome:
    uow.emit(delivery.subject, DeliveryLineSet(sku=sku, qty=qty))
    return Outcome(data={"delivery": delivery.subject, "sku": sku, "name": name, "qty": qty})


def _require_open(uow: UnitOfWork, station: str) -> Delivery:
    delivery = find_open(uow, station)
    if delivery is None:
        raise Refused("delivery_not_open")
    return delivery


def _next_number(uow: UnitOfWork) -> int:
    return scalar(uow, "SELECT coalesce(max(delivery), 0) + 1 FROM delivery")


def _opened(tables: Tables, event: Event, body: DeliveryOpened) -> None:
    tables.run("INSERT INTO delivery VALUES (?, ?, ?, 'open')", int(event.subject[1:]), body.station, body.reference)


def _line_set(tables: Tables, event: Event, body: DeliveryLineSet) -> None:
    delivery = int(event.subject[1:])
    if not body.qty:
        tables.run("DELETE FROM delivery_line WHERE delivery = ? AND sku = ?", delivery, body.sku)
        return
    tables.run(
        "INSERT INTO delivery_line SELECT ?1, ?2, ?3, coalesce(max(step), 0) + 1 FROM delivery_line WHERE delivery = ?1"
        " ON CONFLICT DO UPDATE SET qty = excluded.qty, step = excluded.step",
        delivery, body.sku, body.qty,
    )  # fmt: skip


def _received(tables: Tables, event: Event, body: StockReceived) -> None:
    """Bulk receipts have no `delivery.opened` and more than one event."""
    delivery = int(event.subject[1:])
    tables.run(
        "INSERT INTO delivery VALUES (?, '', ?, 'received') ON CONFLICT DO UPDATE SET state = 'received'",
        delivery, body.reference,
    )  # fmt: skip
    tables.run("DELETE FROM delivery_line WHERE delivery = ?", delivery)


def _abandoned(tables: Tables, event: Event, _: DeliveryAbandoned) -> None:
    delivery = int(event.subject[1:])
    tables.run("UPDATE delivery SET state = 'abandoned' WHERE delivery = ?", delivery)
    tables.run("DELETE FROM delivery_line WHERE delivery = ?", delivery)


AREA = Area(
    name="delivery",
    tables=TABLES,
    handlers={
        OpenDelivery: open_delivery,
        CountIn: count_in,
        SetCountedIn: set_counted_in,
        FinishDelivery: finish_delivery,
        AbandonDelivery: abandon_delivery,
        ReceiveStock: receive_stock,
    },
    projections={
        DeliveryOpened: _opened,
        DeliveryLineSet: _line_set,
        StockReceived: _received,
        DeliveryAbandoned: _abandoned,
    },
)
