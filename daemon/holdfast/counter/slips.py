"""Small papers for a counter without a screen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.counter import words
from holdfast.counter.commands import parked_barcode
from holdfast.counter.letterhead import Letterhead, Marks
from holdfast_drivers.barcodes.receipts import encode_receipt
from holdfast_drivers.values import Align, Barcode, Block, Columns, Document, Symbol, Text

MONEY = ("price", "amount", "total", "due", "change", "expected", "counted")
"""Keys of an outcome's data that are minor units; printed under the label of the same name, if there is one."""


def refusal(reason: str, data: Mapping[str, Any], paper: Letterhead) -> Document:
    """Why not, and what to do: in words and as the code a technician looks for."""
    return Document(
        (
            Text(paper.label("refused"), bold=True, big=True),
            Text(paper.reason(reason)),
            *_facts(data, paper),
            Text(f"[{reason}]"),
        )
    )


def prompt(need: str, data: Mapping[str, Any], paper: Letterhead) -> Document:
    """What is needed next."""
    number = str(data.get("document", ""))
    code: list[Block] = [Text(number), Barcode(Symbol.CODE128, encode_receipt(number))] if number else []
    return Document((Text(paper.need(need), bold=True), *_facts(data, paper), *code))


def price(data: Mapping[str, Any], paper: Letterhead) -> Document:
    """What a product costs: a piece, or a kilogram."""
    each = paper.money(data["price"]) + ("/kg" if data["base"] > 1 else "")
    return Document((Text(str(data["name"])), Columns(paper.label("price"), each, bold=True)))


def parked(data: Mapping[str, Any], at: int, paper: Letterhead, marks: Marks) -> Document:
    """A parked cart and the barcode that brings it back, at any station."""
    return Document(
        (
            *paper.head(marks),
            Text(paper.label("parked"), Align.CENTRE, bold=True),
            paper.dated(at),
            paper.figure("total", data["total"]),
            Barcode(Symbol.CODE128, parked_barcode(data["cart"]), caption=False),
        )
    )


def status(data: Mapping[str, Any], at: int, paper: Letterhead) -> Document:
    """How the hub is. Keys are labels of `words.PAPER`; a value is a word of it, a number or a text; None: unknown."""
    rows = [Columns(paper.label(key), _status_value(value, paper)) for key, value in data.items()]
    return Document((Text(paper.label("status"), bold=True, big=True), paper.dated(at), *rows))


def _status_value(value: Any, paper: Letterhead) -> str:
    text = "unknown" if value is None else str(value)
    return paper.label(text) if text in words.PAPER else text


def _facts(data: Mapping[str, Any], paper: Letterhead) -> list[Block]:
    blocks: list[Block] = [Text(str(data["name"]))] if "name" in data else []
    blocks += [Text(str(product["name"])) for product in data.get("products", ())]
    return blocks + [paper.figure(key, data[key]) for key in MONEY if key in data and key in words.PAPER]
