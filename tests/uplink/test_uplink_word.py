"""What headquarters says: its word on another journal, on more than there is, late, for others, or no word at all."""

from __future__ import annotations

import asyncio
import logging
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.runtime.clock import SystemClock
from holdfast.uplink.books import Books
from holdfast.uplink.inbox import UNREADABLE, Inbox
from holdfast.uplink.port import Message
from holdfast_contract import topics
from holdfast_contract.record import chain
from holdfast_contract.wire import Stream, pack
from support.waiting import until
from uplink.fakes import HUB, JID, FakeOutbox, Headquarters, Network, ack, running


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
