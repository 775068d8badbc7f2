"""The CLI beside a running hub: what it shows, what it does, what it says when it cannot."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli_rig import Terminal, process, running
from holdfast.api.ports import DeviceReport, PowerReport, UplinkReport
from holdfast.cli import client
from holdfast.cli.app import app
from holdfast_drivers.values import DeviceState, Printed, PrintResult, Proof, Tri
from hub_rig import CANDLE, CATALOGUE, HONEY


def test_status_on_one_screen(shop: Terminal) -> None:
    shop.rig.uplink = UplinkReport("offline", acked=1)
    shop.rig.devices.append(DeviceReport("printer", "printer", DeviceState.OFF_OFFLINE, "usb-2", "device_absent"))
    shown = shop("status").stdout
    for told in (
        "The Test Shop",
        "s1 is open",
        "records waiting",
        "Plug it in",
        "charge 87 %",
        "version 1, 4 prod",
    ):
        assert told in shown
    assert shop.json("status")["hub"]["id"] == "test-hub"


def test_a_new_hub_says_what_is_missing(hub: Terminal) -> None:
    shown = hub("status").stdout
    assert "none is open" in shown
    assert "nothing was printed yet" in shown
    assert "No shift was ever open" in hub("shift").stdout
    assert "none" in hub("sales").stdout


@pytest.mark.parametrize(
    ("power", "told"),
    [
        (None, "no battery"),
        (PowerReport(3, Tri.NO, 80, 3300, 12), "S3 critical, on battery, charge 8 %, about 12 min left"),
        (PowerReport(0, Tri.UNKNOWN), "mains unknown, charge unknown"),
    ],
)
def test_power_in_words(hub: Terminal, power: PowerReport | None, told: str) -> None:
    hub.rig.power = power
    assert told in hub("status").stdout


def test_names_with_brackets_are_shown_as_they_are(hub: Terminal) -> None:
    hub.rig.devices[0] = DeviceReport("[red]x[/]", "scanner", DeviceState.ONLINE, "[/bold]")
    assert "[red]x[/]" in hub("devices").stdout
    assert "[/bold]" in hub("status").stdout


def test_outbox(shop: Terminal) -> None:
    shop.rig.uplink = UplinkReport("offline", acked=1, sent_bytes=123_456, error="connection refused")
    shop.rig.clock.advance(3700)
    shown = shop("outbox").stdout
    for told in ("1 h 1 min", "123 kB", "connection refused", "up to seq 1 of"):
        assert told in shown


def test_a_sale_from_a_terminal(shop: Terminal) -> None:
    sold = shop.json("sell", f"{CANDLE}=2", "mug", "--cash", "60")
    assert (sold["number"], sold["total"], sold["due"], sold["change"]) == ("TST-1-R000001", 5288, 5290, 710)
    shown = shop("sell", HONEY).stdout
    assert "TST-1-R000002" in shown
    assert "7.50 EUR" in shown
    assert [sale["number"] for sale in shop.json("sales")["sales"]] == ["TST-1-R000001", "TST-1-R000002"]
    assert "52.88 EUR" in shop("sales").stdout


def test_a_sale_that_is_refused_leaves_no_cart(shop: Terminal) -> None:
    result = shop("sell", "mug", "--cash", "5", code=1)
    assert "cash_short" in result.stderr
    assert shop.json("carts")["carts"] == []
    result = shop("sell", "nothing", code=2)
    assert "unknown" not in result.stdout
    assert "not in the catalogue" in result.stderr
    assert "quantity_confirm" in shop("sell", "mug=2000", code=1).stderr
    assert shop.json("sell", "mug=2000", "--confirm")["total"] == 2_580_000


def test_a_sale_left_unfinished_must_be_ended_first(shop: Terminal) -> None:
    shop.hub(shop.rig.do("cart.add_item", station="cli", code="mug"))
    assert "holdfast carts --void cli" in shop("sell", "mug", code=2).stderr
    assert "c1" in shop("carts").stdout
    assert "none" in shop("carts", "--void", "cli").stdout
    shop("sell", "mug")


@pytest.mark.parametrize("typed", ["5.005", "five", "-5", "1e3", ""])
def test_amounts_are_never_guessed(shop: Terminal, typed: str) -> None:
    head = shop.rig.journal.head
    assert shop("sell", "mug", "--cash", typed, code=2).stderr
    assert shop.rig.journal.head == head


def test_a_receipt_and_its_copy(shop: Terminal) -> None:
    number = shop.json("sell", "mug")["number"]
    assert "The Test Shop" in shop("receipt", number).stdout
    assert shop.json("receipt", number.replace("-", ""))["document"]["payable"] == 1290
    assert "Copy 1" in shop("receipt", number, "--copy").stdout
    assert "document_unknown" in shop("receipt", "TST-1-R999999", code=1).stderr
    assert "document_unknown" in shop("receipt", "../status", code=1).stderr
    assert number in shop("spool").stdout


def test_stock_is_received_counted_and_listed(shop: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "delivery.csv"
    file.write_text("sku,qty\ncandle,5\nmug,6\n")
    assert "Received 11 pieces of 2 products" in shop("stock", "receive", str(file), "--ref", "ASN-7").stdout
    shop("stock", "receive", "honey=2")
    listed = {item["sku"]: item["on_hand"] for item in shop.json("stock")["items"]}
    assert listed == {"candle": 15, "honey": 5, "misc": 0, "mug": 6}
    assert "-1 corrected" in shop("stock", "count", "honey", "4", "--reason", "lost").stdout
    assert "as the ledger says" in shop("stock", "count", "honey", "4").stdout
    assert [item["sku"] for item in shop.json("stock", "--low", "4")["items"]] == ["honey"]
    assert "Honey 250 g" in shop("stock", "--sku", "honey").stdout
    assert "unknown_code" in shop("stock", "count", "nothing", "1", code=1).stderr


def test_a_count_does_not_see_later_sales(shop: Terminal) -> None:
    seen = str(shop.json("stock", "--sku", "candle")["as_of"])
    shop("sell", CANDLE)
    assert "as the ledger says" in shop("stock", "count", "candle", "10", "--as-of", seen).stdout


def test_a_delivery_file_with_errors_books_nothing(shop: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "delivery.csv"
    head = shop.rig.journal.head
    for text, told in (
        ("sku,qty\ncandle,five\nmug,0\nmug\n", ("line 2", "line 3", "line 4")),
        ("sku;qty\ncandle;5\n", ("sku,qty",)),
        ("sku,qty\n", ("no line",)),
    ):
        file.write_text(text)
        shown = shop("stock", "receive", str(file), code=2).stderr
        assert all(part in shown for part in told)
    assert "cannot be read" in shop("stock", "receive", "missing.csv", code=2).stderr
    file.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in shop("stock", "receive", str(file), code=2).stderr
    assert "CODE=QUANTITY" in shop("stock", "receive", "candle=0", code=2).stderr
    assert shop.rig.journal.head == head


def test_the_catalogue_is_checked_then_imported(hub: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text(CATALOGUE.replace("19.99", "many"))
    shown = hub("catalogue", "import", str(file), code=1).stderr
    assert "catalogue_invalid" in shown
    assert "line 2: 'many' is not a plain decimal number" in shown
    file.write_text(CATALOGUE)
    assert "Nothing was changed" in hub("catalogue", "import", str(file), "--check").stdout
    assert hub.json("stock")["items"] == []
    assert "Version 1 with 4 products" in hub("catalogue", "import", str(file)).stdout
    shown = hub("catalogue", "price", "candle", "17,90", "--why", "scratched").stdout
    assert "now costs 17.90 EUR" in shown
    assert hub.json("stock", "--sku", "candle")["items"][0]["price"] == 1790


def test_a_shift_from_float_to_z(hub: Terminal) -> None:
    assert "150.00 EUR" in hub("shift", "open", "150").stdout
    assert "open" in hub("shift").stdout
    assert "X report" in hub("shift", "x").stdout
    assert "variance" in hub("shift", "close", "140", code=1).stderr
    shown = hub("shift", "close", "140.00", "--why", "miscounted").stdout
    assert "TST-1-Z000001" in shown
    assert "10.00 EUR" in shown
    assert "closing" in hub("receipt", "TST-1-Z000001", "--json").stdout


def test_badges_are_issued_listed_and_revoked(hub: Terminal, tmp_path: Path) -> None:
    card = tmp_path / "anna.pdf"
    issued = hub.json("badge", "new", "Anna [boss]", "--role", "supervisor", "--out", str(card))
    assert card.stat().st_mode & 0o777 == 0o600
    assert card.read_bytes().startswith(b"%PDF")
    assert "signs in as supervisor" in hub("scan-test", issued["text"]).stdout
    assert "Anna [boss]" in hub("badge", "list").stdout
    hub("badge", "revoke", issued["badge"], "--why", "lost")
    assert hub.json("badge", "list")["badges"][0]["revoked"] is True
    assert "badge_unknown" in hub("scan-test", issued["text"]).stdout
    assert "invalid" in hub("badge", "new", "Bert", "--role", "king", code=1).stderr
    assert "is issued, but" in hub("badge", "new", "Bert", "--out", "/nowhere/x.pdf", code=2).stderr


def test_scan_test(shop: Terminal) -> None:
    assert 'one Candle "Nordlicht"' in shop("scan-test", CANDLE).stdout
    shown = shop("scan-test", "TWIN").stdout
    assert "ambiguous_code" in shown
    assert "mug: Mug" in shown
    assert "gs1" in shop("scan-test", "01" + CANDLE.zfill(14), "--aim", "]C1").stdout
    assert "gs1" in shop("scan-test", "]C101" + CANDLE.zfill(14)).stdout, "as a scanner would send it"


def test_print_test_tells_proof_and_doubt(hub: Terminal) -> None:
    assert "proved by its process id" in hub("print-test").stdout
    hub.rig.printed = PrintResult(Printed.UNKNOWN, Proof.NONE, "no_proof")
    assert "look at the paper" in hub("print-test", code=1).stdout
    hub.rig.printed = PrintResult(Printed.NOT_PRINTED, Proof.NONE, "cover_open")
    assert "Its cover is open. Close it." in hub("print-test", code=1).stdout


def test_live_until_the_hub_stops(shop: Terminal) -> None:
    with process("live", "--socket", str(shop.rig.socket)) as live:
        assert live.stdout is not None
        while not shop.rig.feed.listeners:
            assert live.poll() is None
            time.sleep(0.01)
        for item in ({"kind": "beat"}, {"kind": "outcome", "ok": True, "data": {"total": 1290}, "reason": ""}):
            shop.loop.call_soon_threadsafe(shop.rig.feed.publish, item)
        assert live.stdout.readline() == 'outcome    ok=true data={"total": 1290}\n'
        shop.hub(shop.rig.server.quiesce(1.0))
        assert live.wait(10) == 0


def test_live_ends_with_ctrl_c(shop: Terminal) -> None:
    with process("live", "--json", "--socket", str(shop.rig.socket)) as live:
        assert live.stdout is not None
        while not shop.rig.feed.listeners:
            time.sleep(0.01)
        shop.loop.call_soon_threadsafe(shop.rig.feed.publish, {"kind": "scan"})
        assert json.loads(live.stdout.readline()) == {"kind": "scan"}
        live.send_signal(signal.SIGINT)
        live.wait(10)
        assert live.stderr is not None
        assert "Traceback" not in live.stderr.read()


def test_money(shop: Terminal) -> None:
    shop("sell", "mug")
    assert "12.90 EUR" in shop("money").stdout


def test_refusals_as_json_for_scripts(hub: Terminal) -> None:
    answer = hub.json("shift", "x", code=1)
    assert (answer["ok"], answer["reason"]) == (False, "shift_closed")
    assert hub("shift", "x", "--json", code=1).stderr == ""


def test_no_daemon(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", "--socket", str(tmp_path / "no.sock")])
    assert result.exit_code == 3
    assert "systemctl start holdfast" in result.stderr
    result = CliRunner().invoke(app, ["status", "--json", "--socket", str(tmp_path / "no.sock")])
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (3, False)


def test_a_socket_that_may_not_be_opened(hub: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: socket.socket, __: str) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    shown = hub("status", code=3).stderr
    assert "usermod -aG" in shown


def test_the_socket_is_found_by_the_configuration(hub: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(f'[hub]\nid="test-hub"\ncode="TST"\nname="x"\n[api]\nsocket="{hub.rig.socket}"\n')
    result = CliRunner().invoke(app, ["status", "--config", str(file)], env={"HOLDFAST_SOCKET": ""})
    assert result.exit_code == 0, result.output
    assert "The Test Shop" in result.stdout


class Flaky:
    """A listening socket that takes a request and hangs up, then makes way for the hub."""

    def __init__(self, path: Path, times: int) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._path, self._times = path, times
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for _ in range(self._times):
            connection, _ = self._listener.accept()
            heard = b""
            while not heard.endswith(b"}"):
                heard += connection.recv(65536)
            self.heard.append(heard)
            connection.close()
        self._path.unlink()
        self._listener.close()

    def wait(self) -> None:
        self._thread.join(10)


def test_a_lost_answer_is_asked_for_again_with_the_same_id(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    flaky = Flaky(path, 2)
    asking = client.Client(path, pause=0.01)
    with pytest.raises(client.AnswerLostError) as lost:
        asking.command("shift.print_x", station="cli")
    assert "may have been carried out" in lost.value.remedy
    flaky.wait()
    first, second = (json.loads(heard.partition(b"\r\n\r\n")[2]) for heard in flaky.heard)
    assert first == second
    assert first["do"] == "shift.print_x"


def test_a_lost_answer_reaches_the_hub_that_came_back(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    flaky = Flaky(path, 1)
    answers: list[dict[str, object]] = []
    asking = client.Client(path, pause=0.3)
    thread = threading.Thread(target=lambda: answers.append(asking.command("shift.open", station="cli", float_in=100)))
    thread.start()
    flaky.wait()
    with running(tmp_path) as back:
        thread.join(10)
        assert [answer["shift"] for answer in answers] == ["s1"]
        assert back.json("shift")["open"] is True


def test_an_upload_that_is_too_large_is_refused_in_words(hub: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.api.acts.MAX_BLOB", 1000)
    asking = client.Client(Path(hub.rig.socket))
    with pytest.raises(client.RefusedError) as refused:
        asking.upload("/v1/catalogue", b"x" * 5_000_000)
    assert "1000 bytes" in refused.value.remedy
