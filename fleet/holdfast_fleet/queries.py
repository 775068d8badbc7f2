"""What headquarters holds of one hub: balances, events, digests. Every function takes an open reader."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from holdfast_contract.body import Body
from holdfast_contract.events import decode_body
from holdfast_contract.ledger import BUCKETS, Place
from holdfast_contract.record import Record, decode_record
from holdfast_contract.wire import Stream
from holdfast_fleet.reading import UNDECODABLE


def newest(db: sqlite3.Connection, hub: str) -> tuple[int, int] | None:
    """Newest incarnation of `hub` and its committed seq; None for a hub never heard of."""
    row: tuple[int, int] | None = db.execute(
        "SELECT inc, upto FROM stream WHERE hub = ? AND st = ? ORDER BY inc DESC LIMIT 1", (hub, Stream.EV)
    ).fetchone()
    return row


def stock(db: sqlite3.Connection, hub: str, inc: int, sku: str = "", *, outside: bool = False) -> dict[str, Any]:
    """`{sku: {place: qty}}`, zero balances left out; places outside the hub only when asked for."""
    balances: dict[str, dict[str, int]] = {}
    rows = db.execute(
        "SELECT sku, place, qty FROM stock WHERE hub = ? AND inc = ? AND qty <> 0 AND ? IN ('', sku)", (hub, inc, sku)
    )
    for name, place, qty in rows:
        if outside or place in BUCKETS:
            balances.setdefault(name, {})[Place(place).name.lower()] = qty
    return balances


def money(db: sqlite3.Connection, hub: str, inc: int) -> dict[str, int]:
    """Minor units by account, debit positive; they sum to zero (G-6)."""
    rows = db.execute("SELECT account, amount FROM money WHERE hub = ? AND inc = ? AND amount <> 0", (hub, inc))
    return dict(rows.fetchall())


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    inc: int
    seq: int
    at: int
    """UTC milliseconds by the hub's clock, a label."""
    clock: str
    type: str
    subject: str
    actor: str
    flag: str
    orphaned: bool
    body: Any


def events(db: sqlite3.Connection, hub: str, *, kind: str = "", tail: int = 20) -> list[EventView]:
    """The last `tail` events of `hub`, of one type if `kind` names it, oldest first."""
    rows = db.execute(
        "SELECT e.inc, e.flag, e.record, e.inc < n.inc AND e.seq > ifnull(l.cut, 0) FROM event e"
        " JOIN (SELECT max(inc) AS inc FROM stream WHERE hub = ?1 AND st = ?4) n"
        " LEFT JOIN lineage l ON l.hub = e.hub AND l.inc = n.inc AND l.ancestor = e.inc"
        " WHERE e.hub = ?1 AND ?2 IN ('', e.type) ORDER BY e.inc DESC, e.seq DESC LIMIT ?3",
        (hub, kind, tail, Stream.EV),
    ).fetchall()
    return [_event(*row) for row in reversed(rows)]


def _event(inc: int, flag: str, data: bytes, orphaned: int) -> EventView:
    record = decode_record(data)
    return EventView(
        inc=inc,
        seq=record.seq,
        at=record.at,
        clock=record.clk.name.lower(),
        type=record.type,
        subject=record.subject,
        actor=record.actor,
        flag=flag,
        orphaned=bool(orphaned),
        body=_readable(record),
    )


def _readable(record: Record) -> Any:
    """Named fields of a known body, less its defaults; the plain value of another."""
    try:
        body = decode_body(record)
    except UNDECODABLE:
        body = None
    return _plain(msgspec.msgpack.decode(record.body) if body is None else _named(body))


def _named(body: Body) -> dict[str, Any]:
    fields = [(field.name, field.default) for field in msgspec.structs.fields(body)]
    return {name: getattr(body, name) for name, default in fields if getattr(body, name) != default}


def _plain(value: Any) -> Any:
    """Bytes as hex, map keys as text: fit for JSON."""
    return msgspec.to_builtins(_hex(msgspec.to_builtins(value, builtin_types=(bytes,))), str_keys=True)


def _hex(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case list() | tuple():
            return [_hex(item) for item in value]
        case dict():
            return {_hex(key): _hex(item) for key, item in value.items()}
        case _:
            return value


class DigestView(msgspec.Struct, frozen=True, kw_only=True):
    inc: int
    as_of: int
    """Seq the hub's folds were taken at."""
    verdict: str
    """`equal`, `differs`, `pending`, `too_old`."""
    differs: str
    """Which of head, stock, money."""
    at: int
    """UTC milliseconds it arrived."""


def digests(db: sqlite3.Connection, hub: str) -> list[DigestView]:
    """The digests kept of `hub`, newest first."""
    rows = db.execute(
        "SELECT inc, as_of, verdict, differs, at FROM digest WHERE hub = ? ORDER BY inc DESC, as_of DESC", (hub,)
    )
    return [
        DigestView(inc=inc, as_of=as_of, verdict=verdict, differs=differs, at=at)
        for inc, as_of, verdict, differs, at in rows
    ]
