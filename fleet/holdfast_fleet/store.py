"""The collector's store: arrivals in, one durable transaction, acks out. Synchronous; used from one thread."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from holdfast_contract.topics import hub_of
from holdfast_contract.wire import Ack
from holdfast_fleet import events, presence, reports, streams
from holdfast_fleet.messages import Arrival, Born, Presented, RejectedError, Reports, Run, parse
from holdfast_fleet.schema import Connect, open_writer
from holdfast_fleet.work import Notice, Work

logger = logging.getLogger(__name__)

SAMPLES = 100
"""Quarantined messages kept per hub."""
SAMPLE_BYTES = 4096
"""Of each."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What is on disk now. Only this may be acknowledged."""

    acks: list[tuple[str, Ack]]
    """Hub and its ack; at most one per stream."""
    notices: list[Notice]


class Store:
    """Commits arrivals. A context manager; `connect` opens the connection (sqlite3.connect)."""

    def __init__(self, path: Path, *, core: str, connect: Connect = sqlite3.connect) -> None:
        self._db = open_writer(path, connect)
        self._core = core

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def commit(self, arrivals: Sequence[Arrival]) -> Committed:
        """Commit all of `arrivals` in one transaction; nothing is acknowledged before it is synced.

        Raises sqlite3.DatabaseError when the storage fails: then nothing of it is committed, and it may be tried again.
        An arrival that fails in any other way is quarantined alone.
        """
        try:
            return self._transact(arrivals)
        except Exception as error:
            if _is_storage(error):
                raise
            logger.debug("a group failed, committing each alone", exc_info=True)
        parts = [self._alone(arrival) for arrival in arrivals]
        latest = {(hub, ack.st, ack.inc): (hub, ack) for part in parts for hub, ack in part.acks}
        return Committed(list(latest.values()), [notice for part in parts for notice in part.notices])

    def _alone(self, arrival: Arrival) -> Committed:
        try:
            return self._transact([arrival])
        except Exception as error:
            if _is_storage(error):
                raise
            logger.exception("an arrival on %s could not be taken", arrival.topic)
            return self._refuse(arrival, RejectedError("failed", repr(error)))

    def _transact(self, arrivals: Sequence[Arrival]) -> Committed:
        with self._transaction() as work:
            for arrival in arrivals:
                try:
                    _take(work, arrival)
                except RejectedError as error:
                    _quarantine(work, arrival, error)
            return self._settled(work)

    def _refuse(self, arrival: Arrival, error: RejectedError) -> Committed:
        with self._transaction() as work:
            _quarantine(work, arrival, error)
            return self._settled(work)

    def _settled(self, work: Work) -> Committed:
        acks = [(key[0], streams.ack(work.db, key, self._core)) for key in sorted(work.owed)]
        return Committed([(hub, ack) for hub, ack in acks if ack is not None], work.notices)

    @contextmanager
    def _transaction(self) -> Iterator[Work]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield Work(self._db, time.time_ns() // 1_000_000)
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")


def _is_storage(error: Exception) -> bool:
    """Did the disk or the file fail, rather than the values that were bound or the code."""
    values = sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, values)


def _take(work: Work, arrival: Arrival) -> None:
    message = parse(arrival.topic, arrival.payload)
    match message:
        case Run():
            presence.take_sign(work, message.hub, message.sent)
            events.take(work, message, arrival)
        case Reports():
            presence.take_sign(work, message.hub, message.sent)
            reports.take(work, message)
        case Born():
            presence.take_birth(work, message)
        case Presented():
            presence.take_status(work, message.hub, message.status)


def _quarantine(work: Work, arrival: Arrival, error: RejectedError) -> None:
    hub = hub_of(arrival.topic) or ""
    work.db.execute(
        "INSERT INTO quarantine (hub, topic, reason, detail, size, sample, at) VALUES (?,?,?,?,?,?,?)",
        (
            hub,
            arrival.topic[:200],
            error.reason,
            error.detail[:200],
            len(arrival.payload),
            arrival.payload[:SAMPLE_BYTES],
            work.now,
        ),
    )
    work.db.execute(
        "DELETE FROM quarantine WHERE id = (SELECT id FROM quarantine WHERE hub = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (hub, SAMPLES),
    )
    (count,) = work.db.execute(
        "INSERT INTO hub (hub, quarantined) VALUES (?, 1)"
        " ON CONFLICT DO UPDATE SET quarantined = quarantined + 1 RETURNING quarantined",
        (hub,),
    ).fetchone()
    if str(count).rstrip("0") == "1":  # 1, 10, 100, ...: a flood is told, not echoed
        work.say("quarantined", hub, reason=error.reason, count=count, detail=error.detail[:200])
