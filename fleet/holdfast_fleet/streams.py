"""Where each stream of each journal stands. Everything here runs inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from holdfast_contract.wire import Ack
from holdfast_fleet.work import StreamKey, Work

FORKS_KEPT = 100
"""Rows per hub; later ones are counted by their notice alone."""


class State(NamedTuple):
    """`upto` and `hash` are the contiguous prefix; `high` is the highest seq ever seen."""

    jid: int
    root: bytes
    """Genesis hash; empty until a birth or record 1 tells it."""
    upto: int
    hash: bytes
    high: int


def load(db: sqlite3.Connection, key: StreamKey) -> State | None:
    row = db.execute(
        "SELECT jid, root, upto, hash, high FROM stream WHERE hub = ? AND st = ? AND inc = ?", key
    ).fetchone()
    return None if row is None else State(int(row[0], 16), *row[1:])


def enter(work: Work, key: StreamKey, jid: int, *, root: bytes = b"") -> State | None:
    """The stream's state, begun if new. None when it belongs to another journal, which is a fork."""
    state = load(work.db, key)
    if state is None:
        state = State(jid, root, 0, root, 0)
        save(work, key, state)
    elif state.jid != jid:
        note_fork(work, key, 0, jid, b"")
        return None
    elif root and not state.root:
        state = state._replace(root=root, hash=state.hash or root)
        save(work, key, state)
    return state


def hash_at(db: sqlite3.Connection, key: StreamKey, state: State, seq: int) -> bytes:
    """Chain hash after record `seq` of a journal, which must be committed; seq 0 is the genesis hash."""
    if seq in {0, state.upto}:
        return state.hash if seq else state.root
    hub, _, inc = key
    row = db.execute("SELECT hash FROM event WHERE hub = ? AND inc = ? AND seq = ?", (hub, inc, seq)).fetchone()
    return bytes(row[0])


def save(work: Work, key: StreamKey, state: State) -> None:
    work.db.execute(
        "INSERT INTO stream (hub, st, inc, jid, root, upto, hash, high, committed_at) VALUES (?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET root = excluded.root, upto = excluded.upto, hash = excluded.hash,"
        " high = excluded.high, committed_at = iif(excluded.upto > upto, excluded.committed_at, committed_at)",
        (*key, f"{state.jid:016x}", state.root, state.upto, state.hash, state.high, work.now if state.upto else 0),
    )


def count_duplicates(db: sqlite3.Connection, key: StreamKey, records: int) -> None:
    db.execute("UPDATE stream SET duplicates = duplicates + ? WHERE hub = ? AND st = ? AND inc = ?", (records, *key))


def note_fork(work: Work, key: StreamKey, seq: int, jid: int, theirs: bytes) -> None:
    """Remember that somebody tells another story from `seq` on. What is committed stays as it is."""
    hub, st, inc = key
    ours = work.db.execute("SELECT hash FROM stream WHERE hub = ? AND st = ? AND inc = ?", key).fetchone()[0]
    (known,) = work.db.execute("SELECT count(*) FROM fork WHERE hub = ?", (hub,)).fetchone()
    if known < FORKS_KEPT:
        work.db.execute(
            "INSERT OR IGNORE INTO fork VALUES (?,?,?,?,?,?,?)",
            (hub, inc, seq, f"{jid:016x}", theirs, ours, work.now),
        )
    first = work.db.execute(
        "UPDATE stream SET forked = 1 WHERE hub = ? AND st = ? AND inc = ? AND forked = 0", key
    ).rowcount
    if first:
        work.say("fork", hub, stream=str(st), inc=inc, seq=seq, jid=f"{jid:016x}")


def ack(db: sqlite3.Connection, key: StreamKey, core: str) -> Ack | None:
    """What the sender may forget; None for a stream never heard of."""
    state = load(db, key)
    if state is None:
        return None
    return Ack(st=key[1], inc=key[2], jid=state.jid, upto=state.upto, hash=state.hash, core=core)
