"""The file behind the telemetry ring: plain SQLite calls, made from one thread."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from holdfast.uplink.batch import Row
from holdfast_contract.wire import Stream

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
  stream TEXT, seq INTEGER, record BLOB NOT NULL, PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mark (stream TEXT PRIMARY KEY, head INTEGER NOT NULL, acked INTEGER NOT NULL);
"""
THIN_ROWS = 256
"""Rows dropped at a time when there is too much."""


class RingFile:
    """All methods raise sqlite3.Error; the file is then as it was."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        """`max_bytes` of records; the file is somewhat larger."""
        self._path = path
        self._max_bytes = max_bytes
        self._bytes = 0
        self._db: sqlite3.Connection | None = None

    def open(self) -> dict[Stream, tuple[int, int]]:
        """Open or make the file; `(head, acked)` of each stream it knows.

        A file that is no database is replaced; where none can be made the ring lives in memory.
        """
        self._db = self._find()
        (self._bytes,) = self._db.execute("SELECT coalesce(sum(length(record)), 0) FROM record").fetchone()
        marks = self._db.execute("SELECT stream, head, acked FROM mark")
        return {Stream(stream): (head, acked) for stream, head, acked in marks}

    def _find(self) -> sqlite3.Connection:
        try:
            return self._connect_or_replace()
        except (sqlite3.Error, OSError) as error:
            log.warning("telemetry stays in memory: %s", error)
            return _connect(":memory:")

    def _connect_or_replace(self) -> sqlite3.Connection:
        try:
            return _connect(self._path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            log.warning("telemetry begins anew: %s", error)
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        return _connect(self._path)

    def close(self) -> None:
        """Idempotent."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def update(self, stream: Stream, rows: Sequence[Row], acked: int) -> bool:
        """Append rows, forget what is acknowledged, thin: one transaction. True."""
        db = self._opened()
        if not rows and db.execute("SELECT acked FROM mark WHERE stream = ?", (stream,)).fetchone() == (acked,):
            return True
        db.execute("BEGIN")
        try:
            size = self._bytes + self._append(stream, rows, acked) - self._forget(stream, acked)
            while size > self._max_bytes and (freed := self._thin()):
                size -= freed
            db.execute("COMMIT")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self._bytes = size
        return True

    def read(self, stream: Stream, after: int, limit: int) -> list[Row]:
        """Rows beyond `after`, in order."""
        sql = "SELECT seq, record FROM record WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?"
        return [Row(seq, record) for seq, record in self._opened().execute(sql, (stream, after, limit))]

    def _append(self, stream: Stream, rows: Sequence[Row], acked: int) -> int:
        db = self._opened()
        db.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", [(stream, r.seq, r.record) for r in rows])
        db.execute(
            "INSERT INTO mark VALUES (?, ?, ?)"
            " ON CONFLICT (stream) DO UPDATE SET head = max(head, excluded.head), acked = excluded.acked",
            (stream, max(rows[-1].seq if rows else 0, acked), acked),
        )
        return sum(len(row.record) for row in rows)

    def _forget(self, stream: Stream, acked: int) -> int:
        """Drop what headquarters has; the bytes that were freed."""
        sql = "DELETE FROM record WHERE stream = ? AND seq <= ? RETURNING length(record)"
        return _total(self._opened().execute(sql, (stream, acked)))

    def _thin(self) -> int:
        """Drop the oldest rows, diagnostics before telemetry; the bytes that were freed."""
        sql = (
            "DELETE FROM record WHERE (stream, seq) IN (SELECT stream, seq FROM record ORDER BY stream, seq LIMIT ?)"
            " RETURNING length(record)"
        )
        return _total(self._opened().execute(sql, (THIN_ROWS,)))

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise sqlite3.OperationalError("telemetry file is not open")
        return self._db


def _connect(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _total(lengths: sqlite3.Cursor) -> int:
    return sum(length for (length,) in lengths)
