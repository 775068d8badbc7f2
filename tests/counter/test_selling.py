"""A day at the till by scanner alone, over the real domain and journal."""

from __future__ import annotations

from pathlib import Path

from counter.till import CANDLE, HONEY, Counter, badge, card, digits, journal_at, open_counter, running
from holdfast.counter.commands import parked_barcode
from holdfast.counter.ports import Signal
from holdfast.domain.operator import RevokeBadge
from holdfast.runtime.clock import ManualClock
from holdfast_contract.hub import SecurityNoted
from holdfast_contract.sale import CartAbandoned, CartParked, SaleCompleted
from holdfast_contract.shift import DrawerMoved, ShiftClosed
from holdfast_contract.stock import DeliveryAbandoned, StockReceived
from holdfast_drivers.barcodes.receipts import encode_receipt


async def test_products_then_cash_is_an_exact_sale(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        assert (await till.ok(CANDLE))["total"] == 1999
        assert (await till.ok(HONEY))["total"] == 2748
        paid = await till.ok(card("CASH"))
        assert (paid["due"], paid["change"], paid["number"]) == (2750, 0, "TST-1-R000001")
        assert till.signals == [("till1", Signal.COMMITTED)] * 3


async def test_digits_before_cash_are_what_was_handed_over(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        paid = await till.ok(CANDLE, *digits(5000), card("CASH"))
        assert paid["change"] == 3000
        paid = await till.ok(CANDLE, *digits(2500), card("DONE"), card("CASH"))
        assert paid["change"] == 500


async def test_digits_after_an_exact_sale_tell_the_change_and_sell_nothing(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, card("CASH"))
        told = await till.ok(*digits(5000), card("DONE"))
        assert (told["need"], told["change"]) == ("change", 3000)
        assert len(await till.facts(SaleCompleted)) == 1


async def test_digits_left_over_from_an_exact_sale_price_nothing(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, card("CASH"), *digits(5000))
        assert await till.refused("misc") == "amount_missing"
        assert (await till.ok(HONEY))["total"] == 749


async def test_less_than_is_due_is_refused_and_the_cart_stays(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        assert await till.refused(CANDLE, *digits(1000), card("CASH")) == "cash_short"
        assert (await till.ok(card("CASH20")))["change"] == 0
        assert (await till.ok(CANDLE, card("CASH50")))["change"] == 3000


async def test_a_quantity_is_keyed_before_or_after_its_card(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        assert (await till.ok(HONEY, card("QTY"), *digits(12), card("DONE")))["qty"] == 12
        assert (await till.ok(*digits(3), card("QTY")))["qty"] == 3
        assert await till.refused(card("QTY"), card("DONE")) == "amount_missing"
        assert await till.refused(HONEY) == "wrong_mode"
        assert (await till.ok(*digits(2), card("DONE")))["total"] == 1498
        assert await till.refused(*digits(7), card("DONE"), card("DONE")) == "wrong_mode"
        assert (await till.ok(*digits(4), card("QTY")))["qty"] == 4


async def test_an_unusual_quantity_needs_done_once_more(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        asked = await till.ok(HONEY, card("QTY"), *digits(2000), card("DONE"))
        assert asked["need"] == "quantity_confirm"
        assert till.signals[-1] == ("till1", Signal.NEED_INPUT)
        assert (await till.ok(card("DONE")))["qty"] == 2000
        await till.ok(*digits(3000), card("QTY"))
        assert (await till.ok(HONEY))["need"] == "quantity_confirm"
        assert await till.refused(card("PARK"), card("DONE")) == "wrong_mode"


async def test_discounts_voids_and_open_amounts(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        assert (await till.ok(CANDLE, card("DISC10")))["amount"] == 1799
        assert (await till.ok(card("DISC"), *digits(5), card("DONE")))["amount"] == 1899
        assert await till.refused(card("DISC50")) == "not_permitted"
        assert (await till.ok(*digits(333), card("MISC")))["total"] == 2232
        assert (await till.ok(*digits(100), "misc"))["total"] == 2332
        assert (await till.ok(card("VOIDLINE")))["total"] == 2232
        assert await till.refused(*digits(5), CANDLE) == "wrong_mode"
        assert (await till.ok(CANDLE))["total"] == 4231


async def test_risky_cards_need_a_second_scan_in_time_and_a_role(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        assert (await till.ok(CANDLE, card("VOIDSALE")))["need"] == "confirm"
        assert await till.refused(card("VOIDSALE")) == "not_permitted"
        await till.ok(badge("BERT"), card("VOIDSALE"))
        till.clock.advance(11)
        assert (await till.ok(card("VOIDSALE")))["need"] == "confirm"
        assert (await till.ok(HONEY, card("VOIDSALE")))["need"] == "confirm"
        await till.ok(card("VOIDSALE"))
        assert [cart.lines for cart in await till.facts(CartAbandoned)] == [2]


async def test_abort_takes_back_the_first_scan_of_a_risky_card(tmp_path: Path) -> None:
    async with open_counter(tmp_path, signed_in="BERT") as till:
        await till.ok(CANDLE, card("VOIDSALE"), card("ABORT"))
        assert (await till.ok(card("VOIDSALE")))["need"] == "confirm"
        assert await till.facts(CartAbandoned) == []


async def test_parking_and_resuming_by_card_and_by_slip(tmp_path: Path) -> None:
    async with open_counter(tmp_path, "till1", "till2") as till:
        await till.ok(CANDLE, card("PARK"))
        await till.ok(HONEY, card("PARK"))
        assert await till.refused(card("CASH")) == "cart_not_open"
        assert (await till.ok(card("RESUME"), at="till2"))["total"] == 749
        assert (await till.ok(parked_barcode("c1")))["total"] == 1999
        assert await till.refused(parked_barcode("c9")) == "cart_open"
        assert [kind for kind, _ in await till.spool()] == ["parked", "parked", "slip", "slip"]


async def test_abort_leaves_without_a_posting(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, *digits(7), card("ABORT"))
        assert (await till.ok(HONEY))["total"] == 2748
        await till.ok(card("ABORT"))
        assert [cart.why for cart in await till.facts(CartParked)] == ["aborted"]
        assert (await till.ok(card("ABORT")))["need"] == "ready"
        await till.ok(CANDLE, card("VOIDLINE"), card("ABORT"))
        assert [cart.lines for cart in await till.facts(CartAbandoned)] == [0]
        assert await till.facts(SaleCompleted) == []


async def test_receiving_a_delivery(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        assert (await till.ok(card("RECEIVE")))["need"] == "reference"
        assert await till.refused(CANDLE) == "wrong_mode"
        await till.ok("ASN-4711")
        assert (await till.ok(CANDLE, CANDLE))["qty"] == 2
        assert (await till.ok(card("QTY"), *digits(40), card("DONE")))["qty"] == 40
        await till.ok(HONEY, card("VOIDLINE"))
        assert await till.refused(card("CASH")) == "wrong_mode"
        assert (await till.ok(card("DONE")))["qty"] == 40
        assert [(each.reference, each.moves[0].qty) for each in await till.facts(StockReceived)] == [("ASN-4711", 40)]
        assert (await till.ok(CANDLE))["total"] == 1999


async def test_a_delivery_left_by_abort_or_time_is_a_draft_and_goes_on(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(card("RECEIVE"), card("NOASN"), CANDLE)
        assert (await till.ok(card("ABORT")))["need"] == "draft"
        assert (await till.ok(card("RECEIVE")))["need"] == "receiving"
        await till.pass_time(61)
        assert (await till.ok(card("RECEIVE"), CANDLE))["qty"] == 2
        await till.ok(badge("BERT"), card("VOIDSALE"), card("VOIDSALE"))
        assert len(await till.facts(DeliveryAbandoned)) == 1
        assert await till.facts(StockReceived) == []


async def test_a_price_check_is_one_product_and_changes_nothing(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE)
        before = till.journal.head.seq
        assert (await till.ok(card("PRICE"), HONEY))["price"] == 749
        assert till.journal.head.seq == before
        assert (await till.ok(HONEY))["total"] == 2748


async def test_a_shift_is_opened_moved_reported_and_closed_by_cards(tmp_path: Path) -> None:
    async with open_counter(tmp_path, signed_in="BERT") as till:
        await till.ok(CANDLE, card("CASH"))
        await till.ok(card("PAYIN"), *digits(500), card("DONE"))
        await till.ok(*digits(300), card("PAYOUT"))
        await till.ok(card("DROP"), *digits(1000), card("DONE"))
        assert (await till.ok(card("NOSALE")))["need"] == "confirm"
        await till.ok(card("NOSALE"))
        await till.ok(card("XREPORT"))
        assert [move.kind for move in await till.facts(DrawerMoved)] == ["pay_in", "pay_out", "safe_drop", "no_sale"]
        assert (await till.ok(card("SHIFTCLOSE"), card("SHIFTCLOSE")))["need"] == "count"
        closed = await till.ok(*digits(10_000 + 2000 + 500 - 300 - 1000), card("DONE"))
        assert closed["number"] == "TST-1-Z000001"
        assert await till.refused(CANDLE) == "shift_closed"
        await till.ok(card("SHIFTOPEN"), *digits(20_000), card("DONE"))


async def test_a_count_that_differs_is_counted_again_once(tmp_path: Path) -> None:
    async with open_counter(tmp_path, signed_in="BERT") as till:
        recount = await till.ok(card("SHIFTCLOSE"), card("SHIFTCLOSE"), *digits(9000), card("DONE"))
        assert recount["need"] == "recount"
        closed = await till.ok(*digits(9100), card("DONE"))
        assert (closed["expected"], closed["counted"]) == (10_000, 9100)
        assert [each.why for each in await till.facts(ShiftClosed)] == ["recounted"]


async def test_badges_sign_in_and_forged_or_revoked_ones_are_noted(tmp_path: Path) -> None:
    async with open_counter(tmp_path, signed_in="") as till:
        assert await till.refused(CANDLE) == "badge_needed"
        assert await till.refused(badge("ANNA", key=b"x" * 32)) == "badge_unknown"
        assert await till.refused(badge("NOBODY")) == "badge_unknown"
        assert (await till.ok(badge("ANNA")))["name"] == "Anna"
        await till.ok(CANDLE)
        await till.journal.execute(RevokeBadge(badge="ANNA"), actor="BERT")
        assert await till.refused(CANDLE) == "badge_needed"
        assert await till.refused(badge("ANNA")) == "badge_unknown"
        assert [note.kind for note in await till.facts(SecurityNoted)] == ["badge_refused"] * 3
        await till.ok(badge("BERT"), card("SIGNOUT"))
        assert await till.refused(CANDLE) == "badge_needed"


async def test_a_damaged_card_or_badge_is_refused_as_such_and_its_text_goes_nowhere(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        for text in (card("VOIDSALE")[:-1] + "?", badge("BERT").lower().replace("hfb", "HFB"), "HFR123"):
            assert await till.refused(text) == "command_corrupt"
            assert text not in repr(till.told)
        assert till.watched.asked == []


async def test_a_text_too_long_to_be_anything_is_looked_up_nowhere(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        for text in ("x" * 8000, "x" * 41, "a\x00b"):
            assert await till.refused(text) == "unknown_code"
            assert await till.refused(card("PRICE"), text) == "unknown_code"
            await till.ok(card("ABORT"))
        assert await till.refused(card("RECEIVE"), "x" * 201) == "unknown_code"
        assert till.watched.asked == []
        await till.ok("x" * 200)


async def test_a_station_may_sell_without_badge_when_configured_so(tmp_path: Path) -> None:
    async with open_counter(tmp_path, signed_in="", badge_required=False) as till:
        await till.ok(CANDLE, card("CASH"))
        assert till.watched.asked[-1][1] == "station:till1"


async def test_training_sells_in_series_t(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(card("TRAIN"))
        assert (await till.ok(CANDLE, card("CASH")))["number"] == "TST-1-T000001"
        await till.ok(card("TRAIN"))
        assert (await till.ok(CANDLE, card("CASH")))["number"] == "TST-1-R000001"


async def test_a_receipt_then_reprint_is_a_copy_of_that_one(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, card("CASH"), HONEY, card("CASH"))
        assert (await till.ok(card("REPRINT")))["number"] == "TST-1-R000002"
        assert (await till.ok(encode_receipt("TST-1-R000001")))["need"] == "reprint"
        assert (await till.ok(card("REPRINT")))["number"] == "TST-1-R000001"
        assert await till.refused(encode_receipt("TST-1-R000009"), card("REPRINT")) == "document_unknown"


async def test_status_shutdown_and_what_is_not_there(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(card("STATUS"))
        assert [kind for kind, _ in await till.spool()] == ["status"]
        assert await till.refused(card("CARD")) == "device_absent"
        assert await till.refused(card("SHUTDOWN"), card("SHUTDOWN")) == "not_permitted"
        await till.ok(badge("BERT"), card("SHUTDOWN"))
        assert till.stops == []
        await till.ok(card("SHUTDOWN"))
        assert till.stops == ["card at till1"]


async def test_an_idle_sale_is_parked_and_the_begun_forgotten(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, card("QTY"))
        await till.pass_time(61)
        assert (await till.ok(HONEY))["total"] == 2748
        await till.pass_time(299)
        assert await till.facts(CartParked) == []
        await till.pass_time(2)
        assert [cart.why for cart in await till.facts(CartParked)] == ["timed out"]
        assert till.watched.asked[-1][1] == "timer"


async def test_a_restart_finds_cart_badge_and_training_again(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(card("TRAIN"), CANDLE)
    clock = ManualClock(wall_ms=1_790_000_100_000)
    async with journal_at(tmp_path, clock) as journal:
        again = Counter(journal, clock)
        async with running(again.add_station("till1").run):
            assert (await again.ok(HONEY))["total"] == 2748
            assert (await again.ok(card("CASH")))["number"] == "TST-1-T000001"
