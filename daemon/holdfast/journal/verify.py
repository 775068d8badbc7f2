"""Proving the record: the chain, the checkpoints, and the projections against a replay."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from holdfast.journal.keys import signed_by, statement
from holdfast.journal.projector import Projector, stored_records
from holdfast.journal.schema import DESK, connect_read, meta
from holdfast_contract.record import BadRecordError, Genesis, chain, decode_record, genesis_hash

PROGRESS_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found. `first_bad` is the first seq that does not verify, None when all do."""

    checked: int
    head_seq: int
    first_bad: int | None = None
    why: str = ""

    @property
    def ok(self) -> bool:
        return self.first_bad is None


def read_genesis(db: sqlite3.Connection) -> Genesis:
    """Raises LookupError when the file has none."""
    data = meta(db, "genesis")
    if data is None:
        raise LookupError("no genesis: this is not a holdfast journal")
    return msgspec.msgpack.decode(data, type=Genesis)


def verify_chain(
    db: sqlite3.Connection,
    *,
    after: int = 0,
    previous: bytes | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Check every record after `after`, whose hash is `previous` (default: from genesis). G-1, INV-12.2.

    `progress` is told how many were checked, every PROGRESS_EVERY records.
    """
    genesis = read_genesis(db)
    root = genesis_hash(genesis)
    head = root if previous is None else previous
    signatures = dict(_checkpoints(db, after))
    expected = after + 1
    for seq, record, stored in db.execute("SELECT seq, record, hash FROM journal WHERE seq > ? ORDER BY seq", (after,)):
        why = _fault(seq, expected, record, stored, chain(head, record))
        if not why and seq in signatures:
            why = _checkpoint_fault(genesis.key, root, seq, stored, signatures[seq])
        if why:
            return Verdict(expected - after - 1, seq, min(seq, expected), why)
        head = stored
        expected += 1
        if expected % PROGRESS_EVERY == 0:
            progress(expected - after - 1)
    return Verdict(expected - after - 1, expected - 1)


def _fault(seq: int, expected: int, record: bytes, stored: bytes, computed: bytes) -> str:
    if seq != expected:
        return f"seq {expected} is missing"
    if stored != computed:
        return "the hash does not follow from the record and its predecessor"
    try:
        inner = decode_record(record).seq
    except BadRecordError as error:
        return f"not a record: {error}"
    return "" if inner == seq else f"the record says it is seq {inner}"


def _checkpoints(db: sqlite3.Connection, after: int) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    for seq, head, signature in db.execute("SELECT seq, hash, signature FROM checkpoint WHERE seq > ?", (after,)):
        yield seq, (head, signature)


def _checkpoint_fault(key: bytes, root: bytes, seq: int, stored: bytes, checkpoint: tuple[bytes, bytes]) -> str:
    head, signature = checkpoint
    if head != stored:
        return "the signed checkpoint names another hash"
    return "" if signed_by(key, signature, statement(root, seq, head)) else "the checkpoint's signature is wrong"


def verify_recent(db: sqlite3.Connection) -> Verdict:
    """Check from the last signed checkpoint: what a start can afford."""
    genesis = read_genesis(db)
    row = db.execute("SELECT seq, hash, signature FROM checkpoint ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        return verify_chain(db)
    seq, head, signature = row
    stored = db.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone()
    if stored is None or stored[0] != head:
        return Verdict(0, seq, seq, "the last checkpoint names a record that is not there")
    why = _checkpoint_fault(genesis.key, genesis_hash(genesis), seq, head, (head, signature))
    return Verdict(0, seq, seq, why) if why else verify_chain(db, after=seq, previous=head)


def replay_digest(source: sqlite3.Connection, projector: Projector) -> bytes:
    """Digest of the projections as a replay of the record makes them, in a scratch database."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        scratch.executescript(DESK)
        scratch.executemany("INSERT INTO blob VALUES (?, ?)", source.execute("SELECT sha, data FROM blob"))
        scratch.execute("BEGIN")
        projector.replay(scratch, stored_records(source))
        return projector.digest(scratch)


def projections_agree(path: Path, projector: Projector) -> bool:
    """Do the projections equal a replay, bit for bit (G-2)? Reads one snapshot of a journal that may be in use."""
    with closing(connect_read(path)) as db:
        db.execute("BEGIN")
        return projector.digest(db) == replay_digest(db, projector)
