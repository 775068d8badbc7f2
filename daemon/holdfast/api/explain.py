"""What the hub would make of a scan, without making it."""

from __future__ import annotations

import hmac
from typing import Any

from holdfast.api.ports import Hub
from holdfast.domain import numbers
from holdfast_contract.reasons import words
from holdfast_drivers.barcodes.badges import Badge, format_badge
from holdfast_drivers.barcodes.classify import CommandCode, Label, Receipt, SignedReceipt, Text, Token, classify
from holdfast_drivers.barcodes.gs1 import ElementString
from holdfast_drivers.barcodes.gtin import Gtin
from holdfast_drivers.values import Scan


async def explain(hub: Hub, scan: Scan) -> dict[str, Any]:
    """`{kind, shown, means, reason, words}`, and `{code, sku, name, price}` of a product. Nothing secret."""
    match classify(scan):
        case CommandCode(code):
            means = hub.card(code)
            told = _refused("command", code, "unknown_code") if means is None else _told("command", code, means)
        case Badge() as badge:
            told = await _badge(hub, badge)
        case Receipt(number):
            told = await _receipt(hub, number)
        case SignedReceipt():
            told = _told("receipt", "HFR1.…", "a signed receipt")
        case Token(kind):
            told = _told(f"{kind.name.lower()} token", f"{kind.value}…", "a customer's token")
        case Label(label, label_id):
            told = _told("label", label.value + label_id, f"{label.name.lower().replace('_', ' ')} {label_id}")
        case ElementString() as elements:
            told = await _product(hub, "gs1", elements.gtin.digits, str(elements.gtin))
        case Gtin() as gtin:
            told = await _product(hub, "gtin", gtin.digits, str(gtin))
        case text:
            told = await _text(hub, text)
    return told


async def _product(hub: Hub, kind: str, code: str, shown: str) -> dict[str, Any]:
    found = await hub.journal.query(
        "SELECT p.sku, p.name, p.price, p.open_price FROM code c JOIN product p ON p.sku = c.sku"
        " AND p.since = (SELECT max(since) FROM product WHERE sku = c.sku) WHERE c.code = ? ORDER BY p.sku",
        code,
    )
    if len(found) != 1:
        told = _refused(kind, shown, "ambiguous_code" if found else "unknown_code")
        return told | {"products": [{"sku": row[0], "name": row[1]} for row in found]}
    sku, name, price, open_price = found[0]
    told = _told(kind, shown, f"one {name}") if price or open_price else _refused(kind, shown, "no_price")
    return told | {"code": code, "sku": sku, "name": name, "price": price}


async def _text(hub: Hub, text: Text) -> dict[str, Any]:
    told = await _product(hub, "house code", text.text, text.masked)
    if "sku" in told or not text.has_pan:
        return told
    return told | {"kind": "card number", "means": "a payment card number: masked, and counted as a security event"}


async def _badge(hub: Hub, badge: Badge) -> dict[str, Any]:
    genuine = hmac.compare_digest(hub.badge_text(badge.badge_id), format_badge(badge))
    found = await hub.journal.query("SELECT name, role FROM badge WHERE badge = ? AND NOT revoked", badge.badge_id)
    if not found or not genuine:
        return _refused("badge", badge.badge_id, "badge_unknown")
    return _told("badge", badge.badge_id, f"{found[0][0]} signs in as {found[0][1]}")


async def _receipt(hub: Hub, number: str) -> dict[str, Any]:
    parsed = numbers.parse(number, hub.config.hub.code, hub.journal.genesis.inc)
    found = parsed and await hub.journal.query("SELECT 1 FROM document WHERE series = ? AND number = ?", *parsed)
    if not found:
        return _refused("receipt", number, "document_unknown")
    return _told("receipt", number, "a receipt of this hub")


def _told(kind: str, shown: str, means: str) -> dict[str, Any]:
    return {"kind": kind, "shown": shown, "means": means, "reason": "", "words": ""}


def _refused(kind: str, shown: str, reason: str) -> dict[str, Any]:
    return {"kind": kind, "shown": shown, "means": "refused", "reason": reason, "words": words(reason)}
