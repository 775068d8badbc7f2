"""The collector on real brokers: acks after commits, through kills of itself and of the broker."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import cast

import aiomqtt
import pytest

from brokers import Broker as RealBroker
from brokers import Mosquitto, Nats, free_port, mosquitto_binary
from fleet.desk import Desk
from fleet.hubs import FakeHub
from fleet.wire_hub import WireHub, core_status
from holdfast_contract import topics
from holdfast_contract.wire import Ack, CoreStatus, Presence, unpack
from holdfast_fleet import collector
from holdfast_fleet.broker import Broker, Protocol, client, parse_url
from holdfast_fleet.collector import Collector, backoff
from holdfast_fleet.schema import open_reader
from holdfast_fleet.store import Store
from holdfast_fleet.work import Notice
from support.waiting import until

ENGINES = [
    pytest.param(Nats, "3.1.1", id="nats-3.1.1"),
    pytest.param(Mosquitto, "3.1.1", id="mosquitto-3.1.1", marks=pytest.mark.mosquitto),
    pytest.param(Mosquitto, "5", id="mosquitto-5", marks=pytest.mark.mosquitto),
]


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[RealBroker]:
    with Nats(tmp_path / "nats") as broker:
        yield broker


def where(engine: RealBroker, protocol: Protocol = "3.1.1") -> Broker:
    return parse_url(f"mqtt://{engine.host}:{engine.port}", protocol=protocol)


class Running:
    """A collector in this process."""

    def __init__(self, broker: Broker, database: Path) -> None:
        self.said: list[Notice] = []
        self.collector = Collector(broker, lambda: Store(database, core="hq"), core="hq", say=self.said.append)

    @property
    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.said]


@asynccontextmanager
async def running(broker: Broker, database: Path) -> AsyncIterator[Running]:
    stop = asyncio.Event()
    run = Running(broker, database)
    async with asyncio.TaskGroup() as group:
        group.create_task(run.collector.run(stop))
        async with asyncio.timeout(10):
            await run.collector.ready.wait()
        yield run
        stop.set()


@pytest.mark.parametrize(("engine", "protocol"), ENGINES)
async def test_a_journal_crosses_the_broker_and_is_acknowledged(
    engine: type[RealBroker], protocol: Protocol, tmp_path: Path
) -> None:
    if engine is Mosquitto and mosquitto_binary() is None:
        pytest.skip("mosquitto is not installed")
    hub = FakeHub().trade(100)
    with engine(tmp_path / "broker") as broker:
        here = where(broker, protocol)
        async with running(here, tmp_path / "fleet.db") as run, asyncio.timeout(20):
            wire = WireHub(hub, here, size=20)
            await wire.drain()
            assert (await core_status(here, up=True)).core == "hq"
        assert run.kinds[0] == "ready"
        assert run.kinds[-1] == "disconnected"
        assert not (await core_status(here, up=False)).up
    assert wire.acked == hub.last
    with Desk(tmp_path / "fleet.db") as desk:
        desk.assert_holds(hub)


async def test_a_birth_alone_is_answered(nats: RealBroker, tmp_path: Path) -> None:
    """The hub may have lost the ack of what it sent long ago."""
    hub = FakeHub().trade(3)
    with Desk(tmp_path / "fleet.db") as desk:
        desk.give(hub.batch())
    upto: dict[str, int] = {}
    async with (
        running(where(nats), tmp_path / "fleet.db"),
        asyncio.timeout(10),
        aiomqtt.Client(nats.host, nats.port) as client,
    ):
        await client.subscribe(topics.ack(hub.name), qos=1)
        birth = hub.birth()
        await client.publish(birth.topic, birth.payload, qos=1)
        async for message in client.messages:
            ack = unpack(bytes(message.payload), Ack)
            upto[str(ack.st)] = ack.upto
            if len(upto) == 3:
                break
    assert upto == {"ev": hub.last, "tm": 0, "dg": 0}


async def test_a_broker_that_goes_away_and_forgets_everything_is_survived(tmp_path: Path) -> None:
    hubs = [FakeHub(f"hub-{n}", jid=n).trade(150) for n in range(3)]
    with Nats(tmp_path / "nats", keep=False) as broker:
        here = where(broker)
        async with running(here, tmp_path / "fleet.db") as run, asyncio.timeout(40):
            wires = [WireHub(hub, here, size=5) for hub in hubs]
            async with asyncio.TaskGroup() as group:
                for wire in wires:
                    group.create_task(wire.drain())
                await until(lambda: all(wire.acked > 20 for wire in wires), 10)
                broker.kill()
                await until(lambda: "disconnected" in run.kinds, 10)
                await asyncio.to_thread(broker.start)
        assert run.kinds.count("ready") >= 2
    with Desk(tmp_path / "fleet.db") as desk:
        for hub in hubs:
            desk.assert_holds(hub)
    assert all(wire.acked == wire.hub.last for wire in wires)


COLLECT = "from holdfast_fleet.app import main; main()"
ACK_BEFORE_COMMIT = """
import holdfast_fleet.store as store
real, calls = store.Store.commit, []
def commit(self, arrivals):
    if not calls:
        self._db.execute("BEGIN IMMEDIATE")
        self._transaction = lambda: store.contextmanager(work)(self)
    calls.append(1)
    return real(self, arrivals)
def work(self):
    yield store.Work(self._db, 0)
store.Store.commit = commit
"""
"""A collector with the classic fault: it acknowledges inside the transaction."""


@asynccontextmanager
async def process(broker: Broker, database: Path, code: str = COLLECT) -> AsyncIterator[asyncio.subprocess.Process]:
    """A collector in a process of its own, which has said READY."""
    url = f"mqtt://{broker}"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, "collect", "--broker", url, "--database", str(database), "--core", "hq",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    async with asyncio.timeout(15):
        assert (await child.stdout.readline()).startswith(b"READY ")
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


def committed(database: Path, hub: FakeHub) -> int:
    with contextlib.suppress(Exception), closing(open_reader(database)) as db:
        row = db.execute("SELECT upto FROM stream WHERE hub = ? AND st = 'ev'", (hub.name,)).fetchone()
        return int(row[0]) if row else 0
    return 0


async def kills(here: Broker, database: Path, hubs: list[FakeHub], times: int, code: str = COLLECT) -> list[int]:
    """Drain all hubs while the collector is killed; returns, per kill and hub, acked records that were not on disk."""
    lost: list[int] = []
    wires = [WireHub(hub, here, size=5) for hub in hubs]
    drains = [asyncio.create_task(wire.drain()) for wire in wires]
    for kill in range(times):
        async with process(here, database, code) as child:
            total = sum(hub.last for hub in hubs)
            await until(lambda goal=total * (kill + 1) // (times + 2): sum(w.acked for w in wires) > goal, 20)
            child.kill()
            await child.wait()
            await asyncio.sleep(0.1)  # acks still in the broker
            lost += [max(0, wire.acked - committed(database, wire.hub)) for wire in wires]
            if any(lost):
                break
    else:
        async with process(here, database, code), asyncio.timeout(30):
            await asyncio.gather(*drains)
    for drain in drains:
        drain.cancel()
    await asyncio.gather(*drains, return_exceptions=True)
    return lost


async def test_a_collector_killed_in_mid_load_loses_nothing_it_acknowledged(nats: RealBroker, tmp_path: Path) -> None:
    hubs = [FakeHub(f"hub-{n}", jid=n).trade(200) for n in range(3)]
    database = tmp_path / "fleet.db"
    assert not any(await kills(where(nats), database, hubs, times=3))
    with Desk(database) as desk:
        for hub in hubs:
            desk.assert_holds(hub)


async def test_a_collector_that_acknowledges_before_it_commits_is_found_out(nats: RealBroker, tmp_path: Path) -> None:
    """Negative control of the test above."""
    hubs = [FakeHub().trade(200)]
    assert any(await kills(where(nats), tmp_path / "fleet.db", hubs, times=2, code=ACK_BEFORE_COMMIT + COLLECT))


async def test_sigterm_commits_and_acknowledges_what_arrived_and_says_it_is_down(
    nats: RealBroker, tmp_path: Path
) -> None:
    hub = FakeHub().trade(20)
    here = where(nats)
    async with process(here, tmp_path / "fleet.db") as child, asyncio.timeout(20):
        wire = WireHub(hub, here, size=9)
        await wire.drain()
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
        assert not (await core_status(here, up=False)).up


async def test_an_ack_still_owed_at_the_end_is_sent(
    nats: RealBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Collector, "_send_acks", never)
    hub = FakeHub().trade(3)
    async with asyncio.timeout(10), aiomqtt.Client(nats.host, nats.port) as client:
        await client.subscribe(topics.ack(hub.name), qos=1)
        async with running(where(nats), tmp_path / "fleet.db") as run:
            batch = hub.batch()
            await client.publish(batch.topic, batch.payload, qos=1)
            await until(lambda: run.collector._acks)
        message = await anext(client.messages)
        assert unpack(bytes(message.payload), Ack).upto == hub.last


async def aiter_nothing() -> AsyncIterator[aiomqtt.Message]:
    await asyncio.Event().wait()
    yield cast("aiomqtt.Message", None)


async def test_the_last_heartbeat_comes_before_the_farewell_though_cancellations_get_lost(tmp_path: Path) -> None:
    """`asyncio.wait_for`, in which aiomqtt waits for a PUBACK, loses one that comes in the same turn as the answer."""
    said: list[bool] = []
    stop = asyncio.Event()

    class Connection:
        messages = aiter_nothing()

        async def publish(self, _: str, payload: bytes, **__: object) -> None:
            said.append(unpack(payload, CoreStatus).up)
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    run = Running(parse_url("mqtt://127.0.0.1"), tmp_path / "fleet.db")
    serving = asyncio.create_task(run.collector._serve(cast("aiomqtt.Client", Connection()), stop))
    await until(lambda: said)
    stop.set()
    done, _ = await asyncio.wait({serving}, timeout=5)
    serving.cancel()
    assert done == {serving}
    assert said == [True, False]


async def test_a_killed_collector_is_reported_down_by_its_will(nats: RealBroker, tmp_path: Path) -> None:
    here = where(nats)
    async with process(here, tmp_path / "fleet.db") as child:
        assert (await core_status(here, up=True)).up
        child.kill()
        assert not (await core_status(here, up=False)).up


async def test_it_stops_at_once_while_there_is_no_broker(tmp_path: Path) -> None:
    run, stop = Running(parse_url(f"mqtt://127.0.0.1:{free_port()}"), tmp_path / "fleet.db"), asyncio.Event()
    task = asyncio.create_task(run.collector.run(stop))
    await until(lambda: run.kinds == ["disconnected"])
    stop.set()
    async with asyncio.timeout(5):
        await task
    assert run.kinds == ["disconnected"]


async def test_its_own_retained_status_is_no_hub(nats: RealBroker, tmp_path: Path) -> None:
    async with running(where(nats), tmp_path / "fleet.db") as run, asyncio.timeout(10):
        await core_status(where(nats), up=True)
        hub = FakeHub()
        async with aiomqtt.Client(nats.host, nats.port) as client:
            online = hub.status(Presence.ONLINE)
            await client.publish(online.topic, online.payload, qos=1, retain=True)
            await until(lambda: "online" in run.kinds)
    assert "quarantined" not in run.kinds


async def test_an_ack_that_grows_while_it_is_sent_is_sent_again(desk: Desk) -> None:
    hub = FakeHub().trade(3)
    sent: list[int] = []

    class Slow:
        async def publish(self, _: str, payload: bytes, **__: object) -> None:
            if not sent:
                works._deliver(desk.give(hub.batch(5, hub.last)))
            sent.append(unpack(payload, Ack).upto)

    works = Collector(parse_url("mqtt://localhost"), lambda: desk.store, core="hq", say=lambda _: None)
    works._deliver(desk.give(hub.batch(1, 4)))
    while works._acks:
        await works._send_some(Slow())  # type: ignore[arg-type]  # the one method it needs
    assert sent == [4, hub.last]


async def test_a_refused_subscription_is_a_broken_connection() -> None:
    class Refusing:
        async def subscribe(self, *_: object, **__: object) -> tuple[int, ...]:
            return (0x87,)

    works = Collector(parse_url("mqtt://localhost"), lambda: None, core="hq", say=print)  # type: ignore[arg-type, return-value]  # never opened
    with pytest.raises(aiomqtt.MqttError, match="refuses"):
        await works._subscribe(Refusing())  # type: ignore[arg-type]  # the one method it needs


def test_reconnects_are_spread_and_never_far_apart() -> None:
    for attempt in (1, 2, 5, 1000):
        delays = {backoff(attempt) for _ in range(200)}
        assert 0 <= min(delays) <= max(delays) <= collector.BACKOFF_CAP
        assert len(delays) > 100
    assert max(backoff(1) for _ in range(200)) <= collector.BACKOFF_FIRST * 2


@pytest.mark.parametrize(
    "url", ["http://x", "mqtt://", "mqtt://host/path", "mqtt://user:secret@host", "127.0.0.1:1883"]
)
def test_a_wrong_broker_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected|password"):
        parse_url(url)


def test_a_broker_address_has_the_standard_ports() -> None:
    assert (parse_url("mqtt://h").port, parse_url("mqtts://h").port, parse_url("mqtt://h:9").port) == (1883, 8883, 9)
    assert parse_url("mqtts://me%40x@h", password="p").username == "me@x"


async def test_the_kernel_does_not_hold_an_ack_back(nats: RealBroker) -> None:
    will = aiomqtt.Will("probe/will")
    async with client(where(nats), identifier="probe", will=will) as connection:
        link = connection._client.socket()
        assert isinstance(link, socket.socket)
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
