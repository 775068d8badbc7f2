"""Does a hub's own fold equal ours at the same record (G-10)? Nothing is ever overwritten to make it so."""

from __future__ import annotations

import sqlite3
from enum import StrEnum

import msgspec

from holdfast_contract.wire import Digest, Stream, Telemetry
from holdfast_fleet import folds, lineage, streams
from holdfast_fleet.messages import LAST_SEQ
from holdfast_fleet.reading import UNDECODABLE
from holdfast_fleet.work import Work

KEPT = 50
"""Digests per hub."""
REWIND_LIMIT = 200_000
"""Records a comparison may take back; a digest older than that is not compared."""


class Verdict(StrEnum):
    PENDING = "pending"
    """Not everything it speaks of is committed yet."""
    EQUAL = "equal"
    DIFFERS = "differs"
    TOO_OLD = "too_old"


def note(work: Work, hub: str, inc: int, item: Telemetry) -> None:
    """Keep a digest and compare it as soon as the fold reaches its record."""
    try:
        digest = msgspec.msgpack.decode(item.body, type=Digest)
    except UNDECODABLE:
        work.say("digest_unreadable", hub, seq=item.seq)
        return
    if not 0 <= digest.as_of_seq <= LAST_SEQ:
        work.say("digest_unreadable", hub, seq=item.seq)
        return
    work.db.execute(
        "INSERT OR REPLACE INTO digest (hub, inc, as_of, body, at, verdict) VALUES (?,?,?,?,?,?)",
        (hub, inc, digest.as_of_seq, bytes(item.body), work.now, Verdict.PENDING),
    )
    work.db.execute(
        "DELETE FROM digest WHERE hub = ?1 AND (inc, as_of) NOT IN"
        " (SELECT inc, as_of FROM digest WHERE hub = ?1 ORDER BY inc DESC, as_of DESC LIMIT ?2)",
        (hub, KEPT),
    )


def settle(work: Work, hub: str) -> None:
    """Compare every pending digest of `hub` that the folds have reached."""
    pending = work.db.execute(
        "SELECT inc, as_of, body FROM digest WHERE hub = ? AND verdict = ?", (hub, Verdict.PENDING)
    ).fetchall()
    for inc, as_of, body in pending:
        state = streams.load(work.db, (hub, Stream.EV, inc))
        if state is None or state.upto < as_of or not lineage.is_complete(work.db, hub, inc):
            continue
        if state.upto - as_of > REWIND_LIMIT:
            _decide(work, (hub, inc, as_of), Verdict.TOO_OLD)
            continue
        differs = _differences(work.db, hub, inc, state, msgspec.msgpack.decode(body, type=Digest))
        _decide(work, (hub, inc, as_of), Verdict.DIFFERS if differs else Verdict.EQUAL, " ".join(differs))


def _differences(db: sqlite3.Connection, hub: str, inc: int, state: streams.State, theirs: Digest) -> list[str]:
    fold = folds.load_at(db, hub, inc, theirs.as_of_seq)
    ours = {
        "head": streams.hash_at(db, (hub, Stream.EV, inc), state, theirs.as_of_seq),
        "stock": fold.stock_hash(),
        "money": fold.money_hash(),
    }
    said = {"head": theirs.head, "stock": theirs.stock, "money": theirs.money}
    return [name for name, value in ours.items() if said[name] != value]


def _decide(work: Work, key: tuple[str, int, int], verdict: Verdict, differs: str = "") -> None:
    hub, inc, as_of = key
    before = work.db.execute(
        "SELECT verdict FROM digest WHERE hub = ? AND verdict IN (?,?) ORDER BY inc DESC, as_of DESC LIMIT 1",
        (hub, Verdict.EQUAL, Verdict.DIFFERS),
    ).fetchone()
    work.db.execute(
        "UPDATE digest SET verdict = ?, differs = ? WHERE hub = ? AND inc = ? AND as_of = ?",
        (verdict, differs, hub, inc, as_of),
    )
    if verdict is not Verdict.TOO_OLD and (before is None or before[0] != verdict):
        work.say(f"digest_{verdict}", hub, inc=inc, as_of=as_of, differs=differs)
