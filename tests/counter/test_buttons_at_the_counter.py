"""A button stands for a command card: the same road, the same rights, the same record; held for long, scanned twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

from counter.till import CANDLE, badge, card, open_counter
from holdfast.config import parse
from holdfast.counter.commands import button_problems
from holdfast.counter.ports import Signal
from holdfast.counter.station import QUEUE
from holdfast_contract.sale import CartAbandoned, SaleCompleted

HUB = {"id": "pier-7", "code": "P7", "name": "Pier 7"}


async def test_inv_0_1_a_press_is_one_command_like_the_cards_scan(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE)
        till.signals.clear()
        outcome = await till.stations["till1"].press("CASH")
        assert outcome.ok
        assert till.signals == [("till1", Signal.COMMITTED)]
        (sale,) = [command for command, _, _ in till.watched.asked if type(command).__name__ == "PayCash"]
        assert sale.station == "till1"  # type: ignore[attr-defined]  # PayCash has one
        assert len(await till.facts(SaleCompleted)) == 1


async def test_two_quick_presses_are_two(tmp_path: Path) -> None:
    """Nothing bounces: the line is debounced. A scanner's repeat would be swallowed."""
    async with open_counter(tmp_path) as till:
        station = till.stations["till1"]
        outcomes = await asyncio.gather(station.press("D1"), station.press("D1"))
        assert [outcome.data["number"] for outcome in outcomes] == ["1", "11"]


async def test_holding_a_button_is_both_scans_of_a_risky_card_and_its_rights_stay(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE)
        station = till.stations["till1"]
        assert (await station.press("VOIDSALE")).data["need"] == "confirm"
        await till.ok(card("D1"), card("ABORT"))
        assert (await station.press("VOIDSALE", held=True)).reason == "not_permitted"
        await till.ok(badge("BERT"))
        assert (await station.press("VOIDSALE", held=True)).ok
        assert len(await till.facts(CartAbandoned)) == 1
        await till.ok(card("SIGNOUT"))
        assert (await station.press("SHUTDOWN", held=True)).reason == "badge_needed"
        assert till.stops == []


async def test_a_hold_shuts_the_hub_down_for_whoever_may(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        station = till.stations["till1"]
        await till.ok(badge("BERT"))
        assert (await station.press("SHUTDOWN")).data["need"] == "confirm"
        assert till.stops == []
        assert (await station.press("SHUTDOWN", held=True)).ok
        assert till.stops == ["card at till1"]


async def test_a_hold_confirms_its_own_card_alone(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE)
        station = till.stations["till1"]
        await station.press("CASH", held=True)
        assert (await station.press("SHUTDOWN")).data["need"] == "confirm"


async def test_presses_wait_their_turn_and_only_so_many(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        station = till.stations["till1"]
        presses = [station.press("D1") for _ in range(QUEUE + 1)]
        assert (await presses[-1]).reason == "queue_full"
        assert (await presses[0]).data["number"] == "1"


def test_a_button_for_a_card_there_is_not_is_named_with_its_path() -> None:
    buttons = [
        {"pin": 10, "station": "t1", "card": "CASH", "hold": "SHUTDOWN"},
        {"pin": 9, "station": "t1", "card": "VOID", "hold": "OFF"},
    ]
    config = parse({"hub": HUB, "stations": [{"name": "t1"}], "panel": {"buttons": buttons}})
    assert [path for path, _ in button_problems(config)] == ["panel.buttons[1].card", "panel.buttons[1].hold"]
    assert button_problems(parse({"hub": HUB})) == []
