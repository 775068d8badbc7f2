"""The day, from the first process to the last figure."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from random import Random

import evidence
from audit import Evidence
from cashier import Cashier
from episodes import Episodes, Plan
from errands import Errands
from hub import HubAwayError
from papers import read_papers
from shop import Shop
from trading_day import Day, catalogue_csv, expected_stock

FLOAT_IN = 20_000
"""Minor units in the drawer in the morning."""
BY_SCANNER = 3
"""Articles counted in at the counter; the rest of the delivery is booked in bulk."""
SPARE = 12
"""Units of an article that come in beyond what the day will sell, at most."""
DRAIN_S = 120.0
"""Seconds headquarters may take to have everything and to have compared it."""
PAPER_S = 60.0
LOOK_S = 0.2


class Story:
    """`run` tells it. `drain_s` is how long headquarters then took, `ringing_s` how long the selling."""

    def __init__(self, day: Day, shop: Shop, plan: Plan, *, seed: int) -> None:
        self.drain_s = self.ringing_s = 0.0
        self._day, self._shop, self._plan = day, shop, plan
        self._rng = Random(seed)
        self._cashier: Cashier
        self._errands: Errands
        self._episodes: Episodes
        self._offered: dict[str, None] = {}
        self._checked_starts = 1
        self._received: Counter[str] = Counter()

    async def run(self) -> Evidence:
        """Raises ChildError, StuckError, HubAwayError, TimeoutError when the day cannot be brought to its end."""
        shop = self._shop
        await shop.open(charge=self._plan.charge)
        tell = partial(self._shop.board.tick, style="cyan")
        self._cashier = Cashier(shop.till, shop.hub, self._day.articles, self._rng, tell=tell)
        self._errands = Errands(shop.till)
        self._episodes = Episodes(self._plan, shop, self._cashier, self._rng)
        minding = [asyncio.create_task(shop.mind(), name="mind"), asyncio.create_task(shop.look(), name="look")]
        telling = asyncio.create_task(self._tell(), name="story")
        try:
            done, _ = await asyncio.wait([telling, *minding], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
            return telling.result()
        finally:
            for task in (telling, *minding):
                task.cancel()
            await asyncio.gather(telling, *minding, return_exceptions=True)

    @property
    def interrupted(self) -> int:
        """Times the cashier had to look what the hub remembers."""
        return self._cashier.interrupted

    async def _tell(self) -> Evidence:
        loop = asyncio.get_running_loop()
        await self._prepare()
        began = loop.time()
        await self._trade()
        sold = loop.time()
        await self._close()
        await self._settle()
        self.ringing_s, self.drain_s = sold - began, loop.time() - sold
        return await self._gather()

    async def _prepare(self) -> None:
        """Badge, catalogue, goods, sign-in, shift."""
        hub, board, day = self._shop.hub, self._shop.board, self._day
        badge = await hub.post("/v1/badges", {"name": "Till 1", "role": "supervisor"})
        rows = (await hub.post("/v1/catalogue", catalogue_csv(day)))["rows"]
        board.tick(f"badge issued, catalogue of {rows} articles imported")
        await self._errands.sign_in(badge["text"])
        await self._receive()
        await self._errands.open_shift(FLOAT_IN)
        board.tick("badge scanned, shift opened with a counted float", "green")

    async def _receive(self) -> None:
        """What the day will sell, and a little more."""
        sold = expected_stock(self._day)
        priced = [article for article in self._day.articles if article.pence]
        self._received.update({article.sku: sold[article.sku] + self._rng.randint(0, SPARE) for article in priced})
        by_scanner, in_bulk = priced[:BY_SCANNER], priced[BY_SCANNER:]
        if in_bulk:
            lines = [[article.sku, self._received[article.sku]] for article in in_bulk if self._received[article.sku]]
            await self._shop.hub.command("delivery.receive", lines=lines, reference="day's delivery")
        await self._errands.receive((article, self._received[article.sku]) for article in by_scanner)
        self._shop.board.tick(f"goods in: {len(in_bulk)} articles in bulk, {len(by_scanner)} counted by scanner")

    async def _trade(self) -> None:
        """Every basket, not before its customer came."""
        baskets = self._day.baskets
        for served, basket in enumerate(baskets):
            await self._shop.hub.up.wait()
            await self._episodes.due(served / len(baskets))
            if served == len(baskets) - 1:
                await self._episodes.last()
            await self._copies()
            await asyncio.sleep(max(0.0, self._shop.clock.until(basket.at)))
            await self._cashier.serve(basket)
            self._count(served + 1)
        await self._episodes.finish()

    def _count(self, served: int) -> None:
        board, book = self._shop.board, self._cashier.book
        board.served, board.rung, board.refused = served, book.rung, sum(book.refused.values())
        board.takings = book.takings

    async def _copies(self) -> None:
        """After a start of the hub: what it offers to print again is printed again."""
        starts = len(self._shop.starts)
        if starts == self._checked_starts:
            return
        try:
            for number in await evidence.offered(self._shop.hub):
                self._offered[number] = None
                await self._errands.reprint(number)
                self._shop.board.tick(f"{number}: nobody knows whether it is on paper; a COPY was asked for", "yellow")
            self._checked_starts = starts
        except HubAwayError:
            await self._shop.hub.up.wait()

    async def _close(self) -> None:
        """Every copy that is due, every paper out, then the blind count."""
        await self._copies()
        await self._printed()
        number = await self._errands.close_shift(FLOAT_IN + self._cashier.book.rung_value)
        self._shop.board.tick(f"shift closed by a blind count: {number}", "bold green")
        await self._printed()

    async def _printed(self) -> None:
        """Until nothing waits for the printer."""
        async with asyncio.timeout(PAPER_S):
            counts = {"queued": 1}
            while counts.get("queued") or counts.get("sending"):
                await asyncio.sleep(LOOK_S)
                counts = (await self._shop.hub.get("/v1/spool"))["counts"]

    async def _settle(self) -> None:
        """Until headquarters has every event and has compared the books at the last one."""
        async with asyncio.timeout(DRAIN_S):
            while True:
                outbox = await self._shop.hub.get("/v1/outbox")
                sent = not outbox["waiting"] and outbox["state"] == "online"
                if sent and (await evidence.settled(self._shop.place)).endswith(f" at {outbox['head']}"):
                    return
                await asyncio.sleep(LOOK_S)

    async def _gather(self) -> Evidence:
        shop = self._shop
        shop.board.tick("comparing file, hub, headquarters and paper", "bold")
        hub, core = await asyncio.gather(evidence.hub_books(shop.hub, shop.place), evidence.core_books(shop.place))
        paper = read_papers(cut.text for cut in shop.printer.cuts)
        return Evidence(
            day=self._day,
            book=self._cashier.book,
            received=self._received,
            hub=hub,
            core=core,
            paper=paper,
            offered=frozenset(self._offered),
            unasked_lights=max(0, shop.bench.strays - shop.till.excused),
            missing_episodes=self._episodes.missing(late=paper.late.total(), doubtful=len(self._offered)),
        )
