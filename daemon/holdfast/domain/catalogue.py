"""Products, their versions by seq, and the codes they are scanned by.

`product` has a row for every version: what was sold at seq n shows the name of the last version since n or earlier.
`code` leads from what is scanned to the products on the shelf: their GTINs, aliases and skus.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import msgspec

from holdfast.domain import limits
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork, Urgency
from holdfast.domain.operator import Role, require
from holdfast.domain.products import faults
from holdfast.domain.rows import as_json, insert
from holdfast_contract.catalogue import CatalogueImported, PriceChanged, Product, base_of
from holdfast_contract.hub import HubCreated

MAX_BLOB = 16 * 1024 * 1024
MAX_PROBLEMS = 20
"""Problems of a refused catalogue that are told."""

TABLES = """
CREATE TABLE IF NOT EXISTS product (
    sku TEXT, since INTEGER, name TEXT NOT NULL, price INTEGER NOT NULL, category TEXT NOT NULL, ppm INTEGER NOT NULL,
    merchant TEXT NOT NULL, unit TEXT NOT NULL, open_price INTEGER NOT NULL, listed INTEGER NOT NULL,
    PRIMARY KEY (sku, since)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS code (code TEXT, sku TEXT, PRIMARY KEY (code, sku)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS catalogue (
    one INTEGER PRIMARY KEY, version INTEGER NOT NULL, digest BLOB NOT NULL, rows INTEGER NOT NULL,
    at INTEGER NOT NULL);
"""

_decode = msgspec.msgpack.Decoder(tuple[Product, ...]).decode


class ImportCatalogue(Command, frozen=True, tag="catalogue.import", kw_only=True):
    """A complete catalogue: the msgpack array of Product, sorted by sku. Version 0 is one above the version in use.

    Role: supervisor.
    """

    urgency = Urgency.BULK
    version: int
    blob: bytes


class ChangePrice(Command, frozen=True, tag="catalogue.change_price", kw_only=True):
    """A local price, minor units a piece or a kilogram, until the next import says otherwise. Role: supervisor."""

    sku: str
    price: int
    why: str = ""


class Item(NamedTuple):
    """A product as it is now."""

    sku: str
    since: int
    name: str
    price: int
    open_price: bool
    unit: str

    @property
    def base(self) -> int:
        """What the price is for; above 1 it is sold by weight."""
        return base_of(self.unit)

    def counted(self, pieces: int, grams: int) -> int:
        """What is counted of it. Raises Refused: `weight_missing`; `invalid` when a piece was weighed."""
        if self.base == 1:
            if grams:
                raise Refused("invalid", detail=f"{self.sku} is not sold by weight")
            return limits.quantity(pieces)
        if not grams:
            raise Refused("weight_missing", sku=self.sku, name=self.name)
        return limits.quantity(grams)


def find(tables: Tables, code: str) -> Item:
    """The product with this code. Raises Refused(`unknown_code`), Refused(`ambiguous_code`, products=[…])."""
    if not code.isprintable():
        raise Refused("unknown_code")
    found = tables.all(
        "SELECT p.sku, p.since, p.name, p.price, p.open_price, p.unit FROM code c JOIN product p ON p.sku = c.sku"
        " AND p.since = (SELECT max(since) FROM product WHERE sku = c.sku) WHERE c.code = ? ORDER BY p.sku",
        code,
    )
    if not found:
        raise Refused("unknown_code")
    if len(found) > 1:
        raise Refused("ambiguous_code", products=[{"sku": row[0], "name": row[2]} for row in found])
    return Item(*found[0])


def open_price_item(tables: Tables) -> Item:
    """The first product sold at a keyed amount. Raises Refused(`unknown_code`)."""
    row = tables.one(
        "SELECT sku, since, name, price, open_price, unit FROM product p WHERE open_price AND listed"
        " AND since = (SELECT max(since) FROM product WHERE sku = p.sku) ORDER BY sku LIMIT 1"
    )
    if row is None:
        raise Refused("unknown_code")
    return Item(*row)


def require_sku(tables: Tables, sku: str) -> str:
    """`sku` if the hub ever had it. Raises Refused(`unknown_code`); Refused(`invalid`) if it has no stock."""
    row = tables.one("SELECT open_price FROM product WHERE sku = ? ORDER BY since DESC LIMIT 1", sku)
    if row is None:
        raise Refused("unknown_code", sku=sku)
    if row[0]:
        raise Refused("invalid", detail=f"{sku} is sold at a keyed amount and has no stock")
    return sku


def import_catalogue(uow: UnitOfWork, command: ImportCatalogue) -> Outcome:
    require(uow, Role.SUPERVISOR)
    rows = _checked(command.blob)
    _refuse_new_units(uow, rows)
    sha = uow.store_blob(command.blob)
    applied = uow.one("SELECT version, digest FROM catalogue") or (0, b"")
    version = command.version or applied[0] + 1
    if (version, sha) != applied:
        if version <= applied[0]:
            raise Refused("version_old", version=applied[0])
        uow.emit("catalogue", CatalogueImported(version=version, blob=sha, rows=len(rows)))
    return Outcome(data={"version": version, "rows": len(rows)})


def change_price(uow: UnitOfWork, command: ChangePrice) -> Outcome:
    require(uow, Role.SUPERVISOR)
    row = uow.one("SELECT name, price, listed FROM product WHERE sku = ? ORDER BY since DESC LIMIT 1", command.sku)
    if row is None or not row[2]:
        raise Refused("unknown_code", sku=command.sku)
    price = limits.amount(command.price, least=1)
    if price != row[1]:
        uow.emit(command.sku, PriceChanged(price=price, why=limits.text(command.why)))
    return Outcome(data={"sku": command.sku, "name": row[0], "price": price})


def _checked(blob: bytes) -> tuple[Product, ...]:
    if len(blob) > MAX_BLOB:
        raise Refused("catalogue_invalid", problems=[f"more than {MAX_BLOB} bytes"])
    try:
        rows = _decode(blob)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Refused("catalogue_invalid", problems=[str(error)]) from error
    problems = [f"{row.sku}: {fault}" for row in rows for fault in faults(row)]
    problems += [f"{b.sku}: out of order" for a, b in pairwise(rows) if a.sku >= b.sku]
    if problems or not rows:
        raise Refused("catalogue_invalid", problems=problems[:MAX_PROBLEMS] or ["no product in it"])
    return rows


def _refuse_new_units(uow: UnitOfWork, rows: tuple[Product, ...]) -> None:
    """Stock in pieces does not become stock in grams: what is sold another way is another sku."""
    known = dict(
        uow.all("SELECT sku, unit FROM product p WHERE since = (SELECT max(since) FROM product WHERE sku = p.sku)")
    )
    changed = [row.sku for row in rows if base_of(row.unit) != base_of(known.get(row.sku, row.unit))]
    if changed:
        problems = [f"{sku}: by weight and by the piece are two skus" for sku in changed[:MAX_PROBLEMS]]
        raise Refused("catalogue_invalid", problems=problems)


def _imported(tables: Tables, event: Event, body: CatalogueImported) -> None:
    """When a salvage lost the blob, what was in force stays; importing that version again puts it right."""
    try:
        products = _decode(tables.blob(body.blob))
    except KeyError:
        return
    _store_versions(tables, event.seq, products)
    _store_codes(tables, products)
    tables.run("INSERT OR REPLACE INTO catalogue VALUES (1, ?, ?, ?, ?)", body.version, body.blob, body.rows, event.at)


def _store_versions(tables: Tables, seq: int, products: tuple[Product, ...]) -> None:
    """A new version of every row that differs from the one in force; one that is gone stays, unlisted."""
    current = {
        row[0]: row[1:]
        for row in tables.all(
            "SELECT sku, name, price, category, ppm, merchant, unit, open_price, listed FROM product p"
            " WHERE since = (SELECT max(since) FROM product WHERE sku = p.sku)"
        )
    }
    wanted = {
        p.sku: (p.name, p.price, p.tax_category, p.tax_ppm, p.merchant, p.unit, int(p.open_price), 1) for p in products
    }
    gone = {sku: (*row[:-1], 0) for sku, row in current.items() if sku not in wanted}
    changed = [(sku, seq, *row) for sku, row in (wanted | gone).items() if current.get(sku) != row]
    insert(tables, "INSERT INTO product", changed)


def _store_codes(tables: Tables, products: tuple[Product, ...]) -> None:
    current = set(tables.all("SELECT code, sku FROM code"))
    wanted = {(code, p.sku) for p in products for code in (p.sku, *p.gtins, *p.aliases)}
    tables.run(
        "DELETE FROM code WHERE (code, sku) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        as_json(sorted(current - wanted)),
    )
    insert(tables, "INSERT INTO code", sorted(wanted - current))


def _price_changed(tables: Tables, event: Event, body: PriceChanged) -> None:
    tables.run(
        "INSERT INTO product SELECT sku, ?, name, ?, category, ppm, merchant, unit, open_price, listed FROM product"
        " WHERE sku = ? ORDER BY since DESC LIMIT 1",
        event.seq, body.price, event.subject,
    )  # fmt: skip


def _begin_incarnation(tables: Tables, _: Event, __: HubCreated) -> None:
    """Seqs begin again: what is in force now was there from the beginning."""
    tables.run("DELETE FROM product AS p WHERE since < (SELECT max(since) FROM product WHERE sku = p.sku)")
    tables.run("UPDATE product SET since = 0")


AREA = Area(
    name="catalogue",
    tables=TABLES,
    handlers={ImportCatalogue: import_catalogue, ChangePrice: change_price},
    projections={CatalogueImported: _imported, PriceChanged: _price_changed, HubCreated: _begin_incarnation},
)
