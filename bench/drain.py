"""Draining a backlog: daemon, broker, collector's commit, acknowledgement; beside a mosquitto bridge and aiomqtt."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import aiomqtt

from backlog import backlog
from brokers import Broker, Mosquitto, Nats, mosquitto_binary
from holdfast_contract import topics
from measure import Beside, Row, Run, in_turns
from raw_mqtt import Connection, packet, text
from selling import HUB
from services import Collector, Daemon, uplink

TIMES_BRIDGE = 10
PATIENCE_S = 600.0
LOOK_S = 0.005
GROUP = 512
"""Messages of one transaction behind the bridge: as many as a batch of ours has records."""
TOPIC = topics.up(HUB, "ev")
BRIDGE = """connection core
address 127.0.0.1:{port}
topic # out 1
cleansession false
restart_timeout 1
"""


class Unlimited(Mosquitto):
    """A mosquitto that drops nothing for want of room in a queue: by default it drops beyond 1000 messages."""

    more = "max_queued_messages 0\n"

    def command(self) -> list[str]:
        binary, option, config = super().command()
        with Path(config).open("a", encoding="ascii") as file:
            file.write(self.more)
        return [binary, option, config]


class Edge(Unlimited):
    """One that keeps what it is given for a core broker at `core_port`."""

    def __init__(self, directory: Path, core_port: int) -> None:
        super().__init__(directory)
        self.more += BRIDGE.format(port=core_port)


async def run(bench: Run) -> list[Row]:
    events = bench.pick(100_000, 20_000)
    past = await backlog(bench, events)
    payloads = await asyncio.to_thread(some_records, past / "journal.db", bench.pick(50_000, 10_000))
    measures: dict[str, Callable[[], Awaitable[float]]] = {}
    kinds: list[type[Broker]] = [Nats]
    if mosquitto_binary() is not None:
        kinds.insert(0, Mosquitto)
        measures["bridge"] = partial(_in_thread, bench, lambda place: bridge(place, payloads))
        measures["stored"] = partial(bridge_and_database, bench, payloads)
    for kind in kinds:
        measures[f"ours {kind.__name__}"] = partial(ours, bench, kind, events)
        measures[f"single {kind.__name__}"] = partial(single, bench, kind, payloads[: bench.pick(3000, 1000)])
    found = await in_turns(bench.pick(3, 1), measures)
    return [row(kind.__name__, found) for kind in kinds]


def row(kind: str, found: dict[str, float]) -> Row:
    besides = {
        "stored": "mosquitto bridge, QoS 1, a message an event; aiomqtt commits to SQLite",
        "bridge": "the bridge alone, counted at the far broker, nothing committed",
        f"single {kind}": f"aiomqtt, one QoS 1 publish at a time to {kind}, nothing committed",
    }
    rate, bridged = found[f"ours {kind}"], found.get("stored")
    return Row(
        what=f"drain of a backlog over {kind}, counted at the collector's commit",
        value=rate,
        unit="events/s",
        beside=tuple(Beside(what, found[name]) for name, what in besides.items() if name in found),
        goal=f">= {TIMES_BRIDGE} x the bridge, counted at the commit, too",
        met=None if bridged is None else rate >= TIMES_BRIDGE * bridged,
        note="" if bridged is not None else "mosquitto is not installed: no bridge to compare with",
    )


def some_records(path: Path, count: int) -> list[bytes]:
    """Records of a journal, cut or filled to one length, so that counting bytes counts messages."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("SELECT round(avg(length(record))) FROM journal").fetchone()
        rows = db.execute("SELECT record FROM journal ORDER BY seq LIMIT ?", (count,)).fetchall()
    return [record[: int(size)].ljust(int(size), b" ") for (record,) in rows]


async def ours(bench: Run, kind: type[Broker], events: int) -> float:
    """Events a second between the first and the last commit of the collector."""
    state = await backlog(bench, events)
    return await _in_thread(bench, lambda place: _drain(place, bench.sockets / "drain.sock", kind, state))


def _drain(place: Path, door: Path, kind: type[Broker], state: Path) -> float:
    with (
        kind(place) as broker,
        Collector(place, broker.port) as collector,
        Daemon(state, door, uplink(broker.port)) as daemon,
    ):
        rate = watch_commits(collector, head_of(daemon))
        await_ack(daemon)
    return rate


def head_of(daemon: Daemon) -> int:
    return int(daemon.ask("GET", "/v1/outbox")["head"])


def await_ack(daemon: Daemon) -> None:
    """Until the daemon, too, knows that nothing waits."""
    while daemon.ask("GET", "/v1/outbox")["waiting"]:
        time.sleep(LOOK_S)


def watch_commits(collector: Collector, head: int) -> float:
    """Events a second from the first commit seen until everything up to `head` is committed."""
    deadline = time.perf_counter() + PATIENCE_S
    while not (first := collector.committed()):
        time.sleep(LOOK_S)
    began = time.perf_counter()
    while (last := collector.committed()) < head:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{last} of {head} events in {PATIENCE_S:.0f} s")
        time.sleep(LOOK_S)
    return (last - first) / (time.perf_counter() - began)


def bridge(place: Path, payloads: list[bytes]) -> float:
    """Messages a second at the far broker, from an edge broker that has all of them waiting."""
    size = len(packet(0x30, text(TOPIC) + payloads[0]))
    with far_broker(place, payloads) as core, Connection(core.port, "counter") as counter:
        counter.subscribe("#")
        return counter.count(size, len(payloads))


async def bridge_and_database(bench: Run, payloads: list[bytes]) -> float:
    """The same, taken from the far broker by aiomqtt and committed to SQLite, whatever waits at once."""
    place = Path(tempfile.mkdtemp(dir=bench.disk))
    rows = Rows(place / "rows.db")
    with closing(rows.db), far_broker(place, payloads) as core:
        async with aiomqtt.Client("127.0.0.1", core.port) as client:
            await client.subscribe("#", qos=1)
            first = await rows.take(client)
            began, stored = time.perf_counter(), first
            while stored < len(payloads):
                stored += await rows.take(client)
            return (stored - first) / (time.perf_counter() - began)


class Rows:
    """A table of payloads; every transaction is synced."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, payload BLOB)")

    async def take(self, client: aiomqtt.Client) -> int:
        """Commit what has come, at least one message and GROUP at most; how many."""
        group = [(await anext(client.messages)).payload]
        while len(client.messages) and len(group) < GROUP:
            group.append((await anext(client.messages)).payload)
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO event (payload) VALUES (?)", [(payload,) for payload in group])
        self.db.execute("COMMIT")
        return len(group)


@contextmanager
def far_broker(place: Path, payloads: list[bytes]) -> Iterator[Broker]:
    """A core broker that has just come up, and an edge broker bridged to it that has all of these waiting."""
    with tempfile.TemporaryDirectory(dir=place) as far:
        core = Unlimited(Path(far))
        with Edge(place, core.port) as edge:
            with Connection(edge.port, "filler") as filler:
                filler.publish(TOPIC, payloads)
            with core:
                yield core


async def single(bench: Run, kind: type[Broker], payloads: list[bytes]) -> float:
    """Messages a second, each published when the one before is acknowledged by the broker."""
    place = Path(tempfile.mkdtemp(dir=bench.disk))
    with kind(place) as broker:
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            began = time.perf_counter()
            for payload in payloads:
                await client.publish(TOPIC, payload, qos=1)
            return len(payloads) / (time.perf_counter() - began)


async def _in_thread(bench: Run, measure: Callable[[Path], float]) -> float:
    """In a folder of its own."""
    return await asyncio.to_thread(measure, Path(tempfile.mkdtemp(dir=bench.disk)))
