"""The table of command cards and the words: complete, unambiguous, safe to misread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counter.till import CANDLE, KEY
from holdfast.counter import words
from holdfast.counter.commands import (
    BY_CODE,
    CARDS,
    Act,
    Card,
    Mode,
    barcode_of,
    card_words,
    parked_barcode,
    parked_cart,
)
from holdfast.counter.modes import decide
from holdfast.counter.reasons import TRANSLATED
from holdfast.counter.state import Action, Facts, Refusal, Rules, State
from holdfast.domain.cart import AddItem, AddOpenAmount, CheckPrice
from holdfast.domain.delivery import CountIn, OpenDelivery
from holdfast.domain.operator import Role
from holdfast_contract.reasons import REASONS
from holdfast_drivers.barcodes.classify import CommandCode, classify
from holdfast_drivers.barcodes.commands import decode
from holdfast_drivers.barcodes.iso7064 import ALPHABET
from holdfast_drivers.values import Scan

RULES = Rules(station="till1", badge_key=KEY)
SELLING = Facts(badge="BERT", role=Role.SUPERVISOR, cart="c1", lines=2)
LOOK_UPS = (AddItem, AddOpenAmount, CheckPrice, CountIn, OpenDelivery)
"""What a text that is no card may become: a question to the catalogue, or a reference."""


def read(text: str, state: State | None = None, facts: Facts = SELLING) -> Action:
    return decide(state or State(), facts, classify(Scan(text.encode())), 0.0, RULES)[1]


def corruptions(text: str) -> set[str]:
    """Any one character changed, or two neighbours swapped."""
    changed = {text[:i] + c + text[i + 1 :] for i in range(len(text)) for c in ALPHABET}
    swapped = {text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(len(text) - 1)}
    return (changed | swapped) - {text}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.code)
def test_inv_0_4_a_corrupted_card_is_never_a_card(card: Card) -> None:
    for text in corruptions(barcode_of(card)):
        for state in (State(), State(ask=Act.RECEIVE), State(ask=Act.PRICE_CHECK), State(second=card.act, until=9.0)):
            action = read(text, state)
            assert isinstance(action, (Refusal, *LOOK_UPS)), (text, action)


def test_inv_0_4_the_check_itself_sees_a_card_without_a_check_character() -> None:
    unchecked = [decide(State(), SELLING, CommandCode(text), 0.0, RULES)[1] for text in corruptions("D1")]
    assert any(not isinstance(action, (Refusal, *LOOK_UPS)) for action in unchecked)


def test_every_card_can_be_printed_and_no_code_is_there_twice() -> None:
    assert len(BY_CODE) == len(CARDS)
    assert [decode(barcode_of(card)) for card in CARDS] == [card.code for card in CARDS]
    assert list(card_words()) == [card.code for card in CARDS]
    assert card_words("de")["VOIDLINE"] == "Letzte Zeile streichen"


def test_every_act_has_a_card_and_does_something() -> None:
    assert {card.act for card in CARDS} == set(Act)
    for card in CARDS:
        for facts in (Facts(), SELLING, replace(SELLING, cart=""), replace(SELLING, cart="", delivery="d1")):
            read(barcode_of(card), facts=facts)


def test_parked_slips_name_their_cart() -> None:
    for number in range(1, 500):
        text = parked_barcode(f"c{number}")
        assert "*" not in text
        assert parked_cart(decode(text)) == f"c{number}"
    assert parked_cart("RESUME") is None
    assert parked_cart("RECEIVE") is None


def test_every_refusal_is_told_in_every_language() -> None:
    assert set(TRANSLATED) == set(REASONS)
    for code in REASONS:
        assert len({words.reason(code, language) for language in ("en", "de", "fr")}) == 3
    assert "technician" in words.reason("never_heard_of", "de")


def test_nobody_signed_in_can_do_no_more_than_look() -> None:
    allowed = {card.act for card in CARDS if not isinstance(read(barcode_of(card), facts=Facts()), Refusal)}
    assert allowed <= {Act.DIGIT, Act.ABORT, Act.STATUS, Act.PRICE_CHECK, Act.SIGN_OUT}
    assert isinstance(read(CANDLE, facts=Facts()), Refusal)


def test_cards_say_where_they_may_be_used() -> None:
    receiving = Facts(badge="BERT", role=Role.SUPERVISOR, delivery="d1")
    for card in CARDS:
        if Mode.RECEIVE not in card.modes:
            assert read(barcode_of(card), facts=receiving) == Refusal("wrong_mode")


def test_a_number_has_an_end() -> None:
    state, facts = State(), SELLING
    for _ in range(9):
        state, action = decide(state, facts, CommandCode("D9"), 0.0, RULES)
    state, action = decide(state, facts, CommandCode("D9"), 0.0, RULES)
    assert action == Refusal("invalid", {"detail": "more than 9 digits"})
    assert state.number == "9" * 9


@pytest.mark.parametrize(
    "text", ["HFP1.secret", "HFM1.secret", "HFR1.body", "HFL0001", "HFA7"], ids=lambda text: text[:4]
)
def test_tokens_and_labels_of_later_slices_are_refused_and_not_shown(text: str) -> None:
    assert read(text) == Refusal("wrong_mode")
