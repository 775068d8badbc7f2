"""The journal as the rest of the hub sees it: commands in, outcomes out, records to follow."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar, cast

import aiosqlite
import msgspec

from holdfast.domain.core import Area, Command, Handler, Outcome, Policy
from holdfast.journal.keys import statement
from holdfast.journal.projector import Projector
from holdfast.journal.schema import Connect, meta, set_meta
from holdfast.journal.space import Marks, Space
from holdfast.journal.store import Opened, mark_suspect, open_store
from holdfast.journal.unit import Context, Moment, Unit
from holdfast.journal.writer import Ask, StorageFailedError, Writer
from holdfast.runtime.clock import Clock
from holdfast.runtime.ids import IdSource
from holdfast_contract.events import decode_body
from holdfast_contract.hub import HubCreated
from holdfast_contract.record import Genesis, decode_record, genesis_hash

CHECKPOINT_EVERY = 100
"""Records between two signed checkpoints."""
CURSOR_SECONDS = 1.0
"""A cursor waits this long for a command to ride with before it commits on its own."""
OUTCOME_DAYS = 30

T = TypeVar("T")


class Head(NamedTuple):
    """The last committed record."""

    seq: int
    hash: bytes


class Stored(NamedTuple):
    """A committed record as it lies on disk."""

    seq: int
    record: bytes
    hash: bytes


class Chapter(NamedTuple):
    """An earlier incarnation, as far as it could be rescued."""

    genesis: Genesis
    last: int
    """Its last rescued seq."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a journal is opened with."""

    directory: Path
    policy: Policy
    day_of: Callable[[int], int]
    """Business date of UTC milliseconds."""
    marks: Marks = field(default_factory=lambda: Marks(0, 0))
    connect: Connect = sqlite3.connect


class Journal:
    """`async with Journal(settings, areas, clock) as journal`. Raises InUseError, sqlite3.Error on opening."""

    def __init__(self, settings: Settings, areas: Sequence[Area], clock: Clock) -> None:
        self._settings = settings
        self._areas = areas
        self._clock = clock
        self._ids = IdSource(clock)
        self._cursors: dict[str, int] = {}
        self._unsaved: dict[str, int] = {}
        self._cursor_lock = threading.Lock()
        self._waiters: list[asyncio.Future[None]] = []
        self._cursor_timer: asyncio.TimerHandle | None = None
        self.decided: Callable[[float, Outcome], None] = lambda _, __: None
        """Told of every command: seconds until it was durable, and its outcome."""

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self.failed: asyncio.Future[None] = self._loop.create_future()
        """Raises StorageFailedError when the record can no longer be written."""
        self.failed.add_done_callback(lambda future: future.exception())
        projector = Projector(self._areas)
        self._opened = await asyncio.to_thread(self._open, projector)
        self._reader = await aiosqlite.connect(f"{self._opened.path.as_uri()}?mode=ro", uri=True)
        self._start_writer(projector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _open(self, projector: Projector) -> Opened:
        settings = self._settings
        opened = open_store(
            settings.directory, hub=settings.policy.hub, at=self._clock.wall_ms(), projector=projector,
            factory=settings.connect,
        )  # fmt: skip
        row = opened.db.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        self.head = Head(*row)
        self._cursors = dict(opened.db.execute("SELECT name, seq FROM cursor"))
        self._day = self._saved_day = int.from_bytes(meta(opened.db, "day") or b"", "big")
        self._signed = opened.db.execute("SELECT coalesce(max(seq), 0) FROM checkpoint").fetchone()[0]
        return opened

    def _start_writer(self, projector: Projector) -> None:
        opened, settings = self._opened, self._settings
        handlers: dict[type[Command], Handler] = {}
        for area in self._areas:
            handlers.update(area.handlers)
        self._began = self._clock.monotonic()
        self._root = genesis_hash(opened.genesis)
        space = Space(settings.directory, settings.marks)
        space.hold_reserve()
        self._writer = Writer(
            db=opened.db,
            unit=Unit(opened.db, projector, Context(settings.policy, opened.genesis.inc, opened.boot)),
            handlers=handlers,
            moment=self._moment,
            space=space,
            before_commit=self._before_commit,
            committed=self._committed,
            failed=self._storage_failed,
        )
        self._writer.watermark = meta(opened.db, "watermark") or b""
        self.space = space
        self._writer.start()

    async def settle(self) -> None:
        """Move everything committed from the WAL into the database file, and have the card take it. Raises OSError,
        sqlite3.Error. Nothing depends on it: a commit was durable before.
        """
        await asyncio.to_thread(self._checkpoint)

    def _checkpoint(self) -> None:
        db = self._settings.connect(self.path)
        try:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            db.close()
        os.sync()

    async def close(self) -> None:
        """Finish what is queued, checkpoint the WAL, release the file. Idempotent."""
        if self._cursor_timer is not None:
            self._cursor_timer.cancel()
            self._cursor_timer = None
        if self._writer.is_alive():
            if self._unsaved:
                self._writer.put(Ask(done=lambda _: None, desk=lambda _: None))
            self._writer.stop()
            await asyncio.to_thread(self._writer.join)
        await self._reader.close()
        await asyncio.to_thread(self._close_store)

    def _close_store(self) -> None:
        self._opened.db.close()
        self._opened.lock.close()

    @property
    def opened(self) -> Opened:
        """How the file was found: verdict, what was moved aside."""
        return self._opened

    @property
    def genesis(self) -> Genesis:
        return self._opened.genesis

    @property
    def genesis_bytes(self) -> bytes:
        return msgspec.msgpack.encode(self._opened.genesis)

    @property
    def boot(self) -> int:
        """Count of starts in this incarnation."""
        return self._opened.boot

    @property
    def path(self) -> Path:
        return self._opened.path

    @property
    def waiting(self) -> int:
        """Commands in the writer's queue."""
        return self._writer.waiting()

    @property
    def writer_progress(self) -> float:
        """`time.monotonic` of the writer's last sign of life."""
        return self._writer.progress

    async def execute(self, command: Command, *, actor: str, command_id: bytes | None = None) -> Outcome:
        """Decide a command durably. Returns its outcome, refusals included; the same id gives the same outcome (G-3).

        Raises StorageFailedError when the journal cannot be written; ask again with the same id after the restart.
        """
        began = time.perf_counter()
        outcome = cast("Outcome", await self._ask(Ask(lambda _: None, command, command_id or self._ids(), actor)))
        self.decided(time.perf_counter() - began, outcome)
        return outcome

    async def desk(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a short function over the desk tables in the writer's next transaction; returns after the commit."""
        return cast("T", await self._ask(Ask(lambda _: None, desk=function)))

    async def _ask(self, ask: Ask) -> Any:
        future: asyncio.Future[Any] = self._loop.create_future()

        def settle(result: Any) -> None:
            if future.done():
                return
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

        ask.done = settle
        if self.failed.done():
            raise StorageFailedError(str(self.failed.exception()))
        self._writer.put(ask)
        return await future

    async def wait_beyond(self, seq: int) -> Head:
        """The head, as soon as it is beyond `seq`."""
        while self.head.seq <= seq:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        return self.head

    async def chapters(self) -> list[Chapter]:
        """The earlier incarnations of this hub, oldest first."""
        sql = "SELECT p.record, (SELECT max(seq) FROM prior WHERE inc = p.inc) FROM prior p WHERE seq = 1 ORDER BY inc"
        found = []
        for record, last in await self._reader.execute_fetchall(sql):
            created = decode_body(decode_record(record))
            assert isinstance(created, HubCreated)
            found.append(Chapter(msgspec.msgpack.decode(created.genesis, type=Genesis), last))
        return found

    async def records(self, after: int, *, limit: int, max_bytes: int, inc: int = 0) -> list[Stored]:
        """Committed records from `after + 1` on, in order: at most `limit`, and `max_bytes` but never none.

        `inc` names an earlier incarnation; 0 is this one.
        """
        found: list[Stored] = []
        size = 0
        table, which = ("prior WHERE inc = ? AND", (inc,)) if inc else ("journal WHERE", ())
        sql = f"SELECT seq, record, hash FROM {table} seq > ? ORDER BY seq LIMIT ?"
        for row in await self._reader.execute_fetchall(sql, (*which, after, limit)):
            size += len(row[1])
            if found and size > max_bytes:
                break
            found.append(Stored(*row))
        return found

    async def hash_at(self, seq: int, *, inc: int = 0) -> bytes:
        """Chain hash at a committed seq of this or an earlier incarnation; 0 is the genesis hash. Raises KeyError."""
        if seq == 0 and not inc:
            return self._root
        if seq == 0:
            return next(genesis_hash(found.genesis) for found in await self.chapters() if found.genesis.inc == inc)
        table, which = ("prior WHERE inc = ? AND", (inc,)) if inc else ("journal WHERE", ())
        rows = list(await self._reader.execute_fetchall(f"SELECT hash FROM {table} seq = ?", (*which, seq)))
        if not rows:
            raise KeyError(seq)
        return bytes(rows[0][0])

    async def query(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """Read projections and desk tables as committed."""
        return [tuple(row) for row in await self._reader.execute_fetchall(sql, args)]

    def cursor(self, name: str) -> int:
        """Where a follower is; 0 when it has not begun."""
        return self._cursors.get(name, 0)

    def advance(self, name: str, seq: int) -> None:
        """Move a follower's cursor. Rides with the next command, or commits on its own within a second."""
        self._cursors[name] = seq
        with self._cursor_lock:
            self._unsaved[name] = seq
        if self._cursor_timer is None:
            self._cursor_timer = self._loop.call_later(CURSOR_SECONDS, self._save_cursors)

    def _save_cursors(self) -> None:
        self._cursor_timer = None
        if self._unsaved and not self.failed.done():
            self._writer.put(Ask(done=lambda _: None, desk=lambda _: None))

    async def prune(self) -> int:
        """Drop outcomes and ended jobs older than OUTCOME_DAYS; older ids are refused from then on (G-3)."""
        mark = (self._clock.wall_ms() - OUTCOME_DAYS * 86_400_000).to_bytes(6, "big", signed=True)

        def drop(db: sqlite3.Connection) -> int:
            set_meta(db, "watermark", mark)
            db.execute(
                "DELETE FROM spool WHERE state NOT IN ('queued', 'sending') AND at < ?",
                (int.from_bytes(mark, "big", signed=True),),
            )
            return db.execute("DELETE FROM outcome WHERE id < ?", (mark,)).rowcount

        dropped = await self.desk(drop)
        self._writer.watermark = mark
        return dropped

    def _moment(self) -> Moment:
        at = self._clock.wall_ms()
        self._day = max(self._day, self._settings.day_of(at))
        return Moment(at, self._clock.quality(), round((self._clock.monotonic() - self._began) * 1000), self._day)

    def _before_commit(self, db: sqlite3.Connection, seq: int, head: bytes) -> None:
        if seq - self._signed >= CHECKPOINT_EVERY:
            signature = self._opened.key.sign(statement(self._root, seq, head))
            db.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", (seq, head, signature))
            self._signed = seq
        with self._cursor_lock:
            unsaved = list(self._unsaved.items())
            self._unsaved.clear()
        if unsaved:
            db.executemany("INSERT OR REPLACE INTO cursor VALUES (?, ?)", unsaved)
        if self._day != self._saved_day:
            set_meta(db, "day", self._day.to_bytes(4, "big"))
            self._saved_day = self._day

    def _committed(self, seq: int, head: bytes, results: list[tuple[Callable[[Any], None], Any]]) -> None:
        """In the writer thread, after the COMMIT."""
        self._loop.call_soon_threadsafe(self._deliver, Head(seq, head), results)

    def _deliver(self, head: Head, results: list[tuple[Callable[[Any], None], Any]]) -> None:
        moved = head.seq > self.head.seq
        self.head = head
        for done, result in results:
            done(result)
        if moved:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _storage_failed(self, error: BaseException, asked: list[Callable[[Any], None]]) -> None:
        """In any thread, when the writer can go no further."""
        if "malformed" in str(error) or "not a database" in str(error):
            mark_suspect(self._settings.directory)
        self._loop.call_soon_threadsafe(self._tell_failure, StorageFailedError(str(error)), asked)

    def _tell_failure(self, error: StorageFailedError, asked: list[Callable[[Any], None]]) -> None:
        for done in asked:
            done(error)
        if not self.failed.done():
            self.failed.set_exception(error)
