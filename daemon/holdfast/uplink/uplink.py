"""The uplink: keeps a session to headquarters, announces the hub, forwards its streams.

A broker that is away is the normal case: nothing here raises because of it, and nothing at the counter waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import msgspec

from holdfast.config import Uplink as Config
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import Clock
from holdfast.uplink.announce import About, Announcer
from holdfast.uplink.books import Books, Courier, UplinkState
from holdfast.uplink.forwarder import Forwarder, Pace
from holdfast.uplink.inbox import Inbox
from holdfast.uplink.link import SETTLED_LAG
from holdfast.uplink.outbox import ChapterSource, JournalSource, Outbox, Source
from holdfast.uplink.pause import pause
from holdfast.uplink.port import Connect, Session, UplinkError
from holdfast.uplink.states import States
from holdfast.uplink.telemetry import TelemetryStore
from holdfast.uplink.watch import Hooks, LinkWatch
from holdfast_contract.record import Genesis, Record, decode_record
from holdfast_contract.wire import Presence, Stream

log = logging.getLogger(__name__)

WINDOW_BATCHES = 4
"""Full batches of `ev` under way at most."""
TELEMETRY_EXPIRY_S = 86_400
OLDEST_S = 1.0
"""Seconds between two looks at the oldest unacknowledged event."""
GOODBYE_S = 1.0
"""Part of the time to stop that is kept for saying so."""


class Uplink:
    def __init__(
        self,
        *,
        config: Config,
        outbox: Outbox,
        telemetry: TelemetryStore,
        connect: Connect,
        about: About,
        hooks: Hooks,
        clock: Clock,
        shop_clock: Clock | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """`clock` measures; `shop_clock` labels, as it labels the journal's records."""
        self._config = config
        self._outbox = outbox
        self._connect = connect
        self._clock = clock
        self._shop_clock = shop_clock or clock
        self._backoff = backoff or Backoff()
        self._telemetry = telemetry
        self._books = Books()
        self._states = States(outbox.genesis.hub)
        self._announcer = Announcer(outbox, about, self._shop_clock)
        self._forwarders = self._make_forwarders()
        self._ev, self._tm = self._forwarders[Stream.EV], self._forwarders[Stream.TM]
        self._chapters: dict[tuple[int, int], Forwarder] = {}
        self._inbox = Inbox(outbox.genesis, self._forwarders, self._books, clock, chapters=self._chapters)
        self._watch = LinkWatch(
            events=self._ev, reports=self._tm, telemetry=telemetry, inbox=self._inbox, books=self._books,
            hooks=hooks, clock=clock, digest_seconds=config.digest_seconds,
        )  # fmt: skip
        self._bulk = True
        self._oldest: Record | None = None
        self._failures = 0
        self._stop_by = 0.0
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()

    def _make_forwarders(self) -> dict[Stream, Forwarder]:
        config = self._config
        size = config.batch_bytes
        events = self._event_pace()
        extras = Pace(size, 0.0, config.compress, size, expiry=TELEMETRY_EXPIRY_S)
        forwarders = {Stream.EV: self._forwarder(JournalSource(self._outbox), events, lambda: True)}
        for stream, ring in self._telemetry.rings.items():
            may_send = self._bulk_may_go if stream is Stream.DG else self._events_settled
            forwarders[stream] = self._forwarder(ring, extras, may_send)
        return forwarders

    def _event_pace(self) -> Pace:
        config = self._config
        return Pace(config.batch_bytes, config.batch_ms / 1000, config.compress, WINDOW_BATCHES * config.batch_bytes)

    async def _open_chapters(self) -> None:
        """What headquarters may lack of earlier incarnations goes up beside this one, in its own name."""
        for chapter in await self._outbox.chapters():
            source = ChapterSource(self._outbox, chapter)
            if source.acked < source.head:
                forwarder = self._forwarder(source, self._event_pace(), lambda: True, chapter.genesis)
                self._chapters[chapter.genesis.inc, chapter.genesis.jid] = forwarder

    def _forwarder(
        self, source: Source, pace: Pace, may_send: Callable[[], bool], genesis: Genesis | None = None
    ) -> Forwarder:
        return Forwarder(
            source,
            genesis=genesis or self._outbox.genesis,
            pace=pace,
            clock=self._clock,
            shop_clock=self._shop_clock,
            may_send=may_send,
        )

    def _events_settled(self) -> bool:
        return self._ev.lag <= SETTLED_LAG

    def _bulk_may_go(self) -> bool:
        return self._bulk and self._events_settled()

    def economize(self, *, spare: bool, bulk: bool) -> None:
        """Spare: half as many digests. Without bulk, diagnostics wait in their ring."""
        self._watch.digest_factor = 2 if spare else 1
        self._bulk = bulk

    def report_state(self, device: str, reading: msgspec.Struct) -> None:
        """Show a device's last reading on `state/{device}`, retained, now or when connected."""
        self._states.put(device, reading)

    async def run(self) -> None:
        """Run until cancelled. Raises only what is a fault of this hub, never of the network."""
        await self._open_chapters()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._telemetry.run(self._clock), name="uplink-telemetry")
            group.create_task(self._watch.run(), name="uplink-link")
            group.create_task(self._follow_oldest(), name="uplink-oldest")
            while not self._stopping.is_set():
                began = self._clock.monotonic()
                try:
                    await self._visit()
                except* UplinkError as errors:
                    self._note_failure(errors, began)
                    await pause(self._clock, self._backoff.next(), unless=self._stopping)
            self._stopped.set()

    async def quiesce(self, limit: float) -> None:
        """Send what can be sent within `limit` seconds, say goodbye, stay away. Never raises for the network."""
        self._stop_by = self._clock.monotonic() + limit
        self._stopping.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._stopped.wait()

    async def _visit(self) -> None:
        """One connection, from will to farewell. Raises UplinkError, alone or in a group."""
        async with self._connect(self._announcer.will()) as session:
            courier = Courier(session, self._books, self._clock)
            await session.subscribe(*self._inbox.filters)
            for forwarder in (*self._forwarders.values(), *self._chapters.values()):
                forwarder.open()
            await self._announcer.arrive(courier, tm_next=self._tm.source.head + 1)
            self._books.connects += 1
            self._watch.session_up()
            try:
                await self._serve(session, courier)
            finally:
                self._watch.session_down()

    async def _serve(self, session: Session, courier: Courier) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._inbox.run(session), name="uplink-inbox"),
                group.create_task(self._states.run(courier), name="uplink-states"),
            ]
            tasks += [
                group.create_task(forwarder.run(courier), name=f"uplink-{stream}")
                for stream, forwarder in self._forwarders.items()
            ]
            tasks += [
                group.create_task(forwarder.run(courier), name=f"uplink-ev of incarnation {inc}")
                for (inc, _), forwarder in self._chapters.items()
            ]
            await self._stopping.wait()
            await self._farewell(courier)
            for task in tasks:
                task.cancel()

    async def _farewell(self, courier: Courier) -> None:
        budget = self._stop_by - self._clock.monotonic() - GOODBYE_S
        if self._ev.lag and budget > 0:
            await self._announcer.tell(courier, Presence.DRAINING)
            with suppress(TimeoutError):
                async with asyncio.timeout(budget):
                    await self._ev.drained()
        await self._announcer.tell(courier, Presence.OFFLINE)

    def _note_failure(self, errors: BaseExceptionGroup[UplinkError], began: float) -> None:
        """First of a streak at warning, the rest at debug; hearing headquarters ends a streak."""
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if (self._inbox.heard_at or 0.0) > began:
            self._backoff.reset()
            self._failures = 0
        log.log(logging.DEBUG if self._failures else logging.WARNING, "uplink: %s", error)
        self._failures += 1
        self._books.last_error = str(error)

    def state(self) -> UplinkState:
        """The uplink right now, for status and metrics."""
        now, ev, books = self._clock.monotonic(), self._ev, self._books
        return UplinkState(
            link=self._watch.link,
            link_changes=self._watch.changes,
            connected=self._watch.connected,
            connects=books.connects,
            head=ev.source.head,
            acked=ev.pipeline.acked,
            lag=ev.lag,
            in_flight=ev.pipeline.in_flight,
            oldest_unacked_age=self._oldest_age(),
            last_ack_age=None if ev.acked_at is None else now - ev.acked_at,
            heartbeat_age=self._watch.heartbeat_age,
            core_up=self._inbox.core_up,
            round_trip=books.round_trip(now),
            sends=ev.pipeline.sends,
            resends=ev.pipeline.resends,
            bytes_out=dict(books.bytes_out),
            refusals=books.refusals,
            malformed=books.malformed,
            foreign=books.foreign,
            telemetry_dropped=self._telemetry.dropped,
            alarm=ev.alarm,
            last_error=books.last_error,
        )

    async def _follow_oldest(self) -> None:
        """Keep the oldest event that headquarters lacks at hand, for its age."""
        while True:
            after = self._ev.pipeline.acked
            if self._ev.lag and (self._oldest is None or self._oldest.seq != after + 1):
                rows = await self._outbox.records(after, limit=1, max_bytes=1)
                self._oldest = decode_record(rows[0].record) if rows else None
            await self._clock.sleep(OLDEST_S)

    def _oldest_age(self) -> float | None:
        if not self._ev.lag:
            return 0.0
        return None if self._oldest is None else max(0.0, (self._shop_clock.wall_ms() - self._oldest.at) / 1000)
