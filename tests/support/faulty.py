"""A disk that can fail: a SQLite VFS that remembers what was really synced, cuts the power, and refuses writes.

The real file always holds every write, so SQLite sees a healthy disk. Beside it stands the durable image: what a power
cut would leave. A write reaches the image at xSync; at a cut a random part of what was not synced has reached it too,
torn at 512-byte sectors. Connections speak enough of `sqlite3`'s interface for the journal to run on them.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512


class Image:
    """The durable bytes of one file and the operations since its last sync."""

    def __init__(self, content: bytes = b"") -> None:
        """`content` is what an earlier run left on the disk."""
        self.durable = bytearray(content)
        self.pending: list[tuple[int, bytes] | int] = []
        """`(offset, bytes)` is a write, an int a truncation."""

    def sync(self) -> None:
        for operation in self.pending:
            apply(self.durable, operation)
        self.pending.clear()

    def after_cut(self, dice: random.Random) -> bytes:
        """What is left when the power goes now."""
        left = bytearray(self.durable)
        for operation in self.pending:
            if isinstance(operation, int):
                if dice.random() < 0.5:
                    apply(left, operation)
                continue
            offset, data = operation
            for start in range(0, len(data), SECTOR):
                if dice.random() < 0.5:
                    apply(left, (offset + start, data[start : start + SECTOR]))
        return bytes(left)


def apply(content: bytearray, operation: tuple[int, bytes] | int) -> None:
    if isinstance(operation, int):
        del content[operation:]
        return
    offset, data = operation
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """The VFS. `before` is called with the name of each write, sync and truncation; it may raise."""

    count = 0

    def __init__(self) -> None:
        Disk.count += 1
        self.name = f"faulty{Disk.count}"
        self.images: dict[str, Image] = {}
        self.before: Callable[[str], None] = lambda _: None
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return DiskFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        super().xDelete(filename, syncdir)
        self.images.pop(filename, None)

    def cut(self, into: Path, dice: random.Random) -> None:
        """Write what a power cut would leave now as files of the same names in `into`."""
        into.mkdir(parents=True, exist_ok=True)
        for filename, image in self.images.items():
            (into / Path(filename).name).write_bytes(image.after_cut(dice))


class DiskFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        filename = name.filename() if isinstance(name, apsw.URIFilename) else name
        if filename and filename not in disk.images:
            there = Path(filename)
            disk.images[filename] = Image(there.read_bytes() if there.exists() else b"")
        self._image = disk.images[filename] if filename else Image()
        super().__init__("", name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.before("write")
        self._image.pending.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.before("truncate")
        self._image.pending.append(size)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.before("sync")
        self._image.sync()
        super().xSync(flags)


class FaultyConnection:
    """`sqlite3.Connection`, as far as the journal uses it, over a connection on a faulty disk."""

    def __init__(self, path: Path, disk: Disk, synchronous: str = "FULL") -> None:
        self._db = apsw.Connection(str(path), vfs=disk.name)
        self._synchronous = synchronous

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> FaultyCursor:
        if sql == "PRAGMA synchronous=FULL":
            sql = f"PRAGMA synchronous={self._synchronous}"
        with translated():
            return FaultyCursor(self._db, self._db.execute(sql, tuple(parameters)))

    def executemany(self, sql: str, rows: Any) -> None:
        with translated():
            self._db.executemany(sql, rows)

    def executescript(self, sql: str) -> None:
        with translated():
            self._db.execute(sql)

    @property
    def in_transaction(self) -> bool:
        return bool(self._db.in_transaction)

    def close(self) -> None:
        self._db.close()


class FaultyCursor:
    def __init__(self, db: apsw.Connection, cursor: apsw.Cursor) -> None:
        self._cursor = cursor
        self.lastrowid = db.last_insert_rowid()
        self.rowcount = db.changes()

    def fetchone(self) -> Any:
        with translated():
            return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        with translated():
            return self._cursor.fetchall()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class translated:  # noqa: N801 - reads as a word in a with statement
    """apsw's errors become sqlite3's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
            raise sqlite3.DatabaseError(f"database disk image is malformed: {error}") from error
        if isinstance(error, apsw.FullError):
            raise sqlite3.OperationalError("database or disk is full") from error
        if isinstance(error, apsw.ConstraintError):
            raise sqlite3.IntegrityError(str(error)) from error
        if isinstance(error, apsw.Error):
            raise sqlite3.OperationalError(f"disk I/O error: {error}") from error
