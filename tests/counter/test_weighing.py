"""At the counter: what is sold by weight is weighed when it is scanned, or refused with what to do about it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from counter.till import CANDLE, Counter, card, digits, open_counter
from holdfast.counter import words
from holdfast.counter.ports import Signal
from holdfast.counter.weighing import REASONS, grams_of
from holdfast_contract import reasons
from holdfast_contract.sale import CartOpened, LineAdded, SaleCompleted
from holdfast_contract.stock import DeliveryLineSet
from holdfast_drivers.values import DeviceError, ScaleReading, ScaleState, Tri, Weight, WeightUnit

CHEESE = "A-cheese"


def kilograms(grams: int) -> ScaleReading:
    return ScaleReading(ScaleState.STABLE_WEIGHT, Weight(grams, 3, WeightUnit.KILOGRAM), Tri.NO)


class Scales:
    """A scale that says what it is told to, once each; then that it does not know."""

    def __init__(self, *says: ScaleReading) -> None:
        self.says = list(says)
        self.told: list[str] = []
        self.error: DeviceError | None = None
        self.gate: asyncio.Event | None = None

    async def weigh(self) -> ScaleReading:
        if self.gate is not None:
            await self.gate.wait()
        return self.says.pop(0) if self.says else ScaleReading(detail="timeout")

    async def tare(self) -> None:
        await self._take("tare")

    async def zero(self) -> None:
        await self._take("zero")

    async def _take(self, what: str) -> None:
        self.told.append(what)
        if self.error is not None:
            raise self.error


async def sold(till: Counter) -> list[tuple[str, int, int]]:
    return [(line.sku, line.qty, line.base) for sale in await till.facts(SaleCompleted) for line in sale.lines]


async def test_a_scan_asks_the_scale_and_sells_what_it_says(tmp_path: Path) -> None:
    async with open_counter(tmp_path, scale=Scales(kilograms(252), kilograms(1000))) as till:
        told = await till.ok(CHEESE)
        assert (told["qty"], told["amount"], told["total"]) == (252, 325, 325)
        assert (await till.ok(CANDLE))["total"] == 325 + 1999
        assert (await till.ok(CHEESE))["total"] == 325 + 1999 + 1290
        await till.ok(card("CASH"))
        assert await sold(till) == [("cheese", 252, 1000), ("candle", 1, 1), ("cheese", 1000, 1000)]
        assert [signal for _, signal in till.signals] == [Signal.COMMITTED] * 4


@pytest.mark.parametrize("state", [state for state in ScaleState if state is not ScaleState.STABLE_WEIGHT])
async def test_whatever_is_no_weight_is_refused_and_the_next_scan_goes_on(tmp_path: Path, state: ScaleState) -> None:
    async with open_counter(tmp_path, scale=Scales(ScaleReading(state), kilograms(500))) as till:
        before = till.journal.head.seq
        outcome = await till.scan(CHEESE)
        assert (outcome.ok, outcome.reason, outcome.data["sku"]) == (False, REASONS[state], "cheese")
        assert till.signals == [("till1", Signal.REFUSED)]
        assert till.journal.head.seq == before, "nothing half done"
        assert await till.facts(CartOpened) == []
        assert (await till.ok(CANDLE))["total"] == 1999
        assert (await till.ok(CHEESE))["amount"] == 645
        await till.ok(card("CASH"))


async def test_every_refusal_has_its_words_in_every_language() -> None:
    for code in (*REASONS.values(), "scale_unit", "scale_refused", "weight_missing", "quantity_weighed"):
        assert code in reasons.REASONS
        english = words.reason(code, "en")
        assert len({english, words.reason(code, "de"), words.reason(code, "fr")}) == 3
    assert set(REASONS) == set(ScaleState) - {ScaleState.STABLE_WEIGHT}


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (ScaleReading(detail="unit"), "scale_unit"),
        (ScaleReading(ScaleState.STABLE_WEIGHT, Weight(100, 2, WeightUnit.POUND)), "scale_unit"),
        (ScaleReading(ScaleState.STABLE_WEIGHT, Weight(12_505, 4, WeightUnit.KILOGRAM)), "scale_unit"),
        (ScaleReading(detail="absent"), "scale_unknown"),
    ],
)
async def test_a_weight_that_is_no_whole_grams_is_refused(tmp_path: Path, reading: ScaleReading, reason: str) -> None:
    async with open_counter(tmp_path, scale=Scales(reading)) as till:
        assert await till.refused(CHEESE) == reason
        assert await till.facts(LineAdded) == []


async def test_control_an_error_taken_for_a_weight_of_nothing_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As other drivers do, who report a scale that fails as one that bears nothing."""
    from holdfast.counter import station

    def careless(reading: ScaleReading) -> Any:
        found = grams_of(reading)
        return found if isinstance(found, int) else 1

    monkeypatch.setattr(station, "grams_of", careless)
    async with open_counter(tmp_path, scale=Scales(ScaleReading(ScaleState.WEIGHT_OVERWEIGHT))) as till:
        with pytest.raises(AssertionError):
            await till.refused(CHEESE)
        assert len(await till.facts(LineAdded)) == 1


async def test_a_station_without_a_scale_says_what_else_to_do(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        assert await till.refused(CHEESE) == "weight_missing"
        assert await till.refused(card("TARE")) == "device_absent"
        assert (await till.ok(*digits(325), card("MISC")))["amount"] == 325


async def test_the_digits_before_it_are_no_weight(tmp_path: Path) -> None:
    async with open_counter(tmp_path, scale=Scales(kilograms(252))) as till:
        assert await till.refused(*digits(500), CHEESE) == "wrong_mode"
        await till.ok(card("ABORT"))
        await till.ok(CHEESE)
        assert await till.refused(*digits(3), card("QTY")) == "quantity_weighed"
        assert (await till.ok(card("VOIDLINE")))["total"] == 0


async def test_a_price_check_needs_no_scale(tmp_path: Path) -> None:
    async with open_counter(tmp_path, scale=Scales()) as till:
        assert (await till.ok(card("PRICE"), CHEESE))["base"] == 1000


async def test_goods_come_in_over_the_scale(tmp_path: Path) -> None:
    async with open_counter(tmp_path, scale=Scales(kilograms(4000), kilograms(500))) as till:
        await till.ok(card("RECEIVE"), card("NOASN"), CHEESE, CHEESE)
        assert [line.qty for line in await till.facts(DeliveryLineSet)] == [4000, 4500]
        assert await till.refused(CHEESE) == "scale_unknown"
        assert (await till.ok(*digits(5000), card("QTY")))["qty"] == 5000
        await till.ok(card("DONE"))


async def test_scans_wait_their_turn_behind_a_weighing(tmp_path: Path) -> None:
    scale = Scales(kilograms(252))
    async with open_counter(tmp_path, scale=scale) as till:
        scale.gate = asyncio.Event()
        answers = [till.stations["till1"].offer(till.read(text)) for text in (CHEESE, CANDLE)]
        await asyncio.sleep(0.05)
        assert not any(answer.done() for answer in answers)
        scale.gate.set()
        outcomes = await asyncio.wait_for(asyncio.gather(*answers), 10)
        assert [outcome.data["sku"] for outcome in outcomes] == ["cheese", "candle"]


async def test_a_card_tares_and_another_zeroes(tmp_path: Path) -> None:
    scale = Scales()
    async with open_counter(tmp_path, scale=scale) as till:
        before = till.journal.head.seq
        await till.ok(card("TARE"), card("ZERO"))
        assert scale.told == ["tare", "zero"]
        assert [signal for _, signal in till.signals] == [Signal.COMMITTED] * 2
        assert till.journal.head.seq == before
        for error, reason in (
            (DeviceError("refused", "weight_unstable"), "scale_motion"),
            (DeviceError("refused", "no tare: stable_weight"), "scale_refused"),
            (DeviceError("timeout"), "scale_unknown"),
            (DeviceError("absent"), "scale_unknown"),
        ):
            scale.error = error
            assert await till.refused(card("TARE")) == reason


async def test_the_receipt_shows_weight_and_price_a_kilogram(tmp_path: Path) -> None:
    async with open_counter(tmp_path, scale=Scales(kilograms(252)), spool=True) as till:
        await till.ok(CHEESE, card("CASH"))
        await till.until(lambda: bool(till.paper.printed))
        text = str(till.paper.printed[0][1])
        assert "0.252 kg x 12.90/kg" in text
        assert "3.25" in text
        await till.ok(card("PRICE"), CHEESE)
        await till.until(lambda: len(till.paper.printed) > 2)
        assert "12.90/kg" in str(till.paper.printed[2][1])
