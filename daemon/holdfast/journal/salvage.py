"""Rescuing what can be proved from a damaged journal. Nothing is deleted, the old file is only moved."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from holdfast.journal.schema import DESK_TABLES
from holdfast.journal.verify import read_genesis
from holdfast_contract.record import Genesis, chain, genesis_hash

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How far the chain could be proved. `whole`: to its last record, so the incarnation goes on."""

    genesis: Genesis | None
    last: int
    head: bytes
    whole: bool


def move_aside(path: Path, at: int) -> Path:
    """Rename the file and its WAL to `journal-damaged-<UTC>.db`; returns the new path."""
    stamp = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.stem}-damaged-{stamp}.db")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}-damaged-{stamp}-{number}.db")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def salvage(source: Path, into: sqlite3.Connection) -> Salvaged:
    """Copy the provable prefix of the record, and every readable desk row, into an open transaction of a new file."""
    with closing(sqlite3.connect(source)) as old:
        try:
            genesis = read_genesis(old)
        except (sqlite3.DatabaseError, LookupError, msgspec.MsgspecError) as error:
            log.critical("nothing can be rescued: %s", error)
            return Salvaged(None, 0, b"", whole=False)
        last, head = _copy_chain(old, into, genesis_hash(genesis))
        _copy_rows(old, into, "meta")
        for table in ("prior", *DESK_TABLES):
            _copy_rows(old, into, table)
        into.execute("DELETE FROM meta WHERE key = 'projections'")
        whole = _last_seq(old) == last
        if whole:
            _copy_rows(old, into, "checkpoint")
        return Salvaged(genesis, last, head, whole)


def _copy_chain(old: sqlite3.Connection, into: sqlite3.Connection, head: bytes) -> tuple[int, bytes]:
    """Records from 1 on for as long as each can be read and follows from the one before."""
    seq = 0
    while True:
        try:
            row = old.execute("SELECT record, hash FROM journal WHERE seq = ?", (seq + 1,)).fetchone()
        except sqlite3.DatabaseError:
            return seq, head
        if row is None or not isinstance(row[0], bytes) or chain(head, row[0]) != row[1]:
            return seq, head
        seq, head = seq + 1, row[1]
        into.execute("INSERT INTO journal VALUES (?, ?, ?)", (seq, *row))


def _last_seq(old: sqlite3.Connection) -> int | None:
    """The highest seq the file still names; None when that cannot be read."""
    try:
        row = old.execute("SELECT max(seq) FROM journal").fetchone()
    except sqlite3.DatabaseError:
        return None
    return row[0] or 0


def _copy_rows(old: sqlite3.Connection, into: sqlite3.Connection, table: str) -> None:
    """Every row that can still be read; the rest is logged, not hidden."""
    copied = 0
    with suppress(StopIteration):
        try:
            rows = iter(old.execute(f"SELECT * FROM {table}"))
            while True:
                row = next(rows)
                marks = ", ".join("?" * len(row))
                into.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
                copied += 1
        except sqlite3.DatabaseError as error:
            log.warning("table %s: %d rows rescued, then %s", table, copied, error)
