"""Importing catalogues, finding products by their codes, changing prices."""

from __future__ import annotations

import msgspec
import pytest

from domain.kit import CASHIER, SHOP, STATIONS, SUPERVISOR, Hub, import_rows, product, shop
from holdfast.domain.cart import AddItem, CheckPrice, VoidCart
from holdfast.domain.catalogue import ChangePrice, ImportCatalogue
from holdfast.domain.sale import PayCash
from holdfast_contract.catalogue import CatalogueImported, PriceChanged
from holdfast_contract.hub import HubCreated
from holdfast_contract.sale import SaleCompleted

ONE = STATIONS[0]


@pytest.fixture
def hub() -> Hub:
    return shop()


def versions(hub: Hub, sku: str) -> list[tuple[object, ...]]:
    return hub.rows("SELECT name, price, listed FROM product WHERE sku = ? ORDER BY since", sku)


@pytest.mark.parametrize("code", ["04006381333931", "A-candle", "candle"])
def test_a_product_is_found_by_gtin_alias_and_sku(hub: Hub, code: str) -> None:
    told = hub.ok(CheckPrice(station=ONE, code=code))
    assert told == {"sku": "candle", "name": "Candle", "price": 1999, "base": 1}


@pytest.mark.parametrize("code", ["CANDLE", "", "4006381333931", "\x00", "\udc80"])
def test_anything_else_is_unknown_and_not_repeated(hub: Hub, code: str) -> None:
    outcome = hub.do(CheckPrice(station=ONE, code=code))
    assert (outcome.reason, outcome.data) == ("unknown_code", {})


def test_a_code_on_two_products_lists_both(hub: Hub) -> None:
    outcome = hub.do(AddItem(station=ONE, code="TWIN"))
    assert outcome.reason == "ambiguous_code"
    assert outcome.data["products"] == [{"sku": "mug", "name": "Mug"}, {"sku": "print", "name": "Print"}]


def test_only_what_changed_gets_a_version(hub: Hub) -> None:
    before = hub.rows("SELECT count(*) FROM product")[0][0]
    hub.ok(import_rows(*SHOP[1:], product("candle", 2099, name="Candle, tall")), SUPERVISOR)
    assert versions(hub, "candle") == [("Candle", 1999, 1), ("Candle, tall", 2099, 1)]
    assert hub.rows("SELECT count(*) FROM product")[0][0] == before + 1
    assert hub.refused(CheckPrice(station=ONE, code="04006381333931")) == "unknown_code"


def test_what_is_gone_stays_unlisted_and_can_come_back(hub: Hub) -> None:
    hub.ok(import_rows(*SHOP[1:]), SUPERVISOR)
    assert versions(hub, "candle")[-1] == ("Candle", 1999, 0)
    assert hub.refused(CheckPrice(station=ONE, code="candle")) == "unknown_code"
    hub.ok(import_rows(*SHOP), SUPERVISOR)
    assert [listed for *_, listed in versions(hub, "candle")] == [1, 0, 1]


def test_inv_1_4_a_delisted_product_in_a_cart_is_still_sold(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="candle"))
    hub.ok(import_rows(*SHOP[1:]), SUPERVISOR)
    assert hub.ok(PayCash(station=ONE))["total"] == 1999


def test_inv_1_4_a_new_price_is_for_new_lines(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="candle"))
    hub.ok(ChangePrice(sku="candle", price=2500), SUPERVISOR)
    told = hub.ok(AddItem(station=ONE, code="candle"))
    assert (told["line"], told["price"], told["total"]) == (2, 2500, 4499)


def test_inv_1_4_a_line_keeps_its_tax_too(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="candle"))
    hub.ok(import_rows(*SHOP[1:], product("candle", 1999, tax_ppm=70_000)), SUPERVISOR)
    hub.ok(AddItem(station=ONE, code="candle"))
    hub.ok(PayCash(station=ONE))
    sale = hub.facts(SaleCompleted)[0].body
    assert [(group.ppm, group.net + group.tax) for group in sale.groups] == [(190_000, 1999), (70_000, 1999)]


def test_versions_only_rise(hub: Hub) -> None:
    assert hub.ok(import_rows(*SHOP[1:], version=7), SUPERVISOR) == {"version": 7, "rows": len(SHOP) - 1}
    assert hub.ok(import_rows(*SHOP[1:], version=7), SUPERVISOR)["version"] == 7
    assert len(hub.facts(CatalogueImported)) == 2
    assert hub.refused(import_rows(*SHOP, version=7), SUPERVISOR) == "version_old"
    assert hub.refused(import_rows(*SHOP, version=6), SUPERVISOR) == "version_old"
    assert hub.ok(import_rows(*SHOP), SUPERVISOR)["version"] == 8


@pytest.mark.parametrize(
    ("blob", "said"),
    [
        (b"", "truncated"),
        (b"\xc1", "malformed"),
        (msgspec.msgpack.encode([]), "no product"),
        (msgspec.msgpack.encode([SHOP[1], SHOP[0]]), "out of order"),
        (msgspec.msgpack.encode([SHOP[0], SHOP[0]]), "out of order"),
        (msgspec.msgpack.encode([product("x", -1)]), "price"),
        (msgspec.msgpack.encode([product("x", 1, gtins=("123",))]), "GTIN"),
        (msgspec.msgpack.encode([product("x", 1, name=" X")]), "trimmed"),
        (bytes(16 * 1024 * 1024 + 1), "bytes"),
    ],
)
def test_a_bad_catalogue_changes_nothing(hub: Hub, blob: bytes, said: str) -> None:
    outcome = hub.do(ImportCatalogue(version=0, blob=blob), SUPERVISOR)
    assert outcome.reason == "catalogue_invalid"
    assert said in outcome.data["problems"][0]


def test_prices_and_catalogues_are_a_supervisors(hub: Hub) -> None:
    assert hub.refused(ChangePrice(sku="mug", price=1)) == "not_permitted"
    assert hub.refused(import_rows(*SHOP[1:])) == "not_permitted"
    assert hub.refused(import_rows(*SHOP[1:]), "nobody") == "badge_needed"


def test_a_local_price_lasts_until_the_next_import(hub: Hub) -> None:
    hub.ok(ChangePrice(sku="mug", price=1100, why="chipped"), SUPERVISOR)
    hub.ok(ChangePrice(sku="mug", price=1100), SUPERVISOR)
    assert len(hub.facts(PriceChanged)) == 1
    assert hub.ok(CheckPrice(station=ONE, code="mug"))["price"] == 1100
    hub.ok(import_rows(*SHOP, version=9), SUPERVISOR)
    assert hub.ok(CheckPrice(station=ONE, code="mug"))["price"] == 1290


@pytest.mark.parametrize(("sku", "price", "reason"), [("mug", 0, "invalid"), ("tea", 5, "unknown_code")])
def test_a_price_must_be_for_something(hub: Hub, sku: str, price: int, reason: str) -> None:
    assert hub.refused(ChangePrice(sku=sku, price=price), SUPERVISOR) == reason


def test_a_product_without_a_price_is_not_sold(hub: Hub) -> None:
    hub.ok(import_rows(*SHOP, product("zebra", 0)), SUPERVISOR)
    assert hub.refused(AddItem(station=ONE, code="zebra")) == "no_price"


def test_a_receipt_names_what_was_sold_under_its_name_then(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="candle"))
    hub.ok(PayCash(station=ONE))
    sold = hub.facts(SaleCompleted)[0].seq
    hub.ok(import_rows(*SHOP[1:], product("candle", 1999, name="Taper")), SUPERVISOR)
    name = "SELECT name FROM product WHERE sku = 'candle' AND since <= ? ORDER BY since DESC LIMIT 1"
    assert hub.rows(name, sold) == [("Candle",)]
    assert hub.rows(name, hub.unit.seq) == [("Taper",)]


def test_a_lost_blob_costs_that_import_and_nothing_else(hub: Hub) -> None:
    again = import_rows(*SHOP[1:], product("soap", 450), version=5)
    hub.ok(again, SUPERVISOR)
    hub.ok(AddItem(station=ONE, code="soap"))
    hub.ok(AddItem(station=ONE, code="mug"))
    hub.db.execute("DELETE FROM blob WHERE sha = ?", (hub.facts(CatalogueImported)[-1].body.blob,))
    hub.projector.replay(hub.db, (record for (record,) in hub.rows("SELECT record FROM journal ORDER BY seq")))
    assert hub.rows("SELECT version FROM catalogue") == [(1,)]
    assert hub.ok(CheckPrice(station=ONE, code="candle"))["price"] == 1999
    assert hub.ok(again, SUPERVISOR)["version"] == 5
    assert hub.ok(CheckPrice(station=ONE, code="soap"))["price"] == 450
    assert hub.refused(PayCash(station=ONE)) == "unknown_code"
    assert hub.ok(VoidCart(station=ONE), SUPERVISOR)["lines"] == 2


def test_a_new_incarnation_keeps_the_shelf_and_the_open_cart(hub: Hub) -> None:
    hub.ok(AddItem(station=ONE, code="candle"), CASHIER)
    hub.ok(ChangePrice(sku="candle", price=2500), SUPERVISOR)
    hub.emit("hub-1", HubCreated(genesis=b"", prior_inc=1))
    assert hub.rows("SELECT since, price FROM product WHERE sku = 'candle'") == [(0, 2500)]
    assert hub.ok(PayCash(station=ONE)) | {"job": 0} == {
        "cart": "c1", "number": "BER-1-R000001", "total": 1999, "due": 2000, "change": 0, "lines": 1, "job": 0,
    }  # fmt: skip
    assert hub.projector.digest(hub.db) == hub.rebuilt_digest()
