"""Forwards one stream: reads what is stored, sends it in order, goes back to what headquarters says it holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.runtime.clock import Clock
from holdfast.uplink.batch import Stored, run_of, seal
from holdfast.uplink.books import Courier
from holdfast.uplink.outbox import Alarm, Source
from holdfast.uplink.pause import pause
from holdfast.uplink.pipeline import Pipeline
from holdfast_contract import topics
from holdfast_contract.record import Genesis
from holdfast_contract.wire import Ack, Stream

log = logging.getLogger(__name__)

MAX_RECORDS = 512
"""Records of one batch."""
LINGER_BELOW = 64
"""With fewer records than this waiting, a batch waits a little for more."""
INLINE_BYTES = 4096
"""A batch up to this size is put together in the loop; a larger one in a thread."""
TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """How one stream is sent."""

    batch_bytes: int
    linger: float
    """Seconds a small batch waits for more records."""
    compress: bool
    window: int
    """Most bytes under way."""
    expiry: int | None = None
    """Seconds after which the broker may forget a batch; never set for `ev`."""


class Forwarder:
    def __init__(
        self,
        source: Source,
        *,
        genesis: Genesis,
        pace: Pace,
        clock: Clock,
        shop_clock: Clock,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_send` lets a stream stand back for another; it is asked again at every tick."""
        self.source = source
        self.pipeline = Pipeline(source.acked, ceiling=pace.window)
        self.alarm = Alarm.NONE
        self.acked_at: float | None = None
        """Monotonic seconds of the last acknowledgement."""
        self._genesis = genesis
        self._pace = pace
        self._clock = clock
        self._shop_clock = shop_clock
        self._may_send = may_send
        self._hurry = asyncio.Event()
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._topic = topics.up(genesis.hub, source.stream)
        self._tail: tuple[int, bytes] = (-1, b"")

    @property
    def lag(self) -> int:
        """Records headquarters does not hold yet."""
        return max(0, self.source.head - self.pipeline.acked)

    def open(self) -> None:
        """A new session begins; called before the birth whose answer says where to go on."""
        self.pipeline.open(self._clock.monotonic())

    async def run(self, courier: Courier) -> None:
        """Forward over the session until it is lost. Raises LostError in an exception group."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(), name=f"uplink-{self.source.stream}-watch")
            group.create_task(self._tick(), name=f"uplink-{self.source.stream}-tick")
            while True:
                self._wake.clear()
                payload = await self._next()
                if payload is None:
                    await self._wake.wait()
                else:
                    group.create_task(self._deliver(courier, payload), name=f"uplink-{self.source.stream}-batch")

    async def drained(self) -> None:
        """Return when headquarters holds everything, or an alarm stands. From now on no batch waits for more."""
        self._hurry.set()
        while self.lag and not self.alarm:
            self._moved.clear()
            await self._moved.wait()

    async def acknowledge(self, ack: Ack) -> None:
        """Take the word of headquarters, which is of our journal."""
        if self.alarm:
            return
        if ack.upto > self.source.head:
            self.stop(self.source.overtaken(ack.upto), ack)
        else:
            self.stop(await self._compare(ack), ack)
        if self.alarm:
            return
        self.acked_at = self._clock.monotonic()
        if self.pipeline.acknowledge(ack.upto, self.acked_at):
            self.source.committed(ack.upto)
        self._wake.set()
        self._moved.set()

    def stop(self, alarm: Alarm, ack: Ack) -> None:
        """Send nothing more, unless the alarm is none. The first one stays."""
        if alarm and not self.alarm:
            self.alarm = alarm
            self._moved.set()
            log.critical("uplink alarm %s: headquarters holds %d, this journal %d", alarm, ack.upto, self.source.head)

    async def _compare(self, ack: Ack) -> Alarm:
        """Does the chain there end as ours does at that seq (INV-12.2)."""
        if self.source.stream is not Stream.EV or (ack.upto == 0 and not ack.hash):
            return Alarm.NONE
        try:
            return Alarm.NONE if ack.hash == await self._hash_at(ack.upto) else Alarm.FORK
        except KeyError:
            return Alarm.GAP

    async def _hash_at(self, seq: int) -> bytes:
        if seq == self._tail[0]:
            return self._tail[1]
        return self.pipeline.end_of(seq) or await self.source.hash_at(seq)

    async def _watch(self) -> None:
        seen = self.pipeline.sent
        while True:
            await self.source.wait_beyond(seen)
            seen = self.source.head
            self._wake.set()

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            if self.pipeline.expire(self._clock.monotonic()):
                log.info("no acknowledgement beyond %d of %s; sending again", self.pipeline.acked, self.source.stream)
            self._wake.set()

    async def _next(self) -> bytes | None:
        """Put the next batch together and count it as sent; None when there is nothing to send now."""
        if not self._room() or self.source.head <= self.pipeline.sent:
            return None
        if self.source.head - self.pipeline.sent < LINGER_BELOW:
            await pause(self._clock, self._pace.linger, unless=self._hurry)
        after, room = self.pipeline.sent, self._room()
        run = await self._read(after, min(room, self._pace.batch_bytes))
        if not run:
            return None
        prev = await self._hash_at(after)
        payload = await self._seal(run, prev)
        if self.pipeline.sent != after or self.alarm:
            return None  # headquarters spoke meanwhile, and its acknowledgement has woken us to begin elsewhere
        first, last, end = run[0].seq, run[-1].seq, run[-1].hash
        self.pipeline.launch(first, last, size=len(payload), end=end, now=self._clock.monotonic())
        self._tail = (last, end)
        return payload

    def _room(self) -> int:
        return 0 if self.alarm or not self._may_send() else self.pipeline.room(self._clock.monotonic())

    async def _read(self, after: int, room: int) -> list[Stored]:
        if not room:
            return []
        run = run_of(await self.source.read(after, limit=MAX_RECORDS, max_bytes=room), room)
        if run and run[0].seq != after + 1 and self.source.stream is Stream.EV:
            self.alarm = Alarm.GAP
            log.critical("uplink alarm gap: record %d is not there to be sent", after + 1)
            return []
        return run

    async def _seal(self, run: Sequence[Stored], prev: bytes) -> bytes:
        def build() -> bytes:
            return seal(
                run,
                genesis=self._genesis,
                stream=self.source.stream,
                prev=prev,
                sent=self._shop_clock.wall_ms(),
                compress=self._pace.compress,
            )

        small = sum(len(row.record) for row in run) <= INLINE_BYTES
        return build() if small else await asyncio.to_thread(build)

    async def _deliver(self, courier: Courier, payload: bytes) -> None:
        took = await courier.publish(self.source.stream.value, self._topic, payload, expiry=self._pace.expiry)
        if took is not None:
            self.pipeline.confirm(took, self._clock.monotonic())
