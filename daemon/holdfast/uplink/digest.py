"""The periodic proof: what the hub's folds say at one seq, for headquarters to compare with its own (G-10)."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Protocol

from holdfast_contract.wire import Digest, fold_hash


class Desk(Protocol):
    async def desk(self, function: Callable[[sqlite3.Connection], Digest]) -> Digest: ...


def read_digest(db: sqlite3.Connection) -> Digest:
    """Fold hashes and head of one transaction."""
    seq, head = db.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    stock = [(sku, int(place), qty) for sku, place, qty in db.execute("SELECT sku, place, qty FROM balance")]
    money = [(account, amount) for account, amount in db.execute("SELECT account, amount FROM account")]
    skus = len({sku for sku, _, qty in stock if qty})
    return Digest(as_of_seq=seq, head=head, stock=fold_hash(stock), money=fold_hash(money), skus=skus)


def digester(journal: Desk) -> Callable[[], Awaitable[Digest]]:
    """Makes digests of a journal's projections, each in the writer's own transaction, so that it is of one seq."""

    async def make() -> Digest:
        return await journal.desk(read_digest)

    return make
