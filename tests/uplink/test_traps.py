"""Each known trap of the MQTT client library, and that our port does not fall into it (docs/decisions/0005)."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from brokers import Broker as RealBroker
from brokers import Mosquitto, mosquitto_binary
from holdfast.config import Uplink
from holdfast.uplink.client import WINDOW
from holdfast.uplink.mqtt import GOODBYE_S, Broker
from holdfast.uplink.port import LostError, RefusedError, Will
from support.waiting import until
from uplink.scripted import ScriptedBroker

WILL = Will("hf/v1/hub-1/status", b"lost")
LIMIT = 5.0
"""Seconds; the port's own time-out. Tests that must not wait for it say so by staying far below."""


def config(port: int, *, protocol: str = "5", publish_timeout: float = LIMIT) -> Uplink:
    assert protocol in ("5", "3.1.1")
    return Uplink(
        host="127.0.0.1",
        port=port,
        protocol=protocol,  # type: ignore[arg-type]  # narrowed above
        tls=False,
        publish_timeout=publish_timeout,
    )


@pytest.fixture
async def server() -> AsyncIterator[ScriptedBroker]:
    async with ScriptedBroker() as broker:
        yield broker


@pytest.fixture
def mosquitto(tmp_path: Path) -> Any:
    if mosquitto_binary() is None:
        pytest.skip("mosquitto is not installed")
    with Mosquitto(tmp_path, keep=False) as broker:
        yield broker


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x97])
async def test_trap_01_a_refused_publish_raises(server: ScriptedBroker, code: int) -> None:
    server.manners.puback = code
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:
        with pytest.raises(RefusedError) as caught:
            await session.publish("t", b"x")
    assert caught.value.code == code
    assert caught.value.topic == "t"


@pytest.mark.parametrize("code", [0x00, 0x10])
async def test_trap_01_only_these_two_codes_are_accepted(server: ScriptedBroker, code: int) -> None:
    server.manners.puback = code
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:
        await session.publish("t", b"x")
    assert len(server.published) == 1


async def test_trap_01_a_refused_subscription_raises(server: ScriptedBroker) -> None:
    server.manners.suback = 0x87
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:
        with pytest.raises(RefusedError, match="0x87"):
            await session.subscribe("a", "b")


async def test_trap_02_what_timed_out_is_never_sent_later_by_the_library(server: ScriptedBroker) -> None:
    server.manners.puback = None
    broker = Broker(config(server.port, publish_timeout=0.2), "hub-1")
    async with broker.connect(WILL) as session:
        with pytest.raises(LostError, match="no PUBACK"):
            await session.publish("t", b"2")
        server.manners.puback = 0
        with pytest.raises(LostError):
            await session.publish("t", b"3")
    async with broker.connect(WILL) as session:
        await session.publish("t", b"2")
    assert [(p.payload, p.connection, p.dup) for p in server.published] == [(b"2", 1, False), (b"2", 2, False)]


async def test_trap_03_a_broker_that_dies_mid_publish_is_noticed_at_once(server: ScriptedBroker) -> None:
    server.manners.die_on_publish = True
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:
        before = time.monotonic()
        with pytest.raises(LostError):
            await session.publish("t", b"x")
        assert time.monotonic() - before < LIMIT / 2


async def test_trap_03_a_lost_connection_ends_a_pending_subscription(server: ScriptedBroker) -> None:
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:
        server.send_raw(b"\xff\xff\xff\xff\xff\xff")
        before = time.monotonic()
        with pytest.raises(LostError):
            await session.subscribe("a")
        assert time.monotonic() - before < LIMIT / 2


async def test_trap_04_a_publish_after_the_loss_raises_and_is_not_replayed(server: ScriptedBroker) -> None:
    broker = Broker(config(server.port), "hub-1")
    async with broker.connect(WILL) as session:
        server.drop()
        for _ in range(5):
            with pytest.raises(LostError):
                await session.publish("t", b"while disconnected")
    async with broker.connect(WILL) as session:
        await session.publish("t", b"after")
    assert [p.payload for p in server.published if p.connection == 2] == [b"after"]


async def test_the_window_is_what_every_broker_allows(server: ScriptedBroker) -> None:
    """Beyond it paho would queue, and hold what the journal holds already."""
    server.manners.puback = None
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:
        publishing = [asyncio.ensure_future(session.publish("t", b"%d" % n)) for n in range(50)]
        await until(lambda: len(server.published) >= WINDOW)
        await asyncio.sleep(0.05)
        assert [int(p.payload) for p in server.published] == list(range(WINDOW))
        server.drop()
        assert all(isinstance(r, LostError) for r in await asyncio.gather(*publishing, return_exceptions=True))


async def test_trap_05_no_connack_is_no_connection_however_often_it_is_tried(server: ScriptedBroker) -> None:
    broker = Broker(config(server.port, publish_timeout=0.2), "hub-1")
    async with broker.connect(WILL):
        server.drop()
    server.manners.connack = False
    for _ in range(2):
        with pytest.raises(LostError, match="did not answer"):
            async with broker.connect(WILL):
                pytest.fail("entered without a CONNACK")
    await until(lambda: server.closed == server.connections == 3)


async def test_trap_05_a_listener_that_hangs_up_before_connack_is_noticed_at_once(server: ScriptedBroker) -> None:
    server.manners.connack = False
    opening = asyncio.ensure_future(Broker(config(server.port), "hub-1").connect(WILL).__aenter__())
    await until(lambda: server.connections == 1)
    before = time.monotonic()
    server.drop()
    with pytest.raises(LostError):
        await opening
    assert time.monotonic() - before < LIMIT / 2


async def test_trap_06_a_cancelled_connect_leaks_no_socket_and_blocks_nothing(server: ScriptedBroker) -> None:
    broker = Broker(config(server.port), "hub-1")
    server.manners.connack = False
    for attempt in range(1, 4):
        opening = asyncio.ensure_future(broker.connect(WILL).__aenter__())
        await until(lambda n=attempt: server.connections == n)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    await until(lambda: server.closed == 3)
    server.manners.connack = True
    async with broker.connect(WILL) as session:
        await session.publish("t", b"x")


async def test_trap_07_a_slow_reader_loses_nothing_and_acknowledges_only_what_it_dealt_with(
    server: ScriptedBroker,
) -> None:
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:
        for mid in range(1, 201):
            server.send("down", b"%d" % mid, mid=mid)
        await asyncio.sleep(0.1)
        messages = [await session.receive() for _ in range(200)]
        assert [int(message.payload) for message in messages] == list(range(1, 201))
        assert server.acked == [], "acknowledged before anyone had dealt with them"
        for message in messages[:100]:
            session.acknowledge(message)
        await until(lambda: len(server.acked) == 100)
    assert server.acked == list(range(1, 101))


async def test_trap_08_giving_up_on_receive_loses_no_message(server: ScriptedBroker) -> None:
    seen: list[int] = []
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:

        async def talk() -> None:
            for mid in range(1, 3001):
                server.send("down", b"%d" % mid, mid=mid, qos=0)
                if mid % 20 == 0:
                    await asyncio.sleep(0)

        talking = asyncio.ensure_future(talk())
        gave_up = 0
        while len(seen) < 3000:
            try:
                async with asyncio.timeout(0.0):
                    seen.append(int((await session.receive()).payload))
            except TimeoutError:
                gave_up += 1
                assert gave_up < 100_000
        await talking
    assert seen == list(range(1, 3001))
    assert gave_up > 10, "the race was never run"


async def test_trap_10_losing_the_socket_makes_no_noise_in_the_loop(mosquitto: RealBroker) -> None:
    noise: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    broker = Broker(config(mosquitto.port), "hub-1")
    for _ in range(5):
        with suppress(LostError):
            async with broker.connect(WILL) as session:
                publishing = [asyncio.ensure_future(session.publish("t", bytes(60_000))) for _ in range(40)]
                await publishing[0]
                mosquitto.kill()
                results = await asyncio.gather(*publishing, return_exceptions=True)
                assert any(isinstance(result, LostError) for result in results)
        mosquitto.start()
    gc.collect()
    await asyncio.sleep(0.05)
    assert noise == []


async def test_trap_10_a_publish_in_the_very_turn_of_the_loss_watches_no_dead_socket(server: ScriptedBroker) -> None:
    noise: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    async with Broker(config(server.port), "hub-1").connect(WILL) as session:
        server.drop()
        await asyncio.sleep(0)
        # The socket is dead now; the loop learns of it in the turn in which we publish.
        await asyncio.sleep(0)
        with pytest.raises(LostError):
            await session.publish("t", b"x")
    await asyncio.sleep(0.01)
    assert noise == []


async def test_trap_11_a_stuck_name_lookup_starves_no_other_thread_work(monkeypatch: pytest.MonkeyPatch) -> None:
    release, looking_up = threading.Event(), threading.Event()

    def stuck(*_: Any, **__: Any) -> Any:
        looking_up.set()
        release.wait(10)
        raise socket.gaierror("no such host")

    with ThreadPoolExecutor(1) as default:
        asyncio.get_running_loop().set_default_executor(default)
        broker = Broker(config(1, publish_timeout=0.2), "hub-1")
        monkeypatch.setattr(socket, "getaddrinfo", stuck)
        for _ in range(3):
            with pytest.raises(LostError, match="did not answer"):
                async with broker.connect(WILL):
                    pytest.fail("connected to nowhere")
        assert looking_up.is_set()
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 1.0) == "free"
        assert sum(thread.name.startswith("uplink-connect") for thread in threading.enumerate()) == 1
        release.set()
        broker.close()


async def test_trap_12_leaving_is_bounded_even_when_the_broker_is_frozen(mosquitto: RealBroker) -> None:
    assert mosquitto.pid is not None
    async with Broker(config(mosquitto.port), "hub-1").connect(WILL) as session:
        await session.publish("t", b"x")
        os.kill(mosquitto.pid, signal.SIGSTOP)
        stuck = [asyncio.ensure_future(session.publish("t", bytes(500_000))) for _ in range(20)]
        await asyncio.sleep(0.1)
        before = time.monotonic()
    try:
        assert time.monotonic() - before < GOODBYE_S + 1.0
        for result in await asyncio.gather(*stuck, return_exceptions=True):
            assert isinstance(result, LostError)
    finally:
        os.kill(mosquitto.pid, signal.SIGCONT)


def test_the_library_still_has_the_parts_we_lean_on() -> None:
    """aiomqtt gives no public way to any of these; an update that drops one must fail here, not in a shop."""
    source = inspect.getsource(aiomqtt.Client.__init__)
    for attribute in ("_client", "_connected", "_disconnected", "_loop"):
        assert f"self.{attribute}" in source
    assert list(inspect.signature(aiomqtt.Client._client_connect).parameters) == ["self"]
