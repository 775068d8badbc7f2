"""The unit of work: one command inside the writer's transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import Any

import msgspec

from holdfast.domain.core import Event, Policy
from holdfast.journal.projector import Projector, SqlTables
from holdfast_contract.body import Body
from holdfast_contract.record import MAX_RECORD, ClockQuality, Record, chain

_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Moment:
    """When a command runs, by the hub's clock."""

    at: int
    clk: ClockQuality
    mono: int
    day: int


@dataclass(frozen=True, slots=True)
class Context:
    """What stays the same for every command of a run."""

    policy: Policy
    inc: int
    boot: int


class Unit(SqlTables):
    """`holdfast.domain.core.UnitOfWork` over the writer's connection. Reused from command to command by `start`."""

    def __init__(self, db: sqlite3.Connection, projector: Projector, context: Context) -> None:
        super().__init__(db)
        self._projector = projector
        self._context = context
        self.seq = 0
        self.head = b""
        self._command_id = b""
        self._actor = ""
        self._moment = Moment(0, ClockQuality.UNSET, 0, 0)

    def start(self, command_id: bytes, actor: str, moment: Moment) -> None:
        """Begin a command."""
        self._command_id = command_id
        self._actor = actor
        self._moment = moment

    @property
    def policy(self) -> Policy:
        return self._context.policy

    @property
    def inc(self) -> int:
        return self._context.inc

    @property
    def actor(self) -> str:
        return self._actor

    @property
    def at(self) -> int:
        return self._moment.at

    @property
    def mono(self) -> int:
        return self._moment.mono

    @property
    def day(self) -> int:
        return self._moment.day

    @property
    def next_seq(self) -> int:
        return self.seq + 1

    def emit(self, subject: str, body: Body) -> int:
        """Append and project. Raises ValueError for a record over MAX_RECORD."""
        name, projections = self._projector.of(type(body))
        moment, seq = self._moment, self.seq + 1
        record = _encode(
            Record(
                seq, moment.at, moment.clk, self._context.boot, moment.mono, name, subject,
                self._command_id, self._actor, msgspec.Raw(_encode(body)),
            )
        )  # fmt: skip
        if len(record) > MAX_RECORD:
            raise ValueError(f"record of {len(record)} bytes; keep large input as a blob")
        head = chain(self.head, record)
        self._execute("INSERT INTO journal VALUES (?, ?, ?)", (seq, record, head))
        self.seq, self.head = seq, head
        event = Event(
            seq, moment.at, moment.clk, self._context.boot, moment.mono, name, subject,
            self._command_id, self._actor, body,
        )  # fmt: skip
        for projection in projections:
            projection(self, event, body)
        return seq

    def enqueue(self, kind: str, ref: int, **extra: Any) -> int:
        cursor = self._execute(
            "INSERT INTO spool(kind, ref, state, at, extra) VALUES (?, ?, 'queued', ?, ?)",
            (kind, ref, self._moment.at, _encode(extra) if extra else None),
        )
        return int(cursor.lastrowid or 0)

    def store_blob(self, data: bytes) -> bytes:
        sha = hashlib.sha256(data).digest()
        self._execute("INSERT OR IGNORE INTO blob VALUES (?, ?)", (sha, data))
        return sha
