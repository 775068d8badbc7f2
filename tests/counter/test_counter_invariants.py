"""Any scans at all, any bytes at all: one outcome each, no crash, no half document, stations apart, no back door."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from counter.till import CANDLE, HONEY, Counter, badge, card, digits, open_counter
from holdfast.counter.commands import CARDS, barcode_of, parked_barcode
from holdfast.domain.core import Outcome
from holdfast.domain.registry import AREAS
from holdfast.journal.journal import Journal
from holdfast.journal.projector import Projector
from holdfast.journal.schema import connect_read
from holdfast.journal.verify import projections_agree, verify_chain
from holdfast_contract.body import effects
from holdfast_contract.record import Record, decode_record
from holdfast_contract.sale import CartOpened, LineAdded, SaleCompleted
from holdfast_drivers.barcodes.receipts import encode_receipt
from holdfast_drivers.scanners.framing import Framer
from holdfast_drivers.values import Scan

NO_STOP = [barcode_of(each) for each in CARDS if each.code != "SHUTDOWN"]
"""A card that stops the hub has the last word, and no light of its own."""
USUAL = (
    CANDLE, HONEY, "misc", "mug", "A-candle", "A-honey", badge("ANNA"), badge("BERT"), badge("ANNA", b"?" * 32),
    "4111111111111111", encode_receipt("TST-1-R000001"), parked_barcode("c1"), parked_barcode("c2"), "HFCNONSENSE1",
    "HFP1.token", "HFL0001", card("CASH"), card("DONE"), card("QTY"), card("VOIDSALE"), card("SHIFTCLOSE"),
)  # fmt: skip

PHRASES = [
    [CANDLE, card("CASH")],
    [HONEY, *digits(5000), card("CASH")],
    [CANDLE, card("QTY"), *digits(3), card("DONE"), card("CASH50"), *digits(99), card("DONE")],
    [card("RECEIVE"), card("NOASN"), CANDLE, HONEY, card("QTY"), *digits(24), card("DONE"), card("DONE")],
    [badge("BERT"), card("SHIFTCLOSE"), card("SHIFTCLOSE"), *digits(9000), card("DONE"), *digits(9000), card("DONE")],
    [badge("BERT"), card("SHIFTOPEN"), *digits(10_000), card("DONE")],
    [badge("BERT"), card("VOIDSALE"), card("VOIDSALE")],
    [CANDLE, card("PARK"), HONEY, card("ABORT"), card("RESUME")],
    [card("ABORT"), card("ABORT")],
]
"""What people really scan; chance alone seldom gets that far."""

texts = st.sampled_from(USUAL) | st.sampled_from(NO_STOP)
junk = st.binary(min_size=1, max_size=60).map(lambda data: data.decode("latin-1"))
scans = st.lists(
    st.sampled_from(PHRASES) | texts.map(lambda text: [text]) | junk.map(lambda text: [text]), max_size=15
).map(lambda phrases: [text for phrase in phrases for text in phrase])

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
THOROUGH = settings(QUICK, max_examples=1500)
STRENGTH = [pytest.param(QUICK, id="quick"), pytest.param(THOROUGH, id="thorough", marks=pytest.mark.proof)]


def wrong_counts(outcomes: Sequence[Outcome], lights: int) -> list[str]:
    """What contradicts INV-0.1: each read that counts has one outcome and one light."""
    counted = [outcome for outcome in outcomes if "repeated" not in outcome.data]
    return [] if len(counted) == lights else [f"{len(counted)} scans, {lights} lights"]


def half_documents(records: Iterable[Record]) -> Iterator[str]:
    """What contradicts INV-0.2: documents that do not add up, numbers left out or used twice."""
    numbers: dict[bool, list[int]] = {False: [], True: []}
    for record in records:
        if sum(post.amount for post in effects(record.body)[1]):
            yield f"{record.seq}: posts do not balance"
        if record.type == "sale.completed":
            sale = msgspec.msgpack.decode(record.body, type=SaleCompleted)
            numbers[sale.training].append(sale.number)
            if sale.payable != sum(group.net + group.tax for group in sale.groups):
                yield f"{record.seq}: the total is not its groups"
            if sale.payable + sale.rounding != sale.tendered - sale.change:
                yield f"{record.seq}: money is missing"
    for series in numbers.values():
        if series != list(range(1, len(series) + 1)):
            yield f"numbers {series}"


async def records(journal: Journal) -> list[Record]:
    return [decode_record(each.record) for each in await journal.records(0, limit=1 << 20, max_bytes=1 << 30)]


def damage(path: Path) -> Iterator[str]:
    """What is wrong with a journal file that nobody uses any more."""
    with closing(connect_read(path)) as db:
        if not verify_chain(db).ok:
            yield "the chain is broken"
    if not projections_agree(path, Projector(AREAS)):
        yield "the tables are not what the record says"


async def offer_all(till: Counter, sequence: Iterable[str], at: str = "till1") -> list[Outcome]:
    """Scans as fast as they come, no more at once than may wait."""
    outcomes: list[Outcome] = []
    batch: list[asyncio.Future[Outcome]] = []
    for text in sequence:
        batch.append(till.stations[at].offer(till.read(text)))
        if len(batch) == 50:
            outcomes += await asyncio.wait_for(asyncio.gather(*batch), 60)
            batch.clear()
    return outcomes + list(await asyncio.wait_for(asyncio.gather(*batch), 60))


@pytest.mark.parametrize("strength", STRENGTH)
def test_inv_0_1_and_0_2_any_scans_have_one_outcome_each_and_leave_whole_documents(
    tmp_path: Path, strength: settings
) -> None:
    """One hub lives through all of it: what one sequence left behind, the next one meets."""
    with asyncio.Runner() as runner:
        opened = open_counter(tmp_path, "till1", signed_in="BERT")
        till = runner.run(opened.__aenter__())
        try:

            @strength
            @given(scans)
            def play(sequence: list[str]) -> None:
                till.signals.clear()
                outcomes = runner.run(offer_all(till, sequence))
                assert len(outcomes) == len(sequence)
                assert wrong_counts(outcomes, len(till.signals)) == []

            play()
            assert list(half_documents(runner.run(records(till.journal)))) == []
        finally:
            runner.run(opened.__aexit__(None, None, None))
    assert list(damage(tmp_path / "journal.db")) == []


wire = st.lists(
    st.binary(max_size=200) | texts.map(lambda text: text.encode("latin-1") + b"\r") | st.just(b"\x02]E0\x1d\r\n\t"),
    max_size=30,
)


@pytest.mark.parametrize("strength", STRENGTH)
def test_inv_0_2_any_bytes_from_the_wire_crash_nothing(tmp_path: Path, strength: settings) -> None:
    with asyncio.Runner() as runner:
        opened = open_counter(tmp_path, "till1", signed_in="BERT")
        till = runner.run(opened.__aenter__())
        framer = Framer()
        try:

            @strength
            @given(wire)
            def play(pieces: list[bytes]) -> None:
                till.signals.clear()
                read: list[Scan] = []
                for piece in pieces:
                    till.scan_at += 1.0
                    read += framer.feed(piece, till.scan_at)
                outcomes = runner.run(_offer_scans(till, read))
                assert wrong_counts(outcomes, len(till.signals)) == []

            play()
            assert list(half_documents(runner.run(records(till.journal)))) == []
        finally:
            runner.run(opened.__aexit__(None, None, None))
    assert list(damage(tmp_path / "journal.db")) == []


async def _offer_scans(till: Counter, read: list[Scan]) -> list[Outcome]:
    return [await till.stations["till1"].scan(scan) for scan in read]


def test_inv_0_1_the_check_itself_sees_a_scan_without_light_and_one_with_two() -> None:
    done, repeated = Outcome(), Outcome(data={"repeated": True})
    assert wrong_counts([done, repeated, done], 2) == []
    assert wrong_counts([done, done], 1)
    assert wrong_counts([done], 2)


async def test_inv_0_2_the_checks_themselves_see_half_a_document(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, card("CASH"))
        whole = await records(till.journal)
        await till.journal.desk(lambda db: db.execute("UPDATE cart_ended SET number = 7"))
    assert list(half_documents(whole)) == []
    sale = next(record for record in whole if record.type == "sale.completed")
    assert list(half_documents([sale, sale])) == ["numbers [1, 1]"]
    assert list(damage(tmp_path / "journal.db")) == ["the tables are not what the record says"]


def told(record: Record) -> tuple[Any, ...]:
    """A record without who and why, and without what hangs on that or differs from hub to hub: hashes and keys."""
    body = msgspec.msgpack.decode(record.body)
    if record.type in ("shift.closed", "hub.created"):
        body.pop("h", None)
        body.pop("g", None)
    return record.seq, record.type, record.subject, body


TWIN = {"ANNA": "CARL", "BERT": "DORA"}
"""Somebody else with the same role."""


async def three_roads(directory: Path, sequence: list[str]) -> list[list[tuple[Any, ...]]]:
    """The journal after the scans came in a rush, one by one, and as the commands they amounted to."""
    roads = []
    async with open_counter(directory / "rush") as till:
        await offer_all(till, sequence)
        roads.append(list(map(told, await records(till.journal))))
        asked = till.watched.asked
    async with open_counter(directory / "calm") as till:
        await till.scan(*sequence)
        roads.append(list(map(told, await records(till.journal))))
    async with open_counter(directory / "direct") as till:
        for command, actor, outcome in asked:
            again = await till.journal.execute(command, actor=TWIN.get(actor, actor))
            assert (again.ok, again.reason) == (outcome.ok, outcome.reason)
        roads.append(list(map(told, await records(till.journal))))
    return roads


@pytest.mark.parametrize(
    "strength", [pytest.param(settings(QUICK, max_examples=8), id="quick"),
                 pytest.param(settings(QUICK, max_examples=200), id="thorough", marks=pytest.mark.proof)],
)  # fmt: skip
def test_inv_0_3_by_scanner_by_http_and_by_command_the_journal_is_the_same(strength: settings) -> None:
    @strength
    @given(scans)
    def play(sequence: list[str]) -> None:
        with tempfile.TemporaryDirectory() as directory:
            rush, calm, direct = asyncio.run(three_roads(Path(directory), sequence))
        assert rush == calm == direct

    play()


async def test_inv_0_3_the_check_itself_sees_one_scan_more(tmp_path: Path) -> None:
    one = await three_roads(tmp_path / "1", [CANDLE, card("CASH")])
    two = await three_roads(tmp_path / "2", [CANDLE, CANDLE, card("CASH")])
    assert one[0] != two[0]


def mixed(bodies: Iterable[tuple[str, Any]]) -> list[str]:
    """Carts that hold another station's product (INV-0.5): till1 sells candles, till2 honey."""
    own = {"till1": "candle", "till2": "honey"}
    station: dict[str, str] = {}
    wrong = []
    for cart, body in bodies:
        if isinstance(body, CartOpened):
            station[cart] = body.station
        elif isinstance(body, LineAdded) and own[station[cart]] != body.sku:
            wrong.append(cart)
    return wrong


@QUICK
@given(st.lists(st.sampled_from(["product", "CASH", "PARK", "RESUME", "QTY", "D3", "DONE", "ABORT"]), max_size=60))
def test_inv_0_5_two_stations_never_mix(words: list[str]) -> None:
    async def play(directory: Path) -> list[tuple[str, Any]]:
        async with open_counter(directory, "till1", "till2") as till:
            answers = []
            for number, word in enumerate(words):
                name, product = (("till1", CANDLE), ("till2", HONEY))[number % 2]
                text = product if word == "product" else card("PARK" if word == "RESUME" else word)
                answers.append(till.stations[name].offer(till.read(text)))
            await asyncio.gather(*answers)
            return list(zip([each.subject for each in await records(till.journal)], await till.facts(), strict=True))

    with tempfile.TemporaryDirectory() as directory:
        assert mixed(asyncio.run(play(Path(directory)))) == []


def test_inv_0_5_the_check_itself_sees_a_mixed_cart() -> None:
    opened, line = CartOpened(station="till1"), LineAdded(line=1, sku="honey", price=1)
    assert mixed([("c1", opened), ("c1", line)]) == ["c1"]
