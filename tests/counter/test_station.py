"""The shell of a station: one outcome a scan, in order, never before the commit; full queues, bounce, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from counter.till import CANDLE, HONEY, Disk, badge, card, digits, open_counter
from holdfast.counter.ports import Signal
from holdfast.counter.repeats import Repeats
from holdfast.counter.station import QUEUE
from holdfast.domain.sale import PayCash
from holdfast.journal.writer import StorageFailedError
from holdfast_contract.hub import SecurityNoted
from holdfast_contract.sale import CartAbandoned, CartParked, SaleCompleted
from holdfast_drivers.values import Scan

PAN = "4111111111111111"


async def a_while() -> None:
    """Long enough for anything that would go wrong to do so."""
    for _ in range(40):
        await asyncio.sleep(0.001)


def on_disk(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.glob("journal.db*"))


async def test_g_4_no_light_paper_or_drawer_before_the_commit(tmp_path: Path) -> None:
    disk = Disk()
    async with open_counter(tmp_path, spool=True, disk=disk) as till:
        await till.ok(CANDLE)
        till.signals.clear()
        disk.hold()
        answer = till.stations["till1"].offer(till.read(card("CASH")))
        await a_while()
        assert (till.signals, till.paper.printed, till.paper.kicks, answer.done()) == ([], [], 0, False)
        disk.release()
        assert (await answer).ok
        await till.until_spool("kicked", "printed")
        assert till.signals == [("till1", Signal.COMMITTED)]
        assert (len(till.paper.printed), till.paper.kicks) == (1, 1)


async def test_g_4_a_commit_that_fails_is_red_and_nothing_moves(tmp_path: Path) -> None:
    disk = Disk()
    async with open_counter(tmp_path, disk=disk) as till:
        await till.ok(CANDLE)
        till.signals.clear()
        disk.broken = True
        assert await till.refused(card("CASH")) == "storage_failed"
        assert till.signals == [("till1", Signal.REFUSED)]
        assert (till.paper.printed, till.paper.kicks) == ([], 0)
        with pytest.raises(StorageFailedError):
            await till.journal.failed


def one_light_each(signals: Sequence[tuple[str, Signal]], scans: int) -> bool:
    return len(signals) == scans


async def test_inv_0_1_a_failure_after_the_light_does_not_light_again(tmp_path: Path) -> None:
    disk = Disk()
    async with open_counter(tmp_path, disk=disk) as till:
        disk.broken = True
        assert await till.refused("no such thing") == "storage_failed"
        assert one_light_each(till.signals, 1)
        assert await till.refused(PAN) == "unknown_code"
        assert one_light_each(till.signals, 2)
        assert not one_light_each([*till.signals, till.signals[0]], 2)


async def test_scans_wait_their_turn_and_the_sixty_fifth_is_refused(tmp_path: Path) -> None:
    disk = Disk()
    async with open_counter(tmp_path, disk=disk, print_slips=False) as till:
        station = till.stations["till1"]
        disk.hold()
        running = station.offer(till.read(CANDLE))
        await asyncio.sleep(0.02)
        waiting = [station.offer(till.read(HONEY if n % 2 else CANDLE)) for n in range(QUEUE)]
        assert (await station.scan(till.read(CANDLE))).reason == "queue_full"
        assert till.signals == [("till1", Signal.REFUSED)]
        assert station.refused_full == 1
        disk.release()
        outcomes = await asyncio.gather(running, *waiting)
        assert [outcome.data["sku"] for outcome in outcomes] == ["candle", *["candle", "honey"] * (QUEUE // 2)]


async def test_a_bounce_is_one_read_and_a_second_unit_is_not(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        station = till.stations["till1"]
        for at in (5.0, 5.1, 5.2, 5.29, 5.42):
            await station.scan(Scan(CANDLE.encode(), at=at))
        assert [lines.qty for lines in await till.facts() if hasattr(lines, "qty")] == [1, 2]
        assert len(till.signals) == 2


async def test_a_bounce_never_confirms_a_risky_card(tmp_path: Path) -> None:
    async with open_counter(tmp_path, signed_in="BERT") as till:
        await till.ok(CANDLE)
        for at in (50.0, 50.1):
            await till.stations["till1"].scan(Scan(card("VOIDSALE").encode(), at=at))
        assert await till.facts(CartAbandoned) == []


@pytest.mark.parametrize(
    ("reads", "digit", "repeats"),
    [
        ([("a", 0.0), ("a", 0.9)], False, [False, True]),
        ([("a", 0.0), ("a", 1.0)], False, [False, False]),
        ([("a", 0.0), ("b", 0.3), ("a", 0.6)], False, [False, False, True]),
        ([("1", 0.0), ("2", 0.3), ("1", 0.6)], True, [False, False, False]),
        ([("1", 0.0), ("1", 0.3)], True, [False, True]),
        ([("a", 0.0), ("a", 0.9), ("a", 1.8)], False, [False, True, True]),
    ],
)
def test_what_is_a_repeat(reads: list[tuple[str, float]], digit: bool, repeats: list[bool]) -> None:
    known = Repeats(1.0)
    assert [known.is_repeat(Scan(text.encode(), at=at), digit=digit) for text, at in reads] == repeats


def test_repeats_are_off_at_zero() -> None:
    known = Repeats(0.0)
    assert not any(known.is_repeat(Scan(b"a", at=1.0), digit=False) for _ in range(3))


async def test_g_11_a_card_number_is_refused_counted_and_nowhere_to_be_found(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        assert await till.refused(PAN) == "unknown_code"
        assert await till.refused(card("RECEIVE"), f"ref {PAN}") == "unknown_code"
        assert [note.kind for note in await till.facts(SecurityNoted)] == ["card_data_masked"] * 2
        assert PAN not in repr(till.told)
        await till.ok("A reference")
    stored = on_disk(tmp_path)
    assert b"A reference" in stored
    assert PAN.encode() not in stored


async def test_a_refusal_is_printed_with_words_and_code_but_not_over_and_over(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        for _ in range(5):
            await till.refused("nothing")
        await till.until_spool("printed")
        till.clock.advance(6)
        await till.refused("nothing")
        await till.until_spool("printed", "printed")
        words = [block.text for block in till.paper.printed[0][1].blocks]  # type: ignore[union-attr]  # texts alone
        assert words == [
            "Refused",
            "This code is not in the catalogue. Add the product, or use MISC with an amount.",
            "[unknown_code]",
        ]


async def test_with_a_screen_no_slip_is_printed(tmp_path: Path) -> None:
    async with open_counter(tmp_path, print_slips=False) as till:
        await till.refused("nothing")
        await till.ok(card("PRICE"), CANDLE)
        assert await till.spool() == []
        assert [item["kind"] for item in till.told] == ["refusal", "prompt", "outcome"]


async def test_the_feed_tells_every_outcome_once(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.scan(CANDLE, "nothing", card("QTY"))
        assert [(item["kind"], item.get("do"), item.get("reason"), item.get("need")) for item in till.told] == [
            ("outcome", "cart.add_item", "", None),
            ("refusal", None, "unknown_code", None),
            ("prompt", None, None, "quantity"),
        ]
        assert till.told[1]["words"].startswith("This code is not")


async def test_stopping_parks_the_cart_and_refuses_what_is_new(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE)
        await till.stations["till1"].quiesce(1)
        assert [cart.why for cart in await till.facts(CartParked)] == ["stopping"]
        for text in (CANDLE, card("SALE"), card("RECEIVE"), card("SHIFTOPEN"), card("RESUME")):
            assert await till.refused(text) == "stopping"


async def test_stopping_waits_for_an_amount_being_keyed_to_become_a_sale(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, *digits(2000))
        stopping = asyncio.create_task(till.stations["till1"].quiesce(20))
        await asyncio.sleep(0.02)
        assert not stopping.done()
        assert (await till.ok(card("CASH")))["change"] == 0
        await stopping
        assert len(await till.facts(SaleCompleted)) == 1
        assert await till.facts(CartParked) == []


async def test_stopping_does_not_wait_for_a_number_that_can_buy_nothing(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(*digits(2000))
        await asyncio.wait_for(till.stations["till1"].quiesce(100), 20)


async def test_stopping_does_not_wait_for_ever(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, *digits(2000))
        await till.stations["till1"].quiesce(0.2)
        assert len(await till.facts(CartParked)) == 1


async def test_a_tablet_that_changes_the_cart_is_seen_at_once(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE)
        await till.journal.execute(PayCash(station="till1"), actor="BERT")
        assert await till.refused(card("QTY"), *digits(2), card("DONE")) == "cart_not_open"
        assert (await till.ok(card("RECEIVE")))["need"] == "reference"


async def test_nobody_is_left_signed_in_at_the_other_station(tmp_path: Path) -> None:
    async with open_counter(tmp_path, "till1", "till2", signed_in="") as till:
        await till.ok(badge("ANNA"))
        assert await till.refused(CANDLE, at="till2") == "badge_needed"


async def test_a_read_that_was_cut_short_is_refused_though_its_check_character_fits(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE)
        torn = Scan(card("CASH").encode(), terminated=False, at=till.clock.monotonic())
        outcome = await till.stations["till1"].scan(torn)
        assert (outcome.ok, outcome.reason) == (False, "command_corrupt")
        assert await till.journal.query("SELECT count(*) FROM document") == [(0,)]
