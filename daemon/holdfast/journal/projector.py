"""From events to tables: which projections an event runs, and replaying them all."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from holdfast.domain.core import Area, Event, Projection
from holdfast_contract.body import Body
from holdfast_contract.events import NAME_OF, TYPES, decode_body
from holdfast_contract.record import Record, decode_record


class SqlTables:
    """`holdfast.domain.core.Tables` over a connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._execute = db.execute

    def one(self, sql: str, *args: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._execute(sql, args).fetchone()
        return row

    def all(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return self._execute(sql, args).fetchall()

    def run(self, sql: str, *args: Any) -> None:
        self._execute(sql, args)

    def blob(self, sha: bytes) -> bytes:
        row = self.one("SELECT data FROM blob WHERE sha = ?", sha)
        if row is None:
            raise KeyError(sha.hex())
        return bytes(row[0])


class Projector:
    """The areas' projections, in the order of the registry."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self.ddl = "\n".join(area.tables for area in areas)
        self.version = hashlib.sha256(self.ddl.encode()).digest()
        self._by_body: dict[type[Body], tuple[str, tuple[Projection, ...]]] = {
            body: (NAME_OF[body], tuple(a.projections[body] for a in areas if body in a.projections))
            for body in TYPES.values()
        }

    def of(self, body: type[Body]) -> tuple[str, tuple[Projection, ...]]:
        """Type name and projections of a body type."""
        return self._by_body[body]

    def tables(self) -> list[str]:
        """Names of every projection table, by making them in an empty database."""
        scratch = sqlite3.connect(":memory:")
        try:
            scratch.executescript(self.ddl)
            rows = scratch.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
        finally:
            scratch.close()
        return [name for (name,) in rows]

    def create(self, db: sqlite3.Connection) -> None:
        """Make the projection tables that are missing. Joins the open transaction."""
        for statement in self.ddl.split(";"):
            if statement.strip():
                db.execute(statement)

    def apply(self, tables: SqlTables, record: Record) -> None:
        """Project one stored record. A type this version does not know projects nothing."""
        body = decode_body(record)
        if body is None:
            return
        event = Event(
            record.seq, record.at, record.clk, record.boot, record.mono, record.type, record.subject,
            record.cause, record.actor, body,
        )  # fmt: skip
        for projection in self._by_body[type(body)][1]:
            projection(tables, event, body)

    def replay(self, db: sqlite3.Connection, records: Iterable[bytes]) -> int:
        """Drop every projection and fold the records again, in the open transaction. Returns how many were folded."""
        for name in self.tables():
            db.execute(f'DROP TABLE IF EXISTS "{name}"')
        self.create(db)
        tables = SqlTables(db)
        count = 0
        for data in records:
            self.apply(tables, decode_record(data))
            count += 1
        return count

    def digest(self, db: sqlite3.Connection) -> bytes:
        """SHA-256 over every row of every projection table, in key order: equal digests are equal states (G-2)."""
        total = hashlib.sha256()
        for name in self.tables():
            columns = len(db.execute(f'SELECT * FROM "{name}" LIMIT 0').description)
            order = ", ".join(str(n + 1) for n in range(columns))
            total.update(name.encode())
            for row in db.execute(f'SELECT * FROM "{name}" ORDER BY {order}'):
                total.update(msgspec.msgpack.encode(row))
        return total.digest()


def stored_records(db: sqlite3.Connection) -> Iterable[bytes]:
    """Every record the projections stand on: those of earlier incarnations, then this one's."""
    for (record,) in db.execute("SELECT record FROM prior ORDER BY inc, seq"):
        yield bytes(record)
    for (record,) in db.execute("SELECT record FROM journal ORDER BY seq"):
        yield bytes(record)
