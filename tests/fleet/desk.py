"""A store and a reader on the same file, and what tests ask of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from fleet.hubs import FakeHub
from holdfast_contract.wire import Ack, Stream
from holdfast_fleet import audit, folds
from holdfast_fleet.messages import Arrival
from holdfast_fleet.schema import Connect, open_reader
from holdfast_fleet.store import Committed, Store


class Desk:
    """`give` commits arrivals as one group; `acks` holds the last ack of each (hub, stream, inc)."""

    def __init__(self, path: Path, connect: Connect = sqlite3.connect) -> None:
        self.path = path
        self.store = Store(path, core="hq", connect=connect)
        self.acks: dict[tuple[str, Stream, int], Ack] = {}
        self.heard: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def give(self, *arrivals: Arrival) -> Committed:
        committed = self.store.commit(arrivals)
        self.acks.update({(hub, ack.st, ack.inc): ack for hub, ack in committed.acks})
        self.heard += [notice.kind for notice in committed.notices]
        return committed

    def upto(self, hub: FakeHub, st: Stream = Stream.EV) -> int:
        return self.acks[hub.name, st, hub.inc].upto

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(open_reader(self.path)) as db:
            return db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Any:
        return self.rows(sql, *values)[0][0]

    def assert_holds(self, hub: FakeHub, upto: int | None = None) -> None:
        """Exactly records 1..upto of the hub, its chain, its folds, nothing twice, nothing missing."""
        last = hub.last if upto is None else upto
        stored = self.rows(
            "SELECT seq, record, hash FROM event WHERE hub = ? AND inc = ? ORDER BY seq", hub.name, hub.inc
        )
        assert stored == list(zip(range(1, last + 1), hub.records, hub.hashes, strict=False))[:last]
        with closing(open_reader(self.path)) as db:
            stock, money = folds.load(db, hub.name, hub.inc).balances()
            assert all(found.ok for found in audit.verify(db, hub.name))
        assert stock == {key: qty for key, qty in hub.stock_at(last).items() if qty}
        assert money == {key: amount for key, amount in hub.money_at(last).items() if amount}
