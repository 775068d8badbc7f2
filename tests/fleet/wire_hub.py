"""A fake hub on a real broker: sends its journal in order, and again from the last ack, until all is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import time

import aiomqtt

from fleet.hubs import FakeHub
from holdfast_contract import topics
from holdfast_contract.wire import Ack, CoreStatus, Presence, Status, Stream, pack, unpack
from holdfast_fleet.broker import Broker

WINDOW = 4
"""Batches sent and not acknowledged."""
PATIENCE = 0.4
"""Seconds without an ack before sending again."""


class WireHub:
    """`acked` is what headquarters has said it committed, the highest of all acks ever seen."""

    def __init__(self, hub: FakeHub, broker: Broker, *, size: int) -> None:
        self.hub = hub
        self.acked = 0
        self.sent = 0
        """Records sent, repeats counted."""
        self._broker = broker
        self._size = size
        self._news = asyncio.Event()

    async def drain(self) -> None:
        """Returns when the whole journal is acknowledged, whatever happens to broker and collector meanwhile."""
        while self.acked < self.hub.last:
            with contextlib.suppress(aiomqtt.MqttError, ExceptionGroup):
                await self._session()
            await asyncio.sleep(0.05)

    async def _session(self) -> None:
        will = aiomqtt.Will(
            topics.status(self.hub.name), pack(Status(st=Presence.LOST, boot=1, conn=1, ts=0)), qos=1, retain=True
        )
        async with aiomqtt.Client(
            self._broker.host, self._broker.port, identifier=self.hub.name, will=will, timeout=3.0
        ) as client:
            await client.subscribe(topics.ack(self.hub.name), qos=1)
            birth = self.hub.birth()
            await client.publish(birth.topic, birth.payload, qos=1, retain=True)
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._listen(client))
                await self._send(client)
                listening.cancel()

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            ack = unpack(bytes(message.payload), Ack)
            if ack.st is Stream.EV and ack.jid == self.hub.jid:
                assert ack.hash == self.hub.hash_at(ack.upto)
                self.acked = max(self.acked, ack.upto)
                self._news.set()

    async def _send(self, client: aiomqtt.Client) -> None:
        sent, heard = self.acked, time.monotonic()
        while self.acked < self.hub.last:
            known = self.acked
            if sent < self.hub.last and sent - known < WINDOW * self._size:
                last = min(sent + self._size, self.hub.last)
                batch = self.hub.batch(sent + 1, last)
                await client.publish(batch.topic, batch.payload, qos=1)
                self.sent += last - sent
                sent = last
                continue
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), PATIENCE)
            if self.acked > known:
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE:
                sent, heard = self.acked, time.monotonic()


async def core_status(broker: Broker, *, up: bool) -> CoreStatus:
    """The next status of a collector that says `up`. Raises TimeoutError.

    Asks again and again: NATS gives a retained message that is published at the moment of the subscription to nobody.
    """
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    return await _core_status(broker, up=up)


async def _core_status(broker: Broker, *, up: bool) -> CoreStatus:
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe(topics.CORE_STATUS, qos=1)
        async for message in client.messages:
            status = unpack(bytes(message.payload), CoreStatus)
            if status.up is up:
                return status
    raise AssertionError("the connection ended")
