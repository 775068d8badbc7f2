"""The receipt of a sale. Pure: rows in, a device-neutral document out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holdfast.counter import figures
from holdfast.counter.letterhead import Letterhead, Marks
from holdfast.domain.pricing import line_gross
from holdfast_contract.sale import SaleCompleted, SaleLine, TaxGroup
from holdfast_drivers.barcodes.receipts import encode_receipt
from holdfast_drivers.values import Align, Barcode, Block, Columns, Document, Rule, Symbol, Text


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale as the journal has it, with the names its numbers stand for."""

    body: SaleCompleted
    number: str
    """As printed, e.g. `BER-1-R000042`."""
    at: int
    """UTC milliseconds."""
    operator: str
    names: Mapping[str, str]
    """By sku, as they were when it was sold."""


def receipt(sale: Sale, paper: Letterhead, marks: Marks) -> Document:
    """The paper the customer takes away."""
    body = sale.body
    blocks = [
        *paper.head(marks),
        *_about(sale, paper),
        Rule(),
        *(block for line in body.lines for block in _line(line, sale.names.get(line.sku, line.sku), paper)),
        Rule(),
        *_paid(body, paper),
        Rule(),
        *tax_table(body.groups, paper),
        Barcode(Symbol.CODE128, encode_receipt(sale.number)),
        *paper.foot(),
    ]
    if body.training:
        blocks.append(Text(paper.label("not_a_receipt"), Align.CENTRE, bold=True))
    return Document(tuple(blocks))


def tax_table(groups: Iterable[TaxGroup], paper: Letterhead) -> list[Block]:
    """One line a rate: category letter, rate, net; then the tax."""
    tax, net = paper.label("tax"), paper.label("net")
    return [
        Columns(
            f"{tax} {group.category} {paper.rate(group.ppm)}, {net} {paper.money(group.net)}", paper.money(group.tax)
        )
        for group in groups
    ]


def _about(sale: Sale, paper: Letterhead) -> list[Block]:
    blocks: list[Block] = [
        Columns(paper.label("receipt"), sale.number),
        paper.dated(sale.at),
        Columns(paper.label("business_day"), figures.day(sale.body.day)),
    ]
    if sale.operator:
        blocks.append(Columns(paper.label("operator"), sale.operator))
    return blocks


def _line(line: SaleLine, name: str, paper: Letterhead) -> list[Block]:
    blocks: list[Block] = [Columns(name, paper.money(line_gross(line.price, line.qty, line.base)))]
    if line.base > 1:
        blocks.append(Text(f"  {paper.weight(line.qty)} x {paper.money(line.price)}/kg"))
    elif line.qty != 1:
        blocks.append(Text(f"  {line.qty} x {paper.money(line.price)}"))
    if line.discount:
        blocks.append(Columns(f"  {paper.label('discount')}", paper.money(-line.discount)))
    return blocks


def _paid(body: SaleCompleted, paper: Letterhead) -> list[Block]:
    total = f"{paper.label('total')} {paper.hub.currency}"
    blocks: list[Block] = [Columns(total, paper.money(body.payable), bold=True)]
    if body.rounding:
        blocks.append(paper.figure("rounding", body.rounding))
    blocks.append(paper.figure("cash", body.tendered))
    if body.change:
        blocks.append(paper.figure("change", body.change, bold=True))
    return blocks
