"""Goods coming in and being counted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kit import SHOP, STATIONS, SUPERVISOR, Hub, import_rows, product, shop
from holdfast.domain.cart import AddItem, SetTraining
from holdfast.domain.delivery import (
    LINES_PER_EVENT,
    AbandonDelivery,
    CountIn,
    FinishDelivery,
    OpenDelivery,
    ReceiveStock,
    SetCountedIn,
)
from holdfast.domain.inventory import CountStock
from holdfast.domain.limits import MAX_QTY
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import CloseShift, OpenShift
from holdfast_contract.ledger import Move, Place
from holdfast_contract.stock import DeliveryAbandoned, DiscrepancyClosed, StockAdjusted, StockReceived

ONE, TWO = STATIONS


@pytest.fixture
def hub() -> Hub:
    return shop(stock=0)


def sellable(hub: Hub, sku: str = "mug") -> int:
    return sum(qty for (qty,) in hub.rows("SELECT qty FROM balance WHERE sku = ? AND place = 1", sku))


def sell(hub: Hub, qty: int = 1, sku: str = "mug") -> None:
    hub.ok(AddItem(station=ONE, code=sku, qty=qty))
    hub.ok(PayCash(station=ONE))


def count(hub: Hub, counted: int, as_of: int, **more: str) -> CountStock:
    return CountStock(sku="mug", counted=counted, as_of=as_of, **{"reason": "miscounted"} | more)


def test_a_delivery_counted_at_the_counter(hub: Hub) -> None:
    assert hub.ok(OpenDelivery(station=ONE, reference="ASN 4711")) == {"delivery": "d1"}
    hub.ok(CountIn(station=ONE, code="mug"))
    assert hub.ok(CountIn(station=ONE, code="A-mug", qty=4))["qty"] == 5
    hub.ok(CountIn(station=ONE, code="honey"))
    assert hub.ok(SetCountedIn(station=ONE, qty=12)) == {"delivery": "d1", "sku": "honey", "name": "Honey", "qty": 12}
    hub.ok(CountIn(station=ONE, code="candle"))
    assert hub.ok(SetCountedIn(station=ONE, qty=0))["qty"] == 0
    assert hub.ok(FinishDelivery(station=ONE)) == {"delivery": "d1", "lines": 2, "qty": 17}
    assert hub.facts()[-1].body == StockReceived(
        reference="ASN 4711",
        moves=(Move("mug", Place.SUPPLIER, Place.SELLABLE, 5), Move("honey", Place.SUPPLIER, Place.SELLABLE, 12)),
    )
    assert (sellable(hub), sellable(hub, "honey")) == (5, 12)
    assert hub.rows("SELECT state FROM delivery") == [("received",)]
    assert hub.rows("SELECT * FROM delivery_line") == []


def test_the_line_counted_last_is_the_one_set(hub: Hub) -> None:
    hub.ok(OpenDelivery(station=ONE))
    for code in ("mug", "honey", "mug"):
        hub.ok(CountIn(station=ONE, code=code))
    assert hub.ok(SetCountedIn(station=ONE, qty=9))["sku"] == "mug"


def test_two_stations_receive_apart(hub: Hub) -> None:
    hub.ok(OpenDelivery(station=ONE))
    assert hub.refused(OpenDelivery(station=ONE)) == "delivery_open"
    assert hub.ok(OpenDelivery(station=TWO))["delivery"] == "d2"
    hub.ok(CountIn(station=TWO, code="mug"))
    assert hub.refused(FinishDelivery(station=ONE)) == "delivery_empty"
    assert hub.refused(SetCountedIn(station=ONE, qty=1)) == "line_unknown"
    hub.ok(AbandonDelivery(station=TWO, why="wrong van"))
    assert hub.facts(DeliveryAbandoned)[0].subject == "d2"
    assert sellable(hub) == 0
    assert hub.refused(CountIn(station=TWO, code="mug")) == "delivery_not_open"
    assert hub.ok(OpenDelivery(station=TWO))["delivery"] == "d3"


@pytest.mark.parametrize(
    ("code", "qty", "reason"),
    [
        ("none", 1, "unknown_code"),
        ("TWIN", 1, "ambiguous_code"),
        ("misc", 1, "invalid"),
        ("mug", 0, "invalid"),
        ("mug", -2, "invalid"),
        ("mug", MAX_QTY + 1, "invalid"),
    ],
)
def test_what_cannot_be_counted_in(hub: Hub, code: str, qty: int, reason: str) -> None:
    hub.ok(OpenDelivery(station=ONE))
    assert hub.refused(CountIn(station=ONE, code=code, qty=qty)) == reason


def test_g_12_nothing_is_received_in_training(hub: Hub) -> None:
    hub.ok(SetTraining(station=ONE, on=True))
    assert hub.refused(OpenDelivery(station=ONE)) == "training_on"


def test_a_bulk_receipt_is_split_into_events(hub: Hub) -> None:
    many = [product(f"p{n:04}", 5) for n in range(LINES_PER_EVENT + 1)]
    hub.ok(import_rows(*many), SUPERVISOR)
    told = hub.ok(ReceiveStock(lines=tuple((row.sku, 2) for row in many), reference="first fill"))
    assert told == {"delivery": "d1", "lines": LINES_PER_EVENT + 1, "qty": 2 * LINES_PER_EVENT + 2}
    assert [len(fact.body.moves) for fact in hub.facts(StockReceived)] == [LINES_PER_EVENT, 1]
    assert sellable(hub, "p0500") == 2
    assert hub.ok(ReceiveStock(lines=(("p0000", 1),)))["delivery"] == "d2"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [((), "delivery_empty"), ((("tea", 1),), "unknown_code"), ((("misc", 1),), "invalid"), ((("mug", 0),), "invalid")],
)
def test_a_bulk_receipt_that_is_not_one(hub: Hub, lines: tuple[tuple[str, int], ...], reason: str) -> None:
    assert hub.refused(ReceiveStock(lines=lines)) == reason


def test_inv_2_2_goods_that_arrive_late_close_the_discrepancy(hub: Hub) -> None:
    sell(hub, 3)
    hub.ok(ReceiveStock(lines=(("mug", 2),)))
    assert hub.facts(DiscrepancyClosed) == []
    hub.ok(ReceiveStock(lines=(("mug", 2),)))
    assert [fact.subject for fact in hub.facts(DiscrepancyClosed)] == ["mug"]
    assert hub.rows("SELECT * FROM discrepancy") == []


def test_a_count_books_the_difference(hub: Hub) -> None:
    hub.ok(ReceiveStock(lines=(("mug", 10),)))
    assert hub.refused(count(hub, 8, hub.unit.seq)) == "not_permitted"
    told = hub.ok(count(hub, 8, hub.unit.seq, reason="stolen"), SUPERVISOR)
    assert told == {"sku": "mug", "counted": 8, "variance": -2}
    assert hub.facts(StockAdjusted)[0].body.moves == (Move("mug", Place.SELLABLE, Place.ADJUSTMENT, 2),)
    assert sellable(hub) == 8


def test_a_count_that_agrees_is_anybodys_and_still_a_fact(hub: Hub) -> None:
    assert hub.ok(count(hub, 0, hub.unit.seq, reason="cycle_count"))["variance"] == 0
    assert hub.facts(StockAdjusted)[0].body.moves == ()


@given(
    counted=st.integers(0, 12), before=st.integers(0, 4), after=st.lists(st.integers(-4, 4).filter(bool), max_size=4)
)
@settings(max_examples=40, deadline=None)
def test_inv_2_5_a_late_count_is_the_same_count(counted: int, before: int, after: list[int]) -> None:
    results = []
    for late in (False, True):
        hub = shop(stock=6)
        if before:
            sell(hub, before)
        command = count(hub, counted, hub.unit.seq)
        if not late:
            hub.ok(command, SUPERVISOR)
        for step in after:
            if step > 0:
                sell(hub, step)
            else:
                hub.ok(ReceiveStock(lines=(("mug", -step),)))
        if late:
            hub.ok(command, SUPERVISOR)
        results.append((sellable(hub), hub.rows("SELECT sku FROM discrepancy")))
    assert results[0] == results[1]
    assert results[0][0] == counted - sum(after)


def test_inv_2_5_control_a_count_against_todays_balance_is_another(hub: Hub) -> None:
    hub.ok(ReceiveStock(lines=(("mug", 10),)))
    as_of = hub.unit.seq
    sell(hub, 4)
    assert hub.do(count(hub, 10, as_of), SUPERVISOR).data["variance"] == 0
    assert hub.do(count(hub, 10, hub.unit.seq), SUPERVISOR).data["variance"] == 4


def test_inv_2_6_two_counts_never_book_one_difference_twice(hub: Hub) -> None:
    hub.ok(ReceiveStock(lines=(("mug", 10),)))
    first = hub.unit.seq
    sell(hub)
    second = hub.unit.seq
    hub.ok(count(hub, 7, second), SUPERVISOR)
    assert hub.refused(count(hub, 8, first), SUPERVISOR) == "count_superseded"
    assert hub.refused(count(hub, 7, second), SUPERVISOR) == "count_superseded"
    assert sellable(hub) == 7


def test_a_count_older_than_the_last_shift_is_refused(hub: Hub) -> None:
    hub.ok(ReceiveStock(lines=(("honey", 3),)))
    as_of = hub.unit.seq
    for kept in (1, 0):
        hub.ok(count(hub, 0, as_of if kept else hub.unit.seq))
        hub.ok(CloseShift(station=ONE, counted=hub.cash()))
        hub.ok(OpenShift(station=ONE, float_in=0))
        assert hub.rows("SELECT count(*) FROM moved") == [(kept,)]
    assert hub.refused(count(hub, 0, as_of), SUPERVISOR) == "count_expired"


@pytest.mark.parametrize(
    "wrong",
    [
        {"counted": -1},
        {"counted": MAX_QTY + 1},
        {"as_of": -1},
        {"as_of": 10**6},
        {"reason": "because"},
        {"sku": "misc"},
    ],
)
def test_a_count_that_makes_no_sense(hub: Hub, wrong: dict[str, object]) -> None:
    fields = {"sku": "mug", "counted": 1, "as_of": hub.unit.seq, "reason": "found"} | wrong
    assert hub.refused(CountStock(**fields), SUPERVISOR) == "invalid"


def test_a_delisted_product_can_still_be_counted(hub: Hub) -> None:
    hub.ok(import_rows(*(row for row in SHOP if row.sku != "mug")), SUPERVISOR)
    assert hub.ok(count(hub, 0, hub.unit.seq))["variance"] == 0
    assert hub.refused(CountStock(sku="tea", counted=0, as_of=1, reason="found")) == "unknown_code"
