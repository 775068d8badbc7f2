"""Completing a cart: number, tax, money and stock in one event."""

from __future__ import annotations

from holdfast.domain.core import Command


class PayCash(Command, frozen=True, tag="sale.pay_cash", kw_only=True):
    """Complete the station's open cart, or `cart` when named. `tendered` in minor units; None is the exact amount.

    A named cart that is already completed answers with its first number.
    """

    station: str
    tendered: int | None = None
    cart: str = ""
