"""A hub as headquarters knows one: a journal of real records, and the messages it sends about it.

Its folds are kept here by hand, so that headquarters' are compared with something that shares no code with them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from holdfast_contract import topics
from holdfast_contract.body import Body
from holdfast_contract.events import NAME_OF
from holdfast_contract.hub import HubCreated
from holdfast_contract.ledger import CASH, Move, Place, Post, revenue
from holdfast_contract.record import ClockQuality, Genesis, Record, chain, encode_record, genesis_hash
from holdfast_contract.sale import LineAdded, SaleCompleted, SaleLine, TaxGroup
from holdfast_contract.stock import StockReceived
from holdfast_contract.wire import Batch, Birth, Digest, Presence, Status, Stream, Telemetry, fold_hash, pack
from holdfast_fleet.messages import Arrival

NOON = 1_790_000_000_000
"""UTC milliseconds."""


class FakeHub:
    """Begins with record 1. `prior` and `prior_seq`: the hub whose journal it was rebuilt from, and how far."""

    def __init__(self, name: str = "hub-1", *, jid: int = 7, prior: FakeHub | None = None, prior_seq: int = 0) -> None:
        self.name = name
        self.inc = prior.inc + 1 if prior else 1
        self.jid = jid
        self.genesis = Genesis(1, name, self.inc, jid, b"k" * 32, NOON)
        self.root = genesis_hash(self.genesis)
        self.records: list[bytes] = []
        self.hashes: list[bytes] = []
        self._stock = [prior.stock_at(prior_seq) if prior else Counter[tuple[str, int]]()]
        self._money = [prior.money_at(prior_seq) if prior else Counter[str]()]
        self.emit(
            name,
            HubCreated(
                genesis=msgspec.msgpack.encode(self.genesis),
                prior_inc=prior.inc if prior else 0,
                prior_seq=prior_seq,
                prior_hash=prior.hash_at(prior_seq) if prior else b"",
            ),
        )

    @property
    def last(self) -> int:
        return len(self.records)

    def hash_at(self, seq: int) -> bytes:
        return self.hashes[seq - 1] if seq else self.root

    def stock_at(self, seq: int) -> Counter[tuple[str, int]]:
        return Counter(self._stock[seq])

    def money_at(self, seq: int) -> Counter[str]:
        return Counter(self._money[seq])

    def emit(self, subject: str, body: Body) -> int:
        return self.emit_raw(NAME_OF[type(body)], subject, msgspec.msgpack.encode(body), body)

    def emit_raw(self, kind: str, subject: str, encoded: bytes, counts: Any = None) -> int:
        """Append any type with any body; `counts` is whose moves and posts the hub's folds take."""
        seq = self.last + 1
        clock = (NOON + seq, ClockQuality.SYNCED, 1, seq * 10)
        data = encode_record(Record(seq, *clock, kind, subject, seq.to_bytes(16), "b1", msgspec.Raw(encoded)))
        self.records.append(data)
        self.hashes.append(chain(self.hash_at(seq - 1), data))
        stock, money = self.stock_at(seq - 1), self.money_at(seq - 1)
        for move in getattr(counts, "moves", ()):
            stock[move.sku, int(move.src)] -= move.qty
            stock[move.sku, int(move.dst)] += move.qty
        for post in getattr(counts, "posts", ()):
            money[post.account] += post.amount
        self._stock.append(stock)
        self._money.append(money)
        return seq

    def receive(self, sku: str, qty: int) -> int:
        return self.emit("d1", StockReceived(moves=(Move(sku, Place.SUPPLIER, Place.SELLABLE, qty),)))

    def scan(self, sku: str) -> int:
        return self.emit("c1", LineAdded(line=1, sku=sku, price=500))

    def sell(self, sku: str, qty: int = 1) -> int:
        amount = 500 * qty
        sale = SaleCompleted(
            number=self.last,
            day=20_000,
            shift=1,
            lines=(SaleLine(sku, qty, 500, 0),),
            groups=(TaxGroup("E", 0, amount, 0),),
            payable=amount,
            tendered=amount,
            moves=(Move(sku, Place.SELLABLE, Place.CUSTOMER, qty),),
            posts=(Post(CASH, amount), Post(revenue("house"), -amount)),
        )
        return self.emit("c1", sale)

    def trade(self, sales: int) -> FakeHub:
        """A delivery, then `sales` sales of one scan each."""
        for number in range(sales):
            sku = f"SKU-{number % 7}"
            if number < 7:
                self.receive(sku, 100)
            self.scan(sku)
            self.sell(sku, 1 + number % 3)
        return self

    def batch(self, first: int = 1, last: int | None = None, **other: Any) -> Arrival:
        """Records `first`..`last`, with any field of the batch replaced by `other`."""
        until = self.last if last is None else last
        plain = Batch(
            hub=self.name,
            inc=self.inc,
            jid=self.jid,
            st=Stream.EV,
            first=first,
            n=until - first + 1,
            prev=self.hash_at(first - 1),
            sent=NOON,
            recs=tuple(self.records[first - 1 : until]),
        )
        return Arrival(topics.up(self.name, Stream.EV), pack(msgspec.structs.replace(plain, **other), compress=True))

    def batches(self, size: int) -> list[Arrival]:
        return [self.batch(first, min(first + size - 1, self.last)) for first in range(1, self.last + 1, size)]

    def birth(self, *, boot: int = 1, conn: int = 1, **other: Any) -> Arrival:
        plain = Birth(
            software="1.2.3",
            schema=1,
            hub=self.name,
            inc=self.inc,
            jid=self.jid,
            genesis=msgspec.msgpack.encode(self.genesis),
            boot=boot,
            conn=conn,
            oldest=1,
            next=self.last + 1,
            clk=ClockQuality.SYNCED,
        )
        return Arrival(topics.birth(self.name), pack(msgspec.structs.replace(plain, **other)))

    def status(self, presence: Presence, *, boot: int = 1, conn: int = 1) -> Arrival:
        return Arrival(topics.status(self.name), pack(Status(st=presence, boot=boot, conn=conn, ts=NOON)))

    def digest(self, as_of: int, **other: Any) -> Digest:
        """What the hub's own folds say after record `as_of`."""
        stock, money = self.stock_at(as_of), self.money_at(as_of)
        plain = Digest(
            as_of_seq=as_of,
            head=self.hash_at(as_of),
            stock=fold_hash([(sku, place, qty) for (sku, place), qty in stock.items()]),
            money=fold_hash(list(money.items())),
            skus=len({sku for sku, _ in stock}),
        )
        return msgspec.structs.replace(plain, **other)

    def report(self, *items: tuple[int, str, Any], st: Stream = Stream.TM) -> Arrival:
        """Telemetry `(seq, name, body)`, seqs ascending."""
        encode = msgspec.msgpack.encode
        records = [Telemetry(seq=seq, at=NOON, name=name, body=msgspec.Raw(encode(body))) for seq, name, body in items]
        batch = Batch(
            hub=self.name,
            inc=self.inc,
            jid=self.jid,
            st=st,
            first=items[0][0],
            n=len(items),
            sent=NOON,
            recs=tuple(map(encode, records)),
        )
        return Arrival(topics.up(self.name, st), pack(batch))
