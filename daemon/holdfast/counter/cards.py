"""What each command card does: pure functions of a turn, one table from act to function.

A number is keyed before its card, or after it and ended by DONE. Cash is the exception (docs/decisions/0006): CASH with
a number before it is that much handed over; CASH alone is exact, at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from holdfast.counter.commands import Act, Card, Mode
from holdfast.counter.state import Chore, Facts, Prompt, Refusal, Rules, State, Step, mode_of
from holdfast.domain.cart import (
    AddOpenAmount,
    DiscountLine,
    ParkCart,
    ResumeCart,
    SetQuantity,
    SetTraining,
    VoidCart,
    VoidLine,
)
from holdfast.domain.core import Command
from holdfast.domain.delivery import AbandonDelivery, FinishDelivery, OpenDelivery, SetCountedIn
from holdfast.domain.operator import Role, SignOut
from holdfast.domain.paper import Reprint
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import NO_SALE, CloseShift, MoveDrawer, OpenShift, PrintX

MAX_DIGITS = 9
"""Of a keyed number."""
PERCENT = 10_000
"""Parts per million."""
RECOUNTED = "recounted"
"""Why a count that differs is accepted from a counter without a keyboard: it was counted again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A card at a station: all that decides what it does."""

    card: Card
    state: State
    facts: Facts
    rules: Rules
    operand: str = ""
    """What a slip's code carries beside the card's: the parked cart."""

    @property
    def mode(self) -> Mode:
        return mode_of(self.state, self.facts)

    @property
    def number(self) -> int | None:
        return int(self.state.number) if self.state.number else None

    @property
    def station(self) -> str:
        return self.rules.station


def _quantity(turn: Turn, number: int) -> Command:
    if turn.mode is Mode.RECEIVE:
        return SetCountedIn(station=turn.station, qty=number)
    return SetQuantity(station=turn.station, qty=number)


def _discount(turn: Turn, number: int) -> Command:
    return DiscountLine(station=turn.station, ppm=number * PERCENT)


def _open_amount(turn: Turn, number: int) -> Command:
    return AddOpenAmount(station=turn.station, amount=number)


def _open_shift(turn: Turn, number: int) -> Command:
    return OpenShift(station=turn.station, float_in=number)


def _close_shift(turn: Turn, number: int) -> Command:
    return CloseShift(station=turn.station, counted=number, why=RECOUNTED if turn.state.recount else "")


def _move(kind: str) -> Callable[[Turn, int], Command]:
    return lambda turn, number: MoveDrawer(station=turn.station, kind=kind, amount=number)


NUMBERED: Mapping[Act, tuple[str, Callable[[Turn, int], Command]]] = {
    Act.QUANTITY: ("quantity", _quantity),
    Act.DISCOUNT: ("percent", _discount),
    Act.OPEN_AMOUNT: ("amount", _open_amount),
    Act.SHIFT_OPEN: ("count", _open_shift),
    Act.SHIFT_CLOSE: ("count", _close_shift),
    Act.PAY_IN: ("amount", _move("pay_in")),
    Act.PAY_OUT: ("amount", _move("pay_out")),
    Act.SAFE_DROP: ("amount", _move("safe_drop")),
}
"""Cards that take a number: the prompt that asks for it, and the command made of it."""

PLAIN: Mapping[Act, Callable[[Turn], Command]] = {
    Act.CASH: lambda turn: PayCash(
        station=turn.station, tendered=int(turn.state.number) if turn.state.number else None
    ),
    Act.CASH_NOTE: lambda turn: PayCash(station=turn.station, tendered=turn.card.value * 10**turn.rules.exponent),
    Act.FIXED_DISCOUNT: lambda turn: _discount(turn, turn.card.value),
    Act.VOID_LINE: lambda turn: (
        SetCountedIn(station=turn.station, qty=0) if turn.mode is Mode.RECEIVE else VoidLine(station=turn.station)
    ),
    Act.VOID_ALL: lambda turn: (
        AbandonDelivery(station=turn.station, why="voided")
        if turn.mode is Mode.RECEIVE
        else VoidCart(station=turn.station, why="voided")
    ),
    Act.PARK: lambda turn: ParkCart(station=turn.station),
    Act.RESUME: lambda turn: ResumeCart(station=turn.station, cart=turn.operand),
    Act.NO_SALE: lambda turn: MoveDrawer(station=turn.station, kind=NO_SALE),
    Act.X_REPORT: lambda turn: PrintX(station=turn.station),
    Act.REPRINT: lambda turn: Reprint(number=turn.state.document),
    Act.TRAINING: lambda turn: SetTraining(station=turn.station, on=not turn.facts.training),
    Act.SIGN_OUT: lambda turn: SignOut(station=turn.station),
}
"""Cards that are one command."""


def leave_cart(facts: Facts, station: str, why: str) -> Command:
    """Out of a sale without a posting: what has lines is parked, what has none is nothing."""
    return ParkCart(station=station, why=why) if facts.lines else VoidCart(station=station, why=why)


def play(turn: Turn) -> Step:
    """What the card does here and now. The card is allowed; whether it is permitted the domain says."""
    act = turn.card.act
    if act in NUMBERED:
        return _numbered(turn)
    if act in PLAIN:
        return turn.state.cleared(), PLAIN[act](turn)
    return _SPECIAL[act](turn)


def blocked(turn: Turn) -> bool:
    """Whether something begun leaves no room for this card: never guess what an unfinished number was for."""
    act = turn.card.act
    match turn.state.ask:
        case None:
            return bool(turn.state.number) and act not in _AFTER_NUMBER
        case Act.RECEIVE:
            return act not in {Act.NO_REFERENCE, Act.ABORT}
        case Act.PRICE_CHECK:
            return act is not Act.ABORT
        case _:
            return act not in {Act.DIGIT, Act.DONE, Act.ABORT}


_AFTER_NUMBER = NUMBERED.keys() | {Act.CASH, Act.DIGIT, Act.DONE, Act.ABORT}


def _numbered(turn: Turn) -> Step:
    need, command = NUMBERED[turn.card.act]
    if turn.number is not None:
        return turn.state.cleared(), command(turn, turn.number)
    return replace(turn.state.cleared(), ask=turn.card.act), Prompt(need)


def _digit(turn: Turn) -> Step:
    number = ("" if turn.state.ended else turn.state.number) + str(turn.card.value)
    if len(number) > MAX_DIGITS:
        return turn.state, Refusal("invalid", {"detail": f"more than {MAX_DIGITS} digits"})
    return replace(turn.state, number=number, ended=False), Prompt("number", {"number": number}, quiet=True)


def _done(turn: Turn) -> Step:
    """Confirms, ends a number, or ends a delivery: in this order."""
    state = turn.state
    if state.retry is not None:
        return state.cleared(), state.retry
    if state.ask is not None:
        return _done_asked(turn, state.ask)
    if turn.number is not None:
        return _done_number(turn, turn.number)
    if turn.mode is Mode.RECEIVE:
        return state.cleared(), FinishDelivery(station=turn.station)
    return state, Refusal("wrong_mode")


def _done_asked(turn: Turn, ask: Act) -> Step:
    if turn.number is None:
        return turn.state, Refusal("amount_missing")
    return turn.state.cleared(), NUMBERED[ask][1](turn, turn.number)


def _done_number(turn: Turn, number: int) -> Step:
    """After an exact cash sale a number is what was handed over: tell the change, for nothing else is left to do."""
    state = turn.state
    if state.ended:
        return state, Refusal("wrong_mode")
    if state.sold is None or turn.mode is not Mode.IDLE:
        return replace(state, ended=True), Prompt("number_ended", {"number": state.number}, quiet=True)
    if number < state.sold:
        return replace(state, number=""), Refusal("cash_short", {"due": state.sold})
    return state.cleared(), Prompt("change", {"due": state.sold, "change": number - state.sold})


def _abort(turn: Turn) -> Step:
    """First what is being keyed, then the mode. Nothing is posted."""
    state = turn.state.cleared()
    if turn.state.begun:
        return state, Prompt("ready" if turn.mode is Mode.IDLE else "products", quiet=True)
    if turn.mode is Mode.SALE:
        return state, leave_cart(turn.facts, turn.station, "aborted")
    if turn.mode is Mode.RECEIVE:
        return replace(state, receiving=False), Prompt("draft", quiet=True)
    return state, Prompt("ready", quiet=True)


def _sale(turn: Turn) -> Step:
    return turn.state.cleared(), Prompt("products", quiet=True)


def _card_payment(turn: Turn) -> Step:
    """No hub has a card terminal yet."""
    return turn.state, Refusal("device_absent")


def _price_check(turn: Turn) -> Step:
    return replace(turn.state.cleared(), ask=Act.PRICE_CHECK), Prompt("product")


def _receive(turn: Turn) -> Step:
    """An open delivery goes on; a new one needs its reference."""
    state = turn.state.cleared()
    if turn.facts.delivery:
        return replace(state, receiving=True), Prompt("receiving", {"delivery": turn.facts.delivery}, quiet=True)
    return replace(state, ask=Act.RECEIVE), Prompt("reference")


def _no_reference(turn: Turn) -> Step:
    if turn.state.ask is not Act.RECEIVE:
        return turn.state, Refusal("wrong_mode")
    return turn.state.cleared(), OpenDelivery(station=turn.station)


def _status(turn: Turn) -> Step:
    return turn.state, Chore.STATUS


def _tare(turn: Turn) -> Step:
    return turn.state, Chore.TARE


def _zero(turn: Turn) -> Step:
    return turn.state, Chore.ZERO


def _shutdown(turn: Turn) -> Step:
    """No command of the domain: the role is checked here."""
    state = turn.state.cleared()
    if turn.facts.role is None:
        return state, Refusal("badge_needed")
    if turn.facts.role < (turn.card.role or Role.TECHNICIAN):
        return state, Refusal("not_permitted")
    return state, Chore.SHUTDOWN


_SPECIAL: Mapping[Act, Callable[[Turn], Step]] = {
    Act.SALE: _sale,
    Act.CARD_PAYMENT: _card_payment,
    Act.PRICE_CHECK: _price_check,
    Act.RECEIVE: _receive,
    Act.NO_REFERENCE: _no_reference,
    Act.DONE: _done,
    Act.DIGIT: _digit,
    Act.STATUS: _status,
    Act.TARE: _tare,
    Act.ZERO: _zero,
    Act.ABORT: _abort,
    Act.SHUTDOWN: _shutdown,
}
