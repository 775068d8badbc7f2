"""The uplink against a broker and a headquarters in memory, which can be told to do anything."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path

import pytest

from holdfast.runtime.backoff import Backoff
from holdfast.uplink.announce import About
from holdfast.uplink.port import LostError
from holdfast_contract import topics
from holdfast_contract.record import ClockQuality
from holdfast_contract.wire import Birth, Presence, Status, unpack
from support.waiting import until
from uplink.fakes import HUB, JID, FakeOutbox, FakeSession, Headquarters, Network, ack, config, running


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
