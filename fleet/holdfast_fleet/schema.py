"""The collector's database: one SQLite file, WAL, every commit synced. Raw records are the truth, the rest a fold."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

VERSION = 1

SCHEMA = """
-- Raw records of every journal, exactly its verified contiguous prefix 1..upto. Never updated, never deleted.
CREATE TABLE event (
  hub TEXT, inc INTEGER, seq INTEGER, type TEXT NOT NULL, at INTEGER NOT NULL, flag TEXT NOT NULL,
  record BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (hub, inc, seq)
) STRICT, WITHOUT ROWID;

-- One row per journal and stream: what is committed, since when, and the odd things seen on the way. jid is 16 hex
-- digits; committed_at is 0 until something is.
CREATE TABLE stream (
  hub TEXT, st TEXT, inc INTEGER, jid TEXT NOT NULL, root BLOB NOT NULL, upto INTEGER NOT NULL, hash BLOB NOT NULL,
  high INTEGER NOT NULL, duplicates INTEGER NOT NULL DEFAULT 0, forked INTEGER NOT NULL DEFAULT 0,
  committed_at INTEGER NOT NULL, PRIMARY KEY (hub, st, inc)
) STRICT, WITHOUT ROWID;

-- Batches that arrived ahead of a gap, as received; they enter `event` when the gap closes.
CREATE TABLE held (
  hub TEXT, inc INTEGER, first INTEGER, n INTEGER, topic TEXT NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY (hub, inc, first, n)
) STRICT, WITHOUT ROWID;

-- Refused batches that contradict what is committed: another journal id, or another chain hash at `seq`.
CREATE TABLE fork (
  hub TEXT, inc INTEGER, seq INTEGER, jid TEXT, theirs BLOB, ours BLOB NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (hub, inc, seq, jid, theirs)
) STRICT, WITHOUT ROWID;

-- A rebuilt hub continues from its earlier incarnations: `ancestor` counts for `inc` up to and including `cut`.
CREATE TABLE lineage (
  hub TEXT, inc INTEGER, ancestor INTEGER, cut INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (hub, inc, ancestor)
) STRICT, WITHOUT ROWID;

-- Folds at the committed prefix of (hub, inc), its ancestors included.
CREATE TABLE stock (
  hub TEXT, inc INTEGER, sku TEXT, place INTEGER, qty INTEGER NOT NULL, PRIMARY KEY (hub, inc, sku, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE money (
  hub TEXT, inc INTEGER, account TEXT, amount INTEGER NOT NULL, PRIMARY KEY (hub, inc, account)
) STRICT, WITHOUT ROWID;

-- What hubs say of their own folds, and whether ours agree.
CREATE TABLE digest (
  hub TEXT, inc INTEGER, as_of INTEGER, body BLOB NOT NULL, at INTEGER NOT NULL, verdict TEXT NOT NULL,
  differs TEXT NOT NULL DEFAULT '', PRIMARY KEY (hub, inc, as_of)
) STRICT, WITHOUT ROWID;

-- Telemetry and diagnostics, the newest only.
CREATE TABLE telemetry (
  hub TEXT, st TEXT, inc INTEGER, seq INTEGER, at INTEGER NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (hub, st, inc, seq)
) STRICT, WITHOUT ROWID;

-- One row per hub heard of. `birth` is the last one, encoded; (boot, conn) tell which connection `presence` speaks of.
CREATE TABLE hub (
  hub TEXT PRIMARY KEY, presence TEXT NOT NULL DEFAULT 'unknown', boot INTEGER NOT NULL DEFAULT -1,
  conn INTEGER NOT NULL DEFAULT -1, birth BLOB, seen_at INTEGER NOT NULL DEFAULT 0, offset_ms INTEGER,
  quarantined INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Messages nothing could be made of: a sample each, the newest of every hub.
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, hub TEXT NOT NULL, topic TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
  size INTEGER NOT NULL, sample BLOB NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX quarantine_by_hub ON quarantine (hub, id);
"""

Connect = Callable[..., sqlite3.Connection]


class WrongDatabaseError(ValueError):
    """The file is not a collector's database of this version."""


def open_writer(path: Path, connect: Connect = sqlite3.connect) -> sqlite3.Connection:
    """Open or create. Raises WrongDatabaseError, sqlite3.Error."""
    db = connect(path, isolation_level=None, timeout=10.0)
    fresh = _is_empty(db)
    if not fresh:
        _demand_version(db, path)
    db.execute("PRAGMA page_size = 8192")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA cache_size = -32768")
    if fresh:
        db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    """Open an existing database for reading alone, as it is now: what is committed later is not seen.

    Raises WrongDatabaseError, sqlite3.Error.
    """
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10.0)
    db.execute("BEGIN")
    _demand_version(db, path)
    return db


def _is_empty(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def _demand_version(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        db.close()
        raise WrongDatabaseError(f"{path}: not a collector's database of version {VERSION} (found {version})")
