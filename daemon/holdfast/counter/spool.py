"""The print spool on disk: rows of the desk table `spool`, and the only places where their state changes.

`queued` in the command's own transaction; `sending` before the first byte; then `printed`, `queued` again when it is
proved that no byte was taken, or `unknown`. A drawer kick ends `kicked` or `not_done`, a passing slip `not_done` when
nobody needs it any more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from holdfast.counter.jobs import PASSING
from holdfast.domain.jobs import DRAWER

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode


class JobState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    PRINTED = "printed"
    KICKED = "kicked"
    UNKNOWN = "unknown"
    NOT_DONE = "not_done"


class Job(NamedTuple):
    """A job as queued."""

    job: int
    kind: str
    ref: int
    """Seq of the event it is about."""
    at: int
    """UTC milliseconds when it was queued: a label."""
    extra: Mapping[str, Any]


PASSING_KINDS = json.dumps(sorted(PASSING))
"""As an argument of `json_each`."""

Change = Callable[[sqlite3.Connection], Any]

NEXT_PAPER = "SELECT job, kind, ref, at, extra FROM spool WHERE state = 'queued' AND kind <> ? ORDER BY job LIMIT 1"
QUEUED_PASSING = (
    "SELECT job, kind, ref, at, extra FROM spool WHERE state = 'queued' AND kind IN (SELECT value FROM json_each(?))"
)
COUNT_LASTING = (
    "SELECT count(*) FROM spool WHERE state = 'queued' AND kind <> ? AND kind NOT IN (SELECT value FROM json_each(?))"
)
KICKS = "SELECT job, kind, ref, at, extra FROM spool WHERE state = 'queued' AND kind = ? ORDER BY job"


def read_job(row: tuple[Any, ...]) -> Job:
    job, kind, ref, at, extra = row
    return Job(job, kind, ref, at, _decode(extra) if extra else {})


def put(kind: str, at: int, extra: Mapping[str, Any]) -> Change:
    """Queue paper that no event asked for."""
    row = (kind, at, _encode(extra))
    return lambda db: (
        db.execute("INSERT INTO spool(kind, ref, state, at, extra) VALUES (?, 0, 'queued', ?, ?)", row).lastrowid
    )


def move(job: Job, state: JobState, why: str = "") -> Change:
    """Set a job's state."""
    row = (state.value, why or None, job.job)
    return lambda db: db.execute("UPDATE spool SET state = ?, why = ? WHERE job = ?", row).rowcount


def being_sent(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """Asked of the writer, so that what it was still given before is stored by then."""
    rows = db.execute("SELECT job, kind, ref, at, extra FROM spool WHERE state = 'sending' ORDER BY job")
    return rows.fetchall()


def forget_passing(db: sqlite3.Connection) -> None:
    """At a start: a drawer is never kicked late, a slip of then is of no use now."""
    db.execute(
        "UPDATE spool SET state = 'not_done', why = 'restart' WHERE state IN ('queued', 'sending')"
        " AND (kind = ? OR kind IN (SELECT value FROM json_each(?)))",
        (DRAWER, PASSING_KINDS),
    )
