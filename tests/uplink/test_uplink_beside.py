"""What goes up beside the events, what it costs, and what the hub knows of its link."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from holdfast.uplink.link import Link
from holdfast_contract import topics
from holdfast_contract.wire import Stream, Telemetry, pack
from support.waiting import until
from uplink.fakes import AT, HUB, FakeOutbox, FakeSession, Headquarters, Network, ack, config, running


class Reading(msgspec.Struct, frozen=True):
    mv: int


async def test_device_states_are_retained_repeated_on_connect_and_coalesced(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(0)
    topic = topics.state(HUB, "battery")
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: network.hq.births)
        for mv in (4100, 4101, 4102, 4102):
            bench.uplink.report_state("battery", Reading(mv))
        await until(lambda: topic in network.session.topics())
        bench.uplink.report_state("battery", Reading(4102))
        await asyncio.sleep(0.02)
        assert [(p, r) for t, p, r in network.session.published if t == topic] == [(pack(Reading(4102)), True)]
        assert network.session.expiries[topic]
        assert network.session.expiries.get(topics.up(HUB, "ev")) is None
        network.session.lose()
        await until(lambda: len(network.sessions) == 2 and topic in network.session.topics())


async def test_live_messages_do_not_wait_behind_a_drain(tmp_path: Path) -> None:
    """A link of 100 kB/s and a backlog: what a tablet or a dashboard needs waits for what is in flight, no more."""
    network, outbox = Network(Headquarters()), FakeOutbox(20_000)
    line = asyncio.Lock()

    class Narrow(FakeSession):
        async def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: int | None = None) -> None:
            async with line:
                await asyncio.sleep(len(payload) / 100_000)
            await super().publish(topic, payload, retain=retain, expiry=expiry)

    network.make = Narrow
    topic, waits = topics.state(HUB, "battery"), []
    async with running(network.connect, outbox, tmp_path, settings=config(compress=False)) as bench:
        await until(lambda: len(network.hq.records) > 500)
        loop = asyncio.get_running_loop()
        for mv in range(5):
            began = loop.time()
            bench.uplink.report_state("battery", Reading(mv))
            await until(lambda n=mv: network.session.topics().count(topic) == n + 1)
            waits.append(loop.time() - began)
        assert bench.uplink.state().lag > 1000, "the drain went on all the while"
    assert max(waits) < 2.0


async def test_memory_holds_no_more_than_the_window(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(20_000)
    largest = 0
    async with running(network.connect, outbox, tmp_path, settings=config(batch_bytes=8192, compress=False)) as bench:
        while outbox.cursor("uplink") < 20_000:
            await asyncio.sleep(0.001)
            pipeline = bench.uplink._ev.pipeline
            largest = max(largest, pipeline.bytes_in_flight)
            assert len(pipeline._flights) <= 12
    assert outbox.largest_read <= 8192
    assert 8192 < largest <= 4 * 8192 + 1024


async def test_bytes_are_counted_by_class(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(50)
    async with running(network.connect, outbox, tmp_path) as bench:
        bench.uplink.report_state("battery", Reading(1))
        await until(lambda: outbox.cursor("uplink") == 50)
        await until(lambda: "state" in bench.uplink.state().bytes_out)
        counted = bench.uplink.state().bytes_out
    for kind, topic in (("ev", topics.up(HUB, "ev")), ("birth", topics.birth(HUB)), ("status", topics.status(HUB))):
        assert counted[kind] == sum(len(t) + len(p) + 7 for t, p, _ in network.session.published if t == topic)


async def test_the_link_comes_online_when_the_backlog_and_the_digest_are_in(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(500)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: bench.links.seen == [Link.CATCHING_UP, Link.ONLINE], 10)
        assert (bench.uplink.state().link, bench.uplink.state().link_changes) == (Link.ONLINE, 2)
        (report,) = [msgspec.msgpack.decode(r, type=Telemetry) for r in network.hq.reports[Stream.TM]]
        assert report.name == "stock.digest"
        assert len(network.hq.records) == 500, "telemetry stood back until the events were in"


async def test_telemetry_stands_back_while_there_is_a_backlog_of_events(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(60)
    network.prepare = lambda session: setattr(session, "deaf", True)
    async with running(network.connect, outbox, tmp_path, digest=None) as bench:
        await until(lambda: network.sessions)
        network.session.say(ack(0, b""))
        network.session.say(ack(0, b"", stream=Stream.TM))
        bench.telemetry.report("power.reading", {"mv": 4100})
        await bench.telemetry.flush()
        await asyncio.sleep(0.7)
        assert network.session.batches(Stream.TM) == []
        network.session.say(ack(20, outbox.rows[19].hash))
        await until(lambda: network.session.batches(Stream.TM))
    assert network.session.expiries[topics.up(HUB, "tm")], "the broker may forget telemetry"


async def test_diagnostics_wait_while_power_is_saved(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(0)
    async with running(network.connect, outbox, tmp_path, digest=None) as bench:
        bench.uplink.economize(spare=True, bulk=False)
        await until(lambda: network.sessions)
        bench.telemetry.report("board.changed", {"hot": True}, stream=Stream.DG)
        bench.telemetry.report("power.reading", {"mv": 4100})
        await until(lambda: network.session.batches(Stream.TM))
        await asyncio.sleep(0.5)
        assert network.session.batches(Stream.DG) == []
        bench.uplink.economize(spare=False, bulk=True)
        await until(lambda: network.session.batches(Stream.DG))


async def test_heartbeats_count_only_when_they_are_live(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(0)
    network.prepare = lambda session: setattr(session, "mute", True)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: network.sessions)
        network.session.beat(retained=True)
        await until(lambda: bench.uplink.state().core_up)
        assert bench.uplink.state().heartbeat_age is None, "the broker may have kept it for days"
        network.session.beat()
        await until(lambda: bench.uplink.state().heartbeat_age is not None)
        network.session.beat(up=False)
        await until(lambda: bench.uplink.state().core_up is False)


async def test_the_age_of_the_oldest_event_is_told(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(5)
    network.down = True
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: bench.uplink.state().oldest_unacked_age)
        age = bench.uplink.state().oldest_unacked_age
        assert age == pytest.approx((bench.uplink._shop_clock.wall_ms() - AT - 1) / 1000, abs=1.0)
        network.down = False
        await until(lambda: bench.uplink.state().oldest_unacked_age == 0.0)
