"""Proof that what headquarters holds of a hub is whole: chain, numbering and folds, from the raw records (INV-12.2)."""

from __future__ import annotations

import sqlite3

import msgspec

from holdfast_contract.events import decode_body
from holdfast_contract.hub import HubCreated
from holdfast_contract.record import Genesis, chain, decode_record, genesis_hash
from holdfast_contract.wire import Stream
from holdfast_fleet import folds
from holdfast_fleet.reading import UNDECODABLE


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """One incarnation of a hub. `bad_seq` is the first record that is wrong, None when all are right."""

    hub: str
    inc: int
    records: int
    """Right ones, counted from the first."""
    head: str
    """Chain hash after them, hex."""
    bad_seq: int | None
    problem: str
    """`genesis`, `missing`, `hash`, `head` (the chain ends before what was acknowledged), `fold`, or empty."""

    @property
    def ok(self) -> bool:
        return not self.problem


def verify(db: sqlite3.Connection, hub: str) -> list[Audit]:
    """Check every incarnation of `hub` from its genesis; empty for a hub never heard of."""
    rows = db.execute(
        "SELECT inc, upto, hash FROM stream WHERE hub = ? AND st = ? ORDER BY inc", (hub, Stream.EV)
    ).fetchall()
    return [_incarnation(db, hub, *row) for row in rows]


def _incarnation(db: sqlite3.Connection, hub: str, inc: int, upto: int, acknowledged: bytes) -> Audit:
    records, head, problem = _walk(db, hub, inc)
    bad = records + 1 if problem else None
    if not problem and records and (records, head) != (upto, acknowledged):
        problem, bad = "head", min(records, upto) + 1
    elif not problem and not records and upto:
        problem, bad = "missing", 1
    elif not problem and folds.replay(db, hub, inc).balances() != folds.load(db, hub, inc).balances():
        problem = "fold"
    return Audit(hub=hub, inc=inc, records=records, head=head.hex(), bad_seq=bad, problem=problem)


def _walk(db: sqlite3.Connection, hub: str, inc: int) -> tuple[int, bytes, str]:
    """Right records from the first, the chain hash after them, and what is wrong with the next."""
    good, head = 0, b""
    rows = db.execute(  # a flipped bit can turn a BLOB into TEXT, which sqlite3 would refuse to hand over
        "SELECT seq, CAST(record AS BLOB), CAST(hash AS BLOB) FROM event WHERE hub = ? AND inc = ? ORDER BY seq",
        (hub, inc),
    )
    for seq, record, stored in rows:
        if seq != good + 1:
            return good, head, "missing"
        if seq == 1:
            try:
                head = _root(record, hub, inc)
            except (ValueError, *UNDECODABLE):
                return 0, b"", "genesis"
        after = chain(head, record)
        if after != stored:
            return good, head, "hash"
        good, head = seq, after
    return good, head, ""


def _root(record: bytes, hub: str, inc: int) -> bytes:
    """Raises ValueError unless `record` creates the journal (hub, inc)."""
    body = decode_body(decode_record(record))
    if not isinstance(body, HubCreated):
        raise ValueError("record 1 is not hub.created")  # noqa: TRY004 - a wrong record, not a wrong argument
    genesis = msgspec.msgpack.decode(body.genesis, type=Genesis)
    if (genesis.hub, genesis.inc) != (hub, inc):
        raise ValueError("the genesis speaks of another journal")
    return genesis_hash(genesis)
