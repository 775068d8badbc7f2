"""A real journal, a real broker and the real collector: both ends of the contract agree on every byte."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from brokers import Nats
from holdfast.journal.journal import Journal
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import SystemClock
from holdfast.uplink.announce import About
from holdfast.uplink.mqtt import Broker
from holdfast.uplink.telemetry import TelemetryStore
from holdfast.uplink.uplink import Uplink
from holdfast.uplink.watch import Hooks
from holdfast_fleet.audit import verify
from holdfast_fleet.broker import Broker as FleetBroker
from holdfast_fleet.collector import Collector
from holdfast_fleet.store import Store
from journal.toy import POLICY, Put, toy_journal
from support.waiting import until
from uplink.fakes import Changes, config


@asynccontextmanager
async def headquarters(port: int, path: Path) -> AsyncIterator[None]:
    stop = asyncio.Event()
    collector = Collector(
        FleetBroker("127.0.0.1", port), lambda: Store(path, core="core-1"), core="core-1", say=lambda _: None
    )
    task = asyncio.create_task(collector.run(stop))
    await asyncio.wait_for(collector.ready.wait(), 10.0)
    yield
    stop.set()
    await task


@asynccontextmanager
async def hub(port: int, journal: Journal, directory: Path) -> AsyncIterator[Uplink]:
    clock, settings = SystemClock(), config(port, protocol="3.1.1", batch_ms=10)
    async with TelemetryStore(directory / "telemetry.db", clock) as telemetry:
        uplink = Uplink(
            config=settings,
            outbox=journal,
            telemetry=telemetry,
            connect=Broker(settings, POLICY.hub).connect,
            about=About(software="holdfast 0", schema=1),
            hooks=Hooks(Changes()),
            clock=clock,
            backoff=Backoff(first=0.05, cap=0.5),
        )
        task = asyncio.create_task(uplink.run())
        try:
            yield uplink
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_headquarters_ends_with_the_journal_byte_for_byte(tmp_path: Path) -> None:
    with Nats(tmp_path / "nats", keep=False) as real:
        async with toy_journal(tmp_path / "hub") as journal, headquarters(real.port, tmp_path / "core.db"):
            async with hub(real.port, journal, tmp_path) as uplink:
                for number in range(40):
                    await journal.execute(Put(sku=f"sku-{number % 5}", times=5), actor="b1")
                    if number == 20:
                        await asyncio.to_thread(real.kill)
                        await asyncio.to_thread(real.start)
                await until(lambda: journal.cursor("uplink") == journal.head.seq, 20.0)
                assert uplink.state().alarm == ""
                await uplink.quiesce(3.0)
            async with hub(real.port, journal, tmp_path) as again:
                await journal.execute(Put(sku="late"), actor="b1")
                await until(lambda: journal.cursor("uplink") == journal.head.seq)
                assert again.state().sends == 1, "a restart goes on at the cursor"
            stored = await journal.records(0, limit=1000, max_bytes=10**6)
    with closing(sqlite3.connect(tmp_path / "core.db")) as db:
        (audit,) = verify(db, POLICY.hub)
        rows = db.execute("SELECT seq, record, hash FROM event ORDER BY seq").fetchall()
    assert audit.ok, audit.problem
    assert rows == [tuple(row) for row in stored]
