"""A shop on a real journal, without devices: the demonstration's trading day as commands."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial
from itertools import cycle
from pathlib import Path
from typing import Any

import trading_day
from holdfast.domain.cart import AddItem, SetQuantity
from holdfast.domain.catalogue import ImportCatalogue
from holdfast.domain.catalogue_csv import parse_csv
from holdfast.domain.core import Command, Outcome, Policy
from holdfast.domain.delivery import LINES_PER_EVENT, ReceiveStock
from holdfast.domain.operator import IssueBadge, SignIn
from holdfast.domain.products import pack
from holdfast.domain.registry import AREAS
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import OpenShift
from holdfast.journal.journal import Journal, Settings
from holdfast.journal.schema import Connect
from holdfast.runtime.clock import SystemClock

HUB, CODE = "bench-hub", "BEN"
CASHIER, TECHNICIAN = "kim", "technician:bench"
DATE = "2011-01-26"
STATION = "till1"
AMPLE = 10**6
"""Units received of each article: enough that nothing is oversold, however often the day is played."""


@cache
def trading() -> trading_day.Day:
    """The day of the demonstration."""
    return trading_day.plan(trading_day.read_rows(trading_day.DATA), DATE)


@cache
def articles() -> list[trading_day.Article]:
    """What has a price."""
    return [article for article in trading().articles if article.pence]


def with_pragmas(**values: int | str) -> Connect:
    """`sqlite3.connect` for a journal whose own pragmas of these names get these values."""

    class Changed(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            name = sql.removeprefix("PRAGMA ").partition("=")[0]
            return super().execute(f"PRAGMA {name}={values[name]}" if name in values else sql, *parameters)

    return partial(sqlite3.connect, factory=Changed)


class Shop:
    """Open for business: catalogue, goods, a cashier, a shift."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._next: Iterator[trading_day.Article] = cycle(articles())

    async def do(self, command: Command, actor: str = CASHIER) -> Outcome:
        """A command that must succeed."""
        outcome = await self.journal.execute(command, actor=actor)
        if not outcome.ok:
            raise RuntimeError(f"{type(command).__name__}: {outcome}")
        return outcome

    async def fill(self, station: str, lines: int = 3) -> None:
        """Scan so many different articles."""
        for _ in range(lines):
            await self.do(AddItem(station=station, code=f"0{next(self._next).gtin}"))

    async def pay(self, station: str) -> Outcome:
        return await self.do(PayCash(station=station))

    async def serve(self, station: str, basket: trading_day.Basket) -> None:
        """Ring every line as the cashier of the demonstration does, then take the exact sum."""
        rung = 0
        for line in basket.lines:
            if not line.article.pence:
                continue
            rung += 1
            outcome = await self.do(AddItem(station=station, code=f"0{line.article.gtin}"))
            if outcome.data["qty"] != line.quantity:
                await self.do(SetQuantity(station=station, qty=line.quantity, confirmed=True))
        if rung:
            await self.pay(station)

    async def sign_in(self) -> None:
        """The cashier takes her place."""
        await self.do(SignIn(station=STATION, badge=CASHIER))

    async def prepare(self, units: Mapping[str, int]) -> None:
        """What is done once before the first customer. `units`: how many of each sku come in."""
        day = trading()
        products, problems = parse_csv(trading_day.catalogue_csv(day), exponent=2)
        assert not problems
        await self.do(ImportCatalogue(version=1, blob=pack(products)), TECHNICIAN)
        await self.do(IssueBadge(badge=CASHIER, name="Kim", role="cashier"), TECHNICIAN)
        goods = list(units.items())
        for start in range(0, len(goods), LINES_PER_EVENT):
            await self.do(ReceiveStock(lines=tuple(goods[start : start + LINES_PER_EVENT])), TECHNICIAN)
        await self.do(OpenShift(station=STATION, float_in=10_000))


@asynccontextmanager
async def open_shop(
    directory: Path, connect: Connect = sqlite3.connect, *, units: Mapping[str, int] | None = None
) -> AsyncIterator[Shop]:
    """A new journal in `directory`, ready to sell; without `units` there is enough of everything."""
    policy = Policy(hub=HUB, code=CODE, currency="GBP", large_quantity=300)
    settings = Settings(directory, policy, day_of=lambda at: at // 86_400_000, connect=connect)
    async with Journal(settings, AREAS, SystemClock()) as journal:
        shop = Shop(journal)
        await shop.prepare(units or {article.sku: AMPLE for article in articles()})
        yield shop
