"""A counter to try: stations over the real domain and a real journal, a panel and a printer that remember."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.config import Hub
from holdfast.counter.commands import BY_CODE, barcode_of
from holdfast.counter.feed import LiveFeed
from holdfast.counter.paperwork import Paperwork
from holdfast.counter.ports import ScalePort, Signal
from holdfast.counter.spooler import Spooler
from holdfast.counter.state import Rules
from holdfast.counter.station import Station
from holdfast.counter.voice import Surroundings
from holdfast.domain import products
from holdfast.domain.catalogue import ImportCatalogue
from holdfast.domain.core import Command, Outcome, Policy
from holdfast.domain.operator import IssueBadge
from holdfast.domain.registry import AREAS
from holdfast.domain.shift import OpenShift
from holdfast.journal.journal import Journal, Settings
from holdfast.journal.schema import Connect
from holdfast.runtime.clock import ManualClock
from holdfast_contract.catalogue import Product
from holdfast_contract.events import decode_body
from holdfast_contract.record import decode_record
from holdfast_drivers.barcodes.badges import Badge, badge_tag, format_badge
from holdfast_drivers.values import Document, Printed, PrintResult, Scan, Tri

NOW = 1_790_000_000_000
"""2026-09-21 14:13:20 UTC."""
KEY = b"k" * 32
CANDLE, HONEY = "4006381333931", "4012345678901"
TECHNICIAN = "technician:root"
HUB = Hub(id="test-hub", code="TST", name="The Test Shop", header=("Quay 1",), footer=("Thank you",))
POLICY = Policy(hub=HUB.id, code=HUB.code, cash_rounding=5)


def product(sku: str, price: int, **more: Any) -> Product:
    row: dict[str, Any] = {"name": sku.title(), "tax_category": "S", "tax_ppm": 190_000, "aliases": (f"A-{sku}",)}
    return Product(sku=sku, price=price, **row | more)


CATALOGUE = (
    product("candle", 1999, gtins=(CANDLE.zfill(14),), name="Candle"),
    product("honey", 749, gtins=(HONEY.zfill(14),), tax_ppm=70_000, merchant="bee"),
    product("misc", 0, open_price=True),
    product("mug", 1290),
    product("cheese", 1290, tax_ppm=70_000, unit="kg"),
)


def card(code: str) -> str:
    """The text of a command card."""
    return barcode_of(BY_CODE[code])


def badge(name: str, key: bytes = KEY) -> str:
    return format_badge(Badge(name, badge_tag(key, name)))


def digits(number: int) -> list[str]:
    return [card(f"D{digit}") for digit in str(number)]


@dataclass
class Paper:
    """A printer port: what came out of it, and what it shall say next."""

    printed: list[tuple[int, Document]] = field(default_factory=list)
    kicks: int = 0
    results: list[PrintResult] = field(default_factory=list)
    """Answers of the next jobs; then everything is printed."""
    is_ready: Tri = Tri.YES
    has_drawer: bool = True
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None
    """Holds a document in mid-print."""

    async def print(self, document: Document, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult:
        result = self.results.pop(0) if self.results else PrintResult(Printed.PRINTED)
        if result.outcome is Printed.NOT_PRINTED:
            return result
        await started()
        if self.gate is not None:
            await self.gate.wait()
        self.printed.append((job, document))
        return result

    async def kick(self) -> bool:
        self.kicks += self.has_drawer
        return self.has_drawer

    def ready(self) -> Tri:
        return self.is_ready

    async def wait_change(self) -> None:
        await self.changed.wait()

    def turn(self, ready: Tri) -> None:
        self.is_ready = ready
        self.changed.set()
        self.changed = asyncio.Event()


class Watched:
    """The journal, remembering what was asked of it; `before_answer` may hold an answer back or fail."""

    def __init__(self, journal: Journal) -> None:
        self.asked: list[tuple[Command, str, Outcome]] = []
        self.before_answer: Callable[[], Awaitable[None]] | None = None
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def execute(self, command: Command, *, actor: str, command_id: bytes | None = None) -> Outcome:
        outcome = await self._journal.execute(command, actor=actor, command_id=command_id)
        if self.before_answer is not None:
            await self.before_answer()
        self.asked.append((command, actor, outcome))
        return outcome


class KeptFeed(LiveFeed):
    """A live feed that also keeps everything."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Mapping[str, Any]] = []

    def publish(self, item: Mapping[str, Any]) -> None:
        self.told.append(item)
        super().publish(item)


@dataclass
class Counter:
    """What a test may turn and look at."""

    journal: Journal
    clock: ManualClock
    watched: Watched = field(init=False)
    paper: Paper = field(default_factory=Paper)
    feed: KeptFeed = field(default_factory=KeptFeed)
    signals: list[tuple[str, Signal]] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    stations: dict[str, Station] = field(default_factory=dict)
    spooler: Spooler = field(init=False)
    paperwork: Paperwork = field(init=False)
    scan_at: float = 0.0

    def __post_init__(self) -> None:
        self.watched = Watched(self.journal)
        self.paperwork = Paperwork(journal=self.journal, hub=HUB, inc=self.journal.genesis.inc, clock=self.clock)
        self.spooler = Spooler(
            journal=self.watched, paper=self.paper, compose=self.paperwork.compose, feed=self.feed, clock=self.clock
        )

    @property
    def told(self) -> list[Mapping[str, Any]]:
        """What went over the feed."""
        return self.feed.told

    def add_station(
        self, name: str, *, print_slips: bool = True, repeat_ms: int = 120, scale: ScalePort | None = None, **rules: Any
    ) -> Station:
        around = Surroundings(
            journal=self.watched, panel=lambda station, signal: self.signals.append((station, signal)), feed=self.feed,
            slips=self.spooler, clock=self.clock, language="en", status=lambda: {"link": "offline", "waiting": 3},
            shutdown=self.stops.append,
        )  # fmt: skip
        own = Rules(station=name, badge_key=KEY, **rules)
        self.stations[name] = Station(own, around, repeat_ms=repeat_ms, print_slips=print_slips, scale=scale)
        return self.stations[name]

    def read(self, text: str) -> Scan:
        """A scan, a second after the last."""
        self.scan_at += 1.0
        return Scan(text.encode("latin-1"), at=self.scan_at)

    async def scan(self, *texts: str, at: str = "till1") -> Outcome:
        """Scan each and wait; the last one's outcome."""
        outcome = Outcome()
        for text in texts:
            outcome = await asyncio.wait_for(self.stations[at].scan(self.read(text)), 20)
        return outcome

    async def ok(self, *texts: str, at: str = "till1") -> dict[str, Any]:
        outcome = await self.scan(*texts, at=at)
        assert outcome.ok, outcome
        return outcome.data

    async def refused(self, *texts: str, at: str = "till1") -> str:
        outcome = await self.scan(*texts, at=at)
        assert not outcome.ok, outcome
        return outcome.reason

    async def pass_time(self, seconds: float, at: str = "till1") -> None:
        """Let a station notice that time passed."""
        await asyncio.sleep(0)
        self.clock.advance(seconds)
        for _ in range(3):
            await asyncio.sleep(0)
        await self.stations[at]._queue.join()

    async def facts(self, *kinds: type) -> list[Any]:
        """Bodies of the journal, all or those of some kinds, in order."""
        stored = await self.journal.records(0, limit=100_000, max_bytes=1 << 30)
        bodies = [decode_body(decode_record(each.record)) for each in stored]
        return [body for body in bodies if not kinds or isinstance(body, kinds)]

    async def spool(self) -> list[tuple[str, str]]:
        """Kind and state of every job."""
        return [(kind, state) for kind, state in await self.journal.query("SELECT kind, state FROM spool ORDER BY job")]

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait for what other tasks do."""
        async with asyncio.timeout(20):
            while True:
                if done():
                    return
                await asyncio.sleep(0.002)

    async def until_spool(self, *states: str) -> None:
        """Wait until the jobs are in these states."""
        async with asyncio.timeout(20):
            while True:
                if [state for _, state in await self.spool()] == list(states):
                    return
                await asyncio.sleep(0.002)


def journal_at(directory: Path, clock: ManualClock, connect: Connect = sqlite3.connect) -> Journal:
    settings = Settings(directory=directory, policy=POLICY, day_of=lambda at: at // 86_400_000, connect=connect)
    return Journal(settings, AREAS, clock)


class Disk:
    """What the journal's COMMIT does: goes through, waits while `held`, or fails once `broken`."""

    def __init__(self) -> None:
        self.broken = False
        self._free = threading.Event()
        self._free.set()

    def hold(self) -> None:
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    def connect(self, *args: Any, **more: Any) -> sqlite3.Connection:
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
                if sql == "COMMIT":
                    disk._free.wait(20)
                    if disk.broken:
                        raise sqlite3.OperationalError("disk I/O error")
                return super().execute(sql, *args)

        return sqlite3.connect(*args, factory=Connection, **more)


async def stock_shop(journal: Journal) -> None:
    """Badges, a catalogue, an open shift."""
    for name, role in (("ANNA", "cashier"), ("BERT", "supervisor"), ("CARL", "cashier"), ("DORA", "supervisor")):
        assert (await journal.execute(IssueBadge(badge=name, name=name.title(), role=role), actor=TECHNICIAN)).ok
    blob = products.pack(CATALOGUE)
    assert (await journal.execute(ImportCatalogue(version=0, blob=blob), actor=TECHNICIAN)).ok
    assert (await journal.execute(OpenShift(station="back", float_in=10_000), actor="BERT")).ok


@asynccontextmanager
async def running(*tasks: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Long-lived tasks beside a test; what one of them raises, this raises."""
    started = [asyncio.ensure_future(task()) for task in tasks]
    try:
        yield
    finally:
        for task in started:
            task.cancel()
        results = await asyncio.gather(*started, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


@asynccontextmanager
async def open_counter(
    directory: Path,
    *stations: str,
    signed_in: str = "ANNA",
    spool: bool = False,
    disk: Disk | None = None,
    **rules: Any,
) -> AsyncIterator[Counter]:
    """A shop, its stations running, somebody signed in. `spool`: the spooler runs too."""
    clock = ManualClock(monotonic=1000.0, wall_ms=NOW)
    async with journal_at(directory, clock, disk.connect if disk else sqlite3.connect) as journal:
        await stock_shop(journal)
        counter = Counter(journal, clock)
        for name in stations or ("till1",):
            counter.add_station(name, **rules)
        tasks = [station.run for station in counter.stations.values()]
        async with running(*tasks, *([counter.spooler.run] if spool else [])):
            for name in counter.stations if signed_in else ():
                await counter.ok(badge(signed_in), at=name)
            counter.signals.clear()
            counter.told.clear()
            counter.watched.asked.clear()
            yield counter
