"""Stock and money folds at the committed prefix of each journal. They read moves and posts, nothing else."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from holdfast_contract.ledger import Move, Post
from holdfast_contract.wire import fold_hash
from holdfast_fleet.reading import BAD_EFFECTS, Reading, read_effects


@dataclass(frozen=True, slots=True)
class Fold:
    """Balances: units by (sku, place), minor units by account."""

    stock: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    money: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, moves: Iterable[Move], posts: Iterable[Post], sign: int = 1) -> None:
        stock, money = self.stock, self.money
        for move in moves:
            qty = sign * move.qty
            stock[move.sku, move.src] -= qty
            stock[move.sku, move.dst] += qty
        for post in posts:
            money[post.account] += sign * post.amount

    def balances(self) -> tuple[dict[tuple[str, int], int], dict[str, int]]:
        """The non-zero ones."""
        stock = {(sku, int(place)): qty for (sku, place), qty in self.stock.items() if qty}
        return stock, {account: amount for account, amount in self.money.items() if amount}

    def stock_hash(self) -> bytes:
        return fold_hash([(sku, int(place), qty) for (sku, place), qty in self.stock.items()])

    def money_hash(self) -> bytes:
        return fold_hash(list(self.money.items()))


def fold_of(readings: Iterable[Reading]) -> Fold:
    fold = Fold()
    for reading in readings:
        fold.add(reading.moves, reading.posts)
    return fold


def apply(db: sqlite3.Connection, hub: str, inc: int, fold: Fold) -> None:
    """Add `fold` to what is stored for (hub, inc)."""
    db.executemany(
        "INSERT INTO stock VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET qty = qty + excluded.qty",
        [(hub, inc, sku, int(place), qty) for (sku, place), qty in fold.stock.items()],
    )
    db.executemany(
        "INSERT INTO money VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
        [(hub, inc, account, amount) for account, amount in fold.money.items()],
    )


def load(db: sqlite3.Connection, hub: str, inc: int) -> Fold:
    """The fold at the committed prefix of (hub, inc)."""
    fold = Fold()
    stock = db.execute("SELECT sku, place, qty FROM stock WHERE hub = ? AND inc = ?", (hub, inc))
    fold.stock.update(((sku, place), qty) for sku, place, qty in stock)
    fold.money.update(db.execute("SELECT account, amount FROM money WHERE hub = ? AND inc = ?", (hub, inc)))
    return fold


def load_at(db: sqlite3.Connection, hub: str, inc: int, seq: int) -> Fold:
    """The fold as it was after record `seq`: the stored one, with every later record taken back."""
    fold = load(db, hub, inc)
    for record in _records(db, hub, inc, seq + 1):
        fold.add(*read_effects(record), sign=-1)
    return fold


def replay(db: sqlite3.Connection, hub: str, inc: int) -> Fold:
    """The fold of (hub, inc) and its ancestors from the raw records alone."""
    fold = Fold()
    ancestors = db.execute("SELECT ancestor, cut FROM lineage WHERE hub = ? AND inc = ?", (hub, inc)).fetchall()
    for member, cut in [*ancestors, (inc, None)]:
        for record in _records(db, hub, member, 1, cut):
            fold.add(*read_effects(record))
    return fold


def _records(db: sqlite3.Connection, hub: str, inc: int, first: int, last: int | None = None) -> Iterable[bytes]:
    rows = db.execute(
        "SELECT record FROM event WHERE hub = ? AND inc = ? AND seq BETWEEN ? AND ? AND flag <> ?",
        (hub, inc, first, 2**62 if last is None else last, BAD_EFFECTS),
    )
    return (row[0] for row in rows)
