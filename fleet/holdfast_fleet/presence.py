"""Which hubs there are and whether they are there. Births and deaths may arrive late and in any order."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from holdfast_contract.wire import Birth, Presence, Status, Stream, pack, unpack
from holdfast_fleet import streams
from holdfast_fleet.messages import Born
from holdfast_fleet.work import Work

FURTHEST_MS = 2**53
"""A clock may be off by any number a batch can hold; what is stored of it has a bound."""


class Life(NamedTuple):
    """What was last said, and by which connection."""

    presence: str
    boot: int
    conn: int


def after_birth(life: Life, birth: Birth, known: Birth | None) -> Life | None:
    """The hub's life once `birth` is heard; None when `known` is as new."""
    if known is not None and (birth.inc, birth.boot, birth.conn) <= (known.inc, known.boot, known.conn):
        return None
    rebuilt = known is not None and birth.inc > known.inc
    if not rebuilt and (life.boot, life.conn) >= (birth.boot, birth.conn):
        return life
    return Life(Presence.ONLINE, birth.boot, birth.conn)


def after_status(life: Life, status: Status) -> Life:
    """The hub's life once `status` is heard; unchanged by one that is older than the last birth."""
    if (status.boot, status.conn) < (life.boot, life.conn):
        return life
    return Life(status.st, status.boot, status.conn)


def take_birth(work: Work, born: Born) -> None:
    """Remember a birth; every stream of its journal, and the newest journal of its hub, is owed an ack."""
    birth = born.birth
    for st in Stream:
        key = (birth.hub, st, birth.inc)
        streams.enter(work, key, birth.jid, root=born.root if st is Stream.EV else b"")
        work.owed.add(key)
    (newest,) = work.db.execute("SELECT max(inc) FROM stream WHERE hub = ?", (birth.hub,)).fetchone()
    work.owed.add((birth.hub, Stream.EV, newest))
    life, known = _load(work.db, birth.hub)
    after = after_birth(life, birth, known)
    if after is None:
        return
    work.db.execute("UPDATE hub SET birth = ?, seen_at = ? WHERE hub = ?", (pack(birth), work.now, birth.hub))
    work.say("born", birth.hub, inc=birth.inc, boot=birth.boot, conn=birth.conn, software=birth.software)
    _change(work, birth.hub, life, after)


def take_status(work: Work, hub: str, status: Status) -> None:
    life, _ = _load(work.db, hub)
    _change(work, hub, life, after_status(life, status))


def _load(db: sqlite3.Connection, hub: str) -> tuple[Life, Birth | None]:
    """What is known of a hub, which has a row from its first message on."""
    db.execute("INSERT OR IGNORE INTO hub (hub) VALUES (?)", (hub,))
    presence, boot, conn, birth = db.execute(
        "SELECT presence, boot, conn, birth FROM hub WHERE hub = ?", (hub,)
    ).fetchone()
    return Life(presence, boot, conn), None if birth is None else unpack(birth, Birth)


def _change(work: Work, hub: str, before: Life, after: Life) -> None:
    if after == before:
        return
    work.db.execute("UPDATE hub SET presence = ?, boot = ?, conn = ? WHERE hub = ?", (*after, hub))
    if after.presence != before.presence:
        work.say(str(after.presence), hub, was=str(before.presence))


def take_sign(work: Work, hub: str, sent: int) -> None:
    """A batch is never retained, so it is a sign of life; `sent` is its UTC milliseconds by the hub's clock."""
    work.db.execute(
        "INSERT INTO hub (hub, seen_at, offset_ms) VALUES (?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET seen_at = ?2, offset_ms = ?3",
        (hub, work.now, max(-FURTHEST_MS, min(FURTHEST_MS, work.now - sent))),
    )
