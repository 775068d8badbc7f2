"""What is sold by weight: priced a kilogram, counted in grams, a line for each weighing."""

from __future__ import annotations

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import checks
from domain.kit import STATIONS, SUPERVISOR, TECHNICIAN, Hub, import_rows, product, shop
from holdfast.domain.cart import (
    AddItem,
    AddOpenAmount,
    CheckPrice,
    DiscountLine,
    OverridePrice,
    SetQuantity,
    VoidCart,
    VoidLine,
)
from holdfast.domain.catalogue_csv import parse_csv
from holdfast.domain.delivery import CountIn, FinishDelivery, OpenDelivery, ReceiveStock, SetCountedIn
from holdfast.domain.inventory import CountStock
from holdfast.domain.pricing import line_gross
from holdfast.domain.sale import PayCash
from holdfast_contract.ledger import Move, Place
from holdfast_contract.sale import CartAbandoned, CartOpened, LineAdded, SaleCompleted, SaleLine

ONE = STATIONS[0]


@pytest.fixture
def hub() -> Hub:
    return shop(stock=5000)


def weigh(hub: Hub, grams: int, code: str = "cheese") -> dict[str, object]:
    return hub.ok(AddItem(station=ONE, code=code, grams=grams))


def on_hand(hub: Hub, sku: str) -> int:
    ((qty,),) = hub.rows("SELECT qty FROM balance WHERE sku = ? AND place = 1", sku)
    return int(qty)


@pytest.mark.parametrize(
    ("price", "qty", "base", "gross"),
    [(1290, 252, 1000, 325), (1290, 1, 1000, 1), (399, 1, 1000, 0), (500, 1, 1000, 1), (499, 1, 1000, 0),
     (-500, 1, 1000, -1), (749, 3, 1, 2247), (10**12, 10**6, 10**6, 10**12)],
)  # fmt: skip
def test_a_line_is_price_times_quantity_by_base_half_up(price: int, qty: int, base: int, gross: int) -> None:
    assert line_gross(price, qty, base) == gross


def test_a_weighing_is_a_line_at_the_price_of_a_kilogram(hub: Hub) -> None:
    told = weigh(hub, 252)
    assert (told["qty"], told["base"], told["price"], told["amount"], told["total"]) == (252, 1000, 1290, 325, 325)
    assert weigh(hub, 252)["line"] == 2, "two weighings never become one"
    sold = hub.ok(PayCash(station=ONE))
    (sale,) = hub.facts(SaleCompleted)
    assert sale.body.lines == (SaleLine("cheese", 252, 1290, 0, 0, 1000),) * 2
    assert sale.body.moves == (Move("cheese", Place.SELLABLE, Place.CUSTOMER, 504),)
    assert (sold["total"], on_hand(hub, "cheese")) == (650, 4496)


def test_without_a_weight_nothing_is_sold(hub: Hub) -> None:
    assert hub.refused(AddItem(station=ONE, code="cheese")) == "weight_missing"
    assert hub.refused(AddItem(station=ONE, code="cheese", qty=3)) == "weight_missing"
    assert hub.refused(AddItem(station=ONE, code="candle", grams=20)) == "invalid"
    assert hub.refused(AddItem(station=ONE, code="cheese", grams=-5)) == "invalid"
    assert hub.refused(AddItem(station=ONE, code="cheese", grams=10**6 + 1)) == "invalid"
    assert hub.refused(AddOpenAmount(station=ONE, amount=300, code="cheese")) == "wrong_mode"
    assert hub.facts(CartOpened) == []


def test_no_key_changes_what_was_weighed(hub: Hub) -> None:
    weigh(hub, 300)
    assert hub.refused(SetQuantity(station=ONE, qty=3)) == "quantity_weighed"
    assert hub.ok(VoidLine(station=ONE))["total"] == 0


def test_discount_and_manual_price_follow_the_weight(hub: Hub) -> None:
    weigh(hub, 252)
    assert hub.ok(DiscountLine(station=ONE, ppm=100_000))["amount"] == 325 - 33
    told = hub.ok(OverridePrice(station=ONE, price=1000, why="the end of the wheel"), SUPERVISOR)
    assert (told["qty"], told["base"], told["amount"]) == (252, 1000, 252)
    assert hub.ok(PayCash(station=ONE))["total"] == 252


def test_a_price_check_says_what_it_is_for(hub: Hub) -> None:
    assert hub.ok(CheckPrice(station=ONE, code="cheese")) == {
        "sku": "cheese", "name": "Cheese", "price": 1290, "base": 1000,
    }  # fmt: skip


def test_goods_come_in_by_weight(hub: Hub) -> None:
    hub.ok(OpenDelivery(station=ONE))
    assert hub.refused(CountIn(station=ONE, code="cheese")) == "weight_missing"
    assert hub.ok(CountIn(station=ONE, code="cheese", grams=700))["qty"] == 700
    assert hub.ok(CountIn(station=ONE, code="cheese", grams=50))["qty"] == 750
    assert hub.ok(SetCountedIn(station=ONE, qty=800))["qty"] == 800
    hub.ok(FinishDelivery(station=ONE))
    hub.ok(ReceiveStock(lines=(("cheese", 1200),)))
    assert on_hand(hub, "cheese") == 7000
    hub.ok(CountStock(sku="cheese", counted=6990, as_of=hub.unit.seq, reason="miscounted"), SUPERVISOR)
    assert on_hand(hub, "cheese") == 6990


def test_by_weight_and_by_the_piece_are_two_skus(hub: Hub) -> None:
    assert hub.refused(import_rows(product("candle", 1999, unit="kg")), TECHNICIAN) == "catalogue_invalid"
    assert hub.refused(import_rows(product("cheese", 1290)), TECHNICIAN) == "catalogue_invalid"
    hub.ok(import_rows(product("cheese", 1390, unit="kg"), product("candle", 1999, unit="box")), TECHNICIAN)


def test_a_keyed_amount_is_not_weighed(hub: Hub) -> None:
    both = product("loose", 0, unit="kg", open_price=True)
    assert hub.refused(import_rows(both), TECHNICIAN) == "catalogue_invalid"


def test_the_column_unit_makes_it_so() -> None:
    text = "sku,name,price,tax_category,tax_rate,unit\ncheese,Comté,39.90,S,7,kg\nmug,Mug,12.90,S,19,\n"
    (cheese, mug), problems = parse_csv(text, 2)
    assert (problems, cheese.unit, cheese.price, mug.unit) == ((), "kg", 3990, "piece")


def test_an_old_line_of_a_product_that_is_now_weighed_keeps_its_meaning(hub: Hub) -> None:
    """Before lines had a base, `kg` was only a name."""
    hub.emit("c1", CartOpened(station=ONE))
    hub.emit("c1", LineAdded(line=1, sku="cheese", price=1290, qty=2))
    assert hub.ok(PayCash(station=ONE))["total"] == 2580
    checks.g_2_rebuild(hub)


def test_a_record_without_a_base_still_reads() -> None:
    old = msgspec.msgpack.encode({"l": 1, "k": "mug", "a": 1290, "q": 2})
    assert msgspec.msgpack.decode(old, type=LineAdded).base == 1
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(["mug", 2, 1290, 0, 0]), type=SaleLine).base == 1


weighings = st.tuples(st.integers(1, 10**5), st.integers(1, 20_000), st.integers(0, 10**6))


@given(st.lists(weighings, min_size=1, max_size=5))
def test_inv_1_1_inv_1_2_inv_3_3_any_weights_sum_to_the_document(
    rows: list[tuple[int, int, int]],
) -> None:
    """The total a till tells by SQL, the lines' sum by fractions, and the document are one."""
    hub = shop(stock=0)
    hub.ok(import_rows(*(product(f"w{i}", price, unit="kg") for i, (price, _, _) in enumerate(rows))), TECHNICIAN)
    expected = 0
    for i, (price, grams, ppm) in enumerate(rows):
        weigh(hub, grams, f"w{i}")
        total = hub.ok(DiscountLine(station=ONE, ppm=ppm), SUPERVISOR)["total"]
        gross = math.floor(Fraction(price * grams, 1000) + Fraction(1, 2))
        expected += gross - math.floor(Fraction(gross * ppm, 10**6) + Fraction(1, 2))
        assert total == expected
    assert hub.ok(PayCash(station=ONE))["total"] == expected
    for check in checks.CHECKS:
        check(hub)


def test_a_price_rounded_otherwise_is_noticed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a gross rounded down must not get past INV-1.1."""
    from holdfast.domain import sale

    monkeypatch.setattr(sale.pricing, "line_gross", lambda price, qty, base: price * qty // base)
    weigh(hub, 252)
    weigh(hub, 251)
    hub.ok(PayCash(station=ONE))
    with pytest.raises(AssertionError):
        checks.inv_1_1_lines_and_groups_sum_to_the_document(hub)


def test_a_voided_cart_remembers_what_it_came_to(hub: Hub) -> None:
    weigh(hub, 252)
    hub.ok(VoidCart(station=ONE), SUPERVISOR)
    assert [fact.body.total for fact in hub.facts(CartAbandoned)] == [325]
