"""What the shop stands at: stock, documents, carts, shift, money. Committed tables only; amounts in minor units."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
from aiohttp import web

from holdfast.api import paper
from holdfast.api.answers import number, rfc3339
from holdfast.api.documents import printed
from holdfast.api.ports import Hub
from holdfast.domain import numbers
from holdfast.domain.core import Refused
from holdfast.domain.pricing import line_gross
from holdfast_contract.catalogue import base_of
from holdfast_contract.events import decode_body
from holdfast_contract.ledger import BUCKETS, Place
from holdfast_contract.record import Record, decode_record
from holdfast_contract.sale import SaleCompleted
from holdfast_contract.shift import ShiftClosed

EPOCH = date(1970, 1, 1)
"""Day 0 of business dates."""
MAX_ROWS = 1000
"""Products of one answer."""
MAX_SALES = 200
"""Receipts of one answer: decoding more would hold up the counter's loop."""

_SALES = (
    "SELECT d.number, d.day, j.record FROM document d JOIN journal j ON j.seq = d.seq"
    " WHERE d.series = ?1 AND d.number > ?2 AND (?3 IS NULL OR d.day = ?3) ORDER BY d.number LIMIT ?4"
)
_LAST_SALES = (
    "SELECT d.number, d.day, j.record FROM document d JOIN journal j ON j.seq = d.seq"
    " WHERE d.series = ? ORDER BY d.number DESC LIMIT ?"
)


async def stock(hub: Hub, request: web.Request) -> dict[str, Any]:
    """`?sku`, or pages of `?limit` products beyond `?after`: what is on hand by bucket, and open discrepancies.

    Pieces; with `base` 1000 grams, and the price is for a kilogram.
    """
    limit = number(request, "limit", default=MAX_ROWS, least=1, most=MAX_ROWS)
    sku, after = request.query.get("sku"), request.query.get("after", "")
    rows = await hub.journal.query(
        "WITH page AS (SELECT sku, max(since) AS since FROM product WHERE (?1 IS NULL AND sku > ?2) OR sku = ?1"
        " GROUP BY sku ORDER BY sku LIMIT ?3)"
        " SELECT (SELECT max(seq) FROM journal), p.sku, p.name, p.price, p.listed, p.open_price, p.unit, b.place,"
        " b.qty, d.at"
        " FROM page JOIN product p USING (sku, since) LEFT JOIN balance b ON b.sku = p.sku"
        " LEFT JOIN discrepancy d ON d.sku = p.sku ORDER BY p.sku, b.place",
        sku, after, limit,
    )  # fmt: skip
    if sku is not None and not rows:
        raise Refused("unknown_code", detail=f"no product {sku}", sku=sku)
    items: dict[str, dict[str, Any]] = {}
    for _, key, name, price, listed, open_price, unit, place, qty, discrepancy in rows:
        item = items.setdefault(
            key,
            {"sku": key, "name": name, "price": price, "listed": bool(listed), "stocked": not open_price,
             "base": base_of(unit), "on_hand": 0, "buckets": {}, "discrepancy": discrepancy is not None},
        )  # fmt: skip
        if place in BUCKETS and qty:
            item["buckets"][Place(place).name.lower()] = qty
            item["on_hand"] += qty
    return {
        **_currency(hub),
        "as_of": rows[0][0] if rows else hub.journal.head.seq,
        "items": list(items.values()),
        "next": next(reversed(items)) if len(items) == limit else None,
    }


async def sales(hub: Hub, request: web.Request) -> dict[str, Any]:
    """Receipts in order of number: of `?day`, beyond number `?after`, else the last `?limit`. `?series=T`: training."""
    limit = number(request, "limit", default=20, least=1, most=MAX_SALES)
    after = number(request, "after", default=0, least=0, most=10**12)
    series = request.query.get("series", numbers.RECEIPTS)
    if series not in (numbers.RECEIPTS, numbers.TRAINING):
        raise Refused("invalid", detail=f"series is {numbers.RECEIPTS} or {numbers.TRAINING}")
    day = _day(request)
    if day is None and "after" not in request.query:
        rows = list(reversed(await hub.journal.query(_LAST_SALES, series, limit)))
    else:
        rows = await hub.journal.query(_SALES, series, after, day, limit)
    names = dict(await hub.journal.query("SELECT badge, name FROM badge"))
    lines = [_sale_line(hub, series, *row) for row in rows]
    found = [line | {"name": names.get(line["actor"])} for line in lines]
    return {**_currency(hub), "sales": found, "next": found[-1]["count"] if len(found) == limit else None}


async def receipt(hub: Hub, request: web.Request) -> dict[str, Any]:
    """A document by its printed number: what it says, and its text as it would go on paper."""
    text = request.match_info["number"]
    parsed = numbers.parse(text, hub.config.hub.code, hub.journal.genesis.inc)
    rows = parsed and await hub.journal.query(
        "SELECT d.day, j.record, c.copies FROM document d JOIN journal j ON j.seq = d.seq"
        " LEFT JOIN copy c ON c.ref = d.seq WHERE d.series = ? AND d.number = ?",
        *parsed,
    )
    if not parsed or not rows:
        raise Refused("document_unknown", detail=text)
    day, stored, copies = rows[0]
    record = decode_record(stored)
    name = printed(hub, *parsed)
    document = await hub.receipt(name)
    return {
        **_currency(hub),
        "number": name,
        "seq": record.seq,
        "at": rfc3339(record.at),
        "day": _date(day),
        "actor": record.actor,
        "copies": copies or 0,
        "document": await _document(hub, record),
        "text": "" if document is None else paper.plain_text(document),
    }


async def carts(hub: Hub, _: web.Request) -> dict[str, Any]:
    """Open and parked carts with their lines."""
    rows = await hub.journal.query(
        "SELECT c.cart, c.station, c.training, c.parked, l.sku, l.qty, l.price, l.discount, l.base, p.name FROM cart c"
        " LEFT JOIN cart_line l ON l.cart = c.cart AND l.qty > 0"
        " LEFT JOIN product p ON p.sku = l.sku AND p.since = l.since ORDER BY c.cart, l.line"
    )
    found: dict[int, dict[str, Any]] = {}
    for cart, station, training, parked, sku, qty, price, discount, base, name in rows:
        entry = found.setdefault(
            cart,
            {"cart": f"c{cart}", "station": station, "training": bool(training), "parked": bool(parked),
             "total": 0, "lines": []},
        )  # fmt: skip
        if sku is not None:
            amount = line_gross(price, qty, base) - discount
            entry["total"] += amount
            entry["lines"].append(
                {"sku": sku, "name": name, "qty": qty, "base": base, "price": price, "amount": amount}
            )
    return {**_currency(hub), "carts": list(found.values())}


async def shift(hub: Hub, _: web.Request) -> dict[str, Any]:
    """The open shift and what it has run up, else the last one. The drawer's count stays blind: no expected cash."""
    rows = await hub.journal.query(
        "SELECT s.shift, s.badge, b.name, s.opened, s.closed, s.float_in, s.documents, s.gross, s.cash_sales,"
        " s.pay_in, s.pay_out, s.safe_drop, s.no_sale, s.voids, s.training, s.first, s.last, s.z, s.grand_total"
        " FROM shift s LEFT JOIN badge b ON b.badge = s.badge ORDER BY s.shift DESC LIMIT 1"
    )
    if not rows:
        return {**_currency(hub), "open": False, "shift": None}
    names = ("pay_in", "pay_out", "safe_drop", "no_sale", "voids", "training")
    shift_number, badge, name, opened, closed, float_in, documents, gross, cash_sales, *rest = rows[0]
    first, last, z, grand_total = rest[len(names) :]
    return {
        **_currency(hub),
        "open": not z,
        "shift": f"s{shift_number}",
        "badge": badge,
        "name": name,
        "opened": rfc3339(opened),
        "closed": rfc3339(closed) if z else None,
        "float_in": float_in,
        "documents": documents,
        "gross": gross,
        "cash_sales": cash_sales,
        **dict(zip(names, rest, strict=False)),
        "first": printed(hub, numbers.RECEIPTS, first) if first else None,
        "last": printed(hub, numbers.RECEIPTS, last) if last else None,
        "z": printed(hub, numbers.CLOSINGS, z) if z else None,
        "grand_total": grand_total,
    }


async def money(hub: Hub, _: web.Request) -> dict[str, Any]:
    """Every account, debit positive. They sum to zero (G-6)."""
    rows = await hub.journal.query(
        "SELECT account, amount, (SELECT max(seq) FROM journal) FROM account ORDER BY account"
    )
    return {
        **_currency(hub),
        "as_of": rows[0][2] if rows else hub.journal.head.seq,
        "accounts": [{"account": account, "amount": amount} for account, amount, _ in rows],
    }


async def _document(hub: Hub, record: Record) -> dict[str, Any]:
    body = decode_body(record)
    assert isinstance(body, SaleCompleted | ShiftClosed)
    if isinstance(body, ShiftClosed):
        return {"kind": "closing", "head": body.head.hex(), **_fields(body, "totals", "expected", "counted", "why")}
    names = dict(
        await hub.journal.query(
            "SELECT j.value, (SELECT name FROM product WHERE sku = j.value AND since <= ?2 ORDER BY since DESC LIMIT 1)"
            " FROM json_each(?1) j",
            msgspec.json.encode([line.sku for line in body.lines]).decode(), record.seq,
        )
    )  # fmt: skip
    lines = [
        {**msgspec.structs.asdict(line), "name": names.get(line.sku) or line.sku,
         "amount": line_gross(line.price, line.qty, line.base) - line.discount}
        for line in body.lines
    ]  # fmt: skip
    groups = [msgspec.structs.asdict(group) for group in body.groups]
    told = _fields(body, "payable", "rounding", "tendered", "change", "training", "station")
    return {"kind": "sale", "lines": lines, "groups": groups, **told}


def _fields(body: msgspec.Struct, *names: str) -> dict[str, Any]:
    return {
        name: msgspec.structs.asdict(value) if isinstance(value := getattr(body, name), msgspec.Struct) else value
        for name in names
    }


def _sale_line(hub: Hub, series: str, count: int, day: int, stored: bytes) -> dict[str, Any]:
    record = decode_record(stored)
    body = decode_body(record)
    assert isinstance(body, SaleCompleted)
    return {
        "number": printed(hub, series, count),
        "count": count,
        "at": rfc3339(record.at),
        "day": _date(day),
        "lines": len(body.lines),
        "pieces": sum(line.qty if line.base == 1 else 1 for line in body.lines),
        "payable": body.payable,
        "station": body.station,
        "actor": record.actor,
    }


def _currency(hub: Hub) -> dict[str, Any]:
    return {"currency": hub.config.hub.currency, "exponent": hub.config.hub.exponent}


def _day(request: web.Request) -> int | None:
    text = request.query.get("day")
    if text is None:
        return None
    try:
        return (date.fromisoformat(text) - EPOCH).days
    except ValueError as error:
        raise Refused("invalid", detail="day is a date like 2026-03-31") from error


def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()
