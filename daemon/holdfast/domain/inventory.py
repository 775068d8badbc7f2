"""Stock: balances folded from the moves of any event, discrepancies, posted counts."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.domain import catalogue
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork
from holdfast.domain.limits import MAX_QTY
from holdfast.domain.money import POSTINGS
from holdfast.domain.operator import Role, require
from holdfast.domain.rows import as_json, insert, scalar
from holdfast_contract.body import Posting
from holdfast_contract.hub import HubCreated
from holdfast_contract.ledger import Move, Place
from holdfast_contract.shift import ShiftClosed
from holdfast_contract.stock import DiscrepancyClosed, DiscrepancyOpened, StockAdjusted

COUNT_REASONS = (
    "missing_transaction", "miscounted", "found", "lost", "expired", "stolen", "data_entry", "cycle_count",
)  # fmt: skip

TABLES = """
CREATE TABLE IF NOT EXISTS balance (
    sku TEXT, place INTEGER, qty INTEGER NOT NULL, PRIMARY KEY (sku, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moved (seq INTEGER PRIMARY KEY, deltas TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS moved_since (one INTEGER PRIMARY KEY, kept INTEGER NOT NULL, closing INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS counted (sku TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS discrepancy (sku TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""
"""`moved` is what changed `sellable` since the last shift but one closed, JSON `[[sku, delta], …]` an event: what a
late count is compared with."""


class CountStock(Command, frozen=True, tag="inventory.count", kw_only=True):
    """Post a count: `counted` sellable units were there after event `as_of`. Role supervisor if it changes anything.

    What moved after `as_of` does not disturb it (INV-2.5). A count posted for the product since then makes it void,
    or both would correct the same difference.
    """

    sku: str
    counted: int
    as_of: int
    reason: str


def count_stock(uow: UnitOfWork, command: CountStock) -> Outcome:
    sku = catalogue.require_sku(uow, command.sku)
    if not 0 <= command.counted <= MAX_QTY or not 0 <= command.as_of < uow.next_seq:
        raise Refused("invalid", detail="count or as_of out of range")
    if command.reason not in COUNT_REASONS:
        raise Refused("invalid", detail=f"a reason is one of {', '.join(COUNT_REASONS)}")
    variance = command.counted - _sellable_at(uow, sku, command.as_of)
    if variance:
        require(uow, Role.SUPERVISOR)
    uow.emit(
        sku,
        StockAdjusted(
            counted=command.counted, as_of=command.as_of, reason=command.reason, moves=_correction(sku, variance)
        ),
    )
    note_discrepancies(uow, [sku])
    return Outcome(data={"sku": sku, "counted": command.counted, "variance": variance})


def note_discrepancies(uow: UnitOfWork, skus: Iterable[str]) -> None:
    """Open a discrepancy for each sku that went below zero, close those that came back (INV-2.2)."""
    changed = uow.all(
        "SELECT b.sku, b.qty FROM json_each(?) j JOIN balance b ON b.sku = j.value AND b.place = 1"
        " LEFT JOIN discrepancy d ON d.sku = b.sku WHERE (b.qty < 0) <> (d.sku IS NOT NULL)",
        as_json(list(skus)),
    )
    for sku, qty in changed:
        uow.emit(sku, DiscrepancyOpened(balance=qty) if qty < 0 else DiscrepancyClosed(balance=qty))


def _sellable_at(uow: UnitOfWork, sku: str, as_of: int) -> int:
    kept = uow.one("SELECT kept FROM moved_since")
    if kept is not None and as_of < kept[0]:
        raise Refused("count_expired")
    if uow.one("SELECT 1 FROM counted WHERE sku = ? AND seq > ?", sku, as_of):
        raise Refused("count_superseded")
    return scalar(
        uow,
        "SELECT coalesce((SELECT qty FROM balance WHERE sku = ?1 AND place = 1), 0)"
        " - coalesce((SELECT sum(d.value ->> 1) FROM moved, json_each(deltas) d"
        " WHERE seq > ?2 AND d.value ->> 0 = ?1), 0)",
        sku, as_of,
    )  # fmt: skip


def _correction(sku: str, variance: int) -> tuple[Move, ...]:
    if not variance:
        return ()
    ends = (Place.ADJUSTMENT, Place.SELLABLE) if variance > 0 else (Place.SELLABLE, Place.ADJUSTMENT)
    return (Move(sku, *ends, abs(variance)),)


def _fold(tables: Tables, event: Event, body: Posting) -> None:
    if not body.moves:
        return
    deltas: dict[tuple[str, int], int] = {}
    for sku, src, dst, qty in ((move.sku, move.src, move.dst, move.qty) for move in body.moves):
        deltas[sku, src] = deltas.get((sku, src), 0) - qty
        deltas[sku, dst] = deltas.get((sku, dst), 0) + qty
    insert(
        tables, "INSERT INTO balance", [(sku, place, qty) for (sku, place), qty in deltas.items()],
        "ON CONFLICT DO UPDATE SET qty = qty + excluded.qty",
    )  # fmt: skip
    sellable = [(sku, qty) for (sku, place), qty in deltas.items() if place == Place.SELLABLE]
    tables.run("INSERT INTO moved VALUES (?, ?)", event.seq, as_json(sellable))


def _fold_adjustment(tables: Tables, event: Event, body: StockAdjusted) -> None:
    _fold(tables, event, body)
    tables.run("INSERT OR REPLACE INTO counted VALUES (?, ?)", event.subject, event.seq)


def _fold_closing(tables: Tables, event: Event, body: ShiftClosed) -> None:
    _fold(tables, event, body)
    tables.run(
        "INSERT INTO moved_since VALUES (1, 0, ?) ON CONFLICT DO UPDATE SET kept = closing, closing = excluded.closing",
        event.seq,
    )
    tables.run("DELETE FROM moved WHERE seq <= (SELECT kept FROM moved_since)")


def _begin_incarnation(tables: Tables, _: Event, __: HubCreated) -> None:
    """Seqs begin again: forget what is known by seq."""
    tables.run("DELETE FROM moved")
    tables.run("DELETE FROM moved_since")
    tables.run("DELETE FROM counted")


def _opened(tables: Tables, event: Event, _: DiscrepancyOpened) -> None:
    tables.run("INSERT INTO discrepancy VALUES (?, ?)", event.subject, event.at)


def _closed(tables: Tables, event: Event, _: DiscrepancyClosed) -> None:
    tables.run("DELETE FROM discrepancy WHERE sku = ?", event.subject)


AREA = Area(
    name="inventory",
    tables=TABLES,
    handlers={CountStock: count_stock},
    projections=dict.fromkeys(POSTINGS, _fold)
    | {
        HubCreated: _begin_incarnation,
        StockAdjusted: _fold_adjustment,
        ShiftClosed: _fold_closing,
        DiscrepancyOpened: _opened,
        DiscrepancyClosed: _closed,
    },
)
