"""Closing a shift: the blind count, the Z report, and the money's way to the safe."""

from __future__ import annotations

from holdfast.domain import cart, jobs, limits, money, numbers, sale, shift
from holdfast.domain.cart_state import Cart
from holdfast.domain.core import Area, Outcome, Refused, UnitOfWork
from holdfast.domain.operator import Role, refuse_training, require
from holdfast.domain.rows import scalar
from holdfast.domain.shift import CloseShift
from holdfast_contract.ledger import CASH, FLOAT, OVER_SHORT, SAFE, Post
from holdfast_contract.shift import ShiftClosed

PARKED = "shift closed"
"""Why a cart still parked at the end of a shift is abandoned."""


def close_shift(uow: UnitOfWork, command: CloseShift) -> Outcome:
    refuse_training(uow, command.station)
    number = shift.require_open(uow)
    _require_responsible(uow, number)
    counted = limits.amount(command.counted)
    why = limits.text(command.why)
    _end_carts(uow)
    taken, float_left = money.drawer(uow)
    expected = taken + float_left
    _guard_variance(uow, counted - expected, why)
    closed = _closed(uow, number, counted=counted, taken=taken, float_left=float_left, why=why)
    seq = uow.emit(f"s{number}", closed)
    return Outcome(
        data={
            "number": numbers.printed(uow.policy.code, uow.inc, numbers.CLOSINGS, closed.number),
            "expected": expected,
            "counted": counted,
            "total": closed.totals.gross,
            "job": uow.enqueue(jobs.Z_REPORT, seq),
        }
    )


def _closed(uow: UnitOfWork, number: int, *, counted: int, taken: int, float_left: int, why: str) -> ShiftClosed:
    totals = shift.totals(uow, number)
    expected = taken + float_left
    return ShiftClosed(
        number=sale.next_number(uow, numbers.CLOSINGS),
        day=uow.day,
        totals=totals,
        expected=expected,
        counted=counted,
        grand_total=scalar(uow, "SELECT max(grand_total) FROM shift") + totals.gross,
        head=uow.head,
        why=why,
        posts=money.balanced(
            Post(SAFE, counted), Post(CASH, -taken), Post(FLOAT, -float_left), Post(OVER_SHORT, expected - counted)
        ),
    )


def _require_responsible(uow: UnitOfWork, number: int) -> None:
    row = uow.one("SELECT badge FROM shift WHERE shift = ?", number)
    require(uow, Role.CASHIER if row == (uow.actor,) else Role.SUPERVISOR)


def _end_carts(uow: UnitOfWork) -> None:
    """Parked carts end with the shift. Raises Refused(`cart_open`) for one at a station."""
    for subject, training, parked in uow.all("SELECT cart, training, parked FROM cart ORDER BY cart"):
        if not parked:
            raise Refused("cart_open", cart=f"c{subject}")
        cart.abandon(uow, Cart(subject, bool(training)), PARKED)


def _guard_variance(uow: UnitOfWork, over: int, why: str) -> None:
    """Tells what is needed, not what was expected: the count stays blind. Raises Refused(`variance`)."""
    if abs(over) > uow.policy.over_short_reason and not why:
        raise Refused("variance", needs="reason")
    if abs(over) > uow.policy.over_short_supervisor:
        require(uow, Role.SUPERVISOR)


AREA = Area(name="closing", handlers={CloseShift: close_shift})
