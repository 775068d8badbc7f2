"""The verdict must fail for every figure that is falsified, and only then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

import pytest

import trading_day as td
from audit import SAFE, Closing, CoreBooks, Evidence, HubBooks, verdict
from book import Book, Sale
from papers import Paper
from trading_day import Row

START = datetime.fromisoformat("2011-01-26T08:30")


def honest() -> Evidence:
    """Two sales and a free article, all in order; the first receipt was in doubt and copied."""
    rows = [
        Row("1", "22423", "CAKESTAND", 3, START, 1000, ""),
        Row("1", "21777", "RECIPE BOX", 5, START, 0, ""),
        Row("2", "22423", "CAKESTAND", 4, START, 1000, ""),
        Row("C3", "22423", "CAKESTAND", -1, START, 1000, ""),
    ]
    day = td.plan(rows, "2011-01-26")
    book = Book()
    for basket in day.baskets:
        for line in basket.lines:
            book.ring(line) if line.article.pence else book.refuse(line, "no_price")
    book.sell(Sale("DEM-1-R000001", "1", 3000, 3000, 0))
    book.sell(Sale("DEM-1-R000002", "2", 4000, 5000, 1000))
    for basket in day.baskets:
        book.serve(basket)
    closing = Closing("DEM-1-Z000001", 2, 7000, 7000, 0)
    sales = {"DEM-1-R000001": 3000, "DEM-1-R000002": 4000}
    money = {SAFE: 7000, "revenue:house": -5833, "tax:S:200000": -1167}
    stock = {"22423": 3}
    hub = HubBooks(head=40, sales=sales, stock=stock, money=money, closing=closing, unproved=(), chain="")
    core = CoreBooks(
        upto=40, records=40, problem="", sales=tuple(sales.items()), stock=stock, money=money, closing=closing,
        unknown_papers=1, duplicates=0, trouble="", digest="equal at 40",
    )  # fmt: skip
    paper = Paper(
        whole=Counter({"DEM-1-R000002": 1}),
        torn=Counter({"DEM-1-R000001": 1}),
        copies=Counter({"DEM-1-R000001": 1}),
        closings=Counter({"DEM-1-Z000001": 1}),
    )
    return Evidence(
        day=day, book=book, received={"22423": 10}, hub=hub, core=core, paper=paper,
        offered=frozenset({"DEM-1-R000001"}), unasked_lights=0, missing_episodes=(),
    )  # fmt: skip


def failed(evidence: Evidence) -> list[str]:
    return [check.name for check in verdict(evidence) if not check.ok]


def test_honest_books_agree() -> None:
    assert failed(honest()) == []


def core(**changes: object) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, core=replace(e.core, **changes))


def hub(**changes: object) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, hub=replace(e.hub, **changes))


def paper(**changes: Counter[str]) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, paper=replace(e.paper, **changes))


def book(spoil: Callable[[Book], None]) -> Callable[[Evidence], Evidence]:
    def falsify(evidence: Evidence) -> Evidence:
        spoilt = deepcopy(evidence.book)
        spoil(spoilt)
        return replace(evidence, book=spoilt)

    return falsify


def set_(name: str, value: object) -> Callable[[Book], None]:
    return lambda found: setattr(found, name, value)


Z = Closing("DEM-1-Z000001", 2, 7000, 7000, 0)
SOLD = (("DEM-1-R000001", 3000), ("DEM-1-R000002", 4000))

FALSIFIED: dict[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "a row forgotten": (book(set_("rung", 1)), "rows: rung + refused + left out = file"),
    "a penny too many": (book(set_("rung_value", 7001)), "the same in money"),
    "an odd refusal": (book(set_("refused", Counter(unknown_code=1))), "refused: articles without a price, no others"),
    "a basket skipped": (book(set_("baskets", 1)), "baskets served"),
    "a surprise": (book(set_("surprises", ["total 1"])), "displays that were not as they should be"),
    "a unit sold twice": (book(set_("sold", Counter({"22423": 8}))), "stock of every sku: file = hub"),
    "a receipt lost at the hub": (hub(sales={"DEM-1-R000001": 3000}), "receipts: cashier = hub"),
    "a gap in the numbers": (hub(sales={"DEM-1-R000001": 3000, "DEM-1-R000003": 4000}), "receipt numbers missing"),
    "a sale lost on the way": (core(sales=SOLD[:1]), "receipts: hub = headquarters"),
    "a sale twice at headquarters": (core(sales=(*SOLD, SOLD[1])), "receipts doubled at headquarters"),
    "an event lost": (core(records=39, upto=39), "lost"),
    "an event too many": (core(records=41), "doubled"),
    "a gap": (core(trouble="1 held"), "trouble at headquarters"),
    "a chain that breaks there": (core(problem="hash"), "trouble at headquarters"),
    "a digest that differs": (core(digest="differs at 40"), "digest of all folds, at the head"),
    "an old digest": (core(digest="equal at 39"), "digest of all folds, at the head"),
    "a chain that breaks here": (hub(chain="seq 7"), "the hub's chain"),
    "stock that drifts": (core(stock={"22423": 4}), "stock of every sku: hub = headquarters"),
    "money in the drawer": (hub(money={SAFE: 6999}), "cash: hub's safe = file"),
    "accounts that differ": (core(money={SAFE: 7000}), "every account: hub = headquarters"),
    "accounts out of balance": (core(money={SAFE: 7000}), "accounts sum to zero"),
    "a Z that is short": (hub(closing=replace(Z, over_short=-1)), "Z report: hub = file"),
    "a Z that changed on the way": (core(closing=replace(Z, gross=1)), "Z report: headquarters = hub"),
    "no Z at headquarters": (core(closing=None), "Z report: headquarters = hub"),
    "a receipt twice on paper": (paper(whole=Counter({"DEM-1-R000002": 2})), "each receipt on paper once"),
    "a receipt never printed": (paper(whole=Counter()), "each receipt on paper once"),
    "a torn receipt nobody doubts": (
        paper(whole=Counter(), torn=Counter({"DEM-1-R000001": 1, "DEM-1-R000002": 1})),
        "each receipt on paper once",
    ),
    "a receipt of no sale": (
        paper(whole=Counter({"DEM-1-R000002": 1, "DEM-1-R000009": 1})),
        "each receipt on paper once",
    ),
    "a doubt without a copy": (paper(copies=Counter()), "offered after a kill, each with one copy"),
    "a copy nobody asked for": (
        paper(copies=Counter({"DEM-1-R000001": 1, "DEM-1-R000002": 1})),
        "offered after a kill, each with one copy",
    ),
    "a paper still in doubt": (hub(unproved=("DEM-1-R000002",)), "papers still in doubt"),
    "a doubt headquarters has not heard of": (core(unknown_papers=0), "doubts at headquarters = doubts at the hub"),
    "a Z printed twice": (paper(closings=Counter({"DEM-1-Z000001": 2})), "Z report on paper once"),
    "a light for nothing": (lambda e: replace(e, unasked_lights=1), "lights that did not go with the display"),
    "a quiet day": (lambda e: replace(e, missing_episodes=("two kills",)), "episodes that did not take place"),
}


@pytest.mark.parametrize("name", FALSIFIED)
def test_a_falsified_figure_fails_the_verdict(name: str) -> None:
    falsify, check = FALSIFIED[name]
    assert check in failed(falsify(honest()))


def test_every_check_can_fail() -> None:
    """A check that no falsification above fails would be decoration."""
    caught = {check for falsify, _ in FALSIFIED.values() for check in failed(falsify(honest()))}
    assert caught == {check.name for check in verdict(honest())}
