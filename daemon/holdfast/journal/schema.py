"""The journal file: the record, its desk tables, and how a connection to it is opened.

Three kinds of table. The record (`journal`, `prior`, `checkpoint`, `meta`) is the truth. Projections belong to the
business areas and are dropped and replayed at will. Desk tables are written with the command and never rebuilt; losing
`outcome` costs idempotency of requests still being asked again, `cursor` a re-send, `spool` paper that was still to
come, `blob` what its event names by hash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

Connect = Callable[..., sqlite3.Connection]
"""Makes a connection as `sqlite3.connect` does; tests inject one that fails."""

PAGE_SIZE = 1024
"""Bytes. Small pages cost a third of the flash writes of 4 KiB ones for a sale; bench/ measures it."""
WAL_PAGES = 4096
"""Pages in the WAL before SQLite moves them into the file."""

RECORD = """
CREATE TABLE IF NOT EXISTS journal(seq INTEGER PRIMARY KEY, record BLOB NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS prior(
    inc INTEGER, seq INTEGER, record BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(inc, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoint(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, signature BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
"""

DESK = """
CREATE TABLE IF NOT EXISTS outcome(
    id BLOB PRIMARY KEY, fingerprint BLOB NOT NULL, outcome BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor(name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spool(
    job INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, ref INTEGER NOT NULL, state TEXT NOT NULL,
    at INTEGER NOT NULL, extra BLOB, why TEXT);
CREATE INDEX IF NOT EXISTS spool_open ON spool(state) WHERE state IN ('queued', 'sending');
CREATE TABLE IF NOT EXISTS blob(sha BLOB PRIMARY KEY, data BLOB NOT NULL);
"""

DESK_TABLES = ("outcome", "cursor", "spool", "blob")


def connect(path: Path, *, factory: Connect = sqlite3.connect) -> sqlite3.Connection:
    """The one writing connection: WAL, synchronous=FULL, transactions begun by hand."""
    db = factory(path, isolation_level=None, cached_statements=512, check_same_thread=False)
    db.execute(f"PRAGMA page_size={PAGE_SIZE}")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
    db.execute("PRAGMA cache_size=-8192")
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("PRAGMA busy_timeout=5000")
    return db


def connect_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.OperationalError when the file is not there."""
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False)


def meta(db: sqlite3.Connection, key: str) -> bytes | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else bytes(row[0])


def set_meta(db: sqlite3.Connection, key: str, value: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
