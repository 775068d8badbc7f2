"""A journal writer on a faulty disk, asked one command at a time. What it acknowledged is remembered outside it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from holdfast.domain.core import Command, Outcome
from holdfast.journal.projector import Projector, stored_records
from holdfast.journal.space import Marks, Space
from holdfast.journal.store import FILE, open_store
from holdfast.journal.unit import Context, Moment, Unit
from holdfast.journal.verify import replay_digest, verify_chain
from holdfast.journal.writer import Ask, StorageFailedError, Writer
from holdfast_contract.record import ClockQuality
from journal.toy import POLICY, TOY
from support.faulty import Disk, FaultyConnection

PROJECTOR = Projector((TOY,))
MOMENT = Moment(1_790_000_000_000, ClockQuality.SYNCED, 1, 20_000)


class Rig:
    def __init__(self, directory: Path, disk: Disk, synchronous: str = "FULL") -> None:
        self.acked: set[int] = set()
        self.asked = 0
        self.failure: BaseException | None = None

        def factory(path: Path, **_: Any) -> Any:
            return FaultyConnection(path, disk, synchronous)

        self._opened = open_store(directory, hub=POLICY.hub, at=MOMENT.at, projector=PROJECTOR, factory=factory)
        self._writer = Writer(
            db=self._opened.db,
            unit=Unit(self._opened.db, PROJECTOR, Context(POLICY, 1, self._opened.boot)),
            handlers=dict(TOY.handlers),
            moment=lambda: MOMENT,
            space=Space(directory, Marks(0, 0)),
            before_commit=lambda *_: None,
            committed=lambda _, __, results: [done(result) for done, result in results],
            failed=self._failed,
        )
        self._writer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.stop()
        self._writer.join(30)
        self._opened.db.close()
        self._opened.lock.close()

    def ask(self, command: Command, number: int | None = None) -> Any:
        """Ask and wait. The number is the command id; a new one unless given."""
        if number is None:
            number = self.asked
            self.asked += 1
        answered = threading.Event()
        answer: list[Any] = []

        def done(result: Any) -> None:
            answer.append(result)
            answered.set()

        self._writer.put(Ask(done, command, b"id0000" + number.to_bytes(3, "big"), "b"))
        assert answered.wait(30)
        if isinstance(answer[0], Outcome) and answer[0].ok:
            self.acked.add(number)
        return answer[0]

    def _failed(self, error: BaseException, asked: list[Any]) -> None:
        self.failure = StorageFailedError(str(error))
        for done in asked:
            done(self.failure)


def kept(directory: Path) -> set[int]:
    """Numbers of the commands a journal holds, whatever state it is in."""
    with closing(sqlite3.connect(directory / FILE)) as db:
        try:
            return {int.from_bytes(row[0][6:], "big") for row in db.execute("SELECT id FROM outcome")}
        except sqlite3.DatabaseError:
            return set()


def check(directory: Path) -> set[int]:
    """Numbers of the commands a journal holds. Raises AssertionError when it is not sound."""
    with closing(sqlite3.connect(directory / FILE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert verify_chain(db).ok, "G-1"
        assert PROJECTOR.digest(db) == replay_digest(db, PROJECTOR), "G-2"
        found = {int.from_bytes(row[0][6:], "big") for row in db.execute("SELECT id FROM outcome")}
        assert sum(1 for _ in stored_records(db)) - 1 == 2 * len(found), "G-9: two events a command, or none"
    return found
