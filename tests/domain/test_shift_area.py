"""The drawer: opening, moving money by hand, X, and the blind close."""

from __future__ import annotations

import msgspec
import pytest

from domain import checks
from domain.kit import CASHIER, POLICY, STATIONS, SUPERVISOR, TECHNICIAN, Hub, shop
from holdfast.domain import shift
from holdfast.domain.cart import AddItem, ParkCart, SetTraining
from holdfast.domain.core import Command
from holdfast.domain.operator import IssueBadge
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import CloseShift, MoveDrawer, OpenShift, PrintX
from holdfast_contract.hub import HubCreated
from holdfast_contract.ledger import Post
from holdfast_contract.sale import CartAbandoned, SaleCompleted
from holdfast_contract.shift import ShiftClosed, ShiftOpened, Totals

ONE, TWO = STATIONS


@pytest.fixture
def hub() -> Hub:
    return shop()


def sell(hub: Hub, code: str = "mug") -> None:
    hub.ok(AddItem(station=ONE, code=code))
    hub.ok(PayCash(station=ONE))


def test_a_shift_belongs_to_the_badge_that_opened_it(hub: Hub) -> None:
    opened = hub.facts(ShiftOpened)[0]
    assert (opened.subject, opened.actor) == ("s1", CASHIER)
    assert opened.body.posts == (Post("drawer:float", 10_000), Post("drawer:safe", -10_000))
    assert hub.refused(OpenShift(station=TWO, float_in=0), SUPERVISOR) == "shift_open"


def test_opening_needs_a_badge_and_a_count() -> None:
    hub = Hub()
    assert hub.refused(OpenShift(station=ONE, float_in=100), "nobody") == "badge_needed"
    assert hub.refused(OpenShift(station=ONE, float_in=-1), TECHNICIAN) == "invalid"
    assert hub.ok(OpenShift(station=ONE, float_in=0), TECHNICIAN) == {"shift": "s1", "amount": 0}


@pytest.mark.parametrize(
    ("kind", "actor", "posts"),
    [
        ("pay_in", CASHIER, (Post("tender:cash", 50), Post("drawer:payin", -50))),
        ("pay_out", SUPERVISOR, (Post("drawer:payout", 50), Post("tender:cash", -50))),
        ("safe_drop", CASHIER, (Post("drawer:safe", 50), Post("tender:cash", -50))),
        ("no_sale", SUPERVISOR, ()),
    ],
)
def test_inv_4_7_the_drawer_opens_for_a_journaled_reason(hub: Hub, kind: str, actor: str, posts: object) -> None:
    command = MoveDrawer(station=ONE, kind=kind, amount=50, why="coins")
    if actor == SUPERVISOR:
        assert hub.refused(command) == "not_permitted"
    hub.ok(command, actor)
    fact = hub.facts()[-1]
    assert (fact.body.posts, fact.body.why) == (posts, "coins")
    assert hub.rows("SELECT kind, ref FROM spool") == [("drawer", fact.seq)]


@pytest.mark.parametrize(
    ("kind", "amount", "reason"),
    [
        ("pay_out", 10_001, "drawer_short"),
        ("safe_drop", 10_001, "drawer_short"),
        ("pay_in", 0, "invalid"),
        ("pay_out", -5, "invalid"),
        ("gift", 5, "invalid"),
    ],
)
def test_money_that_cannot_move(hub: Hub, kind: str, amount: int, reason: str) -> None:
    assert hub.refused(MoveDrawer(station=ONE, kind=kind, amount=amount), SUPERVISOR) == reason


@pytest.mark.parametrize(
    "command",
    [MoveDrawer(station=ONE, kind="pay_in", amount=5), PrintX(station=ONE), CloseShift(station=ONE, counted=0)],
    ids=lambda command: type(command).__name__,
)
def test_without_a_shift_there_is_no_money(hub: Hub, command: Command) -> None:
    hub.ok(CloseShift(station=ONE, counted=10_000))
    assert hub.refused(command, SUPERVISOR) == "shift_closed"


def test_inv_4_4_x_shows_what_a_z_would_fix_and_changes_nothing(hub: Hub) -> None:
    sell(hub)
    hub.ok(MoveDrawer(station=ONE, kind="pay_in", amount=500))
    seq = hub.unit.seq
    job = hub.ok(PrintX(station=ONE))["job"]
    assert hub.unit.seq == seq
    kind, ref, extra = hub.rows("SELECT kind, ref, extra FROM spool WHERE job = ?", job)[0]
    told = msgspec.msgpack.decode(extra)
    assert (kind, ref, told["shift"], told["expected"]) == ("x_report", seq, 1, hub.cash())
    assert msgspec.convert(told["totals"], Totals) == shift.totals(hub.unit, 1)


def test_inv_4_4_closing_empties_the_drawer_and_books_the_difference(hub: Hub) -> None:
    sell(hub)
    sell(hub, "honey")
    hub.ok(MoveDrawer(station=ONE, kind="safe_drop", amount=2000))
    expected = 10_000 + 1290 + 750 - 2000
    head = hub.unit.head
    told = hub.ok(CloseShift(station=ONE, counted=expected - 30))
    assert told | {"job": 0} == {
        "number": "BER-1-Z000001", "expected": expected, "counted": expected - 30, "total": 2039, "job": 0,
    }  # fmt: skip
    closed = hub.facts(ShiftClosed)[0]
    assert closed.body.head == head
    assert closed.body.totals.groups == (
        checks.TaxGroup("S", 70_000, 700, 49),
        checks.TaxGroup("S", 190_000, 1084, 206),
    )
    assert (closed.body.totals.cash_sales, closed.body.totals.rounding) == (2040, 1)
    accounts = dict(hub.rows("SELECT account, amount FROM account"))
    assert (accounts["tender:cash"], accounts["drawer:float"], accounts["drawer:over_short"]) == (0, 0, 30)
    assert accounts["drawer:safe"] == -10_000 + 2000 + expected - 30
    assert hub.rows("SELECT kind, ref FROM spool ORDER BY job DESC LIMIT 1") == [("z_report", closed.seq)]
    assert hub.rows("SELECT z, expected, counted, grand_total FROM shift") == [(1, expected, expected - 30, 2039)]


@pytest.mark.parametrize("side", [1, -1])
def test_a_difference_needs_a_reason_and_then_a_supervisor(hub: Hub, side: int) -> None:
    small, large = POLICY.over_short_reason, POLICY.over_short_supervisor
    outcome = hub.do(CloseShift(station=ONE, counted=10_000 + side * (small + 1)))
    assert (outcome.reason, outcome.data) == ("variance", {"needs": "reason"})
    counted = 10_000 + side * (large + 1)
    assert hub.refused(CloseShift(station=ONE, counted=counted, why="a note stuck")) == "not_permitted"
    assert hub.refused(CloseShift(station=ONE, counted=counted), SUPERVISOR) == "variance"
    assert hub.ok(CloseShift(station=ONE, counted=counted, why="a note stuck"), SUPERVISOR)["expected"] == 10_000


@pytest.mark.parametrize("over", [POLICY.over_short_reason, -POLICY.over_short_reason])
def test_a_small_difference_needs_nothing(hub: Hub, over: int) -> None:
    hub.ok(CloseShift(station=ONE, counted=10_000 + over))


def test_another_cashier_does_not_close_it(hub: Hub) -> None:
    hub.ok(IssueBadge(badge="carl", name="Carl", role="cashier"), SUPERVISOR)
    assert hub.refused(CloseShift(station=ONE, counted=10_000), "carl") == "not_permitted"
    assert hub.refused(CloseShift(station=ONE, counted=10_000), "nobody") == "badge_needed"
    hub.ok(CloseShift(station=ONE, counted=10_000), SUPERVISOR)


def test_parked_carts_end_with_the_shift_and_are_in_its_totals(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="mug"))
    hub.ok(ParkCart(station=ONE))
    hub.ok(SetTraining(station=TWO, on=True))
    hub.ok(AddItem(station=TWO, code="mug"))
    assert hub.refused(CloseShift(station=ONE, counted=10_000)) == "cart_open"
    hub.ok(ParkCart(station=TWO))
    hub.ok(CloseShift(station=ONE, counted=10_000))
    assert [fact.subject for fact in hub.facts(CartAbandoned)] == ["c1", "c2"]
    totals = hub.facts(ShiftClosed)[0].body.totals
    assert (totals.voids, totals.voided_amount, totals.training) == (1, 1290, 0)
    assert hub.rows("SELECT * FROM cart") == []


def test_g_12_a_station_in_training_touches_no_drawer(hub: Hub) -> None:
    hub.ok(SetTraining(station=ONE, on=True))
    for command in (
        MoveDrawer(station=ONE, kind="pay_in", amount=5),
        CloseShift(station=ONE, counted=10_000),
        OpenShift(station=ONE, float_in=0),
    ):
        assert hub.refused(command, SUPERVISOR) == "training_on"


def test_g_12_training_is_only_counted(hub: Hub) -> None:
    hub.ok(SetTraining(station=ONE, on=True))
    sell(hub)
    hub.ok(CloseShift(station=TWO, counted=10_000))
    totals = hub.facts(ShiftClosed)[0].body.totals
    assert totals == Totals(0, 0, (), 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 10_000)


def test_inv_4_5_grand_totals_chain_over_shifts(hub: Hub) -> None:
    for _ in range(3):
        sell(hub)
        hub.ok(CloseShift(station=ONE, counted=hub.cash()))
        hub.ok(OpenShift(station=ONE, float_in=100))
    assert [fact.body.grand_total for fact in hub.facts(ShiftClosed)] == [1290, 2580, 3870]
    assert [fact.body.number for fact in hub.facts(ShiftClosed)] == [1, 2, 3]


def test_inv_12_1_a_new_incarnation_begins_every_series_and_keeps_the_money(hub: Hub) -> None:
    sell(hub)
    hub.ok(CloseShift(station=ONE, counted=hub.cash()))
    hub.ok(OpenShift(station=ONE, float_in=500))
    sell(hub)
    hub.emit("hub-1", HubCreated(genesis=b"", prior_inc=1))
    sell(hub)
    hub.ok(CloseShift(station=ONE, counted=hub.cash()))
    assert [fact.body.number for fact in hub.facts(SaleCompleted)] == [1, 2, 1]
    closings = hub.facts(ShiftClosed)
    assert [(fact.body.number, fact.subject, fact.body.grand_total) for fact in closings] == [
        (1, "s1", 1290),
        (1, "s2", 3870),
    ]
    assert hub.projector.digest(hub.db) == hub.rebuilt_digest()
