"""The drawer and its shifts: opening, money moved by hand, and the totals a shift has run up so far."""

from __future__ import annotations

from holdfast.domain import jobs, limits, money
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork, Urgency
from holdfast.domain.operator import Role, refuse_training, require
from holdfast.domain.rows import insert, scalar
from holdfast_contract.ledger import CASH, FLOAT, PAY_IN, PAY_OUT, SAFE, Post
from holdfast_contract.sale import CartAbandoned, SaleCompleted, TaxGroup
from holdfast_contract.shift import DrawerMoved, ShiftClosed, ShiftOpened, Totals

TABLES = """
CREATE TABLE IF NOT EXISTS shift (
    shift INTEGER PRIMARY KEY, badge TEXT NOT NULL, opened INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0,
    float_in INTEGER NOT NULL, documents INTEGER NOT NULL DEFAULT 0, gross INTEGER NOT NULL DEFAULT 0,
    cash_sales INTEGER NOT NULL DEFAULT 0, rounding INTEGER NOT NULL DEFAULT 0, pay_in INTEGER NOT NULL DEFAULT 0,
    pay_out INTEGER NOT NULL DEFAULT 0, safe_drop INTEGER NOT NULL DEFAULT 0, no_sale INTEGER NOT NULL DEFAULT 0,
    voids INTEGER NOT NULL DEFAULT 0, voided_amount INTEGER NOT NULL DEFAULT 0, training INTEGER NOT NULL DEFAULT 0,
    first INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0, z INTEGER NOT NULL DEFAULT 0,
    expected INTEGER NOT NULL DEFAULT 0, counted INTEGER NOT NULL DEFAULT 0, grand_total INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS shift_group (
    shift INTEGER, category TEXT, ppm INTEGER, net INTEGER NOT NULL, tax INTEGER NOT NULL,
    PRIMARY KEY (shift, category, ppm)) WITHOUT ROWID;
"""
"""`opened` and `closed` are UTC milliseconds. While a shift is open `closed` is 0, and `z` and what follows it too."""


class OpenShift(Command, frozen=True, tag="shift.open", kw_only=True):
    """Start selling with `float_in` minor units counted in the drawer. The actor's badge is responsible."""

    station: str
    float_in: int


class CloseShift(Command, frozen=True, tag="shift.close", kw_only=True):
    """Close with a blind count of the drawer. By the badge that opened it, or a supervisor. Handled in closing.py."""

    urgency = Urgency.ALWAYS
    station: str
    counted: int
    why: str = ""


class MoveDrawer(Command, frozen=True, tag="shift.move_drawer", kw_only=True):
    """`pay_in`, `pay_out`, `safe_drop` of `amount`, or `no_sale` with 0. pay_out and no_sale: role supervisor."""

    station: str
    kind: str
    amount: int = 0
    why: str = ""


class PrintX(Command, frozen=True, tag="shift.print_x", kw_only=True):
    """Print the totals so far. Changes nothing."""

    station: str


LAST = "SELECT coalesce(max(shift), 0) FROM shift"
NO_SALE = "no_sale"
WAYS = {"pay_in": (PAY_IN, CASH), "pay_out": (CASH, PAY_OUT), "safe_drop": (CASH, SAFE)}
"""Account the money leaves and account it reaches, by kind of movement."""
NEEDS_SUPERVISOR = ("pay_out", NO_SALE)


def find_open(tables: Tables) -> int | None:
    """Number of the open shift."""
    row = tables.one("SELECT shift, z FROM shift ORDER BY shift DESC LIMIT 1")
    return None if row is None or row[1] else int(row[0])


def require_open(tables: Tables) -> int:
    """Number of the open shift. Raises Refused(`shift_closed`)."""
    shift = find_open(tables)
    if shift is None:
        raise Refused("shift_closed")
    return shift


def totals(tables: Tables, shift: int) -> Totals:
    """What a shift has run up so far."""
    row = tables.one(
        "SELECT documents, gross, cash_sales, rounding, pay_in, pay_out, safe_drop, no_sale, voids, voided_amount,"
        " training, first, last, float_in FROM shift WHERE shift = ?",
        shift,
    )
    assert row is not None
    documents, gross, *rest = row
    groups = tables.all("SELECT category, ppm, net, tax FROM shift_group WHERE shift = ? ORDER BY category, ppm", shift)
    return Totals(documents, gross, tuple(TaxGroup(*group) for group in groups), *rest)


def open_shift(uow: UnitOfWork, command: OpenShift) -> Outcome:
    refuse_training(uow, command.station)
    require(uow, Role.CASHIER)
    if find_open(uow) is not None:
        raise Refused("shift_open")
    float_in = limits.amount(command.float_in)
    shift = f"s{scalar(uow, LAST) + 1}"
    posts = money.balanced(Post(FLOAT, float_in), Post(SAFE, -float_in))
    uow.emit(shift, ShiftOpened(float_in=float_in, day=uow.day, posts=posts))
    return Outcome(data={"shift": shift, "amount": float_in})


def move_drawer(uow: UnitOfWork, command: MoveDrawer) -> Outcome:
    if command.kind != NO_SALE and command.kind not in WAYS:
        raise Refused("invalid", detail=f"a movement is one of {', '.join(WAYS)}, {NO_SALE}")
    refuse_training(uow, command.station)
    if command.kind in NEEDS_SUPERVISOR:
        require(uow, Role.SUPERVISOR)
    shift = require_open(uow)
    amount, posts = (0, ()) if command.kind == NO_SALE else _moving(uow, command)
    moved = DrawerMoved(kind=command.kind, amount=amount, why=limits.text(command.why), posts=posts)
    seq = uow.emit(f"s{shift}", moved)
    return Outcome(data={"amount": amount, "job": uow.enqueue(jobs.DRAWER, seq)})


def _moving(uow: UnitOfWork, command: MoveDrawer) -> tuple[int, tuple[Post, ...]]:
    source, target = WAYS[command.kind]
    amount = limits.amount(command.amount, least=1)
    if source == CASH and amount > sum(money.drawer(uow)):
        raise Refused("drawer_short")
    return amount, money.balanced(Post(target, amount), Post(source, -amount))


def print_x(uow: UnitOfWork, _: PrintX) -> Outcome:
    shift = require_open(uow)
    job = uow.enqueue(
        jobs.X_REPORT, uow.next_seq - 1,
        shift=shift, totals=totals(uow, shift), expected=sum(money.drawer(uow)),
    )  # fmt: skip
    return Outcome(data={"job": job})


def _opened(tables: Tables, event: Event, body: ShiftOpened) -> None:
    tables.run(
        "INSERT INTO shift (shift, badge, opened, float_in) VALUES (?, ?, ?, ?)",
        int(event.subject[1:]), event.actor, event.at, body.float_in,
    )  # fmt: skip


def _moved(tables: Tables, event: Event, body: DrawerMoved) -> None:
    by_kind = [body.amount if kind == body.kind else 0 for kind in WAYS]
    tables.run(
        "UPDATE shift SET pay_in = pay_in + ?, pay_out = pay_out + ?, safe_drop = safe_drop + ?, no_sale = no_sale + ?"
        " WHERE shift = ?",
        *by_kind, int(body.kind == NO_SALE), int(event.subject[1:]),
    )  # fmt: skip


def _sold(tables: Tables, _: Event, body: SaleCompleted) -> None:
    if body.training:
        tables.run("UPDATE shift SET training = training + 1 WHERE shift = ?", body.shift)
        return
    tables.run(
        "UPDATE shift SET documents = documents + 1, gross = gross + ?1, cash_sales = cash_sales + ?2,"
        " rounding = rounding + ?3, first = CASE first WHEN 0 THEN ?4 ELSE first END, last = ?4 WHERE shift = ?5",
        body.payable, body.payable + body.rounding, body.rounding, body.number, body.shift,
    )  # fmt: skip
    insert(
        tables, "INSERT INTO shift_group", [(body.shift, g.category, g.ppm, g.net, g.tax) for g in body.groups],
        "ON CONFLICT DO UPDATE SET net = net + excluded.net, tax = tax + excluded.tax",
    )  # fmt: skip


def _voided(tables: Tables, _: Event, body: CartAbandoned) -> None:
    if not body.training:
        tables.run(
            "UPDATE shift SET voids = voids + 1, voided_amount = voided_amount + ? WHERE shift ="
            " (SELECT max(shift) FROM shift)",
            body.total,
        )


def _closed(tables: Tables, event: Event, body: ShiftClosed) -> None:
    tables.run(
        "UPDATE shift SET closed = ?, z = ?, expected = ?, counted = ?, grand_total = ? WHERE shift = ?",
        event.at, body.number, body.expected, body.counted, body.grand_total, int(event.subject[1:]),
    )  # fmt: skip


AREA = Area(
    name="shift",
    tables=TABLES,
    handlers={OpenShift: open_shift, MoveDrawer: move_drawer, PrintX: print_x},
    projections={
        ShiftOpened: _opened,
        DrawerMoved: _moved,
        SaleCompleted: _sold,
        CartAbandoned: _voided,
        ShiftClosed: _closed,
    },
)
