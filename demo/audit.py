"""The verdict: file, hub, headquarters and paper say the same, or it is said what differs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from book import Book
from papers import Paper
from trading_day import Day

SAFE = "drawer:safe"
NO_PRICE = "no_price"
"""The one reason an article of this file may be refused for."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison. `seen` is told either way."""

    name: str
    ok: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Closing:
    """What a Z report fixed. Minor units."""

    number: str
    documents: int
    gross: int
    cash: int
    over_short: int

    def __str__(self) -> str:
        return f"{self.number}: {self.documents} receipts, gross {self.gross}, cash {self.cash}, over {self.over_short}"


@dataclass(frozen=True, slots=True)
class HubBooks:
    """The hub's own word."""

    head: int
    sales: Mapping[str, int]
    """Payable by number."""
    stock: Mapping[str, int]
    """Sellable units by sku."""
    money: Mapping[str, int]
    """Minor units by account, zero balances left out."""
    closing: Closing
    unproved: tuple[str, ...]
    """Documents whose paper nobody can vouch for and that no copy has settled."""
    chain: str
    """Empty when `holdfast journal verify` found nothing wrong, else what it said."""


@dataclass(frozen=True, slots=True)
class CoreBooks:
    """Headquarters' word."""

    upto: int
    records: int
    """Right ones in a row from the first, by its own verification."""
    problem: str
    sales: tuple[tuple[str, int], ...]
    """(number, payable) of every sale event."""
    stock: Mapping[str, int]
    money: Mapping[str, int]
    closing: Closing | None
    unknown_papers: int
    """Events `paper.outcome_unknown`."""
    duplicates: int
    """Records that came more than once and were counted once."""
    trouble: str
    """Gaps, forks, orphans, refused messages; empty when there are none."""
    digest: str
    """Newest compared digest: `equal at 42`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the verdict rests on."""

    day: Day
    book: Book
    received: Mapping[str, int]
    """Units by sku that came in."""
    hub: HubBooks
    core: CoreBooks
    paper: Paper
    offered: frozenset[str]
    """Documents the hub said it could not vouch for, after a kill."""
    unasked_lights: int
    missing_episodes: tuple[str, ...]


def verdict(evidence: Evidence) -> list[Check]:
    """Every check, failed or not."""
    groups = (_rows, _sales, _record, _stock, _money, _paper, _conduct)
    return [check for group in groups for check in group(evidence)]


def _rows(e: Evidence) -> Iterator[Check]:
    day, book = e.day, e.book
    refused, out = sum(book.refused.values()), sum(day.left_out.values())
    yield _equal("rows: rung + refused + left out = file", book.rung + refused + out, day.rows)
    value = book.rung_value + sum(book.refused_value.values()) + sum(day.left_out_value.values())
    yield _equal("the same in money", value, day.value)
    free = sum(line.rows for basket in day.baskets for line in basket.lines if not line.article.pence)
    yield _equal("refused: articles without a price, no others", dict(book.refused), {NO_PRICE: free} if free else {})
    yield _equal("baskets served", book.baskets, len(day.baskets))


def _sales(e: Evidence) -> Iterator[Check]:
    mine = {number: sale.total for number, sale in e.book.sales.items()}
    yield _same("receipts: cashier = hub", mine, e.hub.sales)
    core = dict(e.core.sales)
    yield _same("receipts: hub = headquarters", e.hub.sales, core)
    yield _equal("receipts doubled at headquarters", len(e.core.sales) - len(core), 0)
    numbers = {int(number.rpartition("R")[2]) for number in e.hub.sales}
    yield _equal("receipt numbers missing", sorted({*range(1, max(numbers, default=0) + 1)} - numbers), [])


def _record(e: Evidence) -> Iterator[Check]:
    yield _equal("facts at headquarters = head of the hub", e.core.records, e.hub.head)
    yield _equal("lost", e.hub.head - min(e.core.upto, e.core.records), 0)
    yield _equal("doubled", max(e.core.records - e.hub.head, 0), 0)
    yield _equal("trouble at headquarters", e.core.trouble or e.core.problem or "none", "none")
    yield _equal("digest of all folds, at the head", e.core.digest, f"equal at {e.hub.head}")
    yield _equal("the hub's chain", e.hub.chain or "verified", "verified")


def _stock(e: Evidence) -> Iterator[Check]:
    file = Counter(e.received)
    file.subtract(e.book.sold)
    yield _same("stock of every sku: file = hub", _nonzero(file), _nonzero(e.hub.stock))
    yield _same("stock of every sku: hub = headquarters", _nonzero(e.hub.stock), _nonzero(e.core.stock))


def _money(e: Evidence) -> Iterator[Check]:
    takings = e.book.rung_value
    yield _equal("cash: receipts = file", e.book.takings, takings)
    yield _equal("cash: hub's safe = file", e.hub.money.get(SAFE, 0), takings)
    yield _same("every account: hub = headquarters", e.hub.money, e.core.money)
    yield _equal("accounts sum to zero", sum(e.core.money.values()), 0)
    closing = e.hub.closing
    expected = Closing(closing.number, len(e.book.sales), takings, takings, 0)
    yield _equal("Z report: hub = file", closing, expected)
    yield _equal("Z report: headquarters = hub", e.core.closing, closing)


def _paper(e: Evidence) -> Iterator[Check]:
    paper = e.paper
    wrong = {
        number: f"{paper.whole[number]} whole, {paper.torn[number]} torn, {paper.copies[number]} copies"
        for number in {*e.hub.sales, *paper.whole, *paper.torn, *paper.copies}
        if not _settled(number, e)
    }
    yield Check("each receipt on paper once", not wrong, _few(wrong) if wrong else f"{len(paper.whole)} originals")
    yield _equal("offered after a kill, each with one copy", dict(paper.copies), dict.fromkeys(sorted(e.offered), 1))
    yield _equal("papers still in doubt", e.hub.unproved, ())
    yield _equal("doubts at headquarters = doubts at the hub", e.core.unknown_papers, len(e.offered))
    yield _equal("Z report on paper once", dict(paper.closings), {e.hub.closing.number: 1})


def _settled(number: str, e: Evidence) -> bool:
    """One original; where nobody knows, none or a torn one will do, for there is a copy. Nothing that was not sold."""
    whole, torn = e.paper.whole[number], e.paper.torn[number]
    if number in e.offered:
        return number in e.hub.sales and whole + torn <= 1
    return number in e.hub.sales and (whole, torn) == (1, 0)


def _conduct(e: Evidence) -> Iterator[Check]:
    surprises = e.book.surprises
    yield _equal("displays that were not as they should be", "; ".join(surprises[:3]) or "none", "none")
    yield _equal("lights that did not go with the display", e.unasked_lights, 0)
    yield _equal("episodes that did not take place", ", ".join(e.missing_episodes) or "none", "none")


def _equal(name: str, seen: object, due: object) -> Check:
    return Check(name, seen == due, _words(seen) if seen == due else f"{_words(seen)}, should be {_words(due)}")


def _words(value: object) -> str:
    match value:
        case dict():
            return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
        case list() | tuple():
            return ", ".join(str(part) for part in value) or "none"
        case _:
            return str(value)


def _same(name: str, left: Mapping[str, int], right: Mapping[str, int]) -> Check:
    differ = {
        key: f"{left.get(key)} against {right.get(key)}"
        for key in {*left, *right}
        if left.get(key) != right.get(key)
    }  # fmt: skip
    return Check(name, not differ, _few(differ) if differ else f"{len(left)}, in all {sum(left.values())}")


def _few(differ: Mapping[str, str]) -> str:
    shown = ", ".join(f"{key}: {what}" for key, what in sorted(differ.items())[:5])
    return f"{shown}, and {len(differ) - 5} more" if len(differ) > 5 else shown


def _nonzero(stock: Mapping[str, int]) -> dict[str, int]:
    return {sku: quantity for sku, quantity in stock.items() if quantity}
