"""Commands on carts: lines, quantities, discounts, parking, training.

A station has at most one open cart. "The last line" is the line added last that is not voided.
"""

from __future__ import annotations

from holdfast.domain import catalogue, delivery, limits, shift
from holdfast.domain.cart_state import (
    PROJECTIONS,
    TABLES,
    Cart,
    Line,
    find_open,
    last_line,
    next_number,
    require_open,
    summed,
)
from holdfast.domain.catalogue import Item
from holdfast.domain.core import Area, Command, Outcome, Refused, UnitOfWork, Urgency
from holdfast.domain.operator import Role, in_training, require
from holdfast.domain.pricing import MILLION, line_discount, line_gross
from holdfast.domain.rows import scalar
from holdfast_contract.hub import TrainingSet
from holdfast_contract.sale import CartAbandoned, CartOpened, CartParked, CartResumed, LineAdded, LineChanged

MANUAL = "manual"
"""Trace of a price set by hand."""
CASHIER_DISCOUNT = 200_000
"""Parts per million off a line that need no supervisor."""


class AddItem(Command, frozen=True, tag="cart.add_item", kw_only=True):
    """Put `qty` of the product with `code` in the station's cart, opening one if there is none.

    `code` is GTIN-14 digits, a house code or a sku. The same product again adds to the last line; what is sold by
    weight needs `grams` instead of `qty` and is a line for each weighing.
    """

    station: str
    code: str
    qty: int = 1
    grams: int = 0
    confirmed: bool = False


class AddOpenAmount(Command, frozen=True, tag="cart.add_open_amount", kw_only=True):
    """MISC: a line at an amount keyed at the till. `code` names the open-price product; empty is the first there is."""

    station: str
    amount: int
    code: str = ""


class SetQuantity(Command, frozen=True, tag="cart.set_quantity", kw_only=True):
    """Quantity of the last line, unless it was weighed."""

    station: str
    qty: int
    confirmed: bool = False


class OverridePrice(Command, frozen=True, tag="cart.override_price", kw_only=True):
    """A manual price a piece or kilogram for the last line, which a new line replaces. Supervisor; needs a reason."""

    station: str
    price: int
    why: str


class DiscountLine(Command, frozen=True, tag="cart.discount_line", kw_only=True):
    """Parts per million off the last line; 0 takes the discount away. Above CASHIER_DISCOUNT: role supervisor."""

    station: str
    ppm: int


class VoidLine(Command, frozen=True, tag="cart.void_line", kw_only=True):
    """Take the last line away."""

    urgency = Urgency.ALWAYS
    station: str


class ParkCart(Command, frozen=True, tag="cart.park", kw_only=True):
    urgency = Urgency.ALWAYS
    station: str
    why: str = ""


class ResumeCart(Command, frozen=True, tag="cart.resume", kw_only=True):
    """Bring a parked cart of any station to this one. Empty is the one parked last."""

    urgency = Urgency.ALWAYS
    station: str
    cart: str = ""


class VoidCart(Command, frozen=True, tag="cart.void", kw_only=True):
    """End the open cart without a sale. Role supervisor, unless it is empty or in training."""

    urgency = Urgency.ALWAYS
    station: str
    why: str = ""


class CheckPrice(Command, frozen=True, tag="cart.check_price", kw_only=True):
    """What a product costs. No event."""

    station: str
    code: str


class SetTraining(Command, frozen=True, tag="cart.set_training", kw_only=True):
    """Training on or off at a station, between carts and deliveries."""

    station: str
    on: bool


def abandon(uow: UnitOfWork, cart: Cart, why: str) -> Outcome:
    """End a cart without a sale."""
    total, lines = summed(uow, cart)
    uow.emit(cart.subject, CartAbandoned(total=total, lines=lines, why=why, training=cart.training))
    return Outcome(data={"cart": cart.subject, "total": total, "lines": lines})


def add_item(uow: UnitOfWork, command: AddItem) -> Outcome:
    item = catalogue.find(uow, command.code)
    if item.open_price:
        raise Refused("amount_missing", sku=item.sku, name=item.name)
    if not item.price:
        raise Refused("no_price", sku=item.sku, name=item.name)
    cart = _current(uow, command.station)
    counted = item.counted(command.qty, command.grams)
    if command.grams:
        return _add(uow, cart, item, item.price, counted)
    last = last_line(uow, cart)
    if last is not None and (last.sku, last.since, last.ppm, last.trace) == (item.sku, item.since, 0, ""):
        qty = _quantity(uow, last.qty + counted, confirmed=command.confirmed)
        return _change(uow, cart, last, qty=qty, ppm=0)
    return _add(uow, cart, item, item.price, _quantity(uow, counted, confirmed=command.confirmed))


def add_open_amount(uow: UnitOfWork, command: AddOpenAmount) -> Outcome:
    item = catalogue.find(uow, command.code) if command.code else catalogue.open_price_item(uow)
    if not item.open_price:
        raise Refused("wrong_mode", sku=item.sku, name=item.name)
    return _add(uow, _current(uow, command.station), item, limits.amount(command.amount, least=1), 1)


def set_quantity(uow: UnitOfWork, command: SetQuantity) -> Outcome:
    cart, last = _require_last(uow, command.station)
    if last.base > 1:
        raise Refused("quantity_weighed", sku=last.sku, name=last.name)
    qty = _quantity(uow, command.qty, confirmed=command.confirmed)
    return _change(uow, cart, last, qty=qty, ppm=last.ppm)


def override_price(uow: UnitOfWork, command: OverridePrice) -> Outcome:
    require(uow, Role.SUPERVISOR)
    cart, last = _require_last(uow, command.station)
    price = limits.amount(command.price)
    if not limits.text(command.why):
        raise Refused("reason_missing")
    uow.emit(cart.subject, LineChanged(line=last.line, qty=0))
    return _add(uow, cart, last, price, last.qty, trace=f"{MANUAL}: {limits.text(command.why)}")


def discount_line(uow: UnitOfWork, command: DiscountLine) -> Outcome:
    if not 0 <= command.ppm <= MILLION:
        raise Refused("invalid", detail="a discount is 0 to 100 %")
    if command.ppm > CASHIER_DISCOUNT:
        require(uow, Role.SUPERVISOR)
    cart, last = _require_last(uow, command.station)
    return _change(uow, cart, last, qty=last.qty, ppm=command.ppm)


def void_line(uow: UnitOfWork, command: VoidLine) -> Outcome:
    cart, last = _require_last(uow, command.station)
    return _change(uow, cart, last, qty=0, ppm=0)


def park_cart(uow: UnitOfWork, command: ParkCart) -> Outcome:
    cart = require_open(uow, command.station)
    total, lines = summed(uow, cart)
    if not lines:
        raise Refused("cart_empty")
    uow.emit(cart.subject, CartParked(why=limits.text(command.why)))
    return Outcome(data={"cart": cart.subject, "total": total, "lines": lines})


def resume_cart(uow: UnitOfWork, command: ResumeCart) -> Outcome:
    station = limits.name(command.station)
    if find_open(uow, station) is not None:
        raise Refused("cart_open")
    parked = uow.all(
        "SELECT cart, training FROM cart WHERE parked AND training = ? ORDER BY parked DESC", in_training(uow, station)
    )
    carts = [Cart(number, bool(training)) for number, training in parked]
    cart = next((cart for cart in carts if command.cart in ("", cart.subject)), None)
    if cart is None:
        raise Refused("cart_unknown")
    uow.emit(cart.subject, CartResumed(station=station))
    total, lines = summed(uow, cart)
    return Outcome(data={"cart": cart.subject, "total": total, "lines": lines})


def void_cart(uow: UnitOfWork, command: VoidCart) -> Outcome:
    cart = require_open(uow, command.station)
    if summed(uow, cart)[1] and not cart.training:
        require(uow, Role.SUPERVISOR)
    return abandon(uow, cart, limits.text(command.why))


def check_price(uow: UnitOfWork, command: CheckPrice) -> Outcome:
    item = catalogue.find(uow, command.code)
    return Outcome(data={"sku": item.sku, "name": item.name, "price": item.price, "base": item.base})


def set_training(uow: UnitOfWork, command: SetTraining) -> Outcome:
    station = limits.name(command.station)
    if find_open(uow, station) is not None:
        raise Refused("cart_open")
    if delivery.find_open(uow, station) is not None:
        raise Refused("delivery_open")
    if in_training(uow, station) != command.on:
        uow.emit(station, TrainingSet(on=command.on))
    return Outcome()


def _current(uow: UnitOfWork, station: str) -> Cart:
    """The station's open cart, or a new one. Raises Refused(`shift_closed`)."""
    shift.require_open(uow)
    cart = find_open(uow, station)
    if cart is not None:
        return cart
    cart = Cart(next_number(uow), in_training(uow, station))
    uow.emit(cart.subject, CartOpened(station=limits.name(station), training=cart.training))
    return cart


def _quantity(uow: UnitOfWork, qty: int, *, confirmed: bool) -> int:
    limits.quantity(qty)
    if qty > uow.policy.large_quantity and not confirmed:
        raise Refused("quantity_confirm", qty=qty)
    return qty


def _add(uow: UnitOfWork, cart: Cart, item: Item | Line, price: int, qty: int, *, trace: str = "") -> Outcome:
    number = scalar(uow, "SELECT coalesce(max(line), 0) + 1 FROM cart_line WHERE cart = ?", cart.number)
    line = Line(number, item.sku, item.name, price, qty, 0, 0, item.since, trace, item.base)
    if line.line > limits.MAX_LINES:
        raise Refused("cart_full")
    limits.amount(line.amount)
    uow.emit(cart.subject, LineAdded(line=line.line, sku=line.sku, price=price, qty=qty, trace=trace, base=line.base))
    return _told(uow, cart, line)


def _change(uow: UnitOfWork, cart: Cart, line: Line, *, qty: int, ppm: int) -> Outcome:
    gross = limits.amount(line_gross(line.price, qty, line.base))
    changed = line._replace(qty=qty, ppm=ppm, discount=line_discount(gross, ppm))
    if changed != line:
        uow.emit(cart.subject, LineChanged(line=line.line, qty=qty, discount=changed.discount, ppm=ppm))
    return _told(uow, cart, changed)


def _told(uow: UnitOfWork, cart: Cart, line: Line) -> Outcome:
    total, lines = summed(uow, cart)
    return Outcome(
        data={
            "cart": cart.subject, "line": line.line, "sku": line.sku, "name": line.name, "qty": line.qty,
            "base": line.base, "price": line.price, "amount": line.amount, "total": total, "lines": lines,
        }
    )  # fmt: skip


def _require_last(uow: UnitOfWork, station: str) -> tuple[Cart, Line]:
    cart = require_open(uow, station)
    last = last_line(uow, cart)
    if last is None:
        raise Refused("cart_empty")
    return cart, last


AREA = Area(
    name="cart",
    tables=TABLES,
    handlers={
        AddItem: add_item,
        AddOpenAmount: add_open_amount,
        SetQuantity: set_quantity,
        OverridePrice: override_price,
        DiscountLine: discount_line,
        VoidLine: void_line,
        ParkCart: park_cart,
        ResumeCart: resume_cart,
        VoidCart: void_cart,
        CheckPrice: check_price,
        SetTraining: set_training,
    },
    projections=PROJECTIONS,
)
