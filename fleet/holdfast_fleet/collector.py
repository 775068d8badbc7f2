"""The collector: subscribes to every hub, hands arrivals to the intake, and acknowledges what is committed.

An ack is sent only after the commit it speaks of, and it is cumulative: losing one, or sending one twice, is harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterator

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from holdfast_contract import topics
from holdfast_contract.wire import Ack, CoreStatus, Stream, pack
from holdfast_fleet.broker import Broker, client
from holdfast_fleet.intake import Intake
from holdfast_fleet.messages import Arrival
from holdfast_fleet.store import Committed, Store
from holdfast_fleet.work import Notice

HEARTBEAT_SECONDS = 30.0
FAREWELL_SECONDS = 10.0
"""For committing and acknowledging what had arrived when the collector was told to stop."""
ACKS_AT_ONCE = 20
"""Publishes in flight: what brokers and the client allow by default."""
BACKOFF_FIRST = 0.5
BACKOFF_CAP = 30.0


def backoff(attempt: int) -> float:
    """Seconds before connection attempt `attempt` (from 1): random, its bound doubling up to a cap."""
    return random.uniform(0.0, min(BACKOFF_CAP, BACKOFF_FIRST * 2.0 ** min(attempt, 16)))


class Collector:
    """`say` hears of every change. `ready` is set whenever all subscriptions stand."""

    def __init__(
        self, broker: Broker, open_store: Callable[[], Store], *, core: str, say: Callable[[Notice], None]
    ) -> None:
        self._broker = broker
        self._core = core
        self._say = say
        self._intake = Intake(open_store, deliver=self._deliver, say=self._intake_said)
        self._acks: dict[tuple[str, Stream, int], Ack] = {}
        self._owed = asyncio.Event()
        self._beat = asyncio.Event()
        self.ready = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until `stop` is set, whatever the network does. Raises what opening the store raises."""
        async with asyncio.TaskGroup() as group:
            intake = group.create_task(self._intake.run(), name="collector.intake")
            await self._connect_again_and_again(stop)
            intake.cancel()

    async def _connect_again_and_again(self, stop: asyncio.Event) -> None:
        attempt = 0
        while not stop.is_set():
            why = await self._session(stop)
            if self.ready.is_set() or not attempt:
                self._say(Notice("disconnected", facts={"broker": str(self._broker), "why": why}))
            attempt = 1 if self.ready.is_set() else attempt + 1
            self.ready.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff(attempt)):
                    await stop.wait()

    async def _session(self, stop: asyncio.Event) -> str:
        """One connection, from connecting to its end. Returns why it ended."""
        why = "stopped"
        will = aiomqtt.Will(topics.CORE_STATUS, pack(self._status(up=False)), qos=1, retain=True)
        try:
            async with client(self._broker, identifier=f"holdfast-core-{self._core}", will=will) as connection:
                await self._subscribe(connection)
                self.ready.set()
                self._say(Notice("ready", facts={"core": self._core, "broker": str(self._broker)}))
                await self._serve(connection, stop)
        except* (aiomqtt.MqttError, OSError) as errors:
            why = "; ".join(dict.fromkeys(_reasons(errors)))
        return why

    async def _subscribe(self, connection: aiomqtt.Client) -> None:
        for topic in (topics.ALL_STATUS, topics.ALL_BIRTH, topics.ALL_UP):
            for code in await connection.subscribe(topic, qos=1):
                granted = code.value if isinstance(code, ReasonCode) else code
                if granted >= 0x80:
                    raise aiomqtt.MqttError(f"the broker refuses the subscription to {topic} ({code})")

    async def _serve(self, connection: aiomqtt.Client, stop: asyncio.Event) -> None:
        """Run the connection's tasks until `stop`; any of them failing ends the others and the connection."""
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(self._pump(connection), name="collector.pump")
            acks = group.create_task(self._send_acks(connection), name="collector.acks")
            heart = group.create_task(self._heartbeat(connection, stop), name="collector.heartbeat")
            await stop.wait()
            pump.cancel()  # the connection ends here, so a message lost in it was never acknowledged
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._intake.drained()
            acks.cancel()
            self._beat.set()
            await asyncio.wait({heart})
            while self._acks:
                await self._send_some(connection)
            await self._publish_status(connection, up=False)

    async def _pump(self, connection: aiomqtt.Client) -> None:
        async for message in connection.messages:
            topic = str(message.topic)
            if topic != topics.CORE_STATUS:  # ALL_STATUS matches our own too
                self._intake.put(Arrival(topic, message.payload))

    def _deliver(self, committed: Committed) -> None:
        for notice in committed.notices:
            self._say(notice)
        for hub, ack in committed.acks:
            self._acks[hub, ack.st, ack.inc] = ack
        if self._acks:
            self._owed.set()

    async def _send_acks(self, connection: aiomqtt.Client) -> None:
        while True:
            await self._owed.wait()
            await self._send_some(connection)
            if not self._acks:
                self._owed.clear()

    async def _send_some(self, connection: aiomqtt.Client) -> None:
        batch = list(self._acks.items())[:ACKS_AT_ONCE]
        async with asyncio.TaskGroup() as group:
            for (hub, _, _), ack in batch:
                group.create_task(connection.publish(topics.ack(hub), pack(ack), qos=1), name=f"collector.ack.{hub}")
        for key, ack in batch:
            if self._acks.get(key) is ack:
                del self._acks[key]

    async def _heartbeat(self, connection: aiomqtt.Client, stop: asyncio.Event) -> None:
        """Until `stop`, not until cancelled: aiomqtt's `wait_for` loses a cancellation that comes with the answer."""
        while not stop.is_set():
            self._beat.clear()
            await self._publish_status(connection, up=not self._intake.trouble)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._beat.wait()

    async def _publish_status(self, connection: aiomqtt.Client, *, up: bool) -> None:
        await connection.publish(topics.CORE_STATUS, pack(self._status(up=up)), qos=1, retain=True)

    def _status(self, *, up: bool) -> CoreStatus:
        return CoreStatus(up=up, core=self._core, ts=time.time_ns() // 1_000_000)

    def _intake_said(self, notice: Notice) -> None:
        self._say(notice)
        self._beat.set()


def _reasons(error: BaseException) -> Iterator[str]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _reasons(inner)
    else:
        yield str(error)
