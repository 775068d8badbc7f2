"""Proving the record: verifying the chain, rebuilding every projection; beside reading and hashing alone."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from time import perf_counter

from backlog import backlog
from holdfast.domain.registry import AREAS
from holdfast.journal.projector import Projector, stored_records
from holdfast.journal.schema import connect, connect_read
from holdfast.journal.store import FILE
from holdfast.journal.verify import verify_chain
from measure import Beside, Row, Run, count, in_turns

VERIFY, REBUILD = 100_000, 20_000


async def run(bench: Run) -> list[Row]:
    path = await backlog(bench, bench.pick(200_000, 50_000)) / FILE
    works = {"verify": verify, "hash": read_and_hash, "check": integrity_check, "rebuild": rebuild, "copy": copy_rows}
    measures = {name: partial(asyncio.to_thread, rate, work, path) for name, work in works.items()}
    found = await in_turns(bench.pick(5, 3), measures)
    return [
        Row(
            what="chain verified: every record, hash and checkpoint signature",
            value=found["verify"],
            unit="events/s",
            beside=(
                Beside("one SHA-256 over the same rows", found["hash"]),
                Beside("SQLite's integrity_check, which proves no record", found["check"]),
            ),
            goal=f">= {count(VERIFY)} /s",
            met=found["verify"] >= VERIFY,
        ),
        Row(
            what="rebuild of every projection",
            value=found["rebuild"],
            unit="events/s",
            beside=(Beside("INSERT ... SELECT of the bare rows", found["copy"]),),
            goal=f">= {count(REBUILD)} /s",
            met=found["rebuild"] >= REBUILD,
        ),
    ]


def rate(work: Callable[[Path], int], path: Path) -> float:
    """Events a second; `work` returns how many it went through."""
    began = perf_counter()
    return work(path) / (perf_counter() - began)


def verify(path: Path) -> int:
    with closing(connect_read(path)) as db:
        verdict = verify_chain(db)
    if not verdict.ok:
        raise RuntimeError(f"seq {verdict.first_bad}: {verdict.why}")
    return verdict.checked


def read_and_hash(path: Path) -> int:
    digest, rows = hashlib.sha256(), 0
    with closing(connect_read(path)) as db:
        for rows, (record,) in enumerate(db.execute("SELECT record FROM journal ORDER BY seq"), 1):  # noqa: B007
            digest.update(record)
    return rows


def integrity_check(path: Path) -> int:
    with closing(connect_read(path)) as db:
        db.execute("PRAGMA integrity_check").fetchall()
        return int(db.execute("SELECT count(*) FROM journal").fetchone()[0])


def rebuild(path: Path) -> int:
    with closing(connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        rows = Projector(AREAS).replay(db, stored_records(db))
        db.execute("COMMIT")
    return rows


def copy_rows(path: Path) -> int:
    """Into a table that is made for it and dropped."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE bare(seq INTEGER PRIMARY KEY, record BLOB NOT NULL, hash BLOB NOT NULL)")
        rows = db.execute("INSERT INTO bare SELECT seq, record, hash FROM journal").rowcount
        db.execute("DROP TABLE bare")
    return rows
