"""What people do with carts."""

from __future__ import annotations

import pytest

from domain.kit import CASHIER, SHOP, STATIONS, SUPERVISOR, Hub, import_rows, product, shop
from holdfast.domain.cart import (
    CASHIER_DISCOUNT,
    AddItem,
    AddOpenAmount,
    DiscountLine,
    OverridePrice,
    ParkCart,
    ResumeCart,
    SetQuantity,
    SetTraining,
    VoidCart,
    VoidLine,
)
from holdfast.domain.delivery import OpenDelivery
from holdfast.domain.limits import MAX_AMOUNT, MAX_LINES
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import CloseShift
from holdfast_contract.sale import CartAbandoned, CartOpened, LineAdded, LineChanged

ONE, TWO = STATIONS


@pytest.fixture
def hub() -> Hub:
    return shop()


def test_the_first_scan_opens_a_cart(hub: Hub) -> None:
    assert hub.ok(AddItem(station=ONE, code="honey")) == {
        "cart": "c1", "line": 1, "sku": "honey", "name": "Honey", "qty": 1, "base": 1, "price": 749, "amount": 749,
        "total": 749, "lines": 1,
    }  # fmt: skip
    assert [fact.body.station for fact in hub.facts(CartOpened)] == [ONE]


def test_the_same_product_again_adds_one(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    told = hub.ok(AddItem(station=ONE, code="A-honey"))
    assert (told["line"], told["qty"], told["total"], told["lines"]) == (1, 2, 1498, 1)
    hub.ok(AddItem(station=ONE, code="mug"))
    assert hub.ok(AddItem(station=ONE, code="honey"))["line"] == 3


@pytest.mark.parametrize(
    "edit", [DiscountLine(station=ONE, ppm=100_000), OverridePrice(station=ONE, price=700, why="x")]
)
def test_a_bargain_is_for_the_units_it_was_made_for(hub: Hub, edit: DiscountLine | OverridePrice) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    hub.ok(edit, SUPERVISOR)
    told = hub.ok(AddItem(station=ONE, code="honey"))
    assert (told["qty"], told["amount"], told["lines"]) == (1, 749, 2)


def test_inv_0_5_two_stations_never_mix_their_lines(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    assert hub.ok(AddItem(station=TWO, code="honey"))["cart"] == "c2"
    assert hub.ok(AddItem(station=ONE, code="honey"))["total"] == 1498


def test_a_discount_follows_the_quantity(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    assert hub.ok(DiscountLine(station=ONE, ppm=150_000))["amount"] == 749 - 112
    told = hub.ok(SetQuantity(station=ONE, qty=3))
    assert (told["amount"], told["price"]) == (2247 - 337, 749)
    assert hub.ok(DiscountLine(station=ONE, ppm=0))["amount"] == 2247


def test_a_large_discount_is_a_supervisors(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    hub.ok(DiscountLine(station=ONE, ppm=CASHIER_DISCOUNT))
    assert hub.refused(DiscountLine(station=ONE, ppm=CASHIER_DISCOUNT + 1)) == "not_permitted"
    assert hub.ok(DiscountLine(station=ONE, ppm=1_000_000), SUPERVISOR)["amount"] == 0
    assert hub.refused(DiscountLine(station=ONE, ppm=1_000_001), SUPERVISOR) == "invalid"


def test_a_manual_price_needs_a_supervisor_and_a_reason(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="mug", qty=2))
    assert hub.refused(OverridePrice(station=ONE, price=500, why="chipped")) == "not_permitted"
    assert hub.refused(OverridePrice(station=ONE, price=500, why="  "), SUPERVISOR) == "reason_missing"
    told = hub.ok(OverridePrice(station=ONE, price=500, why="chipped"), SUPERVISOR)
    assert (told["line"], told["price"], told["amount"], told["lines"]) == (2, 500, 1000, 1)
    old, new = hub.facts(LineChanged)[-1].body, hub.facts(LineAdded)[-1].body
    assert (old.qty, new.trace) == (0, "manual: chipped")


def test_voiding_takes_the_lines_away_from_the_last(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    hub.ok(AddItem(station=ONE, code="mug"))
    assert hub.ok(VoidLine(station=ONE))["total"] == 749
    assert hub.ok(VoidLine(station=ONE))["lines"] == 0
    for command in (
        VoidLine(station=ONE),
        PayCash(station=ONE),
        ParkCart(station=ONE),
        SetQuantity(station=ONE, qty=1),
    ):
        assert hub.refused(command) == "cart_empty"
    assert hub.ok(AddItem(station=ONE, code="mug"))["line"] == 3


@pytest.mark.parametrize(
    "command",
    [
        SetQuantity(station=ONE, qty=2), VoidLine(station=ONE), ParkCart(station=ONE), VoidCart(station=ONE),
        PayCash(station=ONE), DiscountLine(station=ONE, ppm=1),
    ],
    ids=lambda command: type(command).__name__,
)  # fmt: skip
def test_without_a_cart_there_is_nothing_to_do(hub: Hub, command: SetQuantity) -> None:
    assert hub.refused(command) == "cart_not_open"


def test_a_large_quantity_is_confirmed_first(hub: Hub) -> None:
    assert hub.refused(AddItem(station=ONE, code="mug", qty=1001)) == "quantity_confirm"
    hub.ok(AddItem(station=ONE, code="mug", qty=1000))
    assert hub.refused(AddItem(station=ONE, code="mug")) == "quantity_confirm"
    assert hub.refused(SetQuantity(station=ONE, qty=10_000)) == "quantity_confirm"
    assert hub.ok(SetQuantity(station=ONE, qty=10_000, confirmed=True))["qty"] == 10_000


@pytest.mark.parametrize("qty", [0, -1, 10**6 + 1, 10**30])
def test_no_line_has_a_senseless_quantity(hub: Hub, qty: int) -> None:
    assert hub.refused(AddItem(station=ONE, code="mug", qty=qty, confirmed=True)) == "invalid"
    hub.ok(AddItem(station=ONE, code="mug"))
    assert hub.refused(SetQuantity(station=ONE, qty=qty, confirmed=True)) == "invalid"


def test_a_line_stays_within_what_can_be_summed(hub: Hub) -> None:
    hub.ok(AddOpenAmount(station=ONE, amount=MAX_AMOUNT))
    assert hub.refused(SetQuantity(station=ONE, qty=2)) == "invalid"
    hub.ok(import_rows(*SHOP, product("ring", MAX_AMOUNT)), SUPERVISOR)
    assert hub.refused(AddItem(station=ONE, code="ring", qty=2)) == "invalid"
    assert hub.refused(AddOpenAmount(station=ONE, amount=MAX_AMOUNT + 1)) == "invalid"


def test_a_cart_has_an_end(hub: Hub) -> None:
    for _ in range(MAX_LINES):
        hub.ok(AddOpenAmount(station=ONE, amount=1))
    assert hub.refused(AddOpenAmount(station=ONE, amount=1)) == "cart_full"
    assert hub.ok(PayCash(station=ONE))["lines"] == MAX_LINES


def test_misc_has_an_amount_and_nothing_else_has(hub: Hub) -> None:
    assert hub.refused(AddItem(station=ONE, code="misc")) == "amount_missing"
    assert hub.refused(AddOpenAmount(station=ONE, amount=5, code="mug")) == "wrong_mode"
    assert hub.refused(AddOpenAmount(station=ONE, amount=0)) == "invalid"
    hub.ok(AddOpenAmount(station=ONE, amount=500))
    assert hub.ok(AddOpenAmount(station=ONE, amount=500, code="misc"))["lines"] == 2


def test_a_parked_cart_comes_back_at_any_station(hub: Hub) -> None:
    for code in ("honey", "mug", "candle"):
        hub.ok(AddItem(station=ONE, code=code))
        hub.ok(ParkCart(station=ONE))
    assert hub.ok(ResumeCart(station=TWO))["cart"] == "c3"
    assert hub.refused(ResumeCart(station=TWO)) == "cart_open"
    hub.ok(ParkCart(station=TWO))
    assert hub.ok(ResumeCart(station=ONE, cart="c1"))["total"] == 749
    assert hub.refused(ResumeCart(station=TWO, cart="c1")) == "cart_unknown"
    assert hub.ok(ResumeCart(station=TWO))["cart"] == "c3"


def test_voiding_a_cart_is_a_supervisors_and_uses_no_number(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey", qty=2))
    assert hub.refused(VoidCart(station=ONE)) == "not_permitted"
    assert hub.ok(VoidCart(station=ONE, why="changed mind"), SUPERVISOR) == {"cart": "c1", "total": 1498, "lines": 1}
    assert hub.facts(CartAbandoned)[0].body == CartAbandoned(total=1498, lines=1, why="changed mind")
    hub.ok(AddItem(station=ONE, code="honey"))
    told = hub.ok(PayCash(station=ONE))
    assert (told["cart"], told["number"]) == ("c2", "BER-1-R000001")


def test_an_empty_cart_is_voided_by_anybody(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    hub.ok(VoidLine(station=ONE))
    assert hub.ok(VoidCart(station=ONE), "nobody")["lines"] == 0


def test_selling_needs_a_shift(hub: Hub) -> None:
    hub.ok(CloseShift(station=ONE, counted=hub.cash()))
    assert hub.refused(AddItem(station=ONE, code="honey")) == "shift_closed"
    assert hub.refused(AddOpenAmount(station=ONE, amount=1)) == "shift_closed"


def test_g_12_training_starts_and_ends_between_carts(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    assert hub.refused(SetTraining(station=ONE, on=True)) == "cart_open"
    hub.ok(PayCash(station=ONE))
    hub.ok(OpenDelivery(station=TWO))
    assert hub.refused(SetTraining(station=TWO, on=True)) == "delivery_open"
    hub.ok(SetTraining(station=ONE, on=True))
    hub.ok(AddItem(station=ONE, code="honey"))
    hub.ok(VoidCart(station=ONE), CASHIER)
    assert hub.facts(CartAbandoned)[0].body.training


def test_g_12_a_training_cart_is_not_resumed_in_earnest(hub: Hub) -> None:
    hub.ok(SetTraining(station=ONE, on=True))
    hub.ok(AddItem(station=ONE, code="honey"))
    hub.ok(ParkCart(station=ONE))
    assert hub.refused(ResumeCart(station=TWO)) == "cart_unknown"
    assert hub.ok(ResumeCart(station=ONE))["cart"] == "c1"


def test_text_is_tidied_and_bounded(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="honey"))
    assert hub.refused(ParkCart(station=ONE, why="x" * 201)) == "invalid"
    assert hub.refused(ParkCart(station=ONE, why="\x1b[2J")) == "invalid"
    assert hub.refused(AddItem(station="s" * 65, code="honey")) == "invalid"
    assert hub.refused(AddItem(station=" ", code="honey")) == "invalid"
    hub.ok(ParkCart(station=ONE, why=" back \n soon "))
    assert hub.facts()[-1].body.why == "back soon"
