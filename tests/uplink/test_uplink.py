"""The uplink against a broker and a headquarters in memory, which can be told to do anything."""

from __future__ import annotations

import asyncio
import logging
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import SystemClock
from holdfast.uplink.announce import About
from holdfast.uplink.books import Books
from holdfast.uplink.inbox import UNREADABLE, Inbox
from holdfast.uplink.link import Link
from holdfast.uplink.port import LostError, Message
from holdfast_contract import topics
from holdfast_contract.record import ClockQuality, chain
from holdfast_contract.wire import Ack, Birth, Presence, Status, Stream, Telemetry, pack, unpack
from support.waiting import until
from uplink.fakes import AT, HUB, JID, FakeOutbox, FakeSession, Headquarters, Network, config, running


class Reading(msgspec.Struct, frozen=True):
    mv: int


def ack(upto: int, hash_: bytes, *, inc: int = 1, jid: int = JID, stream: Stream = Stream.EV) -> Ack:
    return Ack(st=stream, inc=inc, jid=jid, upto=upto, hash=hash_, core="core-1")


async def test_every_connection_announces_itself_before_it_sends(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(5, boot=3)
    about = About(software="holdfast 1", schema=4, speed=2, contact="x@y", devices=lambda: {"printer": "online"})
    async with running(network.connect, outbox, tmp_path, about=about):
        await until(lambda: len(network.hq.records) == 5)
        network.session.lose()
        await until(lambda: len(network.sessions) == 2 and len(network.hq.births) == 2)
    first, second = network.sessions
    for conn, session in ((1, first), (2, second)):
        assert session.filters == (topics.ack(HUB), topics.CORE_STATUS)
        assert session.topics()[:2] == [topics.status(HUB), topics.birth(HUB)]
        assert all(retain for topic, _, retain in session.published[:2])
        will = unpack(network.wills[conn - 1].payload, Status)
        assert (will.st, will.boot, will.conn) == (Presence.LOST, 3, conn)
        status, birth = network.hq.statuses[conn - 1], network.hq.births[conn - 1]
        assert (status.st, status.boot, status.conn) == (Presence.ONLINE, 3, conn)
        assert (birth.boot, birth.conn) == (3, conn)
    birth = network.hq.births[0]
    assert birth == Birth(
        software="holdfast 1", schema=4, hub=HUB, inc=1, jid=JID, genesis=outbox.genesis_bytes, boot=3, conn=1,
        oldest=1, next=6, tm_next=1, clk=birth.clk, devices={"printer": "online"}, speed=2, contact="x@y",
    )  # fmt: skip
    assert birth.clk in set(ClockQuality)


async def test_g1_the_journal_arrives_in_order_without_gap_and_untouched(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(3000)
    async with running(network.connect, outbox, tmp_path, settings=config(batch_bytes=2048, batch_ms=1)) as bench:
        for _ in range(20):
            outbox.commit(7)
            await asyncio.sleep(0.003)
        await until(lambda: outbox.cursor("uplink") == 3140)
        state = bench.uplink.state()
    assert network.hq.records == [row.record for row in outbox.rows]
    assert network.hq.hashes[-1] == outbox.head.hash
    assert (state.sends, state.resends, state.lag, state.in_flight) == (3140, 0, 0, 0)
    for batch in network.session.batches():
        assert batch.prev == await outbox.hash_at(batch.first - 1)
        assert len(batch.recs) == batch.n
        assert sum(map(len, batch.recs)) <= 2048


async def test_what_was_committed_before_a_reconnect_is_not_sent_again(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(400)
    network.prepare = lambda session: setattr(session, "mute", len(network.sessions) == 0)
    async with running(network.connect, outbox, tmp_path, settings=config(batch_ms=1)):
        await until(lambda: len(network.hq.births) == 1)
        network.session.say(network.hq.ack())
        await until(lambda: len(network.hq.records) > 50)
        assert outbox.cursors == {}, "no acknowledgement came back"
        network.session.lose()
        await until(lambda: outbox.cursor("uplink") == 400)
    assert network.hq.received == 400


async def test_the_cursor_moves_only_by_the_word_of_headquarters(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(10)
    network.prepare = lambda session: setattr(session, "deaf", True)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: network.sessions)
        network.session.say(ack(0, b""))
        await until(network.session.batches)
        await asyncio.sleep(0.05)
        assert outbox.cursors == {}, "a PUBACK is not a commit"
        assert bench.uplink.state().in_flight == 10
        network.session.say(ack(4, outbox.rows[3].hash))
        await until(lambda: outbox.cursor("uplink") == 4)
        assert (bench.uplink.state().acked, bench.uplink.state().lag) == (4, 6)


async def test_a_start_begins_at_the_durable_cursor(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(10)
    outbox.cursors["uplink"] = 6
    for row in outbox.rows[:6]:
        network.hq.records.append(row.record)
        network.hq.hashes.append(row.hash)
    async with running(network.connect, outbox, tmp_path):
        await until(lambda: outbox.cursor("uplink") == 10)
    assert network.hq.received == 4


async def test_headquarters_restored_from_a_backup_is_sent_everything_again(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(300)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: outbox.cursor("uplink") == 300)
        network.hq.forget_after(120)
        network.session.say(network.hq.ack())
        await until(lambda: len(network.hq.records) == 300)
        await until(lambda: bench.uplink.state().acked == 300)
        assert bench.uplink.state().resends == 180
        assert bench.uplink.state().alarm == ""
    assert network.hq.records == [row.record for row in outbox.rows]


async def test_an_acknowledgement_in_the_midst_of_reading_makes_no_gap(tmp_path: Path) -> None:
    """The batch that was being put together is not the one to send any more."""
    network, outbox = Network(Headquarters()), FakeOutbox(100)
    outbox.cursors["uplink"] = 50
    network.prepare = lambda session: setattr(session, "deaf", True)
    read = outbox.records

    async def interrupted(after: int, *, limit: int, max_bytes: int) -> object:
        rows = await read(after, limit=limit, max_bytes=max_bytes)
        if after == 50 and limit > 1:
            network.session.say(ack(20, outbox.rows[19].hash))
            await until(lambda: bench.uplink.state().acked == 20)
        return rows

    async with running(network.connect, outbox, tmp_path, settings=config(batch_ms=1)) as bench:
        outbox.records = interrupted  # type: ignore[assignment,method-assign]  # the read is slow once
        await until(lambda: network.sessions)
        network.session.say(ack(50, outbox.rows[49].hash))
        await until(network.session.batches)
    assert network.session.batches()[0].first == 21


async def test_another_hash_stops_the_events_and_raises_the_alarm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(20)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: outbox.cursor("uplink") == 20)
        network.session.say(ack(12, chain(b"another history", b"")))
        await until(lambda: bench.uplink.state().alarm == "fork")
        sent = len(network.session.batches())
        outbox.commit(5)
        network.session.say(ack(12, outbox.rows[11].hash))
        await asyncio.sleep(0.05)
        assert len(network.session.batches()) == sent, "no event after the alarm"
        network.session.lose()
        await until(lambda: len(network.hq.births) == 2)
        await asyncio.sleep(0.05)
        assert network.session.batches() == []
        assert (bench.uplink.state().alarm, bench.uplink.state().connected) == ("fork", True)
    assert any(record.levelno == logging.CRITICAL and "fork" in record.message for record in caplog.records)


async def test_headquarters_holding_more_than_the_journal_raises_the_alarm(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(20)
    network.prepare = lambda session: setattr(session, "mute", True)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: network.sessions)
        network.session.say(ack(21, bytes(32)))
        await until(lambda: bench.uplink.state().alarm == "behind")
        assert network.session.batches() == []
        assert outbox.cursors == {}


async def test_a_missing_record_raises_the_alarm_instead_of_a_gap(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(20)
    del outbox.rows[4]
    outbox.rows.insert(4, outbox.rows[5])
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: bench.uplink.state().alarm == "gap")
    assert [batch.n for batch in network.session.batches()] == [4]


async def test_acknowledgements_that_are_not_for_this_journal_or_not_live_change_nothing(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(20)
    network.prepare = lambda session: setattr(session, "deaf", True)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: network.sessions)
        network.session.say(ack(20, outbox.head.hash, inc=0))
        network.session.say(ack(20, b"", jid=99, stream=Stream.TM))
        network.session.say(ack(20, outbox.head.hash), retained=True)
        await until(lambda: len(network.session.acknowledged) == 3)
        state = bench.uplink.state()
        assert (state.foreign, state.acked, state.alarm, state.last_ack_age) == (2, 0, "", None)


@pytest.mark.parametrize(("inc", "jid", "alarm"), [(1, 99, "fork"), (2, JID, "behind"), (2, 99, "behind")])
async def test_word_of_another_journal_in_our_place_raises_the_alarm(
    tmp_path: Path, inc: int, jid: int, alarm: str
) -> None:
    """A second hub under this name, or a card from before the hub was rebuilt."""
    network, outbox = Network(Headquarters()), FakeOutbox(20)
    network.prepare = lambda session: setattr(session, "deaf", True)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: network.sessions)
        network.session.say(ack(7, bytes(32), inc=inc, jid=jid))
        await until(lambda: bench.uplink.state().alarm == alarm)
        network.session.say(ack(0, b""))
        await asyncio.sleep(0.05)
        assert network.session.batches() == []


async def test_a_refused_batch_is_counted_kept_and_sent_again(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(3)

    def hostile(session: FakeSession) -> None:
        session.refuse.add(topics.up(HUB, "ev"))
        session.deaf = True

    network.prepare = hostile
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: network.sessions)
        network.session.say(ack(0, b""))
        await until(lambda: bench.uplink.state().refusals == 1)
        assert "0x87" in bench.uplink.state().last_error
        assert outbox.cursors == {}
        network.session.refuse.clear()
        network.session.deaf = False
        await asyncio.sleep(0.3)
        network.session.say(ack(0, b""))
        await until(lambda: outbox.cursor("uplink") == 3)


async def test_a_broker_that_is_away_raises_nothing_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(3)
    network.down = True
    with caplog.at_level(logging.DEBUG):
        async with running(network.connect, outbox, tmp_path) as bench:
            await until(lambda: len([r for r in caplog.records if "no route" in r.message]) >= 4)
            assert not bench.task.done()
            assert bench.uplink.state().last_error == "no route"
            network.down = False
            await until(lambda: outbox.cursor("uplink") == 3)
    levels = [record.levelno for record in caplog.records if "no route" in record.message]
    assert levels == [logging.WARNING] + [logging.DEBUG] * (len(levels) - 1)


class Patience(Backoff):
    """Counts how often a streak of failures was forgotten."""

    resets = 0

    def reset(self) -> None:
        self.resets += 1
        super().reset()


async def test_only_hearing_headquarters_ends_a_streak_of_failures(tmp_path: Path) -> None:
    network, outbox, patience = Network(Headquarters()), FakeOutbox(3), Patience(first=0.01, cap=0.02)
    network.prepare = lambda session: setattr(session, "deaf", len(network.sessions) < 3)
    async with running(network.connect, outbox, tmp_path, backoff=patience):
        for sessions in (1, 2, 3):
            await until(lambda n=sessions: len(network.sessions) == n)
            await until(lambda: topics.birth(HUB) in network.session.topics())
            network.session.lose()
        await until(lambda: len(network.sessions) == 4)
        assert patience.resets == 0
        await until(lambda: outbox.cursor("uplink") == 3)
        network.session.lose()
        await until(lambda: len(network.sessions) == 5)
    assert patience.resets == 1


async def test_a_fault_of_the_hub_itself_does_end_the_run(tmp_path: Path) -> None:
    outbox = FakeOutbox(3)

    async def broken(*_: object, **__: object) -> list[object]:
        raise OSError("disk")

    outbox.records = broken  # type: ignore[assignment,method-assign]  # the disk fails
    async with running(Network(Headquarters()).connect, outbox, tmp_path) as bench:
        await until(bench.task.done)
        assert isinstance(bench.task.exception(), BaseExceptionGroup)


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


async def test_quiesce_sends_what_is_left_and_says_goodbye(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(0)
    async with running(network.connect, outbox, tmp_path, settings=config(batch_ms=5000)) as bench:
        await until(lambda: network.hq.births)
        outbox.commit(30)
        await bench.uplink.quiesce(5.0)
        assert len(network.hq.records) == 30
        assert [status.st for status in network.hq.statuses] == [Presence.ONLINE, Presence.DRAINING, Presence.OFFLINE]
        assert not bench.uplink.state().connected
        await asyncio.sleep(0.3)
        assert len(network.sessions) == 1, "it stays away"
        assert not bench.task.done()


async def test_quiesce_is_bounded_when_headquarters_is_silent(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(30)
    network.prepare = lambda session: setattr(session, "mute", True)
    loop = asyncio.get_running_loop()
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: network.hq.births)
        began = loop.time()
        await bench.uplink.quiesce(1.3)
        assert loop.time() - began < 1.6
        assert network.hq.statuses[-1].st is Presence.OFFLINE


async def test_quiesce_is_bounded_when_there_is_no_broker(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(30)
    network.down = True
    loop = asyncio.get_running_loop()
    async with running(network.connect, outbox, tmp_path) as bench:
        await asyncio.sleep(0.05)
        began = loop.time()
        await bench.uplink.quiesce(3.0)
        assert loop.time() - began < 1.0


def noise(dice: random.Random) -> bytes:
    """Something that is no message of ours, or nearly one."""
    good = pack(ack(3, bytes(32), jid=77, inc=0))
    cut, at = dice.randrange(len(good)), dice.randrange(len(good))
    return dice.choice(
        [
            dice.randbytes(dice.randrange(200)),
            good[:cut],
            good[:at] + dice.randbytes(2) + good[at + 2 :],
            bytes([1]) + dice.randbytes(50),
            pack(ack(-1 - dice.randrange(9), bytes(32))),
            pack(ack(-1 - dice.randrange(9), b"", stream=Stream.TM)),
            pack(ack(1 + dice.randrange(9), dice.randbytes(dice.randrange(32)))),
            pack(ack(2**63, bytes(32), jid=78, inc=0)),
            b"\x00\x81\xa2st\xa2\xff\xff",
            b"\x00" + b"\x81\xa1y" * 5000,
            b"",
        ]
    )


async def test_malformed_messages_are_counted_acknowledged_and_survived(tmp_path: Path) -> None:
    dice = random.Random(11)
    network, outbox = Network(Headquarters()), FakeOutbox(3)
    async with running(network.connect, outbox, tmp_path) as bench:
        await until(lambda: outbox.cursor("uplink") == 3)
        answered = len(network.session.acknowledged)
        for _ in range(5000):
            topic = dice.choice([topics.ack(HUB), topics.CORE_STATUS, "hf/v1/hub-1/down/unknown"])
            network.session.inbox.put_nowait(Message(topic, noise(dice)))
        network.session.inbox.put_nowait(Message(topics.ack(HUB), bytes(600_000)))
        await until(lambda: len(network.session.acknowledged) == answered + 5001)
        state = bench.uplink.state()
        assert (state.connected, state.alarm, state.acked) == (True, "", 3)
        assert state.malformed > 2000
        assert state.foreign > 200
        outbox.commit(1)
        await until(lambda: outbox.cursor("uplink") == 4)


@pytest.mark.proof
async def test_a_million_malformed_messages_leave_memory_flat() -> None:
    dice = random.Random(12)
    outbox, books, clock = FakeOutbox(3), Books(), SystemClock()
    inbox = Inbox(outbox.genesis, {}, books, clock, chapters={})
    payloads = [noise(dice) for _ in range(10_000)]
    tracemalloc.start()
    for round_ in range(100):
        for payload in payloads:
            with suppress(*UNREADABLE):
                await inbox._take(Message(topics.ack(HUB), payload))
        if round_ == 5:
            base = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - base
    tracemalloc.stop()
    print(f"1 000 000 malformed messages, {books.foreign} foreign; memory grew by {grown} bytes")
    assert grown < 100_000


async def test_a_connection_that_breaks_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    dice = random.Random(5)
    network, outbox = Network(Headquarters()), FakeOutbox(0)
    async with running(network.connect, outbox, tmp_path, settings=config(batch_ms=1, batch_bytes=1024)) as bench:
        for _ in range(60):
            outbox.commit(dice.randint(1, 40))
            await asyncio.sleep(dice.uniform(0, 0.02))
            if network.sessions and dice.random() < 0.5:
                network.session.lose()
        await until(lambda: outbox.cursor("uplink") == outbox.head.seq)
        state = bench.uplink.state()
    assert network.hq.records == [row.record for row in outbox.rows]
    assert state.connects > 10
    assert state.sends / outbox.head.seq <= 1.5


async def test_a_session_is_never_used_after_it_was_lost(tmp_path: Path) -> None:
    network, outbox = Network(Headquarters()), FakeOutbox(10)
    async with running(network.connect, outbox, tmp_path):
        await until(lambda: outbox.cursor("uplink") == 10)
        first = network.session
        first.lose()
        await until(lambda: len(network.hq.births) == 2)
        published = len(first.published)
        outbox.commit(10)
        await until(lambda: outbox.cursor("uplink") == 20)
        assert len(first.published) == published
        with pytest.raises(LostError):
            await first.publish("t", b"")
