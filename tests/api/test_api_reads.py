"""What the hub says about itself and its shop."""

from __future__ import annotations

from holdfast.api.ports import OFF, DeviceReport, PowerReport, UplinkReport
from holdfast.domain.cart import AddItem
from holdfast.domain.paper import NoteUnknownPaper
from holdfast.domain.sale import PayCash
from holdfast_drivers.values import DeviceState, Tri
from hub_rig import CANDLE, HONEY, Rig


async def test_status_names_the_hub_its_record_and_its_shop(shop: Rig) -> None:
    status = await shop.get("/v1/status")
    assert status["hub"] == {
        "id": "test-hub", "code": "TST", "name": "The Test Shop", "currency": "EUR", "exponent": 2,
    }  # fmt: skip
    assert status["version"] == "1.2.3"
    assert status["journal"]["seq"] == shop.journal.head.seq
    assert status["journal"]["hash"] == shop.journal.head.hash.hex()
    assert status["journal"]["public_key"] == shop.journal.genesis.key.hex()
    assert status["shop"]["shift"] == "s1"
    assert status["shop"]["catalogue"] == {"version": 1, "rows": 4}
    assert status["clock"]["quality"] == "synced"


async def test_a_new_hub_answers_too(hub: Rig) -> None:
    shop = (await hub.get("/v1/status"))["shop"]
    assert shop == {
        "shift": None, "catalogue": None, "carts": 0, "parked": 0, "discrepancies": 0, "stations": [],
    }  # fmt: skip
    assert (await hub.get("/v1/stock"))["items"] == []
    assert (await hub.get("/v1/sales"))["sales"] == []
    assert (await hub.get("/v1/shift"))["shift"] is None
    assert (await hub.get("/v1/carts"))["carts"] == []


async def test_devices_tell_what_to_do(hub: Rig) -> None:
    hub.devices.append(
        DeviceReport("printer", "printer", DeviceState.UNKNOWN, "usb-2", "device_absent", {"paper": "no"})
    )
    scanner, printer = (await hub.get("/v1/devices"))["devices"]
    assert scanner["state"] == "online"
    assert scanner["words"] == ""
    assert (printer["state"], printer["facts"]) == ("unknown", {"paper": "no"})
    assert "Plug it in" in printer["words"]


async def test_the_outbox_counts_what_headquarters_lacks(shop: Rig) -> None:
    head = shop.journal.head.seq
    shop.uplink = UplinkReport("offline", acked=head - 2, sent_bytes=7, sent_events=3, error="refused")
    shop.clock.advance(90)
    outbox = await shop.get("/v1/outbox")
    assert (outbox["waiting"], outbox["oldest_age_s"], outbox["error"]) == (2, 90, "refused")
    assert (outbox["sent_bytes"], outbox["sent_events"]) == (7, 3)
    assert outbox["oldest_at"] == "2026-09-21T14:13:20+00:00"
    shop.uplink = UplinkReport("online", acked=head)
    outbox = await shop.get("/v1/outbox")
    assert (outbox["waiting"], outbox["oldest_at"], outbox["oldest_age_s"]) == (0, None, None)


async def test_nothing_waits_for_a_headquarters_there_is_not(shop: Rig) -> None:
    shop.uplink = UplinkReport(OFF)
    outbox = await shop.get("/v1/outbox")
    assert (outbox["state"], outbox["waiting"], outbox["oldest_at"]) == ("off", 0, None)


async def test_power_says_null_for_what_nobody_knows(hub: Rig) -> None:
    hub.power = PowerReport(2, Tri.UNKNOWN)
    power = await hub.get("/v1/power")
    assert (power["stage_name"], power["mains"], power["charge_permille"]) == ("shed", "unknown", None)
    hub.power = None
    assert await hub.get("/v1/power") == {"battery": False}


async def test_stock_by_bucket_and_by_sku(shop: Rig) -> None:
    await shop.sell(CANDLE, CANDLE)
    stock = await shop.get("/v1/stock")
    assert {item["sku"]: item["on_hand"] for item in stock["items"]} == {"candle": 8, "honey": 3, "misc": 0, "mug": 0}
    assert stock["as_of"] == shop.journal.head.seq
    one = (await shop.get("/v1/stock", sku="candle"))["items"]
    assert one[0]["buckets"] == {"sellable": 8}
    assert (await shop.get("/v1/stock", 404, sku="nothing"))["reason"] == "unknown_code"


async def test_stock_comes_in_pages(shop: Rig) -> None:
    first = await shop.get("/v1/stock", limit=3)
    assert [item["sku"] for item in first["items"]] == ["candle", "honey", "misc"]
    assert first["next"] == "misc"
    rest = await shop.get("/v1/stock", limit=3, after="misc")
    assert [item["sku"] for item in rest["items"]] == ["mug"]
    assert rest["next"] is None


async def test_selling_what_the_ledger_lacks_shows_as_a_discrepancy(shop: Rig) -> None:
    await shop.sell(*[HONEY] * 4)
    item = (await shop.get("/v1/stock", sku="honey"))["items"][0]
    assert (item["on_hand"], item["discrepancy"]) == (-1, True)
    assert (await shop.get("/v1/status"))["shop"]["discrepancies"] == 1


async def test_sales_are_the_last_ones_in_order_of_number(shop: Rig) -> None:
    numbers = [await shop.sell(CANDLE) for _ in range(3)]
    assert numbers == ["TST-1-R000001", "TST-1-R000002", "TST-1-R000003"]
    sales = await shop.get("/v1/sales", limit=2)
    assert [sale["number"] for sale in sales["sales"]] == numbers[1:]
    assert sales["sales"][0] | {"at": ""} == {
        "number": numbers[1], "count": 2, "at": "", "day": "2026-09-21", "lines": 1, "pieces": 1, "payable": 1999,
        "station": "till1", "actor": sales["sales"][0]["actor"], "name": None,
    }  # fmt: skip
    assert sales["sales"][0]["actor"].startswith("technician:")
    after = await shop.get("/v1/sales", after=1)
    assert [sale["number"] for sale in after["sales"]] == numbers[1:]


async def test_sales_name_who_sold(shop: Rig) -> None:
    await shop.do("operator.issue_badge", badge="B1", name="Anna", role="cashier")
    for command in (AddItem(station="till1", code="mug"), PayCash(station="till1")):
        assert (await shop.journal.execute(command, actor="B1")).ok
    sale = (await shop.get("/v1/sales"))["sales"][0]
    assert (sale["actor"], sale["name"]) == ("B1", "Anna")


async def test_sales_of_a_day(shop: Rig) -> None:
    await shop.sell(CANDLE)
    shop.clock.advance(86_400)
    await shop.sell(CANDLE)
    assert [s["count"] for s in (await shop.get("/v1/sales", day="2026-09-22"))["sales"]] == [2]
    assert (await shop.get("/v1/sales", day="2026-09-20"))["sales"] == []
    assert (await shop.get("/v1/sales", 400, day="yesterday"))["reason"] == "invalid"


async def test_a_receipt_in_full_and_as_text(shop: Rig) -> None:
    number = await shop.sell(CANDLE, HONEY, tendered=3000)
    receipt = await shop.get(f"/v1/receipts/{number}")
    document = receipt["document"]
    assert [(line["name"], line["amount"]) for line in document["lines"]] == [
        ('Candle "Nordlicht"', 1999), ("Honey 250 g", 749),
    ]  # fmt: skip
    assert (document["payable"], document["rounding"], document["change"]) == (2748, 2, 250)
    assert sum(group["net"] + group["tax"] for group in document["groups"]) == 2748
    assert "The Test Shop" in receipt["text"]
    assert number in receipt["text"]
    assert max(map(len, receipt["text"].splitlines())) <= 42
    assert (await shop.get("/v1/receipts/" + number.replace("-", "")))["seq"] == receipt["seq"]


async def test_a_receipt_keeps_the_name_a_product_had(shop: Rig) -> None:
    number = await shop.sell(HONEY)
    renamed = (await shop.get("/v1/status"))["shop"]["catalogue"]["version"] + 1
    header = "sku,name,price,tax_category,tax_rate\n"
    assert (await shop.post("/v1/catalogue", header + "honey,Blossom honey,8.00,S,7\n"))["data"]["version"] == renamed
    receipt = await shop.get(f"/v1/receipts/{number}")
    assert receipt["document"]["lines"][0]["name"] == "Honey 250 g"


async def test_a_closing_is_a_document(shop: Rig) -> None:
    await shop.sell(CANDLE)
    closed = await shop.do("shift.close", station="till1", counted=12_000)
    z = await shop.get(f"/v1/receipts/{closed['data']['number']}")
    assert (z["document"]["kind"], z["document"]["expected"], z["document"]["totals"]["gross"]) == (
        "closing",
        12_000,
        1999,
    )
    shift = await shop.get("/v1/shift")
    assert (shift["open"], shift["z"], shift["grand_total"]) == (False, "TST-1-Z000001", 1999)


async def test_no_such_document(hub: Rig) -> None:
    for number in ("TST-1-R000009", "nonsense", "OTH-1-R000001"):
        assert (await hub.get(f"/v1/receipts/{number}", 404))["reason"] == "document_unknown"


async def test_carts_open_and_parked(shop: Rig) -> None:
    await shop.do("cart.add_item", station="till1", code=CANDLE.zfill(14), qty=2)
    await shop.do("cart.park", station="till1")
    await shop.do("cart.add_item", station="till1", code="mug")
    parked, opened = (await shop.get("/v1/carts"))["carts"]
    assert (parked["cart"], parked["parked"], parked["total"]) == ("c1", True, 3998)
    assert opened["lines"] == [{"sku": "mug", "name": "Mug", "qty": 1, "base": 1, "price": 1290, "amount": 1290}]


async def test_the_shift_runs_up_and_keeps_its_count_blind(shop: Rig) -> None:
    await shop.sell(CANDLE)
    shift = await shop.get("/v1/shift")
    assert (shift["open"], shift["float_in"], shift["documents"], shift["gross"]) == (True, 10_000, 1, 1999)
    assert (shift["first"], shift["z"]) == ("TST-1-R000001", None)
    assert "expected" not in shift


async def test_money_sums_to_zero(shop: Rig) -> None:
    await shop.sell(CANDLE, HONEY)
    money = await shop.get("/v1/money")
    amounts = {row["account"]: row["amount"] for row in money["accounts"]}
    assert amounts["tender:cash"] == 2750
    assert amounts["rounding"] == -2
    assert sum(amounts.values()) == 0
    assert money["as_of"] == shop.journal.head.seq


async def test_the_spool_offers_what_nobody_can_vouch_for(shop: Rig) -> None:
    number = await shop.sell(CANDLE)
    jobs = (await shop.get("/v1/spool"))["jobs"]
    receipt = next(job for job in jobs if job["kind"] == "receipt")
    assert (receipt["state"], receipt["number"], receipt["offered"]) == ("queued", number, False)
    await shop.journal.desk(
        lambda db: db.execute("UPDATE spool SET state = 'unknown', why = 'cut' WHERE job = ?", (receipt["job"],))
    )
    await shop.journal.execute(NoteUnknownPaper(job=receipt["job"], kind="receipt", ref=1, why="cut"), actor="hub")
    spool = await shop.get("/v1/spool")
    doubtful = next(job for job in spool["jobs"] if job["job"] == receipt["job"])
    assert (doubtful["state"], doubtful["why"], doubtful["offered"]) == ("unknown", "cut", True)
    assert spool["counts"]["unknown"] == 1


async def test_reasons_are_listed(hub: Rig) -> None:
    told = {row["reason"]: row for row in (await hub.get("/v1/reasons"))["reasons"]}
    assert told["cash_short"]["remedy"]
