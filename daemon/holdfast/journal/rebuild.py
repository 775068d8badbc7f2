"""Projections made anew from the record, while no daemon holds the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from holdfast.domain.core import Area
from holdfast.domain.registry import AREAS
from holdfast.journal.export import Progress
from holdfast.journal.projector import Projector, stored_records
from holdfast.journal.schema import connect, meta, set_meta
from holdfast.journal.store import FILE, lock_directory
from holdfast.journal.verify import projections_agree, read_genesis


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. `changed`: the tables were not what the record says, or of another release."""

    records: int
    changed: bool


def rebuild(directory: Path, *, areas: Sequence[Area] = AREAS, progress: Progress = lambda _: None) -> Rebuilt:
    """Drop every projection and fold the record again, in one transaction.

    Raises InUseError while a daemon holds the journal, FileNotFoundError, LookupError without a genesis, sqlite3.Error.
    """
    path = directory / FILE
    if not path.exists():
        raise FileNotFoundError(path)
    projector = Projector(areas)
    with lock_directory(directory), closing(connect(path)) as db:
        read_genesis(db)
        before = _digest(db, projector)
        db.execute("BEGIN IMMEDIATE")
        records = projector.replay(db, _told(stored_records(db), progress))
        set_meta(db, "projections", projector.version)
        db.execute("COMMIT")
        return Rebuilt(records, before != projector.digest(db))


def projections_hold(directory: Path, *, areas: Sequence[Area] = AREAS) -> bool:
    """Do the projections equal a replay of the record, bit for bit (G-2)? The journal may be in use."""
    return projections_agree(directory / FILE, Projector(areas))


def _digest(db: sqlite3.Connection, projector: Projector) -> bytes:
    """Of the projections as found; nothing when they are of another release."""
    return projector.digest(db) if meta(db, "projections") == projector.version else b""


def _told(records: Iterable[bytes], progress: Progress) -> Iterator[bytes]:
    for count, record in enumerate(records, 1):
        yield record
        progress(count)
