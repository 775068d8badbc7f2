"""X and Z reports. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.counter import figures
from holdfast.counter.letterhead import Letterhead, Marks
from holdfast.counter.receipt import tax_table
from holdfast_contract.power import PowerStatement
from holdfast_contract.shift import ShiftClosed, Totals
from holdfast_drivers.values import Align, Block, Columns, Document, Rule, Text


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A shift in mid-life: what an X report shows."""

    shift: int
    totals: Totals
    expected: int
    at: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A closed shift: what a Z report fixes."""

    shift: int
    body: ShiftClosed
    number: str
    """As printed, e.g. `BER-1-Z000007`."""
    at: int
    operator: str


def x_report(snapshot: Snapshot, paper: Letterhead, marks: Marks) -> Document:
    """Totals so far. Changes nothing."""
    return Document(
        (
            *paper.head(marks),
            Text(paper.label("x_report"), Align.CENTRE, bold=True),
            paper.dated(snapshot.at),
            Columns(paper.label("shift"), str(snapshot.shift)),
            *_totals(snapshot.totals, paper),
            paper.figure("expected", snapshot.expected, bold=True),
        )
    )


def z_report(closing: Closing, paper: Letterhead, marks: Marks) -> Document:
    """The closing of a shift."""
    body = closing.body
    why: list[Block] = [Columns(paper.label("why"), body.why)] if body.why else []
    return Document(
        (
            *paper.head(marks),
            Text(paper.label("z_report"), Align.CENTRE, bold=True),
            Columns(paper.label("number"), closing.number),
            paper.dated(closing.at),
            Columns(paper.label("business_day"), figures.day(body.day)),
            Columns(paper.label("shift"), str(closing.shift)),
            Columns(paper.label("operator"), closing.operator),
            *_totals(body.totals, paper),
            paper.figure("expected", body.expected),
            paper.figure("counted", body.counted),
            paper.figure("over_short", body.counted - body.expected, bold=True),
            *why,
            Rule(),
            paper.figure("grand_total", body.grand_total, bold=True),
            Text(f"{paper.label('head')} {body.head.hex()}"),
        )
    )


def energy_report(body: PowerStatement, paper: Letterhead, marks: Marks) -> Document:
    """The energy account of an event: what the sources gave, what the loads took."""
    begun, ended = paper.local(body.start), paper.local(body.end)
    sources = [Columns(paper.label(f"from_{source.kind}"), _wh(source.amount)) for source in body.sources]
    stages = [Columns(f"S{stage}", _minutes(seconds)) for stage, seconds in enumerate(body.stages) if seconds]
    return Document(
        (
            *paper.head(marks),
            Text(paper.label("energy_report"), Align.CENTRE, bold=True),
            Columns(f"{begun:%Y-%m-%d}", f"{begun:%H:%M} - {ended:%H:%M}"),
            Rule(),
            *sources,
            Columns(paper.label("charged"), _wh(body.charged)),
            Rule(),
            *(Columns(load.kind, _wh(load.amount)) for load in body.loads),
            Columns(paper.label("total"), _wh(sum(load.amount for load in body.loads)), bold=True),
            Rule(),
            Columns(paper.label("peak"), f"{body.peak // 1000}.{body.peak % 1000 // 100} W"),
            Columns(f"{paper.label('outages')} ({body.outages})", _minutes(body.outage_s)),
            *stages,
        )
    )


def _wh(mwh: int) -> str:
    return f"{mwh // 1000}.{mwh % 1000 // 100} Wh"


def _minutes(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds % 3600 // 60:02} h"


def _totals(totals: Totals, paper: Letterhead) -> list[Block]:
    return [
        Rule(),
        Columns(paper.label("documents"), str(totals.documents)),
        *_first_and_last(totals, paper),
        paper.figure("gross", totals.gross, bold=True),
        *tax_table(totals.groups, paper),
        Columns(_counted("voids", totals.voids, paper), paper.money(totals.voided_amount)),
        Columns(paper.label("training_sales"), str(totals.training)),
        Rule(),
        paper.figure("float", totals.float_in),
        paper.figure("cash_sales", totals.cash_sales),
        paper.figure("rounding", totals.rounding),
        paper.figure("pay_in", totals.pay_in),
        paper.figure("pay_out", -totals.pay_out),
        paper.figure("safe_drop", -totals.safe_drop),
        Columns(paper.label("no_sale"), str(totals.no_sale)),
    ]


def _first_and_last(totals: Totals, paper: Letterhead) -> list[Block]:
    if not totals.documents:
        return []
    return [
        Columns(paper.label("first"), f"{totals.first:06}"),
        Columns(paper.label("last"), f"{totals.last:06}"),
    ]


def _counted(key: str, count: int, paper: Letterhead) -> str:
    return f"{paper.label(key)} ({count})"
