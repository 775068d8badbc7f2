"""What is on paper, line by line, from the journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from counter.till import CANDLE, CATALOGUE, HONEY, HUB, TECHNICIAN, Counter, badge, card, digits, open_counter, product
from holdfast.counter.commands import parked_barcode
from holdfast.counter.letterhead import Letterhead, Marks
from holdfast.counter.paperwork import Paperwork
from holdfast.counter.receipt import Sale, receipt
from holdfast.counter.reports import energy_report
from holdfast.counter.spool import read_job
from holdfast.domain import products
from holdfast.domain.catalogue import ImportCatalogue
from holdfast_contract.power import PowerStatement, Share
from holdfast_contract.sale import SaleCompleted, SaleLine, TaxGroup
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.values import Barcode, Columns, Document, Rule, Text

SALE = Sale(
    SaleCompleted(
        number=42, day=20_717, shift=1, payable=3744, tendered=5000, change=1255, rounding=1, station="till1",
        lines=(SaleLine("candle", 1, 1999, 0), SaleLine("honey", 3, 749, 1, 502)),
        groups=(TaxGroup("S", 190_000, 1680, 319), TaxGroup("S", 70_000, 1631, 114)),
    ),
    "TST-1-R000042", 1_790_000_000_000, "Anna", {"candle": "Candle", "honey": "Honey"},
)  # fmt: skip


def lines(document: Document) -> list[str]:
    """A document as text, without a printer."""
    shown = []
    for block in document.blocks:
        match block:
            case Text(text):
                shown.append(text)
            case Columns(left, right):
                shown.append(f"{left} | {right}")
            case Rule():
                shown.append("---")
            case Barcode(_, data):
                shown.append(f"[{data}]")
            case _:
                pass
    return shown


def test_an_event_s_energy_on_paper() -> None:
    body = PowerStatement(
        start=1_790_000_000_000, end=1_790_021_600_000, seconds=21_600,
        sources=(Share("mains", 30_040), Share("pack", 89_999)),
        loads=(Share("router", 80_000), Share("board", 40_039)), charged=1500, peak=61_250,
        stages=(18_000, 3600, 0, 0, 0), outages=2, outage_s=16_260,
    )  # fmt: skip
    assert lines(energy_report(body, Letterhead(HUB), Marks()))[2:] == [
        "Energy report",
        "2026-09-21 | 14:13 - 20:13",
        "---",
        "From the mains | 30.0 Wh",
        "From the battery | 89.9 Wh",
        "Charged | 1.5 Wh",
        "---",
        "router | 80.0 Wh",
        "board | 40.0 Wh",
        "Total | 120.0 Wh",
        "---",
        "Peak | 61.2 W",
        "Outages (2) | 4:31 h",
        "S0 | 5:00 h",
        "S1 | 1:00 h",
    ]


def test_a_receipt_says_all_that_must_be_on_it() -> None:
    assert lines(receipt(SALE, Letterhead(HUB), Marks())) == [
        "The Test Shop",
        "Quay 1",
        "Receipt | TST-1-R000042",
        "2026-09-21 | 14:13",
        "Business day | 2026-09-21",
        "Served by | Anna",
        "---",
        "Candle | 19.99",
        "Honey | 22.47",
        "  3 x 7.49",
        "  Discount | -5.02",
        "---",
        "Total EUR | 37.44",
        "Cash rounding | 0.01",
        "Cash | 50.00",
        "Change | 12.55",
        "---",
        "Tax S 19 %, net 16.80 | 3.19",
        "Tax S 7 %, net 16.31 | 1.14",
        "[HFRTST1R000042Y]",
        "Thank you",
    ]


def test_a_receipt_in_german_in_local_time_with_its_marks() -> None:
    hub = msgspec.structs.replace(HUB, language="de", timezone="Europe/Berlin")
    sale = replace(SALE, body=msgspec.structs.replace(SALE.body, training=True))
    shown = lines(receipt(sale, Letterhead(hub), Marks(training=True, copy=2, late=True)))
    assert shown[2:5] == ["TRAINING", "KOPIE 2", "NACHGEDRUCKT"]
    assert "2026-09-21 | 16:13" in shown
    assert "Summe EUR | 37,44" in shown
    assert shown[-1] == "Kein Beleg"


@pytest.mark.parametrize(("dots", "columns"), [(576, 48), (384, 32)])
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_every_language_fits_wide_and_narrow_paper(dots: int, columns: int, language: str) -> None:
    hub = msgspec.structs.replace(HUB, language=language, name="Café Über Straße Œuvre")
    assert encode(receipt(SALE, Letterhead(hub), Marks(late=True)), load_profile(dots=dots, columns=columns))


async def test_every_paper_of_a_day_can_be_composed(tmp_path: Path) -> None:
    async with open_counter(tmp_path, signed_in="BERT") as till:
        await till.ok(CANDLE, HONEY, card("DISC10"), card("CASH50"))
        await till.ok(CANDLE, card("PARK"), card("STATUS"), card("PRICE"), HONEY, card("XREPORT"), card("REPRINT"))
        await till.refused(CANDLE, *digits(100), card("CASH"))
        await till.ok(card("ABORT"), badge("BERT"), card("SHIFTCLOSE"), card("SHIFTCLOSE"))
        await till.scan(*digits(12_675), card("DONE"))
        papers = await compose_all(till)
        assert papers["receipt"][6:15] == [
            "---",
            "Candle | 19.99",
            "Honey | 7.49",
            "  Discount | -0.75",
            "---",
            "Total EUR | 26.73",
            "Cash rounding | 0.02",
            "Cash | 50.00",
            "Change | 23.25",
        ]
        assert papers["copy"][2] == "COPY 1"
        assert papers["price"] == ["Honey", "Price | 7.49"]
        assert papers["status"][2:] == [
            "Headquarters | offline",
            "Events to send | 3",
            "Papers waiting | 6",
            "Papers in doubt | 0",
        ]
        assert papers["parked"][-2:] == ["Total | 19.99", f"[{parked_barcode('c2')}]"]
        assert papers["x_report"][-1] == "Expected | 126.75"
        assert {
            "Number | TST-1-Z000001",
            "Receipts | 1",
            "Gross | 26.73",
            "Tax S 19 %, net 16.80 | 3.19",
            "Voided carts (2) | 39.98",
            "Cash sales | 26.75",
            "Over/short | 0.00",
            "Grand total | 26.73",
        } <= set(papers["z_report"])


async def test_a_receipt_is_found_by_its_printed_number(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, card("CASH"))
        found = await till.paperwork.receipt("TST-1-R000001")
        assert found is not None
        assert "Receipt | TST-1-R000001" in lines(found)
        for missing in ("TST-1-R000002", "TST-2-R000001", "XYZ-1-R000001", "nonsense"):
            assert await till.paperwork.receipt(missing) is None


async def test_a_product_keeps_the_name_it_was_sold_under(tmp_path: Path) -> None:
    async with open_counter(tmp_path) as till:
        await till.ok(CANDLE, card("CASH"))
        renamed = (product("candle", 500, name="Wax stick"), *CATALOGUE[1:])
        await till.journal.execute(ImportCatalogue(version=0, blob=products.pack(renamed)), actor=TECHNICIAN)
        found = await till.paperwork.receipt("TST-1-R000001")
        assert found is not None
        assert "Candle | 19.99" in lines(found)


async def compose_all(till: Counter) -> dict[str, list[str]]:
    """The first paper of each kind."""
    paperwork: Paperwork = till.paperwork
    sql = "SELECT job, kind, ref, at, extra FROM spool WHERE kind <> 'drawer' ORDER BY job DESC"
    rows = await till.journal.query(sql)
    return {row[1]: lines(await paperwork.compose(read_job(row))) for row in rows}
