"""What the customer sees of a station: the line rung last and the running total, what is to be paid, the change.

It follows the record, so whoever rang, scanner or tablet, only what is committed is shown (G-4), and nothing that rings
waits for it: many commits are one look, and the display takes the newest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from math import inf

from holdfast.config import Hub
from holdfast.counter import figures, words
from holdfast.counter.ports import CustomerDisplay, Journal
from holdfast.domain.cart_state import AMOUNT
from holdfast.domain.pricing import line_gross
from holdfast_contract.events import NAME_OF, decode_body
from holdfast_contract.record import decode_record
from holdfast_contract.sale import SaleCompleted
from holdfast_drivers.values import Columns

PAID_FOR = 20.0
"""Seconds for which the change is shown when nobody rings."""
MAX_RECORDS = 1000
"""Looked at for the last sale; what is older than that was not paid just now."""
MAX_BYTES = 1 << 20

_SQL = f"""
SELECT (SELECT coalesce(sum({AMOUNT}), 0) FROM cart_line WHERE cart = c.cart AND qty > 0),
    coalesce(p.name, l.sku), l.qty, l.base, l.price, l.discount
FROM cart c
LEFT JOIN cart_line l ON l.cart = c.cart AND l.line = (SELECT max(line) FROM cart_line WHERE cart = c.cart AND qty > 0)
LEFT JOIN product p ON p.sku = l.sku AND p.since = l.since
WHERE c.station = ? AND NOT c.parked
"""  # noqa: S608 - our own words

Shown = tuple[Columns, Columns]


class CustomerView:
    """Follows the record for every station with a display. `idle` is what each shows while nobody buys."""

    def __init__(
        self, *, journal: Journal, hub: Hub, displays: Mapping[str, CustomerDisplay], idle: Mapping[str, Shown]
    ) -> None:
        self._journal = journal
        self._hub = hub
        self._displays = displays
        self._idle = idle
        self._until: dict[str, float | None] = {}
        """When what a station shows gives way to its idle text, in the loop's seconds; None: when its cart is gone."""
        self._total = f"{words.label('total', hub.language)} {hub.currency}"

    async def run(self) -> None:
        """Until cancelled. Raises sqlite3.Error."""
        self._until = dict.fromkeys(self._displays, 0.0)
        seen = self._journal.head.seq
        while True:
            head = self._journal.head.seq
            sales = await self._sales(max(seen, head - MAX_RECORDS))
            seen = head
            for station, display in self._displays.items():
                shown = await self._now(station, sales.get(station))
                if shown is not None:
                    display.show(*shown)
            await self._next(seen)

    async def _now(self, station: str, sale: SaleCompleted | None) -> Shown | None:
        """None: what is shown stays."""
        now = asyncio.get_running_loop().time()
        rows = await self._journal.query(_SQL, station)
        if rows:
            self._until[station] = None
            total, *line = rows[0]
            return self._line(*line), Columns(self._total, self._money(total))
        if sale is not None:
            self._until[station] = now + PAID_FOR
            return (
                Columns(words.label("due", self._hub.language), self._money(sale.payable + sale.rounding)),
                Columns(words.label("change", self._hub.language), self._money(sale.change)),
            )
        if now < (self._until.get(station, inf) or 0.0):
            return None
        del self._until[station]
        return self._idle[station]

    def _line(self, name: str | None, qty: int, base: int, price: int, discount: int) -> Columns:
        if name is None:  # every line was voided
            return Columns("", "")
        many = f"{figures.weight(qty, self._hub.language)} " if base > 1 else f"{qty} x " if qty != 1 else ""
        return Columns(many + name, self._money(line_gross(price, qty, base) - discount))

    async def _sales(self, after: int) -> dict[str, SaleCompleted]:
        """The last sale of each station since then."""
        found = {}
        for stored in await self._journal.records(after, limit=MAX_RECORDS, max_bytes=MAX_BYTES):
            record = decode_record(stored.record)
            if record.type == NAME_OF[SaleCompleted]:
                body = decode_body(record)
                assert isinstance(body, SaleCompleted)
                found[body.station] = body
        return found

    async def _next(self, seen: int) -> None:
        """Return when something was committed, or a change has been shown for long enough."""
        until = min((until for until in self._until.values() if until is not None), default=None)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._journal.wait_beyond(seen)

    def _money(self, amount: int) -> str:
        return figures.money(amount, self._hub.exponent, self._hub.language)
