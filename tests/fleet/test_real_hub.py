"""The hub's own journal, domain and uplink against the collector: both sides fold to the same books (G-10)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from brokers import Nats
from domain.kit import CASHIER, POLICY, SHOP, STATIONS, SUPERVISOR, TECHNICIAN, import_rows
from holdfast.config import Uplink as UplinkConfig
from holdfast.domain.cart import AddItem
from holdfast.domain.core import Command
from holdfast.domain.delivery import ReceiveStock
from holdfast.domain.operator import IssueBadge
from holdfast.domain.registry import AREAS
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import OpenShift
from holdfast.journal.journal import Journal, Settings
from holdfast.journal.store import mark_suspect
from holdfast.runtime.clock import SystemClock
from holdfast.uplink.announce import About
from holdfast.uplink.digest import digester, read_digest
from holdfast.uplink.link import Link
from holdfast.uplink.mqtt import Broker
from holdfast.uplink.telemetry import TelemetryStore
from holdfast.uplink.uplink import Uplink
from holdfast.uplink.watch import Hooks
from holdfast_contract.wire import Digest, fold_hash
from holdfast_fleet import audit, folds
from holdfast_fleet.broker import parse_url
from holdfast_fleet.collector import Collector
from holdfast_fleet.schema import open_reader
from holdfast_fleet.store import Store
from holdfast_fleet.work import Notice
from support.waiting import until

CODES = [f"A-{row.sku}" for row in SHOP if row.sku in {"candle", "honey", "mug"}]


async def do(journal: Journal, command: Command, actor: str = CASHIER) -> None:
    outcome = await journal.execute(command, actor=actor)
    assert outcome.ok, (command, outcome)


async def open_shop(journal: Journal) -> None:
    await do(journal, IssueBadge(badge=CASHIER, name="Anna", role="cashier"), TECHNICIAN)
    await do(journal, IssueBadge(badge=SUPERVISOR, name="Bert", role="supervisor"), TECHNICIAN)
    await do(journal, import_rows(*SHOP), SUPERVISOR)
    await do(journal, ReceiveStock(lines=tuple((row.sku, 50) for row in SHOP if not row.open_price)))
    await do(journal, OpenShift(station=STATIONS[0], float_in=10_000))


async def sell(journal: Journal, carts: int) -> None:
    for number in range(carts):
        for code in CODES[: 1 + number % len(CODES)]:
            await do(journal, AddItem(station=STATIONS[0], code=code))
        await do(journal, PayCash(station=STATIONS[0], tendered=None))


@asynccontextmanager
async def headquarters(port: int, database: Path) -> AsyncIterator[list[Notice]]:
    said: list[Notice] = []
    stop = asyncio.Event()
    here = Collector(
        parse_url(f"mqtt://127.0.0.1:{port}"), lambda: Store(database, core="hq"), core="hq", say=said.append
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(here.run(stop))
        yield said
        stop.set()


@asynccontextmanager
async def hub(port: int, directory: Path) -> AsyncIterator[tuple[Journal, Uplink]]:
    """A journal on disk with the whole domain, and its uplink."""
    clock = SystemClock()
    config = UplinkConfig(host="127.0.0.1", port=port, protocol="3.1.1", tls=False)
    settings = Settings(directory=directory, policy=POLICY, day_of=lambda at: at // 86_400_000)

    async def ignore(_: Link) -> None:
        """The record of the link is not what this is about."""

    broker = Broker(config, POLICY.hub)
    async with Journal(settings, AREAS, clock) as journal, TelemetryStore(directory / "tm.db", clock) as telemetry:
        uplink = Uplink(
            config=config,
            outbox=journal,
            telemetry=telemetry,
            connect=broker.connect,
            about=About(software="test", schema=1),
            hooks=Hooks(link_changed=ignore, digest=digester(journal)),
            clock=clock,
        )
        tasks = [asyncio.create_task(uplink.run()), asyncio.create_task(telemetry.run(clock))]
        yield journal, uplink
        await uplink.quiesce(5.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        broker.close()


def verdicts(database: Path) -> list[tuple[int, str, str]]:
    with closing(open_reader(database)) as db:
        return db.execute("SELECT inc, verdict, differs FROM digest ORDER BY inc, as_of").fetchall()


async def hub_says(journal: Journal) -> Digest:
    return await journal.desk(read_digest)


def assert_same_books(database: Path, inc: int, said: Digest) -> None:
    with closing(open_reader(database)) as db:
        fold = folds.load_at(db, POLICY.hub, inc, said.as_of_seq)
        assert (fold.stock_hash(), fold.money_hash()) == (said.stock, said.money)
        assert said.stock != fold_hash([])
        assert all(found.ok for found in audit.verify(db, POLICY.hub))


async def test_g_10_a_trading_hub_and_headquarters_keep_the_same_books(tmp_path: Path) -> None:
    database = tmp_path / "fleet.db"
    (tmp_path / "hub").mkdir()
    with Nats(tmp_path / "nats") as broker:
        async with headquarters(broker.port, database) as said, hub(broker.port, tmp_path / "hub") as (journal, uplink):
            await open_shop(journal)
            await sell(journal, 20)
            await until(lambda: uplink.state().lag == 0, 20)
            await until(lambda: any(notice.kind == "digest_equal" for notice in said), 20)
            last = await hub_says(journal)
        with closing(open_reader(database)) as db:
            flags = db.execute("SELECT DISTINCT type, flag FROM event WHERE flag <> ''").fetchall()
    assert flags == []
    assert {verdict for _, verdict, _ in verdicts(database)} == {"equal"}
    assert_same_books(database, 1, last)


async def test_g_10_a_hub_rebuilt_from_a_damaged_journal_keeps_them_still(tmp_path: Path) -> None:
    database, directory = tmp_path / "fleet.db", tmp_path / "hub"
    directory.mkdir()
    with Nats(tmp_path / "nats") as broker:
        async with headquarters(broker.port, database) as said:
            async with hub(broker.port, directory) as (journal, uplink):
                await open_shop(journal)
                await sell(journal, 20)
                await until(lambda: uplink.state().lag == 0, 20)
                path, head = journal.path, journal.head.seq
            with closing(sqlite3.connect(path, isolation_level=None)) as db:
                db.execute("UPDATE journal SET record = CAST(record || x'00' AS BLOB) WHERE seq = ?", (head - 9,))
            mark_suspect(directory)
            async with hub(broker.port, directory) as (journal, uplink):
                assert journal.genesis.inc == 2
                await sell(journal, 3)
                await until(lambda: uplink.state().lag == 0, 20)
                await until(lambda: any(inc == 2 and verdict == "equal" for inc, verdict, _ in verdicts(database)), 20)
                last = await hub_says(journal)
        rebuilt = next(notice.facts for notice in said if notice.kind == "rebuilt")
    assert (rebuilt["inc"], rebuilt["prior_seq"]) == (2, head - 10)
    assert rebuilt["orphaned"] >= 10
    assert "differs" not in {verdict for _, verdict, _ in verdicts(database)}
    assert_same_books(database, 2, last)


async def test_g_10_what_a_damaged_journal_had_not_sent_yet_still_reaches_headquarters(tmp_path: Path) -> None:
    database, directory = tmp_path / "fleet.db", tmp_path / "hub"
    directory.mkdir()
    with Nats(tmp_path / "nats") as broker:
        async with headquarters(broker.port, database) as said:
            async with hub(broker.port, directory) as (journal, uplink):
                await open_shop(journal)
                await until(lambda: uplink.state().lag == 0, 20)
                known = journal.head.seq
            settings = Settings(directory=directory, policy=POLICY, day_of=lambda at: at // 86_400_000)
            async with Journal(settings, AREAS, SystemClock()) as journal:
                await sell(journal, 20)
                path, head = journal.path, journal.head.seq
            with closing(sqlite3.connect(path, isolation_level=None)) as db:
                db.execute("UPDATE journal SET record = CAST(record || x'00' AS BLOB) WHERE seq = ?", (head,))
            mark_suspect(directory)
            async with hub(broker.port, directory) as (journal, uplink):
                assert journal.genesis.inc == 2
                await until(lambda: any(inc == 2 and verdict == "equal" for inc, verdict, _ in verdicts(database)), 20)
                last = await hub_says(journal)
            async with Journal(settings, AREAS, SystemClock()) as journal:
                assert journal.cursor("uplink@1") == head - 1, "the chapter is closed, and stays so"
        with closing(open_reader(database)) as db:
            held = db.execute("SELECT count(*) FROM event WHERE inc = 1 AND seq > ?", (known,)).fetchone()
    assert held == (head - 1 - known,)
    assert "fork" not in {notice.kind for notice in said}
    assert_same_books(database, 2, last)
