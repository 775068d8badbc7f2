"""The state machine of a station: `(state, facts, code, now) -> (state, action)`. Pure; every code has one action."""

from __future__ import annotations

import hmac
from dataclasses import replace

import msgspec

from holdfast.counter.cards import Turn, blocked, leave_cart, play
from holdfast.counter.commands import BY_CODE, RESUME, Act, Mode, parked_cart
from holdfast.counter.state import Action, Facts, Prompt, Refusal, Rules, State, Step, Weigh, mode_of
from holdfast.domain.cart import AddItem, AddOpenAmount, CheckPrice, SetQuantity
from holdfast.domain.core import Command, Outcome
from holdfast.domain.delivery import CountIn, OpenDelivery
from holdfast.domain.limits import MAX_TEXT
from holdfast.domain.operator import SignIn
from holdfast.domain.products import MAX_CODE
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import CloseShift
from holdfast_drivers.barcodes import badges, commands, receipts
from holdfast_drivers.barcodes.badges import Badge
from holdfast_drivers.barcodes.classify import Code, CommandCode, Label, Receipt, SignedReceipt, Text, Token
from holdfast_drivers.barcodes.gs1 import ElementString
from holdfast_drivers.barcodes.gtin import Gtin

BADGE_REFUSED = "badge_refused"
CARD_DATA_MASKED = "card_data_masked"
"""What `NoteSecurity` counts."""
TIMED_OUT = "timed out"

CHECKED_PREFIXES = (commands.PREFIX, badges.PREFIX, receipts.PREFIX)
"""What begins like this and is not that code was read badly: never looked up, never shown."""


def decide(state: State, facts: Facts, code: Code, now: float, rules: Rules) -> Step:
    """What a scan means at this station, now (monotonic seconds)."""
    state = replace(state, touched=now)
    if isinstance(code, CommandCode):
        return _command(state, facts, code.code, now, rules)
    state = replace(state, second=None, retry=None)
    match code:
        case Badge():
            return state, _badge(code, rules)
        case Gtin(digits=digits) | ElementString(gtin=Gtin(digits=digits)):
            return _product(state, facts, digits, rules)
        case Text():
            return _text(state, facts, code, rules)
        case Receipt(number=number):
            return replace(state, document=number), Prompt("reprint", {"number": number}, quiet=True)
        case SignedReceipt() | Token() | Label():
            return state, Refusal("wrong_mode")


def confirm(state: State, code: Code, now: float) -> State:
    """As if this card had been scanned once already, a moment ago."""
    card = BY_CODE.get(code.code) if isinstance(code, CommandCode) else None
    return state if card is None else replace(state, second=card.act, until=now)


def settle(state: State, command: Command, outcome: Outcome) -> tuple[State, Prompt | Refusal | Weigh | None]:
    """What follows from a decided command; None: it is done, and nothing more is to be said."""
    if outcome.ok:
        return _done(state, command, outcome), None
    match command:
        case AddItem() | CountIn() if outcome.reason == "weight_missing":
            return state, Weigh(command)
        case AddItem() | SetQuantity() if outcome.reason == "quantity_confirm":
            confirmed = msgspec.structs.replace(command, confirmed=True)
            return replace(state, retry=confirmed), Prompt("quantity_confirm", outcome.data)
        case CloseShift(why="") if outcome.reason == "variance":
            return replace(state, ask=Act.SHIFT_CLOSE, recount=True), Prompt("recount")
        case SignIn() if outcome.reason == "badge_unknown":
            return state, Refusal(outcome.reason, note=BADGE_REFUSED)
        case _:
            return state, Refusal(outcome.reason, outcome.data)


def is_due(state: State, now: float, rules: Rules) -> bool:
    """Whether `time_out` may have something to do. Cheap, for it is asked every second."""
    idle = now - state.touched
    return idle >= rules.park_timeout or (idle >= rules.idle_timeout and (state.begun or state.receiving))


def time_out(state: State, facts: Facts, now: float, rules: Rules) -> tuple[State, Command | None]:
    """What happens by itself at a station nobody uses: the begun is dropped, a delivery left, at last a cart parked."""
    idle = now - state.touched
    if idle < rules.idle_timeout:
        return state, None
    state = replace(state.cleared(), receiving=False)
    if idle < rules.park_timeout:
        return state, None
    state = replace(state, touched=now)
    return state, leave_cart(facts, rules.station, TIMED_OUT) if facts.cart else None


def _command(state: State, facts: Facts, code: str, now: float, rules: Rules) -> Step:
    cart = parked_cart(code)
    card = RESUME if cart else BY_CODE.get(code)
    if card is None:
        return replace(state, second=None, retry=None), Refusal("unknown_code")
    confirmed = state.second is card.act and now <= state.until
    if card.act is not Act.ABORT:
        state = replace(state, second=None, retry=state.retry if card.act is Act.DONE else None)
    turn = Turn(card, state, facts, rules, cart or "")
    if reason := _refused(turn):
        return state, Refusal(reason)
    if card.risky and not confirmed:
        waiting = replace(state, second=card.act, until=now + rules.confirm_window)
        return waiting, Prompt("confirm", {"card": card.code})
    return play(turn)


def _refused(turn: Turn) -> str:
    """Why the card is of no use here and now; empty when it is."""
    if turn.state.stopping and turn.mode is not Mode.SALE:
        return "stopping"
    if turn.mode not in turn.card.modes or blocked(turn):
        return "wrong_mode"
    if turn.card.role is not None and _unsigned(turn.facts, turn.rules):
        return "badge_needed"
    return ""


def _unsigned(facts: Facts, rules: Rules) -> bool:
    return rules.badge_required and not facts.badge


def _badge(badge: Badge, rules: Rules) -> Action:
    """A badge whose tag is wrong was not made here, or not read whole."""
    if not hmac.compare_digest(badges.badge_tag(rules.badge_key, badge.badge_id), badge.tag):
        return Refusal("badge_unknown", note=BADGE_REFUSED)
    return SignIn(station=rules.station, badge=badge.badge_id)


def _text(state: State, facts: Facts, code: Text, rules: Rules) -> Step:
    """A house code, or the reference that is awaited. A card number goes no further than this; nor does a long text."""
    if code.text.startswith(CHECKED_PREFIXES):
        return state, Refusal("command_corrupt")
    if len(code.text) > MAX_TEXT:
        return state, Refusal("unknown_code")
    if code.has_pan:
        return state, Refusal("unknown_code", note=CARD_DATA_MASKED)
    if state.ask is Act.RECEIVE:
        return state.cleared(), OpenDelivery(station=rules.station, reference=code.text)
    if len(code.text) > MAX_CODE or not code.text.isprintable():
        return state, Refusal("unknown_code")
    return _product(state, facts, code.text, rules)


def _product(state: State, facts: Facts, code: str, rules: Rules) -> Step:
    """A product adds one; with a number before it, it is sold at that amount. An amount handed over is no price."""
    cleared, station = state.cleared(), rules.station
    if state.ask is Act.PRICE_CHECK:
        return cleared, CheckPrice(station=station, code=code)
    number = state.number if state.sold is None else ""
    receiving = mode_of(state, facts) is Mode.RECEIVE
    if reason := _product_refused(state, facts, rules, odd_number=bool(number) and receiving):
        return state, Refusal(reason)
    if receiving:
        return cleared, CountIn(station=station, code=code)
    if number:
        return cleared, AddOpenAmount(station=station, amount=int(number), code=code)
    return cleared, AddItem(station=station, code=code)


def _product_refused(state: State, facts: Facts, rules: Rules, *, odd_number: bool) -> str:
    """Why no product can be taken now; empty when it can."""
    if state.ask is not None or odd_number:
        return "wrong_mode"
    if _unsigned(facts, rules):
        return "badge_needed"
    return "stopping" if state.stopping and not facts.cart else ""


def _done(state: State, command: Command, outcome: Outcome) -> State:
    match command:
        case PayCash(tendered=None):
            return replace(state, sold=outcome.data.get("due"))
        case OpenDelivery():
            return replace(state, receiving=True)
        case _:
            return state
