"""Incarnations: a rebuilt hub begins a new journal that continues from a head of an earlier one.

What the earlier journal holds beyond that head is kept but orphaned: it counts in no fold of the new incarnation.
"""

from __future__ import annotations

import sqlite3

from holdfast_contract.hub import HubCreated
from holdfast_contract.wire import Stream
from holdfast_fleet import folds, streams
from holdfast_fleet.reading import Reading
from holdfast_fleet.work import Work


def begin(work: Work, hub: str, inc: int, created: HubCreated) -> None:
    """Let `inc`, and every incarnation already continuing from it, inherit what `created` continues from."""
    if not created.prior_inc:
        return
    db, prior = work.db, created.prior_inc
    ancestors = db.execute("SELECT ancestor, cut, hash FROM lineage WHERE hub = ? AND inc = ?", (hub, prior)).fetchall()
    ancestors.append((prior, created.prior_seq, created.prior_hash))
    base = folds.load_at(db, hub, prior, created.prior_seq)
    for heir, _ in [(inc, 0), *_heirs(db, hub, inc)]:
        db.executemany("INSERT INTO lineage VALUES (?,?,?,?,?)", [(hub, heir, *ancestor) for ancestor in ancestors])
        folds.apply(db, hub, heir, base)
    work.say("rebuilt", hub, inc=inc, prior_inc=prior, prior_seq=created.prior_seq, orphaned=orphans(db, hub))


def extend(db: sqlite3.Connection, hub: str, inc: int, first: int, readings: list[Reading]) -> None:
    """Fold records `first`.. of (hub, inc) into it and into every incarnation that continues from it."""
    folds.apply(db, hub, inc, folds.fold_of(readings))
    for heir, cut in _heirs(db, hub, inc):
        folds.apply(db, hub, heir, folds.fold_of(readings[: max(0, cut - first + 1)]))


def check_joints(work: Work, hub: str) -> None:
    """Note a fork where an incarnation continues from a head that is not the one committed here."""
    joints = work.db.execute(
        "SELECT l.inc, l.cut, l.hash, s.jid FROM lineage l"
        " JOIN stream s ON s.hub = l.hub AND s.inc = l.inc AND s.st = ?"
        " JOIN event e ON e.hub = l.hub AND e.inc = l.ancestor AND e.seq = l.cut WHERE l.hub = ? AND e.hash <> l.hash",
        (Stream.EV, hub),
    ).fetchall()
    for inc, cut, theirs, jid in joints:
        streams.note_fork(work, (hub, Stream.EV, inc), cut, int(jid, 16), theirs)


def is_complete(db: sqlite3.Connection, hub: str, inc: int) -> bool:
    """Is every record here that (hub, inc) continues from."""
    missing = db.execute(
        "SELECT 1 FROM lineage l LEFT JOIN stream s ON s.hub = l.hub AND s.inc = l.ancestor AND s.st = ?"
        " WHERE l.hub = ? AND l.inc = ? AND ifnull(s.upto, 0) < l.cut LIMIT 1",
        (Stream.EV, hub, inc),
    ).fetchone()
    return missing is None


def orphans(db: sqlite3.Connection, hub: str) -> int:
    """Records of `hub` that its newest incarnation does not continue from."""
    (count,) = db.execute(
        "SELECT ifnull(sum(max(0, s.upto - ifnull(l.cut, 0))), 0) FROM stream s"
        " JOIN (SELECT max(inc) AS newest FROM stream WHERE hub = ?1 AND st = ?2)"
        " LEFT JOIN lineage l ON l.hub = s.hub AND l.inc = newest AND l.ancestor = s.inc"
        " WHERE s.hub = ?1 AND s.st = ?2 AND s.inc < newest",
        (hub, Stream.EV),
    ).fetchone()
    return int(count)


def _heirs(db: sqlite3.Connection, hub: str, inc: int) -> list[tuple[int, int]]:
    return db.execute("SELECT inc, cut FROM lineage WHERE hub = ? AND ancestor = ?", (hub, inc)).fetchall()
