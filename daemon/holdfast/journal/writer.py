"""The one writer: a thread that takes the commands it finds waiting, runs each under a savepoint and commits once.

Written before answered: a future resolves only after the COMMIT that holds its facts (G-4). A command is entirely done
or entirely not done (G-9). A failed COMMIT is never tried again: the writer ends, `failed` is told, and callers ask
again with the same command id after the restart.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from holdfast.domain.core import Command, Handler, Outcome, Refused
from holdfast.journal.space import Space
from holdfast.journal.unit import Moment, Unit

log = logging.getLogger(__name__)

MAX_GROUP = 64
"""Commands in one transaction."""
MAX_GROUP_S = 0.02
"""Seconds after which a group commits though more is waiting."""
FINGERPRINT_BYTES = 16
TRANSIENT = frozenset({"disk_full", "storage_failed", "fault", "stopping"})
"""Refusals that are not kept: the same request may succeed later."""

DEFECTS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError)
"""SQLite errors that speak of our code, not of the storage."""

_encode = msgspec.msgpack.Encoder().encode
_decode_outcome = msgspec.msgpack.Decoder(Outcome).decode


class StorageFailedError(RuntimeError):
    """The record could not be written; the process must end and the command be asked again with the same id."""


@dataclass(slots=True)
class Ask:
    """A command, or a desk function when `command` is None, waiting for the writer."""

    done: Callable[[Any], None]
    """Takes the outcome, the function's result, or an exception; the journal calls it in its loop."""
    command: Command | None = None
    command_id: bytes = b""
    actor: str = ""
    desk: Callable[[sqlite3.Connection], Any] | None = None
    result: Any = field(default=None)


class Writer(threading.Thread):
    """Owns the writing connection from `start` to `stop`."""

    def __init__(
        self,
        *,
        db: sqlite3.Connection,
        unit: Unit,
        handlers: dict[type[Command], Handler],
        moment: Callable[[], Moment],
        space: Space,
        before_commit: Callable[[sqlite3.Connection, int, bytes], None],
        committed: Callable[[int, bytes, list[tuple[Callable[[Any], None], Any]]], None],
        failed: Callable[[BaseException, list[Callable[[Any], None]]], None],
    ) -> None:
        super().__init__(name="journal-writer", daemon=True)
        self._db = db
        self._unit = unit
        self._handlers = handlers
        self._moment = moment
        self._space = space
        self._before_commit = before_commit
        self._committed = committed
        self._failed = failed
        self._asks: queue.SimpleQueue[Ask | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self.progress = time.monotonic()
        """Monotonic seconds when the writer last finished a group or found nothing to do."""
        self.watermark = b""
        """First six bytes of a command id below which outcomes were pruned."""

    def put(self, ask: Ask) -> None:
        """Queue work. After a failure every ask is handed to `failed`."""
        if self._failure is not None:
            self._failed(self._failure, [ask.done])
        else:
            self._asks.put(ask)

    def waiting(self) -> int:
        return self._asks.qsize()

    def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        self._asks.put(None)

    def run(self) -> None:
        more = True
        while more and self._failure is None:
            try:
                first = self._asks.get(timeout=1.0)
            except queue.Empty:
                self.progress = time.monotonic()
                continue
            more = self._serve(first)
            self.progress = time.monotonic()
        if self._failure is not None:
            self._refuse_rest()

    def _serve(self, first: Ask | None) -> bool:
        """One group. False when asked to stop."""
        if first is None:
            return False
        group = [first]
        try:
            more = self._run_group(group)
        except sqlite3.Error as error:
            self._fail(error, group)
            return False
        self._committed(self._unit.seq, self._unit.head, [(ask.done, ask.result) for ask in group])
        return more

    def _run_group(self, group: list[Ask]) -> bool:
        """Run the first ask and what is found waiting, commit once. False when asked to stop."""
        deadline = time.monotonic() + MAX_GROUP_S
        self._begin()
        ask: Ask | None = group[0]
        while ask is not None:
            try:
                self._run_one(ask)
            except sqlite3.Error as error:
                log.warning("a group of %d was lost to %s; each runs again alone", len(group), error)
                self._rerun_alone(group)
                return True
            if len(group) >= MAX_GROUP or time.monotonic() > deadline:
                break
            try:
                ask = self._asks.get_nowait()
            except queue.Empty:
                break
            if ask is not None:
                group.append(ask)
        self._commit()
        return ask is not None

    def _rerun_alone(self, group: list[Ask]) -> None:
        """The transaction is gone: each command runs again alone, once; an error then is its answer."""
        for ask in group:
            self._begin()
            try:
                self._run_one(ask)
            except sqlite3.Error as error:
                ask.result = _storage_answer(ask, error)
                continue
            self._commit()

    def _begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        row = self._db.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        self._unit.seq, self._unit.head = row

    def _commit(self) -> None:
        self._before_commit(self._db, self._unit.seq, self._unit.head)
        self._db.execute("COMMIT")

    def _run_one(self, ask: Ask) -> None:
        """Fills `ask.result`. Raises sqlite3.Error when the failure took the whole transaction with it."""
        self._db.execute("SAVEPOINT command")
        seq, head = self._unit.seq, self._unit.head
        try:
            ask.result = self._attempt(ask, seq, head)
        except sqlite3.Error as error:
            if not self._db.in_transaction:
                raise
            self._undo(seq, head)
            if _is_full(error) and self._space.give_up_reserve():
                log.critical("storage is full: the reserve is given up")
                ask.result = self._attempt(ask, seq, head)
            else:
                ask.result = _storage_answer(ask, error)
        self._db.execute("RELEASE command")

    def _attempt(self, ask: Ask, seq: int, head: bytes) -> Any:
        """Outcome of a command or result of a desk function. Raises sqlite3.Error when the storage failed."""
        try:
            return self._decide(ask) if ask.command is not None else _desk(ask, self._db)
        except Refused as refusal:
            self._undo(seq, head)
            outcome = _refusal(refusal, seq)
            return outcome if refusal.reason in TRANSIENT else self._store(ask, outcome)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, DEFECTS):
                raise
            self._undo(seq, head)
            log.exception("command %s failed", type(ask.command).__name__)
            return error if ask.command is None else _refusal(Refused("fault", detail=repr(error)), seq)

    def _undo(self, seq: int, head: bytes) -> None:
        self._db.execute("ROLLBACK TO command")
        self._unit.seq, self._unit.head = seq, head

    def _decide(self, ask: Ask) -> Outcome:
        command = ask.command
        assert command is not None
        if (known := self._known(ask)) is not None:
            return known
        if ask.command_id[:6] < self.watermark:
            raise Refused("expired_command")
        self._space.guard(command)
        handler = self._handlers.get(type(command))
        if handler is None:
            raise Refused("invalid", detail=f"nothing here handles {type(command).__name__}")
        self._unit.start(ask.command_id, ask.actor, self._moment())
        outcome = handler(self._unit, command)
        return self._store(ask, msgspec.structs.replace(outcome, seq=self._unit.seq))

    def _known(self, ask: Ask) -> Outcome | None:
        """The stored outcome of this id (G-3). Raises Refused(`idempotency_conflict`) for another body."""
        row = self._db.execute("SELECT fingerprint, outcome FROM outcome WHERE id = ?", (ask.command_id,)).fetchone()
        if row is None:
            return None
        if row[0] != fingerprint(ask.command):
            return Outcome(ok=False, reason="idempotency_conflict", seq=self._unit.seq)
        return _decode_outcome(row[1])

    def _store(self, ask: Ask, outcome: Outcome) -> Outcome:
        if ask.command is not None:
            self._db.execute(
                "INSERT INTO outcome VALUES (?, ?, ?)", (ask.command_id, fingerprint(ask.command), _encode(outcome))
            )
        return outcome

    def _fail(self, error: BaseException, group: list[Ask]) -> None:
        log.critical("the journal cannot be written: %s", error)
        self._failure = error
        self._failed(error, [ask.done for ask in group])

    def _refuse_rest(self) -> None:
        """Hand over what was queued behind the failure."""
        rest: list[Ask | None] = []
        with suppress(queue.Empty):
            while True:
                rest.append(self._asks.get_nowait())
        assert self._failure is not None
        self._failed(self._failure, [ask.done for ask in rest if ask is not None])


def fingerprint(command: Command | None) -> bytes:
    """Hash of a command's canonical body."""
    return hashlib.sha256(_encode(command)).digest()[:FINGERPRINT_BYTES]


def _desk(ask: Ask, db: sqlite3.Connection) -> Any:
    assert ask.desk is not None
    return ask.desk(db)


def _refusal(refusal: Refused, seq: int) -> Outcome:
    return Outcome(ok=False, reason=refusal.reason, data=refusal.data, seq=seq)


def _storage_answer(ask: Ask, error: sqlite3.Error) -> Any:
    if ask.command is None:
        return StorageFailedError(str(error))
    return _refusal(Refused("disk_full" if _is_full(error) else "storage_failed", detail=str(error)), 0)


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or "full" in str(error)
