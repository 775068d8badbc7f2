"""The telemetry ring: numbered, bounded, expendable."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import msgspec

from holdfast.runtime.clock import ManualClock
from holdfast.uplink.ring import THIN_ROWS
from holdfast.uplink.telemetry import MAX_WAITING, Ring, TelemetryStore
from holdfast_contract.wire import Stream, Telemetry

CLOCK = ManualClock(wall_ms=1_790_000_000_000)


def decode(record: bytes) -> Telemetry:
    return msgspec.msgpack.decode(record, type=Telemetry)


async def seqs(ring: Ring, after: int = 0) -> list[int]:
    return [row.seq for row in await ring.read(after, limit=100_000, max_bytes=1)]


async def test_reports_are_numbered_labelled_and_read_back(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        assert [store.report("power.reading", {"mv": 4100 + n}) for n in range(3)] == [1, 2, 3]
        assert store.report("care.check", {"ok": True}, stream=Stream.DG) == 1
        await store.flush()
        rows = await store.rings[Stream.TM].read(1, limit=10, max_bytes=1)
        assert [row.seq for row in rows] == [2, 3]
        first = decode(rows[0].record)
        assert (first.seq, first.at, first.name) == (2, 1_790_000_000_000, "power.reading")
        assert msgspec.msgpack.decode(first.body) == {"mv": 4101}
        assert await seqs(store.rings[Stream.DG]) == [1]


async def test_a_reader_is_woken_by_the_flush(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        ring = store.rings[Stream.TM]
        waiting = asyncio.ensure_future(ring.wait_beyond(0))
        store.report("a", 1)
        await asyncio.sleep(0.01)
        assert not waiting.done(), "what is not in the file cannot be read"
        await store.flush()
        await asyncio.wait_for(waiting, 1.0)
        assert ring.head == 1


async def test_what_headquarters_has_is_forgotten_and_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        for n in range(10):
            store.report("a", n)
        await store.flush()
        store.rings[Stream.TM].committed(7)
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        ring = store.rings[Stream.TM]
        assert (ring.head, ring.acked) == (10, 7)
        assert await seqs(ring) == [8, 9, 10]
        ring.committed(10)
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        assert store.report("a", "next") == 11, "numbers go on though the ring is empty"


async def test_what_waits_is_written_on_leaving(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        store.report("a", 1)
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        assert await seqs(store.rings[Stream.TM]) == [1]


async def test_the_ring_is_bounded_and_drops_the_oldest_diagnostics_first(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "t.db", CLOCK, max_bytes=200_000) as store:
        for round_ in range(20):
            for _ in range(100):
                store.report("a", bytes(100))
                store.report("b", bytes(100), stream=Stream.DG)
            await store.flush()
            rows = [row for ring in store.rings.values() for row in await ring.read(0, limit=10**6, max_bytes=1)]
            size = sum(len(row.record) for row in rows)
            assert size <= 200_000, round_
        kept = await seqs(store.rings[Stream.TM])
        assert kept == list(range(kept[0], 2001)), "only the oldest went"
        assert len(kept) > 200_000 // 130 - 2 * THIN_ROWS
        assert len(await seqs(store.rings[Stream.DG])) < len(kept)


async def test_a_lost_tail_never_gives_one_number_to_two_records(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        ring = store.rings[Stream.TM]
        store.report("a", 1)
        assert ring.overtaken(40) == ""
        ring.committed(40)
        assert store.report("a", 2) == 41
        await store.flush()
        assert await seqs(ring) == [41]


async def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "t.db").write_bytes(b"x" * 5000)
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        store.report("a", 1)
        await store.flush()
        assert await seqs(store.rings[Stream.TM]) == [1]


async def test_where_no_file_can_be_made_the_ring_lives_in_memory(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "missing" / "t.db", CLOCK) as store:
        store.report("a", 1)
        await store.flush()
        assert await seqs(store.rings[Stream.TM]) == [1]
    assert not (tmp_path / "missing").exists()


async def test_a_failing_disk_costs_telemetry_and_nothing_else(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        store.report("a", 1)
        await store.flush()
        with sqlite3.connect(tmp_path / "t.db", isolation_level=None) as other:
            other.execute("DROP TABLE record")
        other.close()
        store.report("a", 2)
        await store.flush()
        assert store.dropped == 1
        assert await seqs(store.rings[Stream.TM]) == []


async def test_memory_is_bounded_between_flushes(tmp_path: Path) -> None:
    async with TelemetryStore(tmp_path / "t.db", CLOCK) as store:
        for n in range(MAX_WAITING + 10):
            store.report("a", n)
        assert store.dropped == 10
        await store.flush()
        assert (await seqs(store.rings[Stream.TM]))[0] == 11
