"""What a cashier does besides selling: signs in, receives goods, opens and closes the shift, asks for copies."""

from __future__ import annotations

from collections.abc import Iterable

from cashier import StuckError, digits
from devices import Light
from holdfast_drivers.barcodes.receipts import encode_receipt
from till import CARD, PRODUCT, Seen, Till
from trading_day import Article

Step = tuple[str, Light]
"""A card, and the light it is answered with."""


class Errands:
    """At one till. Everything here raises StuckError when a light is not the one a manual would promise."""

    def __init__(self, till: Till) -> None:
        self._till = till

    async def sign_in(self, badge: str) -> None:
        self._expect(await self._till.scan(CARD + badge), Light.GREEN)

    async def receive(self, goods: Iterable[tuple[Article, int]]) -> None:
        """Count goods in at the counter, without a delivery note."""
        await self._cards(("RECEIVE", Light.AMBER), ("NOASN", Light.GREEN))
        for article, quantity in goods:
            self._expect(await self._till.scan(PRODUCT + article.gtin), Light.GREEN)
            if quantity > 1:
                await self._cards(*_keyed(quantity), ("QTY", Light.GREEN))
        await self._cards(("DONE", Light.GREEN))

    async def open_shift(self, float_in: int) -> None:
        """`float_in` in minor units."""
        await self._cards(("SHIFTOPEN", Light.AMBER), *_keyed(float_in), ("DONE", Light.GREEN))

    async def close_shift(self, counted: int) -> str:
        """The blind count, minor units. Returns the number of the Z report."""
        confirmed = (("SHIFTCLOSE", Light.AMBER), ("SHIFTCLOSE", Light.AMBER))
        seen = await self._cards(*confirmed, *_keyed(counted), ("DONE", Light.GREEN))
        return str(seen.data["number"])

    async def reprint(self, number: str) -> None:
        """A copy of the document with this number, by the barcode on its offer."""
        self._expect(await self._till.scan(CARD + encode_receipt(number)), Light.AMBER)
        await self._cards(("REPRINT", Light.GREEN))

    async def _cards(self, *steps: Step) -> Seen:
        """The last one's answer."""
        *before, last = steps
        for card, light in before:
            self._expect(await self._till.card(card), light)
        return self._expect(await self._till.card(last[0]), last[1])

    def _expect(self, seen: Seen, light: Light) -> Seen:
        if seen.light is not light:
            raise StuckError(f"{light} was due: {seen}")
        return seen


def _keyed(number: int) -> list[Step]:
    return [(card, Light.AMBER) for card in digits(number)]
