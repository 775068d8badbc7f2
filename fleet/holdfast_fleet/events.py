"""The `ev` stream: each journal is kept as one gapless, verified run of raw records, whatever order batches come in.

A batch that continues the prefix is appended and folded; what it repeats is compared by chain hash and counted; one
that comes ahead of a gap is held as received until the gap closes; one that contradicts what is committed is a fork and
changes nothing.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from holdfast_contract.wire import Stream
from holdfast_fleet import digests, lineage, streams
from holdfast_fleet.messages import Arrival, RejectedError, Run, parse
from holdfast_fleet.work import StreamKey, Work

HELD_BATCHES = 64
"""Per journal. A batch beyond it is dropped; it is not acknowledged, so its hub sends it again."""


def take(work: Work, run: Run, arrival: Arrival) -> None:
    """Commit what can be committed of `run` and of the batches it lets through."""
    key = (run.hub, Stream.EV, run.inc)
    work.owed.add(key)
    _place(work, key, run, arrival)
    while (released := _release(work.db, key)) is not None:
        with suppress(RejectedError):  # held by an older version; its hub still has it
            held = parse(released.topic, released.payload)
            assert isinstance(held, Run)
            _place(work, key, held, released)
    digests.settle(work, run.hub)


def _place(work: Work, key: StreamKey, run: Run, arrival: Arrival) -> None:
    state = streams.enter(work, key, run.jid, root=run.prev if run.first == 1 else b"")
    if state is None:
        return
    if run.first > state.upto + 1:
        _hold(work, key, state, run, arrival)
        return
    conflict = _conflict(work.db, key, state, run)
    if conflict is not None:
        streams.note_fork(work, key, conflict, run.jid, _claimed_hash(run, conflict))
        return
    repeated = min(run.last, state.upto) - run.first + 1
    if repeated:
        streams.count_duplicates(work.db, key, repeated)
    if run.last > state.upto:
        _append(work, key, state, run, repeated)


def _append(work: Work, key: StreamKey, state: streams.State, run: Run, skip: int) -> None:
    """Store and fold the records of `run` after its first `skip`."""
    hub, _, inc = key
    first = run.first + skip
    readings = run.readings[skip:]
    work.db.executemany(
        "INSERT INTO event VALUES (?,?,?,?,?,?,?,?)",
        [
            (hub, inc, seq, reading.type, reading.at, reading.flag, record, digest)
            for seq, (reading, record, digest) in enumerate(
                zip(readings, run.records[skip:], run.hashes[skip:], strict=True), first
            )
        ],
    )
    if state.upto < state.high <= run.last:
        work.say("gap_closed", hub, inc=inc, upto=run.last)
    streams.save(work, key, state._replace(upto=run.last, hash=run.hashes[-1], high=max(state.high, run.last)))
    if first == 1 and run.created is not None:
        lineage.begin(work, hub, inc, run.created)
    lineage.extend(work.db, hub, inc, first, readings)
    lineage.check_joints(work, hub)


def _conflict(db: sqlite3.Connection, key: StreamKey, state: streams.State, run: Run) -> int | None:
    """The first seq at which `run` tells another story than the committed chain; None when they agree."""
    if streams.hash_at(db, key, state, run.first - 1) != run.prev:
        return run.first - 1
    overlap = min(run.last, state.upto)
    if overlap < run.first or streams.hash_at(db, key, state, overlap) == run.hashes[overlap - run.first]:
        return None
    return next(
        seq for seq, theirs in enumerate(run.hashes, run.first) if streams.hash_at(db, key, state, seq) != theirs
    )


def _claimed_hash(run: Run, seq: int) -> bytes:
    return run.hashes[seq - run.first] if seq >= run.first else run.prev


def _hold(work: Work, key: StreamKey, state: streams.State, run: Run, arrival: Arrival) -> None:
    hub, _, inc = key
    (held,) = work.db.execute("SELECT count(*) FROM held WHERE hub = ? AND inc = ?", (hub, inc)).fetchone()
    if held >= HELD_BATCHES:
        return
    work.db.execute(
        "INSERT OR IGNORE INTO held VALUES (?,?,?,?,?,?)",
        (hub, inc, run.first, len(run.records), arrival.topic, arrival.payload),
    )
    if state.high <= state.upto:
        work.say("gap_opened", hub, inc=inc, missing=state.upto + 1, before=run.first)
    streams.save(work, key, state._replace(high=max(state.high, run.last)))


def _release(db: sqlite3.Connection, key: StreamKey) -> Arrival | None:
    """Take the first held batch that no gap stands before any more."""
    hub, _, inc = key
    row = db.execute(
        "SELECT h.first, h.n, h.topic, h.payload FROM held h JOIN stream s USING (hub, inc)"
        " WHERE h.hub = ? AND h.inc = ? AND s.st = ? AND h.first <= s.upto + 1 ORDER BY h.first LIMIT 1",
        (hub, inc, Stream.EV),
    ).fetchone()
    if row is None:
        return None
    first, n, topic, payload = row
    db.execute("DELETE FROM held WHERE hub = ? AND inc = ? AND first = ? AND n = ?", (hub, inc, first, n))
    return Arrival(topic, payload)
