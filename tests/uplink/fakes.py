"""A journal in memory, headquarters in memory, and the uplink between them."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from holdfast.config import Uplink as Config
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import Clock, SystemClock
from holdfast.uplink.announce import About
from holdfast.uplink.link import Link
from holdfast.uplink.port import Connect, LostError, Message, RefusedError, Session, Will
from holdfast.uplink.telemetry import TelemetryStore
from holdfast.uplink.uplink import Uplink
from holdfast.uplink.watch import Hooks
from holdfast_contract import topics
from holdfast_contract.record import ClockQuality, Genesis, Record, chain, encode_record, genesis_hash
from holdfast_contract.wire import Ack, Batch, Birth, CoreStatus, Digest, Status, Stream, pack, unpack

HUB = "hub-1"
JID = 0x1234_5678_9ABC_DEF0
AT = 1_790_000_000_000


def body(seq: int) -> msgspec.Raw:
    """As varied as a sale of three lines."""
    dice = random.Random(seq)
    lines = [
        [f"{dice.randrange(10**12):013d}"[:8], dice.randint(1, 3), dice.choice((250, 390, 1990, 2490)), 0]
        for _ in range(3)
    ]
    total = sum(qty * price for _, qty, price, _ in lines)
    moves = [[line[0], 1, 23, line[1]] for line in lines]
    posts = [
        ["tender:cash", total],
        ["revenue:house", -total * 100 // 119],
        ["tax:S:190000", total * 100 // 119 - total],
    ]
    return msgspec.Raw(
        msgspec.msgpack.encode({"n": seq, "d": 20_780, "s": 3, "l": lines, "a": total, "m": moves, "p": posts})
    )


class Head(NamedTuple):
    seq: int
    hash: bytes


class Stored(NamedTuple):
    seq: int
    record: bytes
    hash: bytes


class FakeOutbox:
    """As the journal: committed records with their chain; a durable cursor."""

    def __init__(self, count: int = 0, *, jid: int = JID, boot: int = 1) -> None:
        self.genesis = Genesis(v=1, hub=HUB, inc=1, jid=jid, key=bytes(32), at=AT)
        self.genesis_bytes = msgspec.msgpack.encode(self.genesis)
        self.boot = boot
        self.head = Head(0, genesis_hash(self.genesis))
        self.rows: list[Stored] = []
        self.cursors: dict[str, int] = {}
        self.largest_read = 0
        self._grown = asyncio.Event()
        self.commit(count)

    def commit(self, count: int, *, type_: str = "sale.completed") -> None:
        """Append `count` records of the size of a sale."""
        for _ in range(count):
            seq = self.head.seq + 1
            cause = hashlib.sha256(seq.to_bytes(8, "big")).digest()[:9]
            head = Record(seq, AT + seq, ClockQuality.SYNCED, self.boot, seq, type_, f"c{seq}", cause, "b1", body(seq))
            record = encode_record(head)
            self.head = Head(seq, chain(self.head.hash, record))
            self.rows.append(Stored(seq, record, self.head.hash))
        self._grown.set()
        self._grown = asyncio.Event()

    async def wait_beyond(self, seq: int) -> Head:
        while self.head.seq <= seq:
            await self._grown.wait()
        return self.head

    async def chapters(self) -> Sequence[Any]:
        return ()

    async def records(self, after: int, *, limit: int, max_bytes: int, inc: int = 0) -> Sequence[Stored]:
        assert not inc, "there is no earlier incarnation"
        await asyncio.sleep(0)
        found: list[Stored] = []
        size = 0
        for row in self.rows[after : after + limit]:
            size += len(row.record)
            if found and size > max_bytes:
                break
            found.append(row)
        self.largest_read = max(self.largest_read, sum(len(row.record) for row in found))
        return found

    async def hash_at(self, seq: int, *, inc: int = 0) -> bytes:
        assert not inc, "there is no earlier incarnation"
        return self.rows[seq - 1].hash if seq else genesis_hash(self.genesis)

    def cursor(self, name: str) -> int:
        return self.cursors.get(name, 0)

    def advance(self, name: str, seq: int) -> None:
        self.cursors[name] = seq


def ack(upto: int, hash_: bytes, *, inc: int = 1, jid: int = JID, stream: Stream = Stream.EV) -> Ack:
    return Ack(st=stream, inc=inc, jid=jid, upto=upto, hash=hash_, core="core-1")


@dataclass
class Headquarters:
    """What a collector must do, and no more: commit the contiguous prefix, then say how far it is."""

    records: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    received: int = 0
    """Events that arrived, repeats included."""
    births: list[Birth] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    reports: dict[Stream, list[bytes]] = field(default_factory=lambda: {Stream.TM: [], Stream.DG: []})
    upto: dict[Stream, int] = field(default_factory=lambda: {Stream.TM: 0, Stream.DG: 0})
    sizes: list[int] = field(default_factory=list)
    """Bytes of each `ev` payload."""
    known: tuple[int, int] = (1, JID)

    def take(self, topic: str, payload: bytes) -> list[Ack]:
        """Commit a message; the acknowledgements it deserves."""
        if topic == topics.birth(HUB):
            self.births.append(unpack(payload, Birth))
            self.known = (self.births[-1].inc, self.births[-1].jid)
            return [self.ack(), *map(self.report_ack, self.upto)]
        if topic == topics.status(HUB):
            self.statuses.append(unpack(payload, Status))
            return []
        batch = unpack(payload, Batch)
        return [self.take_events(batch, len(payload)) if batch.st is Stream.EV else self.take_reports(batch)]

    def take_events(self, batch: Batch, size: int) -> Ack:
        self.sizes.append(size)
        self.received += batch.n
        assert batch.n == len(batch.recs)
        head = len(self.records)
        if batch.first <= head + 1:
            previous = self.hashes[batch.first - 2] if batch.first > 1 else batch.prev
            assert batch.prev == previous, "the batch does not continue the chain"
            for record in batch.recs[head + 1 - batch.first :]:
                self.hashes.append(chain(self.hashes[-1] if self.hashes else batch.prev, record))
                self.records.append(record)
        return self.ack()

    def take_reports(self, batch: Batch) -> Ack:
        self.reports[batch.st] += [
            record for seq, record in enumerate(batch.recs, batch.first) if seq > self.upto[batch.st]
        ]
        self.upto[batch.st] = max(self.upto[batch.st], batch.first + batch.n - 1)
        return self.report_ack(batch.st)

    def report_ack(self, stream: Stream) -> Ack:
        return Ack(st=stream, inc=self.known[0], jid=self.known[1], upto=self.upto[stream], core="core-1")

    def ack(self) -> Ack:
        last = self.hashes[-1] if self.hashes else b""
        return Ack(st=Stream.EV, inc=self.known[0], jid=self.known[1], upto=len(self.records), hash=last, core="core-1")

    def forget_after(self, upto: int) -> None:
        """Headquarters' database is restored from an older backup."""
        del self.records[upto:], self.hashes[upto:]


class FakeSession:
    """A broker with headquarters behind it, in memory. Everything it does can be changed from outside."""

    def __init__(self, hq: Headquarters) -> None:
        self.hq = hq
        self.inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self.published: list[tuple[str, bytes, bool]] = []
        self.expiries: dict[str, int | None] = {}
        self.acknowledged: list[Message] = []
        self.filters: tuple[str, ...] = ()
        self.refuse: set[str] = set()
        self.deaf = False
        """Accept and lose what is published, as a broker without a subscriber does."""
        self.mute = False
        """Headquarters commits and says nothing."""
        self.delay = 0.0
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: int | None = None) -> None:
        if self._lost.done():
            raise LostError("lost")
        self.published.append((topic, payload, retain))
        self.expiries[topic] = expiry
        await asyncio.sleep(self.delay)
        if self._lost.done():
            raise LostError("lost")
        if topic in self.refuse:
            raise RefusedError(topic, 0x87)
        if not self.deaf and "/state/" not in topic:
            for ack in self.hq.take(topic, payload):
                if not self.mute:
                    self.say(ack)

    def say(self, ack: Ack, *, retained: bool = False) -> None:
        self.inbox.put_nowait(Message(topics.ack(HUB), pack(ack), retained))

    def beat(self, *, up: bool = True, retained: bool = False) -> None:
        self.inbox.put_nowait(Message(topics.CORE_STATUS, pack(CoreStatus(up=up, core="core-1", ts=AT)), retained))

    async def subscribe(self, *filters: str) -> None:
        self.filters = filters

    async def receive(self) -> Message:
        message = await self.inbox.get()
        if message is None:
            raise LostError("lost")
        return message

    def acknowledge(self, message: Message) -> None:
        self.acknowledged.append(message)

    def lose(self) -> None:
        """The connection breaks."""
        if not self._lost.done():
            self._lost.set_result(None)
            self.inbox.put_nowait(None)

    def batches(self, stream: Stream = Stream.EV) -> list[Batch]:
        return [unpack(payload, Batch) for topic, payload, _ in self.published if topic == topics.up(HUB, stream)]

    def topics(self) -> list[str]:
        return [topic for topic, _, _ in self.published]


class Network:
    """Makes FakeSessions, unless it is down."""

    def __init__(self, hq: Headquarters) -> None:
        self.hq = hq
        self.sessions: list[FakeSession] = []
        self.wills: list[Will] = []
        self.down = False
        self.make = FakeSession
        self.prepare: Callable[[FakeSession], None] = lambda _: None

    @asynccontextmanager
    async def connect(self, will: Will) -> AsyncIterator[Session]:
        if self.down:
            raise LostError("no route")
        self.wills.append(will)
        session = self.make(self.hq)
        self.prepare(session)
        self.sessions.append(session)
        try:
            yield session
        finally:
            session.lose()

    @property
    def session(self) -> FakeSession:
        return self.sessions[-1]


def config(port: int = 1883, **changes: Any) -> Config:
    return Config(host="127.0.0.1", port=port, tls=False, **changes)


class Changes:
    """Remembers link changes."""

    def __init__(self) -> None:
        self.seen: list[Link] = []

    async def __call__(self, link: Link) -> None:
        self.seen.append(link)


@dataclass
class Bench:
    """An uplink that runs, and what it runs against."""

    uplink: Uplink
    outbox: FakeOutbox
    telemetry: TelemetryStore
    links: Changes
    task: asyncio.Task[None]


async def no_digest() -> Digest:
    return Digest(as_of_seq=1, head=bytes(32), stock=bytes(32), money=bytes(32), skus=0)


@asynccontextmanager
async def running(
    connect: Connect,
    outbox: FakeOutbox,
    directory: Path,
    *,
    settings: Config | None = None,
    clock: Clock | None = None,
    backoff: Backoff | None = None,
    digest: Callable[[], Awaitable[Digest]] | None = no_digest,
    about: About | None = None,
) -> AsyncIterator[Bench]:
    """Run an uplink until the block ends."""
    clock = clock or SystemClock()
    links = Changes()
    async with TelemetryStore(directory / "telemetry.db", clock) as telemetry:
        uplink = Uplink(
            config=settings or config(batch_ms=5),
            outbox=outbox,
            telemetry=telemetry,
            connect=connect,
            about=about or About(software="holdfast 0", schema=1),
            hooks=Hooks(links, digest),
            clock=clock,
            backoff=backoff or Backoff(first=0.02, cap=0.2),
        )
        task = asyncio.create_task(uplink.run())
        try:
            yield Bench(uplink, outbox, telemetry, links, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
