"""The port over real brokers: one suite for mosquitto with MQTT 5 and 3.1.1, and for NATS with 3.1.1."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from brokers import Broker as RealBroker
from brokers import Mosquitto, Nats, free_port, mosquitto_binary
from holdfast.config import Uplink
from holdfast.uplink.mqtt import Broker
from holdfast.uplink.port import LostError, Message, RefusedError, Session, Will
from uplink.certificates import Authority

WILL = Will("hf/v1/hub-1/status", b"lost", delay=1)


@dataclass
class Bed:
    """A broker and how to speak to it."""

    real: RealBroker
    protocol: Literal["5", "3.1.1"]

    def broker(self, client_id: str, **changes: Any) -> Broker:
        settings = {"host": "127.0.0.1", "port": self.real.port, "protocol": self.protocol, "tls": False, **changes}
        return Broker(Uplink(**settings), client_id)


@pytest.fixture(params=["mosquitto-5", "mosquitto-3.1.1", "nats-3.1.1"])
def bed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bed]:
    name, _, protocol = request.param.partition("-")
    if name == "mosquitto" and mosquitto_binary() is None:
        pytest.skip("mosquitto is not installed")
    kind = Mosquitto if name == "mosquitto" else Nats
    with kind(tmp_path, keep=False) as real:
        yield Bed(real, protocol)


async def receive(session: Session, count: int = 1, seconds: float = 5.0) -> list[Message]:
    async with asyncio.timeout(seconds):
        return [await session.receive() for _ in range(count)]


async def take(session: Session, count: int) -> list[Message]:
    """Receive and acknowledge one after another."""
    taken = []
    for _ in range(count):
        taken += await receive(session)
        session.acknowledge(taken[-1])
    return taken


async def collect_leftovers() -> None:
    """paho leaves the socket of a failed handshake to the garbage collector."""
    await asyncio.sleep(0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def test_messages_arrive_whole_and_in_order(bed: Bed) -> None:
    payloads = [bytes([n % 256]) * (n * 37) for n in range(1, 200)]
    async with bed.broker("hub-2").connect(WILL) as reader, bed.broker("hub-1").connect(WILL) as writer:
        await reader.subscribe("hf/v1/+/up/+", "hf/v1/core/status")
        async with asyncio.TaskGroup() as group:
            for payload in payloads:
                group.create_task(writer.publish("hf/v1/hub-1/up/ev", payload))
        seen = await take(reader, len(payloads))
    assert [message.payload for message in seen] == payloads
    assert {(message.topic, message.retained, message.qos) for message in seen} == {("hf/v1/hub-1/up/ev", False, 1)}


async def test_a_retained_message_says_so(bed: Bed) -> None:
    async with bed.broker("hub-1").connect(WILL) as writer:
        await writer.publish("hf/v1/core/status", b"up", retain=True, expiry=60)
        async with bed.broker("hub-2").connect(WILL) as reader:
            await reader.subscribe("hf/v1/core/status")
            (stored,) = await receive(reader)
            await writer.publish("hf/v1/core/status", b"again", retain=True)
            (live,) = await receive(reader)
    assert (stored.payload, stored.retained) == (b"up", True)
    assert (live.payload, live.retained) == (b"again", False)


async def test_an_unacknowledged_message_holds_back_those_behind_it_not_the_session(bed: Bed) -> None:
    async with bed.broker("hub-2").connect(WILL) as reader, bed.broker("hub-1").connect(WILL) as writer:
        await reader.subscribe("down")
        await asyncio.gather(*(writer.publish("down", b"%d" % n) for n in range(60)))
        first = await receive(reader, 10)
        await reader.publish("up", b"still alive")
        for message in first:
            reader.acknowledge(message)
        rest = await take(reader, 50)
    assert sorted(int(message.payload) for message in [*first, *rest]) == list(range(60))


async def test_a_vanished_client_is_declared_lost_by_its_will(bed: Bed) -> None:
    async with bed.broker("watcher").connect(WILL) as watcher:
        await watcher.subscribe(WILL.topic)
        connecting = bed.broker("hub-1").connect(WILL)
        session: Any = await connecting.__aenter__()
        await session.publish(WILL.topic, b"online", retain=True)
        assert (await receive(watcher))[0].payload == b"online"
        began = time.monotonic()
        session._client.hang_up("the plug")
        assert (await receive(watcher))[0].payload == b"lost"
        waited = time.monotonic() - began
        await connecting.__aexit__(None, None, None)
    if bed.protocol == "5":
        assert waited >= 0.9, "MQTT 5 waits for the delay"


async def test_a_polite_goodbye_wakes_no_will(bed: Bed) -> None:
    async with bed.broker("watcher").connect(WILL) as watcher:
        await watcher.subscribe(WILL.topic)
        async with bed.broker("hub-1").connect(WILL) as session:
            await session.publish(WILL.topic, b"online", retain=True)
        await asyncio.sleep(1.3)
        await watcher.publish(WILL.topic, b"mark")
        assert [message.payload for message in await receive(watcher, 2)] == [b"online", b"mark"]


async def test_the_loss_of_the_broker_ends_everything_at_once(bed: Bed) -> None:
    async with bed.broker("hub-1").connect(WILL) as session:
        await session.subscribe("down")
        listening = asyncio.ensure_future(session.receive())
        await asyncio.sleep(0)
        bed.real.kill()
        async with asyncio.timeout(2.0):
            with pytest.raises(LostError):
                await listening
        for call in (session.publish("t", b""), session.subscribe("a"), session.receive()):
            with pytest.raises(LostError):
                await call
    with pytest.raises(LostError, match="no connection"):
        async with bed.broker("hub-1").connect(WILL):
            pytest.fail("nobody listens")
    bed.real.start()
    async with bed.broker("hub-1").connect(WILL) as session:
        await session.publish("t", b"x")


async def test_a_frozen_broker_is_given_up_after_the_timeout(bed: Bed) -> None:
    assert bed.real.pid is not None
    async with bed.broker("hub-1", publish_timeout=0.5).connect(WILL) as session:
        os.kill(bed.real.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(LostError, match="no PUBACK"):
                await session.publish("t", b"x")
            assert time.monotonic() - began < 2.0
        finally:
            os.kill(bed.real.pid, signal.SIGCONT)


class Guarded(Mosquitto):
    """Mosquitto with a few more lines of configuration."""

    lines: Sequence[str] = ()

    def command(self) -> Sequence[str]:
        command = super().command()
        path = self.directory / "mosquitto.conf"
        path.write_text("\n".join(["per_listener_settings true", path.read_text(), *self.lines]))
        return command


@pytest.fixture
def guarded(tmp_path: Path) -> Guarded:
    if mosquitto_binary() is None:
        pytest.skip("mosquitto is not installed")
    return Guarded(tmp_path, keep=False)


async def test_a_publish_the_acl_forbids_is_refused_by_code(guarded: Guarded) -> None:
    acl = guarded.directory / "acl"
    acl.write_text("topic write mine\n")
    guarded.lines = [f"acl_file {acl}"]
    with guarded as real:
        async with Bed(real, "5").broker("hub-1").connect(WILL) as session:
            await session.publish("mine", b"x")
            with pytest.raises(RefusedError, match="0x87"):
                await session.publish("not/mine", b"x")
            await session.publish("mine", b"still connected")


@pytest.fixture
def tls(guarded: Guarded, tmp_path: Path) -> Iterator[tuple[Authority, Guarded]]:
    """A broker that speaks TLS and wants to know who is there. The start-up probe needs a plain door."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("broker", host="127.0.0.1")
    door = free_port()
    guarded.lines = [
        f"listener {door} 127.0.0.1",
        f"cafile {authority.ca}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "require_certificate true",
        "allow_anonymous true",
    ]
    with guarded:
        guarded.port = door
        yield authority, guarded


def secured(real: RealBroker, authority: Authority, **changes: Any) -> Broker:
    settings = {"host": "127.0.0.1", "port": real.port, "ca_file": str(authority.ca), **changes}
    return Broker(Uplink(**settings), "hub-1")


async def test_tls_both_sides_prove_who_they_are(tls: tuple[Authority, Guarded]) -> None:
    authority, real = tls
    certificate, key = authority.issue("hub-1")
    async with secured(real, authority, cert_file=str(certificate), key_file=str(key)).connect(WILL) as session:
        await session.publish("t", bytes(200_000))


@pytest.mark.parametrize(("days", "alert"), [(None, "CERTIFICATE_REQUIRED"), (-1, "CERTIFICATE_EXPIRED")])
async def test_trap_09_a_tls_refusal_is_told_at_once_and_by_its_alert(
    tls: tuple[Authority, Guarded], days: int | None, alert: str
) -> None:
    authority, real = tls
    files = authority.issue("hub-old", days=days) if days is not None else None
    proof = {"cert_file": str(files[0]), "key_file": str(files[1])} if files else {}
    began = time.monotonic()
    with pytest.raises(LostError, match=alert):
        async with secured(real, authority, **proof).connect(WILL) as session:
            await session.publish("t", b"x")
    assert time.monotonic() - began < 3.0


async def test_tls_a_broker_we_do_not_trust_is_refused(tls: tuple[Authority, Guarded], tmp_path: Path) -> None:
    _, real = tls
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")
    with pytest.raises(LostError, match="certificate verify failed"):
        async with secured(real, stranger).connect(WILL):
            pytest.fail("connected to a stranger")
    await collect_leftovers()


async def test_tls_a_broker_under_another_name_is_refused(tls: tuple[Authority, Guarded]) -> None:
    authority, real = tls
    with pytest.raises(LostError, match="certificate verify failed"):
        async with secured(real, authority, host="localhost").connect(WILL):
            pytest.fail("the name was not checked")
    await collect_leftovers()


async def test_missing_key_files_are_named(tmp_path: Path) -> None:
    broker = Broker(Uplink(host="127.0.0.1", port=1, tls=False, password_file=str(tmp_path / "none")), "hub-1")
    with pytest.raises(LostError, match="none"):
        async with broker.connect(WILL):
            pytest.fail("connected without a password")


async def test_the_password_reaches_the_broker(guarded: Guarded) -> None:
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto_passwd is not installed")
    users = guarded.directory / "users"
    await asyncio.to_thread(subprocess.run, ["mosquitto_passwd", "-b", "-c", users, "hub-1", "secret"], check=True)
    door, password = free_port(), guarded.directory / "password"
    guarded.lines = [f"listener {door} 127.0.0.1", f"password_file {users}", "allow_anonymous false"]
    with guarded as real:
        real.port = door
        bed = Bed(real, "5")
        for text, granted in (("secret\n", True), ("wrong", False)):
            password.write_text(text)
            broker = bed.broker("hub-1", username="hub-1", password_file=str(password))
            if granted:
                async with broker.connect(WILL):
                    pass
            else:
                with pytest.raises(LostError, match=r"[Nn]ot authori"):
                    async with broker.connect(WILL):
                        pytest.fail("let in with a wrong password")
