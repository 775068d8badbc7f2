"""The cashier: scans, waits for the light, looks at the display, and knows what to do when either is not as expected.

After an interruption nothing is guessed: the open cart at the hub says how far she got.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from book import Book, Sale
from devices import Light
from hub import STATION, Hub, HubAwayError
from till import PRODUCT, After, Seen, Till
from trading_day import Article, Basket, Line

LATER = frozenset({"stopping", "queue_full", "storage_failed", "disk_full"})
"""Refusals that say nothing of the article: wait, and look again."""
PAUSE_S = 0.1
"""Before looking again at a hub that is there and cannot."""
NOTES = (500, 1000, 2000, 5000)
"""Minor units of the notes that have a card of their own."""

Cart = list[tuple[str, int]]
"""(sku, quantity) of each line, in order."""


class StuckError(RuntimeError):
    """The hub did what no rule explains; a person would call for help."""


def added(cart: Cart, sku: str, quantity: int) -> Cart:
    """The cart with so many more of `sku`: the same article as the last line is that line."""
    if cart and cart[-1][0] == sku:
        return [*cart[:-1], (sku, cart[-1][1] + quantity)]
    return [*cart, (sku, quantity)]


def digits(number: int) -> list[str]:
    """The digit cards of a number."""
    return [f"D{digit}" for digit in str(number)]


def quantity_cards(rng: Random, quantity: int) -> list[str]:
    """The two ways to key a quantity: after its card and ended by DONE, or before it."""
    keyed = digits(quantity)
    return ["QTY", *keyed, "DONE"] if rng.random() < 0.5 else [*keyed, "QTY"]


def tender(rng: Random, total: int) -> tuple[list[str], int]:
    """How a customer pays: the cards, and what is handed over: the exact sum, a note, or a rounder sum keyed."""
    note = next((note for note in NOTES if note >= total), None)
    way = rng.random()
    if way < 0.4:
        return ["CASH"], total
    if note is not None and way < 0.7:
        return [f"CASH{note // 100}"], note
    step = rng.choice((100, 500, 1000, 2000))
    given = -(-total // step) * step
    return [*digits(given), "CASH"], given


@dataclass(slots=True)
class Service:
    """A customer being served: how far we are."""

    basket: Basket
    at: int = 0
    """Index of the line to be rung."""
    before: Cart = field(default_factory=list)
    """The cart without that line."""
    cart: Cart = field(default_factory=list)
    """The cart as it should be now."""
    paying: bool = False

    @property
    def line(self) -> Line:
        return self.basket.lines[self.at]

    @property
    def done(self) -> bool:
        return self.at == len(self.basket.lines)


class Cashier:
    """Serves baskets. `book` is what she vouches for."""

    def __init__(
        self, till: Till, hub: Hub, articles: Iterable[Article], rng: Random, *, tell: Callable[[str], None]
    ) -> None:
        """`tell` hears what she finds after an interruption."""
        self.book = Book()
        self.interrupted = 0
        """Times she had to look what the hub remembers."""
        self.ambush: dict[str, list[After]] = {"line": [], "pay": []}
        """What happens, once, as the next scan of a line's article, or that pays, has left the scanner."""
        self._till = till
        self._hub = hub
        self._pence = {article.sku: article.pence for article in articles}
        self._rng = rng
        self._tell = tell

    async def serve(self, basket: Basket) -> None:
        """Ring and take payment, whatever happens to the hub meanwhile. Raises StuckError."""
        service = Service(basket)
        while True:
            try:
                while not service.done:
                    await self._ring(service)
                if service.cart:
                    await self._pay(service)
                break
            except HubAwayError:
                await self._look(service)
        self.book.serve(basket)

    async def _ring(self, service: Service) -> None:
        """The line's article, then its quantity."""
        line, sku = service.line, service.line.article.sku
        if service.cart == service.before:
            seen = await self._scan(PRODUCT + line.article.gtin, "line")
            if seen.light is Light.RED:
                await self._refused(service, seen.word)
                return
            self._displayed(await self._confirmed(seen), service, added(service.before, sku, 1))
        full = added(service.before, sku, line.quantity)
        if service.cart != full:
            seen = await self._key(quantity_cards(self._rng, full[-1][1]))
            self._displayed(await self._confirmed(seen), service, full)
        self._rung(service)

    def _rung(self, service: Service) -> None:
        self.book.ring(service.line)
        service.at += 1
        service.before = service.cart

    async def _refused(self, service: Service, reason: str) -> None:
        if reason == "cart_full":
            await self._pay(service)
            return
        self.book.refuse(service.line, reason)
        service.at += 1

    async def _pay(self, service: Service) -> None:
        total = self._total(service.cart)
        cards, given = tender(self._rng, total)
        service.paying = True
        seen = await self._key(cards, "pay")
        if seen.light is not Light.GREEN:
            raise StuckError(f"payment of {total} by {cards}: {seen}")
        self._paid(service, seen.data["number"], seen.data["total"], given, seen.data["change"])

    def _paid(self, service: Service, number: str, total: int, given: int, change: int) -> None:
        if total != self._total(service.cart) or change != given - total:
            self.book.surprises.append(f"{number}: total {total}, {given} given, change {change}; cart {service.cart}")
        self.book.sell(Sale(number, service.basket.invoice, total, given, change))
        service.before = service.cart = []
        service.paying = False

    async def _key(self, cards: list[str], what: str = "") -> Seen:
        """Scan cards; the last one's light is the answer, those before it ask for more."""
        for card in cards[:-1]:
            seen = await self._card(card)
            if seen.light is not Light.AMBER:
                raise StuckError(f"{card} of {cards}: {seen}")
        return await self._card(cards[-1], what)

    async def _confirmed(self, seen: Seen) -> Seen:
        """A large quantity is asked about: DONE once more. Anything but green then is a riddle."""
        if seen.light is Light.AMBER and seen.word == "quantity_confirm":
            seen = await self._card("DONE")
        if seen.light is not Light.GREEN:
            raise StuckError(str(seen))
        return seen

    def _displayed(self, seen: Seen, service: Service, cart: Cart) -> None:
        """The display must show the line and the total as they should be now."""
        service.cart = cart
        shown = (seen.data["sku"], seen.data["qty"]), seen.data["total"]
        if shown != (cart[-1], self._total(cart)):
            self.book.surprises.append(f"display {shown}, should be {cart[-1]}, {self._total(cart)}")

    async def _card(self, card: str, what: str = "") -> Seen:
        return self._sure(await self._till.card(card, partial(self.spring, what)))

    async def _scan(self, text: str, what: str) -> Seen:
        return self._sure(await self._till.scan(text, partial(self.spring, what)))

    async def spring(self, what: str) -> None:
        """Let happen what waits for the next such scan."""
        waiting = self.ambush.get(what, [])
        now = waiting[:]
        waiting.clear()
        for happens in now:
            await happens()

    def _sure(self, seen: Seen) -> Seen:
        if seen.word in LATER:
            raise HubAwayError(seen.word)
        return seen

    def _total(self, cart: Cart) -> int:
        return sum(self._pence[sku] * quantity for sku, quantity in cart)

    async def _look(self, service: Service) -> None:
        """Wait for the hub, see what it remembers, and go on from there."""
        self.interrupted += 1
        while True:
            pid = self._hub.pid
            await self._hub.up.wait()
            with suppress(HubAwayError):
                if self._hub.pid == pid:  # it never went: what was keyed may still be there
                    await asyncio.sleep(PAUSE_S)
                    await self._till.card("ABORT")
                await self._compare(service, await self._open_cart())
                return

    async def _open_cart(self) -> Cart:
        """The station's cart; one that was parked by an orderly stop is fetched back first."""
        carts = (await self._hub.get("/v1/carts"))["carts"]
        if len(carts) > 1 or any(cart["station"] != STATION for cart in carts):
            raise StuckError(f"carts: {carts}")
        if carts and carts[0]["parked"]:
            seen = await self._till.card("RESUME")
            if seen.light is not Light.GREEN:
                raise StuckError(f"RESUME: {seen}")
            self._tell("the hub had parked the open cart; RESUME brings it back")
        return [(line["sku"], line["qty"]) for cart in carts for line in cart["lines"]]

    async def _compare(self, service: Service, found: Cart) -> None:
        if service.paying:
            if found == service.cart:
                self._tell("the cart is still open: the payment is scanned again")
            else:
                await self._sold_meanwhile(service, found)
            return
        line = service.line
        once, full = (added(service.before, line.article.sku, n) for n in (1, line.quantity))
        if found not in (service.before, once, full):
            raise StuckError(f"the hub remembers {found}, we had {service.before} and were ringing {line}")
        self._tell("the cart lacks nothing" if found == full else "the cart lacks the last scan: it is scanned again")
        service.cart = found

    async def _sold_meanwhile(self, service: Service, found: Cart) -> None:
        """The cart is gone: the payment that was under way must have been taken."""
        last = (await self._hub.get("/v1/sales", limit=1))["sales"][-1:]
        if found or not last or last[0]["number"] in self.book.sales:
            raise StuckError(f"the hub remembers {found} and {last}, we were paying {service.cart}")
        self._tell("the payment is on record: not scanned again")
        receipt: dict[str, Any] = (await self._hub.get(f"/v1/receipts/{last[0]['number']}"))["document"]
        self._paid(service, last[0]["number"], receipt["payable"], receipt["tendered"], receipt["change"])
