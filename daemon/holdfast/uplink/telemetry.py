"""Telemetry and diagnostics: a ring by size in a file of its own, which may lose its tail at a power cut.

Two streams, `tm` and `dg`, each with its own numbers. The oldest goes when there is too much; nothing here can stop the
counter or the journal, whatever the disk does.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from holdfast.runtime.clock import Clock
from holdfast.uplink.batch import Row, Stored
from holdfast.uplink.outbox import Alarm
from holdfast.uplink.ring import RingFile
from holdfast_contract.wire import Stream, Telemetry

log = logging.getLogger(__name__)

FLUSH_S = 1.0
MAX_WAITING = 2048
"""Records kept in memory between two flushes; beyond it the oldest is dropped."""
MAX_BYTES = 16 * 1024 * 1024

T = TypeVar("T")


class Ring:
    """One stream of the ring, as a Source."""

    def __init__(self, stream: Stream, store: TelemetryStore) -> None:
        self.stream = stream
        self._store = store
        self._waiting: deque[Row] = deque()
        self._grown = asyncio.Event()
        self.head = self.acked = self._last = 0
        self.dropped = 0
        """Records that never reached the file."""

    def restore(self, head: int, acked: int) -> None:
        """Continue the numbers of the last run."""
        self.head = self._last = head
        self.acked = acked

    def add(self, at: int, name: str, body: Any) -> int:
        """Number a record and keep it for the next flush."""
        self._last += 1
        record = Telemetry(seq=self._last, at=at, name=name, body=msgspec.Raw(msgspec.msgpack.encode(body)))
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(Row(self._last, msgspec.msgpack.encode(record)))
        return self._last

    def take(self) -> list[Row]:
        """What waits for the flush; waits no more."""
        rows = list(self._waiting)
        self._waiting.clear()
        return rows

    def stored(self, rows: Sequence[Row]) -> None:
        """The flush succeeded: the rows can be read."""
        if rows:
            self.head = max(self.head, rows[-1].seq)
            self._grown.set()
            self._grown = asyncio.Event()

    async def wait_beyond(self, seq: int) -> object:
        while self.head <= seq:
            await self._grown.wait()
        return self.head

    async def read(self, after: int, *, limit: int, max_bytes: int) -> Sequence[Stored]:  # noqa: ARG002 - `limit` bounds it; the sender cuts at bytes
        return await self._store.guarded(lambda file: file.read(self.stream, after, limit), [])

    async def hash_at(self, seq: int) -> bytes:  # noqa: ARG002 - no chain, no hash
        return b""

    def committed(self, upto: int) -> None:
        """The rows go at the next flush."""
        self.acked = upto

    def overtaken(self, upto: int) -> Alarm:
        """The ring lost its tail: go on behind what headquarters has, so that no number means two records."""
        self.head = max(self.head, upto)
        self._last = max(self._last, upto)
        return Alarm.NONE


class TelemetryStore:
    """`async with TelemetryStore(path, clock) as store`. `clock` labels the records."""

    def __init__(self, path: Path, clock: Clock, *, max_bytes: int = MAX_BYTES) -> None:
        self._file = RingFile(path, max_bytes=max_bytes)
        self._clock = clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="telemetry")
        self._ailing = False
        self.rings = {stream: Ring(stream, self) for stream in (Stream.TM, Stream.DG)}

    async def __aenter__(self) -> Self:
        found: dict[Stream, tuple[int, int]] = await self.guarded(lambda file: file.open(), {})
        for stream, (head, acked) in found.items():
            self.rings[stream].restore(head, acked)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.flush()
        await self.guarded(lambda file: file.close(), None)
        self._pool.shutdown()

    def report(self, name: str, body: Any, *, stream: Stream = Stream.TM) -> int:
        """Keep a report for headquarters; its number in `stream`. `body` is anything msgspec can encode."""
        return self.rings[stream].add(self._clock.wall_ms(), name, body)

    @property
    def dropped(self) -> int:
        """Records that never reached the file."""
        return sum(ring.dropped for ring in self.rings.values())

    async def run(self, clock: Clock) -> None:
        """Flush once a second."""
        while True:
            await clock.sleep(FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits and forget what headquarters has, in one transaction."""
        for ring in self.rings.values():
            await self._flush_ring(ring)

    async def _flush_ring(self, ring: Ring) -> None:
        rows, acked = ring.take(), ring.acked
        if await self.guarded(lambda file: file.update(ring.stream, rows, acked), False):
            ring.stored(rows)
        else:
            ring.dropped += len(rows)

    async def guarded(self, work: Callable[[RingFile], T], otherwise: T) -> T:
        """Run `work` in the file's own thread; a file that fails costs telemetry and nothing else."""
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._pool, work, self._file)
        except (sqlite3.Error, OSError) as error:
            log.log(logging.DEBUG if self._ailing else logging.WARNING, "telemetry file: %s", error)
            self._ailing = True
            return otherwise
        self._ailing = False
        return result
