"""What callers may have the hub do, and how it refuses."""

from __future__ import annotations

import asyncio
import base64
import getpass
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.api import acts
from holdfast.api.answers import STATUS
from holdfast.counter.commands import BY_CODE, barcode_of
from holdfast.domain.registry import AREAS
from holdfast.journal.writer import StorageFailedError
from holdfast_contract.reasons import REASONS, words
from holdfast_contract.record import decode_record
from holdfast_drivers.barcodes.receipts import encode_receipt
from holdfast_drivers.values import DeviceError, Printed, PrintResult, Proof
from hub_rig import CANDLE, CATALOGUE, HONEY, NOW, Rig

ID = (NOW.to_bytes(6, "big") + b"abcde").hex()
LUHN = "4111111111111111"
"""The scheme's public test number."""


async def actors(hub: Rig) -> list[str]:
    stored = await hub.journal.records(0, limit=1000, max_bytes=1 << 20)
    return [decode_record(row.record).actor for row in stored]


async def test_the_kernel_says_who_asks(hub: Rig) -> None:
    await hub.do("operator.issue_badge", badge="B1", name="Anna", role="cashier")
    assert (await actors(hub))[-1] == f"technician:{getpass.getuser()}"


async def test_the_same_id_is_done_once(shop: Rig) -> None:
    body = {"do": "shift.move_drawer", "id": ID, "station": "till1", "kind": "pay_in", "amount": 500}
    first = await shop.post("/v1/commands", body)
    head = shop.journal.head.seq
    assert await shop.post("/v1/commands", body) == first
    assert shop.journal.head.seq == head


async def test_the_same_id_for_something_else_is_refused(shop: Rig) -> None:
    body = {"do": "shift.move_drawer", "id": ID, "station": "till1", "kind": "pay_in", "amount": 500}
    await shop.post("/v1/commands", body)
    answer = await shop.post("/v1/commands", body | {"amount": 501}, 422)
    assert answer["reason"] == "idempotency_conflict"


async def test_without_an_id_each_request_is_a_new_one(shop: Rig) -> None:
    seqs = [(await shop.do("shift.move_drawer", station="till1", kind="pay_in", amount=5))["seq"] for _ in range(2)]
    assert seqs[1] > seqs[0]


async def test_a_refusal_carries_words_and_facts(shop: Rig) -> None:
    await shop.do("cart.add_item", station="till1", code="mug")
    answer = await shop.do("sale.pay_cash", 409, station="till1", tendered=1000)
    assert answer == {
        "ok": False, "reason": "cash_short", "words": words("cash_short"), "detail": "", "data": {"due": 1290},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "truncated"),
        (b"[]", "object"),
        (b'{"station": "till1"}', "`do`"),
        (b'{"do": "sale.steal"}', "no command"),
        (b'{"do": 7}', "str"),
        (b'{"do": "hub.note_stopped", "why": "x"}', "no command"),
        (b'{"do": "operator.sign_in", "station": "till1", "badge": "B1"}', "no command"),
        (b'{"do": "sale.pay_cash"}', "station"),
        (b'{"do": "sale.pay_cash", "station": "till1", "tenderd": 1000}', "tenderd"),
        (b'{"do": "sale.pay_cash", "station": "till1", "tendered": 10.5}', "int"),
        (b'{"do": "sale.pay_cash", "station": "till1", "tendered": 9007199254740992}', "beyond"),
        (b'{"do": "delivery.receive", "lines": [["candle", 1e30]]}', "int"),
        (b'{"do": "delivery.receive", "lines": [["candle", 99999999999999999]]}', "beyond"),
        (b'{"do": "sale.pay_cash", "station": "till1", "id": "xyz"}', "hexadecimal"),
        (b'{"do": "sale.pay_cash", "station": "till1", "id": "0011"}', "hexadecimal"),
        (b'{"do": "sale.pay_cash", "station": "till1", "id": "' + b"00" * 17 + b'"}', "hexadecimal"),
        (b'{"do": "cart.park", "station": "\xff"}', ""),
        (b"[" * 200_000, ""),
    ],
)
async def test_what_is_not_understood_is_said(hub: Rig, body: bytes, told: str) -> None:
    head = hub.journal.head
    answer = await hub.post("/v1/commands", body, 400)
    assert answer["reason"] == "invalid"
    assert told in answer["detail"]
    assert hub.journal.head == head


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
async def test_no_body_breaks_the_door(hub: Rig, body: bytes | str) -> None:
    for path in ("/v1/commands", "/v1/scans", "/v1/scan-test", "/v1/badges"):
        assert (await hub.post(path, body, 400))["ok"] is False


async def test_every_open_command_is_decoded_by_its_tag(hub: Rig) -> None:
    """None is handed on half-read: each one asks for its fields or decides."""
    for tag in hub.hub.commands:
        answer = await hub.http.post("http://hub/v1/commands", json={"do": tag})
        assert answer.status in (400, 409, 404)
        assert (await answer.json())["reason"] in REASONS
    handled = {str(kind.__struct_config__.tag) for area in AREAS for kind in area.handlers}
    hidden = handled - hub.hub.commands.keys()
    assert {"hub.note_started", "paper.note_unknown", "operator.sign_in"} <= hidden
    assert not hidden & {"sale.pay_cash", "shift.open", "operator.revoke_badge"}


async def test_every_status_belongs_to_a_reason() -> None:
    assert STATUS.keys() - {"fault"} <= REASONS.keys()


async def test_bodies_have_a_cap(hub: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "MAX_COMMAND", 1000)
    answer = await hub.post("/v1/commands", b" " * 1001, 413)
    assert (answer["reason"], "1000 bytes" in answer["detail"]) == ("invalid", True)

    async def unending() -> Any:
        for _ in range(100):
            yield b" " * 100

    async with hub.http.post("http://hub/v1/commands", data=unending()) as response:
        assert response.status == 413
    await hub.post("/v1/commands", b" " * 1000, 400)


async def test_a_body_that_does_not_come(hub: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.api.answers.READ_SECONDS", 0.05)
    reader, writer = await asyncio.open_unix_connection(str(hub.socket))
    writer.write(b"POST /v1/commands HTTP/1.1\r\nHost: hub\r\nContent-Length: 10\r\n\r\n{")
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    writer.close()
    await writer.wait_closed()


async def test_paths_and_methods_that_do_not_exist(hub: Rig) -> None:
    assert (await hub.get("/v1/nothing", 404))["reason"] == "invalid"
    assert (await hub.post("/v1/status", {}, 405))["reason"] == "invalid"


async def test_numbers_of_the_query_are_checked(hub: Rig) -> None:
    for limit in ("0", "-1", "ten", "201", "٣", "9" * 40):
        assert "limit" in (await hub.get("/v1/sales", 400, limit=limit))["detail"]
    assert (await hub.get("/v1/sales", 400, series="Z"))["reason"] == "invalid"


async def test_a_catalogue_with_errors_is_refused_line_by_line(hub: Rig) -> None:
    bad = CATALOGUE.replace("19.99", "19.999").replace(HONEY, "4012345678902")
    answer = await hub.post("/v1/catalogue", bad, 400)
    assert answer["reason"] == "catalogue_invalid"
    assert [problem["line"] for problem in answer["data"]["problems"]] == [2, 3]
    assert (await hub.get("/v1/status"))["shop"]["catalogue"] is None


async def test_a_catalogue_may_be_looked_at_only(hub: Rig) -> None:
    assert (await hub.post("/v1/catalogue?check=1", CATALOGUE))["data"] == {"rows": 4, "version": None}
    assert (await hub.get("/v1/stock"))["items"] == []


async def test_a_catalogue_import_is_done_once(hub: Rig) -> None:
    for _ in range(2):
        answer = await hub.post("/v1/catalogue", CATALOGUE, headers={"Idempotency-Key": ID})
        assert answer["data"] == {"version": 1, "rows": 4}
    assert (await hub.post("/v1/catalogue", b"\xff\xfe", 400))["reason"] == "catalogue_invalid"


async def test_a_badge_is_issued_once_for_one_request(hub: Rig) -> None:
    asked = {"name": "Anna", "role": "cashier", "id": ID}
    issued = (await hub.post("/v1/badges", asked))["data"]
    assert (await hub.post("/v1/badges", asked))["data"] == issued
    assert issued["text"].startswith("HFB" + issued["badge"])
    listed = (await hub.get("/v1/badges"))["badges"]
    assert listed == [
        {"badge": issued["badge"], "name": "Anna", "role": "cashier", "revoked": False, "station": None}
    ]  # fmt: skip
    assert issued["text"] not in json.dumps(listed)
    assert (await hub.post("/v1/badges", asked | {"id": "", "role": "king"}, 400))["reason"] == "invalid"


async def test_a_scan_takes_the_scanners_road(shop: Rig) -> None:
    answer = await shop.post("/v1/scans", {"station": "till1", "data": CANDLE, "aim": "]E0"})
    assert answer["data"]["name"] == 'Candle "Nordlicht"'
    raw = base64.b64encode(b"\x1d\xff").decode()
    assert (await shop.post("/v1/scans", {"station": "till1", "raw": raw}, 404))["reason"] == "unknown_code"
    assert [(scan.data, scan.aim) for _, scan in shop.scans] == [(CANDLE.encode(), "]E0"), (b"\x1d\xff", "")]
    assert (await shop.post("/v1/scans", {"station": "attic", "data": "1"}, 400))["detail"] == "no station 'attic'"
    for body in ({"station": "till1"}, {"station": "till1", "data": "x" * 9000}, {"data": "x", "aim": "]E0]E0"}):
        assert (await shop.post("/v1/scans", body, 400))["reason"] == "invalid"


async def explain(hub: Rig, text: str, aim: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = await hub.post("/v1/scan-test", {"data": text, "aim": aim})
    return answer


async def test_scan_test_says_what_a_scan_would_do_and_does_nothing(shop: Rig) -> None:
    issued = (await shop.post("/v1/badges", {"name": "Anna", "role": "cashier"}))["data"]
    head = shop.journal.head
    candle = await explain(shop, CANDLE)
    assert (candle["kind"], candle["means"], candle["code"]) == ("gtin", 'one Candle "Nordlicht"', CANDLE.zfill(14))
    assert (await explain(shop, f"01{CANDLE.zfill(14)}10LOT", "]C1"))["kind"] == "gs1"
    assert (await explain(shop, "A-candle"))["kind"] == "house code"
    twin = await explain(shop, "TWIN")
    assert (twin["reason"], [p["sku"] for p in twin["products"]]) == ("ambiguous_code", ["honey", "mug"])
    assert (await explain(shop, "96385074"))["reason"] == "unknown_code"
    assert (await explain(shop, issued["text"]))["means"] == "Anna signs in as cashier"
    forged = issued["text"][:-1] + ("A" if issued["text"][-1] != "A" else "B")
    assert (await explain(shop, forged))["reason"] == "badge_unknown"
    assert shop.journal.head == head


async def test_scan_test_knows_cards_receipts_and_labels(shop: Rig) -> None:
    number = await shop.sell(CANDLE)
    assert (await explain(shop, barcode_of(BY_CODE["PARK"])))["means"] == "Park the cart"
    assert (await explain(shop, encode_receipt(number)))["means"] == "a receipt of this hub"
    assert (await explain(shop, encode_receipt("TST-1-R000099")))["reason"] == "document_unknown"
    assert (await explain(shop, "HFT42"))["means"] == "tote 42"


async def test_scan_test_shows_nothing_secret(hub: Rig) -> None:
    issued = (await hub.post("/v1/badges", {"name": "Anna", "role": "cashier"}))["data"]
    for secret in ("HFP1.abcdef", "HFM1.abcdef", LUHN, issued["text"]):
        told = await explain(hub, secret)
        assert secret not in json.dumps(told)
        assert "abcdef" not in json.dumps(told)
    assert (await explain(hub, LUHN))["kind"] == "card number"


async def test_print_test_says_what_was_proved(hub: Rig) -> None:
    assert (await hub.post("/v1/print-test", b""))["data"] == {
        "outcome": "printed", "proof": "process_id", "reason": "",
    }  # fmt: skip
    hub.printed = PrintResult(Printed.UNKNOWN, Proof.NONE, "no_proof")
    answer = await hub.post("/v1/print-test", b"")
    assert (answer["ok"], answer["data"]["reason"]) == (False, "no_proof")
    hub.printed = DeviceError("absent", "no printer")
    assert (await hub.post("/v1/print-test", b"", 503))["reason"] == "device_absent"


async def test_a_printer_that_never_answers(hub: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "PRINT_SECONDS", 0.01)
    hub.printed = None
    answer = await hub.post("/v1/print-test", b"")
    assert (answer["ok"], answer["data"]["outcome"]) == (False, "unknown")


async def test_a_defect_behind_the_door_is_a_reason_too(hub: Rig, caplog: pytest.LogCaptureFixture) -> None:
    hub.printed = ZeroDivisionError("boom")
    answer = await hub.post("/v1/print-test", b"", 500)
    assert (answer["reason"], answer["detail"]) == ("fault", "ZeroDivisionError('boom')")
    assert "print-test failed" in caplog.text
    hub.printed = StorageFailedError("disk gone")
    assert (await hub.post("/v1/print-test", b"", 503))["reason"] == "storage_failed"


async def test_health_follows_the_writer(hub: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await hub.get("/v1/health"))["ok"] is True
    monkeypatch.setattr("holdfast.api.technical.STALL_SECONDS", -1.0)
    assert (await hub.get("/v1/health", 503))["ok"] is False
    monkeypatch.undo()
    hub.journal.failed.set_exception(StorageFailedError("gone"))
    assert (await hub.get("/v1/health", 503))["journal"] == "failed"


async def test_a_hub_that_stops_refuses_but_still_tells(shop: Rig) -> None:
    await shop.server.quiesce(0.1)
    assert (await shop.do("cart.park", 503, station="till1"))["reason"] == "stopping"
    assert (await shop.get("/v1/status"))["shop"]["shift"] == "s1"


async def test_g_11_card_numbers_are_masked_before_anything_is_stored(shop: Rig) -> None:
    header = "sku,name,price,tax_category,tax_rate\n"
    issued = (await shop.post("/v1/badges", {"name": f"Anna {LUHN}", "role": "cashier"}))["data"]
    assert issued["name"] == "Anna ************1111"
    await shop.do("shift.move_drawer", station="till1", kind="pay_in", amount=5, why="card 4111-1111-1111-1111")
    await shop.do("delivery.receive", lines=[["mug", 1]], reference=LUHN)
    await shop.do("catalogue.change_price", 404, sku=LUHN, price=1)
    await shop.do("delivery.receive", 404, lines=[[LUHN, 1]])
    await shop.do("paper.reprint", 404, number=LUHN)
    await shop.post("/v1/catalogue", f"{header}mug,Mug {LUHN},1.00,S,19\n")
    assert await shop.journal.query("SELECT count FROM security WHERE kind = 'card_data_masked'") == [(7,)]
    await shop.journal.close()
    for file in shop.store.iterdir():
        content = file.read_bytes()
        assert LUHN.encode() not in content
        assert b"4111-1111" not in content


async def test_a_code_that_only_looks_like_a_card_number_stays_a_code(shop: Rig) -> None:
    await shop.post("/v1/catalogue", f"sku,name,price,tax_category,tax_rate\n{LUHN},Oddly numbered,1.00,S,19\n")
    await shop.do("delivery.receive", lines=[[LUHN, 2]])
    assert (await shop.get("/v1/stock", sku=LUHN))["items"][0]["on_hand"] == 2
    assert await shop.journal.query("SELECT count FROM security") == []
