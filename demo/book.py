"""What the cashier did, in figures of the file: the side of the identity that the demonstration vouches for itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from trading_day import Basket, Line


@dataclass(frozen=True, slots=True)
class Sale:
    """A receipt as the cashier saw it come about. Amounts in minor units."""

    number: str
    invoice: str
    total: int
    tendered: int
    change: int


@dataclass(slots=True)
class Book:
    """Rows and money, rung and refused."""

    rung: int = 0
    rung_value: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Rows by reason."""
    refused_value: Counter[str] = field(default_factory=Counter)
    sold: Counter[str] = field(default_factory=Counter)
    """Units by sku."""
    sales: dict[str, Sale] = field(default_factory=dict)
    """By printed number."""
    baskets: int = 0
    """Served to the end."""
    unsold: int = 0
    """Of which nothing could be sold."""
    surprises: list[str] = field(default_factory=list)
    """What the hub showed that was not what it should have shown."""

    def ring(self, line: Line) -> None:
        """A line is in the cart."""
        self.rung += line.rows
        self.rung_value += line.quantity * line.article.pence
        self.sold[line.article.sku] += line.quantity

    def refuse(self, line: Line, reason: str) -> None:
        """The hub would not have it."""
        self.refused[reason] += line.rows
        self.refused_value[reason] += line.quantity * line.article.pence

    def sell(self, sale: Sale) -> None:
        """A cart is paid. A number that was there before is a surprise."""
        if sale.number in self.sales:
            self.surprises.append(f"receipt {sale.number} came twice")
        self.sales[sale.number] = sale

    def serve(self, basket: Basket) -> None:
        """A customer leaves."""
        self.baskets += 1
        self.unsold += not any(sale.invoice == basket.invoice for sale in self.sales.values())

    @property
    def takings(self) -> int:
        """Minor units that should be in the drawer, float aside."""
        return sum(sale.total for sale in self.sales.values())
