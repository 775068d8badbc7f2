"""The cashier over a counter that loses its power at any scan: nothing is sold twice, nothing forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashier import NOTES, Cashier, StuckError, added, digits, quantity_cards, tender
from devices import Light
from hub import STATION, HubAwayError
from till import PRODUCT, After, Seen
from trading_day import Article, Basket, Line

LARGE = 300
MORNING = datetime.fromisoformat("2011-01-26T08:30")
ARTICLES = [
    Article("22423", "9520000000011", "CAKESTAND", 1275),
    Article("85123A", "9520000000028", "LANTERN", 255),
    Article("21777", "9520000000035", "RECIPE BOX", 0),
]


class CounterInMemory:
    """A hub in memory, as the manual says it behaves. At a scan in `falls` it goes down: before or after its effect."""

    def __init__(self, falls: dict[int, str]) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self._starts = count()
        self.cart: list[list[Any]] = []
        self.parked = False
        self.sales: list[dict[str, Any]] = []
        self.scans = 0
        self._falls = falls
        self._fresh()

    def _fresh(self) -> None:
        self.number, self.asked, self.unconfirmed = "", False, 0

    @property
    def pid(self) -> int:
        """Another one at each look: whoever looks again finds a hub that has started anew."""
        return next(self._starts)

    async def get(self, path: str, **_: Any) -> dict[str, Any]:
        if path == "/v1/carts":
            lines = [{"sku": sku, "qty": quantity} for sku, quantity in self.cart]
            return {"carts": [{"station": STATION, "parked": self.parked, "lines": lines}] if lines else []}
        if path == "/v1/sales":
            return {"sales": self.sales[-1:]}
        return {"document": next(sale for sale in self.sales if path.endswith(sale["number"]))}

    async def card(self, code: str, after: After | None = None) -> Seen:
        return await self.scan(code, after)

    async def scan(self, text: str, after: After | None = None) -> Seen:
        self.scans += 1
        fall = self._falls.get(self.scans)
        if fall == "before":
            self._down()
        seen = self._obey(text)
        if after is not None:
            await after()
        if fall is not None:
            self._down(park=fall == "stop")
        return seen

    def _down(self, *, park: bool = False) -> None:
        self._fresh()
        self.parked = self.parked or (park and bool(self.cart))
        raise HubAwayError("gone")

    def _obey(self, text: str) -> Seen:
        if text.startswith(PRODUCT):
            return self._add(next(article for article in ARTICLES if article.gtin == text[3:]))
        if (text.startswith("D") and text[1:].isdigit()) or (text == "QTY" and not self.number):
            self.asked |= text == "QTY"
            self.number += text[1:] if text != "QTY" else ""
            return Seen(Light.AMBER, "number", {"number": self.number})
        if text == "QTY" or (text == "DONE" and (self.asked or self.unconfirmed)):
            return self._set(self.unconfirmed or int(self.number), confirmed=bool(self.unconfirmed))
        if text == "RESUME" and self.parked:
            self.parked = False
            return Seen(Light.GREEN, "", {})
        if text.startswith("CASH"):
            return self._pay(int(text[4:]) * 100 if text[4:] else int(self.number or self._total()))
        return Seen(Light.RED, "wrong_mode", {})

    def _add(self, article: Article) -> Seen:
        self._fresh()
        if not article.pence:
            return Seen(Light.RED, "no_price", {})
        if self.cart and self.cart[-1][0] == article.sku:
            self.number = str(self.cart[-1][1] + 1)
        else:
            self.cart.append([article.sku, 0])
            self.number = "1"
        return self._set(int(self.number), confirmed=False)

    def _set(self, quantity: int, *, confirmed: bool) -> Seen:
        self._fresh()
        if quantity > LARGE and not confirmed:
            self.unconfirmed = quantity
            return Seen(Light.AMBER, "quantity_confirm", {})
        self.cart[-1][1] = quantity
        return Seen(Light.GREEN, "", {"sku": self.cart[-1][0], "qty": quantity, "total": self._total()})

    def _pay(self, given: int) -> Seen:
        self._fresh()
        total = self._total()
        if not self.cart or self.parked or given < total:
            return Seen(Light.RED, "cash_short", {})
        number = f"DEM-1-R{len(self.sales) + 1:06d}"
        sold = {"number": number, "payable": total, "total": total, "tendered": given, "change": given - total}
        self.sales.append({**sold, "lines": [tuple(line) for line in self.cart]})
        self.cart = []
        return Seen(Light.GREEN, "", sold)

    def _total(self) -> int:
        prices = {article.sku: article.pence for article in ARTICLES}
        return sum(prices[sku] * quantity for sku, quantity in self.cart)


lines = st.lists(
    st.tuples(st.sampled_from(ARTICLES), st.one_of(st.integers(1, 12), st.integers(290, 74_215))), max_size=6
)
falls = st.dictionaries(st.integers(1, 60), st.sampled_from(["before", "after", "stop"]), max_size=8)


@given(st.lists(lines, min_size=1, max_size=4), falls, st.integers(0, 99))
async def test_whatever_falls_over_the_day_is_sold_once(
    day: list[list[tuple[Article, int]]], falls: dict[int, str], seed: int
) -> None:
    counter = CounterInMemory(falls)
    told: list[str] = []
    cashier = Cashier(counter, counter, ARTICLES, Random(seed), tell=told.append)  # type: ignore[arg-type] # in memory
    due: Counter[str] = Counter()
    free = 0
    for number, wanted in enumerate(day):
        merged: list[Line] = []
        for article, quantity in wanted:
            if not merged or merged[-1].article != article:
                merged.append(Line(article, quantity, 1))
                due[article.sku] += quantity if article.pence else 0
                free += not article.pence
        await cashier.serve(Basket(str(number), MORNING, tuple(merged)))
    book = cashier.book
    assert book.surprises == []
    assert Counter({sku: n for sku, n in due.items() if n}) == book.sold == sold(counter)
    assert {number: sale.total for number, sale in book.sales.items()} == {
        s["number"]: s["total"] for s in counter.sales
    }
    assert book.refused == (Counter(no_price=free) if free else Counter())
    assert book.takings == book.rung_value
    assert book.baskets == len(day)


def sold(counter: CounterInMemory) -> Counter[str]:
    found: Counter[str] = Counter()
    for sale in counter.sales:
        for sku, quantity in sale["lines"]:
            found[sku] += quantity
    return found


async def test_a_cart_nobody_can_explain_stops_the_cashier() -> None:
    counter = CounterInMemory({2: "after"})

    async def meddle() -> None:
        counter.cart.append(["85123A", 9])

    cashier = Cashier(counter, counter, ARTICLES, Random(1), tell=lambda _: None)  # type: ignore[arg-type] # in memory
    cashier.ambush["line"].append(meddle)
    with pytest.raises(StuckError, match="remembers"):
        await cashier.serve(Basket("1", MORNING, (Line(ARTICLES[0], 3, 1),)))


async def test_a_wrong_total_on_the_display_is_written_down() -> None:
    class Wrong(CounterInMemory):
        def _total(self) -> int:
            return super()._total() + 1

    counter = Wrong({})
    cashier = Cashier(counter, counter, ARTICLES, Random(1), tell=lambda _: None)  # type: ignore[arg-type] # in memory
    await cashier.serve(Basket("1", MORNING, (Line(ARTICLES[0], 1, 1),)))
    assert cashier.book.surprises


@given(st.integers(1, 10**8), st.integers(0, 99))
def test_a_customer_gives_enough_and_says_how(total: int, seed: int) -> None:
    cards, given = tender(Random(seed), total)
    assert given >= total
    match cards:
        case ["CASH"]:
            assert given == total
        case [note] if note != "CASH":
            assert given in NOTES
            assert note == f"CASH{given // 100}"
        case [*keyed, "CASH"]:
            assert keyed == digits(given)
            assert len(keyed) <= 9


@given(st.integers(1, 10**6), st.integers(0, 9))
def test_a_quantity_is_keyed_before_or_after_its_card(quantity: int, seed: int) -> None:
    cards = quantity_cards(Random(seed), quantity)
    assert cards in ([*digits(quantity), "QTY"], ["QTY", *digits(quantity), "DONE"])


def test_the_same_article_again_is_the_same_line() -> None:
    assert added([("a", 1), ("b", 2)], "b", 3) == [("a", 1), ("b", 5)]
    assert added([("a", 1), ("b", 2)], "a", 3) == [("a", 1), ("b", 2), ("a", 3)]
