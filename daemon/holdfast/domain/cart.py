"""Carts at a station: lines, quantities, discounts, parking."""

from __future__ import annotations

from holdfast.domain.core import Command


class AddItem(Command, frozen=True, tag="cart.add_item", kw_only=True):
    """Put `qty` of the product with `code` (GTIN-14 digits or house code) in the station's cart, opening one if none."""

    station: str
    code: str
    qty: int = 1
    confirmed: bool = False


class AddOpenAmount(Command, frozen=True, tag="cart.add_open_amount", kw_only=True):
    """MISC: a line at an amount keyed at the till. `code` names the open-price product; empty is the first there is."""

    station: str
    amount: int
    code: str = ""


class SetQuantity(Command, frozen=True, tag="cart.set_quantity", kw_only=True):
    """Quantity of the last line."""

    station: str
    qty: int
    confirmed: bool = False


class OverridePrice(Command, frozen=True, tag="cart.override_price", kw_only=True):
    """A manual price a piece for the last line. Role: supervisor."""

    station: str
    price: int
    why: str


class DiscountLine(Command, frozen=True, tag="cart.discount_line", kw_only=True):
    """Parts per million off the last line; 0 takes the discount away."""

    station: str
    ppm: int


class VoidLine(Command, frozen=True, tag="cart.void_line", kw_only=True):
    """Take the last line away."""

    station: str


class ParkCart(Command, frozen=True, tag="cart.park", kw_only=True):
    station: str
    why: str = ""


class ResumeCart(Command, frozen=True, tag="cart.resume", kw_only=True):
    """Bring a parked cart of any station to this one. Empty is the one parked last."""

    station: str
    cart: str = ""


class VoidCart(Command, frozen=True, tag="cart.void", kw_only=True):
    """End the open cart without a sale. Role supervisor unless it is empty."""

    station: str
    why: str = ""


class CheckPrice(Command, frozen=True, tag="cart.check_price", kw_only=True):
    """What a product costs. No event."""

    station: str
    code: str


class SetTraining(Command, frozen=True, tag="cart.set_training", kw_only=True):
    """Training on or off at a station, between carts."""

    station: str
    on: bool
