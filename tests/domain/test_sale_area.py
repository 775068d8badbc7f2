"""Completing a cart."""

from __future__ import annotations

import pytest

from domain import checks
from domain.kit import CASHIER, STATIONS, SUPERVISOR, Hub, shop
from holdfast.domain import numbers, sale
from holdfast.domain.cart import AddItem, AddOpenAmount, DiscountLine, ParkCart, SetTraining, VoidCart
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import CloseShift, OpenShift
from holdfast_contract.ledger import Move, Place, Post
from holdfast_contract.sale import SaleCompleted, SaleLine, TaxGroup

ONE, TWO = STATIONS
STATEMENTS = 20
"""SQL statements the closing command of a three-line cart may cost."""


@pytest.fixture
def hub() -> Hub:
    return shop()


def fill(hub: Hub, *codes: str, station: str = ONE) -> None:
    for code in codes:
        hub.ok(AddItem(station=station, code=code))


def test_a_sale_is_one_event(hub: Hub) -> None:
    fill(hub, "candle", "honey", "mug", "candle")
    before = hub.unit.seq
    assert hub.ok(PayCash(station=ONE, tendered=7000)) == {
        "cart": "c1", "number": "BER-1-R000001", "total": 6037, "due": 6035, "change": 965, "lines": 4, "job": 2,
    }  # fmt: skip
    assert hub.unit.seq == before + 1
    assert hub.facts()[-1].body == SaleCompleted(
        number=1, day=hub.day, shift=1, station=ONE, payable=6037, tendered=7000, change=965, rounding=-2,
        lines=(SaleLine("candle", 1, 1999, 0), SaleLine("honey", 1, 749, 1), SaleLine("mug", 1, 1290, 0),
               SaleLine("candle", 1, 1999, 0)),
        groups=(TaxGroup("S", 190_000, 4444, 844), TaxGroup("S", 70_000, 700, 49)),
        moves=tuple(Move(sku, Place.SELLABLE, Place.CUSTOMER, qty)
                    for sku, qty in (("candle", 2), ("honey", 1), ("mug", 1))),
        posts=(Post("tender:cash", 6035), Post("revenue:house", -3360), Post("revenue:clay", -1084),
               Post("revenue:bee", -700), Post("tax:S:190000", -844), Post("tax:S:70000", -49), Post("rounding", 2)),
    )  # fmt: skip


def test_g_4_drawer_and_receipt_are_queued_with_the_sale(hub: Hub) -> None:
    fill(hub, "mug")
    job = hub.ok(PayCash(station=ONE))["job"]
    seq = hub.facts(SaleCompleted)[0].seq
    assert hub.rows("SELECT job, kind, ref FROM spool") == [(job - 1, "drawer", seq), (job, "receipt", seq)]


@pytest.mark.parametrize(
    ("step", "amount", "due"),
    [(5, 1, 0), (5, 2, 0), (5, 3, 5), (5, 1290, 1290), (10, 5, 10), (1, 3, 3), (50, 75, 100), (50, 74, 50)],
)
def test_inv_3_2_cash_is_rounded_half_away_from_zero(step: int, amount: int, due: int) -> None:
    hub = shop(cash_rounding=step)
    hub.ok(AddOpenAmount(station=ONE, amount=amount))
    told = hub.ok(PayCash(station=ONE))
    assert (told["total"], told["due"], told["change"]) == (amount, due, 0)
    checks.inv_3_2_tenders_meet_the_payable(hub)
    checks.g_6_double_entry_money(hub)


def test_too_little_cash_says_what_is_due(hub: Hub) -> None:
    fill(hub, "mug")
    outcome = hub.do(PayCash(station=ONE, tendered=1289))
    assert (outcome.reason, outcome.data) == ("cash_short", {"due": 1290})
    assert hub.refused(PayCash(station=ONE, tendered=-1)) == "invalid"
    assert hub.ok(PayCash(station=ONE, tendered=1290))["change"] == 0


def test_inv_3_1_a_completed_cart_answers_with_its_first_number(hub: Hub) -> None:
    fill(hub, "mug")
    hub.ok(PayCash(station=ONE, cart="c1"))
    fill(hub, "honey")
    again = hub.ok(PayCash(station=TWO, cart="c1", tendered=5))
    assert again == {"cart": "c1", "number": "BER-1-R000001", "total": 1290}
    assert len(hub.facts(SaleCompleted)) == 1
    assert hub.refused(PayCash(station=ONE, cart="c1x")) == "cart_not_open"
    assert hub.refused(PayCash(station=TWO, cart="c2")) == "cart_not_open"
    assert hub.ok(PayCash(station=ONE, cart="c2"))["number"] == "BER-1-R000002"
    assert hub.refused(PayCash(station=ONE)) == "cart_not_open"


def test_inv_3_1_a_parked_or_voided_cart_is_not_paid(hub: Hub) -> None:
    fill(hub, "mug")
    hub.ok(ParkCart(station=ONE))
    assert hub.refused(PayCash(station=ONE, cart="c1")) == "cart_not_open"
    fill(hub, "mug")
    hub.ok(VoidCart(station=ONE), SUPERVISOR)
    assert hub.refused(PayCash(station=ONE, cart="c2")) == "cart_not_open"


def test_a_gift_is_still_a_numbered_receipt(hub: Hub) -> None:
    fill(hub, "mug")
    hub.ok(DiscountLine(station=ONE, ppm=1_000_000), SUPERVISOR)
    told = hub.ok(PayCash(station=ONE))
    assert (told["total"], told["number"]) == (0, "BER-1-R000001")
    body = hub.facts(SaleCompleted)[0].body
    assert body.posts == ()
    assert body.moves[0].qty == 1


def test_inv_2_2_selling_beyond_stock_opens_one_discrepancy() -> None:
    hub = shop(stock=1)
    for _ in range(3):
        fill(hub, "mug")
        hub.ok(PayCash(station=ONE))
    assert [(fact.subject, fact.body.balance) for fact in hub.facts(checks.DiscrepancyOpened)] == [("mug", -1)]
    checks.inv_2_2_below_zero_only_with_a_discrepancy(hub)


def test_inv_3_3_what_has_a_keyed_amount_has_no_stock(hub: Hub) -> None:
    hub.ok(AddOpenAmount(station=ONE, amount=500))
    hub.ok(PayCash(station=ONE))
    assert hub.facts(SaleCompleted)[0].body.moves == ()


def test_g_12_a_training_sale_is_of_another_series_and_touches_nothing(hub: Hub) -> None:
    hub.ok(SetTraining(station=ONE, on=True))
    before = hub.rows("SELECT * FROM balance"), hub.rows("SELECT * FROM account")
    fill(hub, "mug")
    fill(hub, "honey", station=TWO)
    told = hub.ok(PayCash(station=ONE, tendered=2000))
    assert (told["number"], told["change"]) == ("BER-1-T000001", 710)
    assert before == (hub.rows("SELECT * FROM balance"), hub.rows("SELECT * FROM account"))
    assert hub.rows("SELECT kind FROM spool") == [("receipt",)]
    assert hub.ok(PayCash(station=TWO))["number"] == "BER-1-R000001"
    assert hub.ok(PayCash(station=ONE, cart="c1"))["number"] == "BER-1-T000001"


def test_a_sale_at_the_end_of_a_shift_belongs_to_it(hub: Hub) -> None:
    fill(hub, "mug")
    assert hub.refused(CloseShift(station=ONE, counted=10_000)) == "cart_open"
    hub.ok(PayCash(station=ONE))
    hub.ok(CloseShift(station=ONE, counted=hub.cash()))
    hub.ok(OpenShift(station=ONE, float_in=0))
    fill(hub, "mug")
    hub.ok(PayCash(station=ONE))
    assert [(fact.body.number, fact.body.shift) for fact in hub.facts(SaleCompleted)] == [(1, 1), (2, 2)]


def test_closing_a_cart_costs_few_statements(hub: Hub) -> None:
    fill(hub, "candle", "honey", "mug")
    seen: list[str] = []
    hub.db.set_trace_callback(seen.append)
    hub.ok(PayCash(station=ONE))
    hub.db.set_trace_callback(None)
    assert len(seen) <= STATEMENTS, "\n".join(seen)


def test_g_6_control_a_document_that_does_not_balance_is_a_fault(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sale.pricing, "net_of", lambda gross, _: gross + 1)
    monkeypatch.setattr(sale, "revenue", lambda _: "revenue:house")
    fill(hub, "mug")
    hub.ok(PayCash(station=ONE))
    with pytest.raises(AssertionError):
        checks.inv_1_1_lines_and_groups_sum_to_the_document(hub)
    with pytest.raises(ValueError, match="balance"):
        sale.money.balanced(Post("tender:cash", 5), Post("revenue:house", -4))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BER-1-R000042", ("R", 42)),
        ("ber1z1234567", ("Z", 1_234_567)),
        (" BER-1-T000001 ", ("T", 1)),
        ("BER-2-R000042", None),
        ("BEN-1-R000042", None),
        ("BER-1-X000042", None),
        ("BER-1-R42", None),
        ("BER-1-R00004²", None),
        ("", None),
    ],
)
def test_numbers_as_printed(text: str, found: tuple[str, int] | None) -> None:
    assert numbers.parse(text, "BER", 1) == found
    if found:
        assert numbers.parse(numbers.printed("BER", 1, *found), "BER", 1) == found


def test_anybody_at_the_till_may_take_money(hub: Hub) -> None:
    """A lost badge must not keep a customer waiting."""
    fill(hub, "mug")
    assert hub.do(PayCash(station=ONE), "till-1").ok
    assert hub.facts(SaleCompleted)[0].actor != CASHIER
