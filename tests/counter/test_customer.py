"""What the customer sees: the last line and the total, what is due and the change; nothing that is not committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from counter.till import CANDLE, HONEY, HUB, Counter, Disk, card, digits, open_counter, running
from holdfast.counter import customer as module
from holdfast.counter.customer import CustomerView
from holdfast.domain.cart import AddItem
from holdfast.domain.sale import PayCash
from holdfast_drivers.values import Columns, ScaleReading, ScaleState, Weight, WeightUnit

IDLE = (Columns("The Test Shop", ""), Columns("Welcome", ""))


class Pole:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def show(self, upper: Columns, lower: Columns) -> None:
        now = tuple(f"{line.left}|{line.right}" for line in (upper, lower))
        if self.shown[-1:] != [now]:
            self.shown.append(now)  # type: ignore[arg-type]


class Weighs:
    async def weigh(self) -> ScaleReading:
        return ScaleReading(ScaleState.STABLE_WEIGHT, Weight(252, 3, WeightUnit.KILOGRAM))

    async def tare(self) -> None:
        raise AssertionError("nobody scanned TARE")

    async def zero(self) -> None:
        raise AssertionError("nobody scanned ZERO")


@asynccontextmanager
async def watched(directory: Path, *stations: str, **more: Any) -> AsyncIterator[tuple[Counter, list[Pole]]]:
    async with open_counter(directory, *stations, **more) as till:
        poles = [Pole() for _ in till.stations]
        displays = dict(zip(till.stations, poles, strict=True))
        view = CustomerView(
            journal=till.watched, hub=HUB, displays=displays, idle=dict.fromkeys(displays, IDLE)
        )  # fmt: skip
        async with running(view.run):
            yield till, poles


async def shows(till: Counter, pole: Pole, upper: str, lower: str) -> None:
    await till.until(lambda: pole.shown[-1:] == [(upper, lower)])


async def test_line_and_total_then_due_and_change_then_the_idle_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAID_FOR", 0.3)
    async with watched(tmp_path, scale=Weighs()) as (till, (pole,)):
        await shows(till, pole, "The Test Shop|", "Welcome|")
        await till.ok(CANDLE)
        await shows(till, pole, "Candle|19.99", "Total EUR|19.99")
        await till.ok(HONEY, card("QTY"), *digits(3), card("DONE"))
        await shows(till, pole, "3 x Honey|22.47", "Total EUR|42.46")
        await till.ok("A-cheese")
        await shows(till, pole, "0.252 kg Cheese|3.25", "Total EUR|45.71")
        await till.ok(card("VOIDLINE"))
        await shows(till, pole, "3 x Honey|22.47", "Total EUR|42.46")
        await till.ok(*digits(5000), card("CASH"))
        await shows(till, pole, "Due|42.45", "Change|7.55")
        await shows(till, pole, "The Test Shop|", "Welcome|")


async def test_the_next_customer_need_not_wait_for_the_change_to_fade(tmp_path: Path) -> None:
    async with watched(tmp_path) as (till, (pole,)):
        await till.ok(CANDLE, card("CASH"))
        await shows(till, pole, "Due|20.00", "Change|0.00")
        await till.ok(HONEY)
        await shows(till, pole, "Honey|7.49", "Total EUR|7.49")


@pytest.mark.parametrize("end", ["PARK", "ABORT"])
async def test_a_cart_that_is_put_away_is_not_shown(tmp_path: Path, end: str) -> None:
    async with watched(tmp_path) as (till, (pole,)):
        await till.ok(CANDLE)
        await shows(till, pole, "Candle|19.99", "Total EUR|19.99")
        await till.ok(card(end))
        await shows(till, pole, "The Test Shop|", "Welcome|")


async def test_a_tablets_sale_is_shown_at_its_station_and_no_other(tmp_path: Path) -> None:
    async with watched(tmp_path, "till1", "till2") as (till, (one, two)):
        await shows(till, one, "The Test Shop|", "Welcome|")
        await till.journal.execute(AddItem(station="till2", code="candle"), actor="ANNA")
        await shows(till, two, "Candle|19.99", "Total EUR|19.99")
        await till.journal.execute(PayCash(station="till2", tendered=2000), actor="ANNA")
        await shows(till, two, "Due|20.00", "Change|0.00")
        assert one.shown == [("The Test Shop|", "Welcome|")]


async def test_a_cart_open_at_the_start_is_shown_at_once(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE)
        pole = Pole()
        async with running(
            CustomerView(journal=till.watched, hub=HUB, displays={"till1": pole}, idle={"till1": IDLE}).run
        ):
            await shows(till, pole, "Candle|19.99", "Total EUR|19.99")


async def test_g_4_nothing_is_shown_before_it_is_committed(tmp_path: Path) -> None:
    disk = Disk()
    async with watched(tmp_path, disk=disk) as (till, (pole,)):
        await shows(till, pole, "The Test Shop|", "Welcome|")
        disk.hold()
        ringing = asyncio.create_task(till.scan(CANDLE))
        await asyncio.sleep(0.1)
        assert pole.shown == [("The Test Shop|", "Welcome|")]
        disk.release()
        assert (await ringing).ok
        await shows(till, pole, "Candle|19.99", "Total EUR|19.99")


async def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    async with watched(tmp_path) as (till, (pole,)):
        await till.ok(CANDLE)
        await shows(till, pole, "Candle|19.99", "Total EUR|19.99")
        await till.refused("nobody knows this")
        await till.refused("A-cheese")
        await asyncio.sleep(0.05)
        assert pole.shown[-1] == ("Candle|19.99", "Total EUR|19.99")


async def test_a_busy_counter_is_looked_at_and_not_waited_for(tmp_path: Path) -> None:
    """Fifty scans as fast as they go: the last is what stays."""
    async with watched(tmp_path) as (till, (pole,)):
        for _ in range(25):
            await till.ok(CANDLE, HONEY)
        await shows(till, pole, "Honey|7.49", "Total EUR|687.00")


async def test_while_a_cart_lies_open_nothing_is_asked(tmp_path: Path) -> None:
    """Control of the waiting: a look for each commit, none in between."""
    async with watched(tmp_path) as (till, (pole,)):
        await till.ok(CANDLE)
        await shows(till, pole, "Candle|19.99", "Total EUR|19.99")
        asked = 0
        query = till.watched._journal.query

        async def counted(*args: Any) -> Any:
            nonlocal asked
            asked += 1
            return await query(*args)

        till.watched.query = counted  # type: ignore[method-assign]
        await asyncio.sleep(0.3)
        assert asked == 0
