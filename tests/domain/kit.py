"""A hub in memory: the journal's own unit of work and projector over SQLite `:memory:`, and a small shop to try."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from holdfast.domain import money, products
from holdfast.domain.catalogue import ImportCatalogue
from holdfast.domain.core import Area, Command, Outcome, Policy, Refused
from holdfast.domain.delivery import ReceiveStock
from holdfast.domain.operator import IssueBadge
from holdfast.domain.registry import AREAS
from holdfast.domain.shift import OpenShift
from holdfast.journal.projector import Projector
from holdfast.journal.schema import DESK, RECORD
from holdfast.journal.unit import Context, Moment, Unit
from holdfast_contract.body import Body
from holdfast_contract.catalogue import Product
from holdfast_contract.events import decode_body
from holdfast_contract.hub import HubCreated
from holdfast_contract.record import ClockQuality, Record, decode_record

POLICY = Policy(hub="hub-1", code="BER", cash_rounding=5)
CASHIER, SUPERVISOR, TECHNICIAN = "anna", "bert", "technician:root"
STATIONS = ("till-1", "till-2")


def product(sku: str, price: int, **more: Any) -> Product:
    """A row of the catalogue."""
    row: dict[str, Any] = {"name": sku.title(), "tax_category": "S", "tax_ppm": 190_000, "aliases": (f"A-{sku}",)}
    return Product(sku=sku, price=price, **row | more)


SHOP = (
    product("candle", 1999, gtins=("04006381333931",)),
    product("honey", 749, tax_ppm=70_000, merchant="bee"),
    product("mug", 1290, merchant="clay", aliases=("A-mug", "TWIN")),
    product("misc", 0, open_price=True),
    product("cheese", 1290, tax_ppm=70_000, unit="kg", aliases=("A-cheese",)),
    product("print", 3, tax_category="E", tax_ppm=0, merchant="clay", aliases=("A-print", "TWIN")),
)


@dataclass(frozen=True)
class Fact:
    """An event of the journal, decoded."""

    seq: int
    subject: str
    actor: str
    body: Any


class Hub:
    """Runs commands as the writer does: one savepoint each, refusals undone."""

    def __init__(self, areas: tuple[Area, ...] = AREAS, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.db = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        self.db.executescript(RECORD + DESK)
        self.projector = Projector(areas)
        self.projector.create(self.db)
        self.handlers = {command: handler for area in areas for command, handler in area.handlers.items()}
        self.unit = Unit(self.db, self.projector, Context(policy, 1, 1))
        self.unit.head = hashlib.sha256(b"root").digest()
        self.moments = 0
        self.day = 20_000
        self.unit.start(b"genesis", "hub", self._moment())
        self.unit.emit(policy.hub, HubCreated(genesis=b""))

    def do(self, command: Command, actor: str = CASHIER) -> Outcome:
        """What the command came to."""
        self.db.execute("SAVEPOINT command")
        before = self.unit.seq, self.unit.head
        self.unit.start(self.moments.to_bytes(16, "big"), actor, self._moment())
        try:
            outcome = self.handlers[type(command)](self.unit, command)
        except Refused as refused:
            self.db.execute("ROLLBACK TO command")
            self.unit.seq, self.unit.head = before
            outcome = Outcome(ok=False, reason=refused.reason, data=refused.data)
        self.db.execute("RELEASE command")
        return outcome

    def ok(self, command: Command, actor: str = CASHIER) -> dict[str, Any]:
        """The data of a command that must succeed."""
        outcome = self.do(command, actor)
        assert outcome.ok, (command, outcome)
        return outcome.data

    def refused(self, command: Command, actor: str = CASHIER) -> str:
        """The reason of a command that must be refused, and leaves no trace."""
        before = self.unit.head, self.projector.digest(self.db)
        outcome = self.do(command, actor)
        assert not outcome.ok, (command, outcome)
        assert before == (self.unit.head, self.projector.digest(self.db))
        return outcome.reason

    def emit(self, subject: str, body: Body) -> int:
        """An event nobody's handler decided; for tests of checks and projections."""
        return self.unit.emit(subject, body)

    def rows(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, args).fetchall()

    def cash(self) -> int:
        """What should lie in the drawer."""
        return sum(money.drawer(self.unit))

    def facts(self, *kinds: type[Body]) -> list[Fact]:
        """The journal, or its events of some kinds, in order."""
        decoded = [_fact(decode_record(record)) for (record,) in self.rows("SELECT record FROM journal ORDER BY seq")]
        return [fact for fact in decoded if not kinds or isinstance(fact.body, kinds)]

    def rebuilt_digest(self) -> bytes:
        """The digest of the projections after replaying the journal into a fresh database (G-2)."""
        other = sqlite3.connect(":memory:", isolation_level=None)
        other.executescript(RECORD + DESK)
        other.executemany("INSERT INTO blob VALUES (?, ?)", self.rows("SELECT sha, data FROM blob"))
        self.projector.replay(other, (record for (record,) in self.rows("SELECT record FROM journal ORDER BY seq")))
        try:
            return self.projector.digest(other)
        finally:
            other.close()

    def _moment(self) -> Moment:
        self.moments += 1
        return Moment(1_700_000_000_000 + self.moments * 1000, ClockQuality.SYNCED, self.moments * 1000, self.day)


def _fact(record: Record) -> Fact:
    return Fact(record.seq, record.subject, record.actor, decode_body(record))


def import_rows(*rows: Product, version: int = 0) -> ImportCatalogue:
    return ImportCatalogue(version=version, blob=products.pack(rows))


def shop(*, float_in: int = 10_000, stock: int = 20, **policy: Any) -> Hub:
    """A hub with badges, the catalogue, `stock` of each product and an open shift."""
    hub = Hub(policy=replace(POLICY, **policy))
    hub.ok(IssueBadge(badge=CASHIER, name="Anna", role="cashier"), TECHNICIAN)
    hub.ok(IssueBadge(badge=SUPERVISOR, name="Bert", role="supervisor"), TECHNICIAN)
    hub.ok(import_rows(*SHOP), SUPERVISOR)
    if stock:
        hub.ok(ReceiveStock(lines=tuple((row.sku, stock) for row in SHOP if not row.open_price)))
    hub.ok(OpenShift(station=STATIONS[0], float_in=float_in))
    return hub
