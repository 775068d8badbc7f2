"""Each invariant on a busy day, and on the same day broken: a check that cannot fail proves nothing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from domain import checks
from domain.kit import CASHIER, SHOP, STATIONS, SUPERVISOR, Hub, import_rows, product, shop
from holdfast.domain.cart import (
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
from holdfast.domain.catalogue import ChangePrice
from holdfast.domain.delivery import CountIn, FinishDelivery, OpenDelivery
from holdfast.domain.inventory import CountStock
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import CloseShift, MoveDrawer, OpenShift
from holdfast_contract.body import Body
from holdfast_contract.ledger import CASH, Move, Place, Post
from holdfast_contract.sale import LineChanged, SaleCompleted, TaxGroup
from holdfast_contract.shift import DrawerMoved, ShiftClosed
from holdfast_contract.stock import DiscrepancyOpened, StockReceived

ONE, TWO = STATIONS


@pytest.fixture
def day() -> Hub:
    """Two shifts with everything in them, the second still open with a cart in it."""
    hub = shop(stock=5)
    _sell(hub, ONE, "candle", "candle", "honey", tendered=10_000)
    _bargains(hub)
    _odd_hours(hub)
    _goods(hub)
    hub.ok(CloseShift(station=ONE, counted=hub.cash() - 150))
    hub.day += 1
    hub.ok(OpenShift(station=TWO, float_in=5_000), SUPERVISOR)
    _sell(hub, TWO, "mug")
    hub.ok(AddItem(station=ONE, code="honey"))
    for check in checks.CHECKS:
        check(hub)
    return hub


def _sell(hub: Hub, station: str, *codes: str, tendered: int | None = None) -> None:
    for code in codes:
        hub.ok(AddItem(station=station, code=code))
    hub.ok(PayCash(station=station, tendered=tendered))


def _bargains(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="A-honey"))
    hub.ok(DiscountLine(station=ONE, ppm=150_000))
    hub.ok(SetQuantity(station=ONE, qty=3))
    hub.ok(AddOpenAmount(station=ONE, amount=333))
    hub.ok(AddItem(station=ONE, code="mug"))
    hub.ok(OverridePrice(station=ONE, price=1000, why="chipped"), SUPERVISOR)
    hub.ok(AddItem(station=ONE, code="print"))
    hub.ok(VoidLine(station=ONE))
    hub.ok(ChangePrice(sku="honey", price=799), SUPERVISOR)
    hub.ok(import_rows(*SHOP[1:], product("soap", 450)), SUPERVISOR)
    hub.ok(PayCash(station=ONE))


def _odd_hours(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="mug"))
    hub.ok(ParkCart(station=ONE))
    hub.ok(ResumeCart(station=TWO))
    hub.ok(VoidCart(station=TWO), SUPERVISOR)
    hub.ok(SetTraining(station=TWO, on=True))
    _sell(hub, TWO, "mug", "honey", tendered=5_000)
    hub.ok(SetTraining(station=TWO, on=False))
    hub.ok(MoveDrawer(station=ONE, kind="pay_in", amount=700))
    hub.ok(MoveDrawer(station=ONE, kind="pay_out", amount=300), SUPERVISOR)
    hub.ok(MoveDrawer(station=ONE, kind="safe_drop", amount=900))
    hub.ok(MoveDrawer(station=ONE, kind="no_sale"), SUPERVISOR)
    hub.ok(AddItem(station=ONE, code="mug"))
    hub.ok(ParkCart(station=ONE))


def _goods(hub: Hub) -> None:
    hub.ok(AddItem(station=TWO, code="mug", qty=9))
    hub.ok(PayCash(station=TWO))
    hub.ok(OpenDelivery(station=TWO, reference="ASN 7"))
    hub.ok(CountIn(station=TWO, code="soap", qty=12))
    hub.ok(FinishDelivery(station=TWO))
    hub.ok(CountStock(sku="candle", counted=2, as_of=hub.unit.seq, reason="lost"), SUPERVISOR)


def fails(check: Callable[[Hub], None], hub: Hub, broken: str | Body, subject: str = "c98") -> None:
    """The check must find what a broken projection (SQL) or a broken handler (an event) would leave behind."""
    if isinstance(broken, str):
        hub.db.execute(broken)
    else:
        hub.emit(subject, broken)
    with pytest.raises(AssertionError):
        check(hub)


def last(hub: Hub, **changes: object) -> SaleCompleted:
    """The last sale, as a broken handler might have written it: the next number, and `changes`."""
    sale = hub.facts(SaleCompleted)[-1].body
    forged: SaleCompleted = msgspec.structs.replace(sale, **{"number": sale.number + 1} | changes)
    return forged


def test_g_2_rebuild_gives_the_same_state(day: Hub) -> None:
    fails(checks.g_2_rebuild, day, "UPDATE cart_line SET price = price + 1")


def test_g_5_stock_is_double_entry(day: Hub) -> None:
    fails(checks.g_5_double_entry_stock, day, "UPDATE balance SET qty = qty + 1 WHERE sku = 'mug' AND place = 1")


def test_g_6_every_document_balances(day: Hub) -> None:
    fails(checks.g_6_double_entry_money, day, DrawerMoved(kind="pay_in", amount=5, posts=(Post(CASH, 5),)), "s2")


@pytest.mark.parametrize(
    "broken", [{"moves": (Move("mug", Place.SELLABLE, Place.CUSTOMER, 1),)}, {"posts": (Post(CASH, 0),)}]
)
def test_g_12_training_changes_nothing(day: Hub, broken: dict[str, object]) -> None:
    fails(checks.g_12_training_leaves_no_mark, day, last(day, **{"moves": (), "posts": (), "training": True} | broken))


def test_g_12_training_is_counted(day: Hub) -> None:
    fails(checks.g_12_training_leaves_no_mark, day, "UPDATE shift SET training = training + 1")


def test_inv_1_1_lines_and_groups_sum_to_the_document(day: Hub) -> None:
    fails(checks.inv_1_1_lines_and_groups_sum_to_the_document, day, last(day, payable=1291))


def test_inv_1_1_tax_is_the_rate_of_its_group(day: Hub) -> None:
    wrong = last(day, groups=(TaxGroup("S", 190_000, 1083, 207),))
    fails(checks.inv_1_1_lines_and_groups_sum_to_the_document, day, wrong)


def test_inv_1_2_a_discount_stays_within_its_line(day: Hub) -> None:
    fails(checks.inv_1_2_discounts_stay_within_the_line, day, LineChanged(line=1, qty=1, discount=800, ppm=0), "c1")


def test_inv_1_4_a_line_keeps_its_price(day: Hub) -> None:
    lines = tuple(msgspec.structs.replace(line, price=line.price + 1) for line in last(day).lines)
    cart = day.facts(SaleCompleted)[-1].subject
    fails(checks.inv_1_4_lines_keep_their_price, day, last(day, lines=lines), cart.replace("c", "c9"))


def test_inv_2_1_on_hand_is_what_came_less_what_went(day: Hub) -> None:
    stray = (Move("mug", Place.SELLABLE, Place.WASTE, 2),)
    fails(checks.inv_2_1_on_hand_is_what_came_less_what_went, day, last(day, moves=stray), "c99")


def test_inv_2_2_below_zero_needs_a_discrepancy(day: Hub) -> None:
    thief = StockReceived(moves=(Move("soap", Place.SELLABLE, Place.SUPPLIER, 1000),))
    fails(checks.inv_2_2_below_zero_only_with_a_discrepancy, day, thief, "d99")


def test_inv_2_2_a_discrepancy_needs_a_balance_below_zero(day: Hub) -> None:
    fails(checks.inv_2_2_below_zero_only_with_a_discrepancy, day, DiscrepancyOpened(balance=1), "soap")


def test_inv_2_2_no_other_bucket_is_ever_below_zero(day: Hub) -> None:
    taken = StockReceived(moves=(Move("soap", Place.QC, Place.SELLABLE, 1),))
    fails(checks.inv_2_2_below_zero_only_with_a_discrepancy, day, taken, "d99")


def test_inv_3_1_a_cart_completes_at_most_once(day: Hub) -> None:
    day.db.execute("DELETE FROM cart_ended")
    fails(checks.inv_3_1_a_cart_completes_once, day, last(day), day.facts(SaleCompleted)[-1].subject)


def test_inv_3_1_a_number_is_one_document(day: Hub) -> None:
    fails(checks.inv_3_1_a_cart_completes_once, day, "UPDATE document SET seq = seq + 1 WHERE series = 'R'")


@pytest.mark.parametrize("wrong", [{"rounding": 3}, {"change": -5, "tendered": 1285}, {"tendered": 1295}])
def test_inv_3_2_tenders_meet_the_payable(day: Hub, wrong: dict[str, int]) -> None:
    fails(checks.inv_3_2_tenders_meet_the_payable, day, last(day, **wrong), "c99")


@pytest.mark.parametrize("moves", [(), (Move("mug", Place.SELLABLE, Place.CUSTOMER, 2),)])
def test_inv_3_3_stock_leaves_with_the_sale(day: Hub, moves: tuple[Move, ...]) -> None:
    fails(checks.inv_3_3_stock_leaves_with_the_sale, day, last(day, moves=moves), "c99")


def test_inv_4_4_the_drawer_is_the_fold_of_its_movements(day: Hub) -> None:
    fails(checks.inv_4_4_expected_and_closings_are_folds, day, DrawerMoved(kind="pay_in", amount=5), "s2")


def test_inv_4_4_running_totals_are_the_fold_of_their_documents(day: Hub) -> None:
    fails(checks.inv_4_4_expected_and_closings_are_folds, day, "UPDATE shift_group SET tax = tax + 1")


@pytest.mark.parametrize("wrong", [{"expected": 1}, {"number": 3}, {"totals": None}])
def test_inv_4_4_a_closing_fixes_the_fold(day: Hub, wrong: dict[str, object]) -> None:
    day.ok(VoidCart(station=ONE), SUPERVISOR)
    day.ok(CloseShift(station=ONE, counted=day.cash()), SUPERVISOR)
    checks.inv_4_4_expected_and_closings_are_folds(day)
    fact = day.facts(ShiftClosed)[-1]
    first = day.facts(ShiftClosed)[0]
    change = {"totals": first.body.totals} if "totals" in wrong else wrong
    _rewrite(day, fact.seq, msgspec.structs.replace(fact.body, **change))
    with pytest.raises(AssertionError):
        checks.inv_4_4_expected_and_closings_are_folds(day)


def test_inv_4_5_grand_totals_chain(day: Hub) -> None:
    fact = day.facts(ShiftClosed)[-1]
    _rewrite(day, fact.seq, msgspec.structs.replace(fact.body, grand_total=fact.body.grand_total - 1))
    with pytest.raises(AssertionError):
        checks.inv_4_5_grand_total_chains(day)


@pytest.mark.parametrize("step", [0, 2])
def test_inv_12_1_numbers_run_without_gap_or_repeat(day: Hub, step: int) -> None:
    number = last(day).number - 1 + step
    day.db.execute("DELETE FROM document WHERE series = 'R' AND number >= ?", (number,))
    fails(checks.inv_12_1_numbers_run_without_gap, day, last(day, number=number), "c99")


def _rewrite(hub: Hub, seq: int, body: Body) -> None:
    """Put another body into a stored record."""
    record = msgspec.msgpack.decode(hub.rows("SELECT record FROM journal WHERE seq = ?", seq)[0][0])
    record[-1] = body
    hub.db.execute("UPDATE journal SET record = ? WHERE seq = ?", (msgspec.msgpack.encode(record), seq))


def test_the_day_has_everything_in_it(day: Hub) -> None:
    kinds = {type(fact.body).__name__ for fact in day.facts()}
    assert kinds >= {
        "BadgeIssued", "CatalogueImported", "PriceChanged", "StockReceived", "StockAdjusted", "DiscrepancyOpened",
        "LineAdded", "LineChanged", "CartParked", "CartResumed", "CartAbandoned", "SaleCompleted", "TrainingSet",
        "ShiftOpened", "ShiftClosed", "DrawerMoved", "DeliveryOpened", "DeliveryLineSet",
    }  # fmt: skip
    assert {fact.actor for fact in day.facts(ShiftClosed)} == {CASHIER}
