"""A broker that keeps nothing is killed again and again; headquarters must end with every event, once, in order.

The control is the outbox everybody writes first: it forgets what the broker has acknowledged. It must lose.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from brokers import Broker as RealBroker
from brokers import Mosquitto, Nats, mosquitto_binary
from holdfast.uplink.mqtt import Broker
from holdfast.uplink.port import Session, UplinkError, Will
from holdfast_contract import topics
from holdfast_contract.wire import CoreStatus, pack
from support.waiting import until
from uplink.fakes import AT, HUB, FakeOutbox, Headquarters, config, running

COMMIT_S = 0.005
"""What a commit takes at headquarters."""


@dataclass(frozen=True)
class Storm:
    """How hard it blows."""

    seconds: float
    every: float
    """Seconds between two kills."""
    most: int = 6
    """Events committed at the counter every 10 ms, at most."""


QUICK = Storm(seconds=3.5, every=1.0)
LONG = Storm(seconds=60.0, every=3.0)
BUSY = Storm(seconds=60.0, every=3.0, most=60)
BROKERS = ["mosquitto-5", "mosquitto-3.1.1", "nats-3.1.1"]


def make(name: str, directory: Path) -> tuple[RealBroker, Literal["5", "3.1.1"]]:
    kind, _, protocol = name.partition("-")
    if kind == "mosquitto" and mosquitto_binary() is None:
        pytest.skip("mosquitto is not installed")
    broker = (Mosquitto if kind == "mosquitto" else Nats)(directory, keep=False)
    return broker, "5" if protocol == "5" else "3.1.1"


class Collector:
    """Headquarters behind a real broker: takes one message after another, commits it, then acknowledges."""

    def __init__(self, broker: Broker, take: Callable[[str, bytes], Awaitable[list[tuple[str, bytes]]]]) -> None:
        self._broker = broker
        self._take = take

    async def run(self) -> None:
        while True:
            with suppress(UplinkError):
                async with self._broker.connect(Will(topics.CORE_STATUS, b"\x00")) as session:
                    await session.subscribe(topics.ALL_STATUS, topics.ALL_BIRTH, topics.ALL_UP)
                    status = pack(CoreStatus(up=True, core="core-1", ts=AT))
                    await session.publish(topics.CORE_STATUS, status, retain=True)
                    await self._serve(session)
            await asyncio.sleep(random.uniform(0.05, 0.3))

    async def _serve(self, session: Session) -> None:
        while True:
            message = await session.receive()
            if message.topic != topics.CORE_STATUS:
                for topic, payload in await self._take(message.topic, message.payload):
                    await session.publish(topic, payload)
            session.acknowledge(message)


def committing(hq: Headquarters) -> Callable[[str, bytes], Awaitable[list[tuple[str, bytes]]]]:
    async def take(topic: str, payload: bytes) -> list[tuple[str, bytes]]:
        acks = hq.take(topic, payload)
        await asyncio.sleep(COMMIT_S)
        return [(topics.ack(HUB), pack(ack)) for ack in acks]

    return take


@asynccontextmanager
async def background(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def blow(real: RealBroker, outbox: FakeOutbox, storm: Storm) -> int:
    """Commit at the counter while the broker is killed and started again; how often it was killed."""
    loop = asyncio.get_running_loop()
    end, kills = loop.time() + storm.seconds, 0

    async def sell() -> None:
        while True:
            outbox.commit(random.randint(1, storm.most))
            await asyncio.sleep(0.01)

    async with background(sell()):
        while loop.time() < end:
            await asyncio.sleep(storm.every)
            await asyncio.to_thread(real.kill)
            kills += 1
            await asyncio.sleep(random.uniform(0.0, 0.3))
            await asyncio.to_thread(real.start)
    return kills


async def weather(name: str, directory: Path, storm: Storm) -> None:
    real, protocol = make(name, directory)
    hq, outbox = Headquarters(), FakeOutbox(0)
    with real:
        settings = config(real.port, protocol=protocol, batch_ms=20)
        collector = Collector(Broker(settings, "core"), committing(hq))
        uplink = running(Broker(settings, HUB).connect, outbox, directory, settings=settings)
        async with background(collector.run()), uplink as bench:
            kills = await blow(real, outbox, storm)
            await until(lambda: outbox.cursor("uplink") == outbox.head.seq, 30.0)
            state = bench.uplink.state()
    total = outbox.head.seq
    print(
        f"{name}: {kills} kills, {total} events, lost {total - len(hq.records)}, {state.sends / total:.3f} sends an"
        f" event, {hq.received - total} duplicates suppressed, {sum(hq.sizes) / hq.received:.0f} payload bytes an event"
    )
    assert kills >= storm.seconds / (storm.every + 1.5) - 1
    assert hq.records == [row.record for row in outbox.rows], "lost, doubled or out of order"
    assert hq.hashes[-1] == outbox.head.hash
    assert state.connects >= kills
    assert state.sends / total <= 1.5


@pytest.mark.parametrize("name", BROKERS)
async def test_nothing_is_lost_however_often_the_broker_is_killed(name: str, tmp_path: Path) -> None:
    await weather(name, tmp_path, QUICK)


@pytest.mark.proof
@pytest.mark.parametrize("storm", [LONG, BUSY], ids=["shop", "busy"])
@pytest.mark.parametrize("name", BROKERS)
async def test_nothing_is_lost_in_a_long_storm(name: str, storm: Storm, tmp_path: Path) -> None:
    await weather(name, tmp_path, storm)


async def forgetful(broker: Broker, outbox: FakeOutbox) -> None:
    """The outbox that trusts a PUBACK: what the broker has taken is deleted."""
    done = 0
    while True:
        with suppress(UplinkError):
            async with broker.connect(Will("w", b"")) as session:
                while True:
                    await outbox.wait_beyond(done)
                    row = outbox.rows[done]
                    await session.publish(topics.up(HUB, "ev"), row.record)
                    done = row.seq
                    outbox.advance("uplink", done)
        await asyncio.sleep(0.02)


async def test_control_an_outbox_that_trusts_the_broker_loses(tmp_path: Path) -> None:
    real, protocol = make("mosquitto-5", tmp_path)
    outbox = FakeOutbox(0)
    held: set[bytes] = set()

    async def take(topic: str, payload: bytes) -> list[tuple[str, bytes]]:
        held.add(payload)
        return []

    with real:
        settings = config(real.port, protocol=protocol)
        collector = Collector(Broker(settings, "core"), take)
        async with background(collector.run()), background(forgetful(Broker(settings, HUB), outbox)):
            await blow(real, outbox, QUICK)
            await until(lambda: outbox.cursor("uplink") == outbox.head.seq, 30.0)
            await asyncio.sleep(0.5)
    lost = [row.seq for row in outbox.rows if row.record not in held]
    print(f"control: lost {len(lost)} of {outbox.head.seq}")
    assert lost, "the storm was too mild to prove anything"


@pytest.mark.parametrize("name", BROKERS)
async def test_a_collector_that_was_away_is_caught_up_without_a_timeout(name: str, tmp_path: Path) -> None:
    """It finds the retained birth, says where it is, and gets what it missed."""
    real, protocol = make(name, tmp_path)
    hq, outbox = Headquarters(), FakeOutbox(0)
    with real:
        settings = config(real.port, protocol=protocol, batch_ms=20)
        collector = Collector(Broker(settings, "core"), committing(hq))
        async with running(Broker(settings, HUB).connect, outbox, tmp_path, settings=settings):
            async with background(collector.run()):
                outbox.commit(50)
                await until(lambda: outbox.cursor("uplink") == 50)
            outbox.commit(500)
            await asyncio.sleep(0.5)
            assert outbox.cursor("uplink") == 50
            async with background(collector.run()):
                await until(lambda: outbox.cursor("uplink") == 550, 4.0)
    assert hq.records == [row.record for row in outbox.rows]
