"""One forwarder on a clock that moves when told to: what it does when nothing comes back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

from holdfast.runtime.clock import ManualClock
from holdfast.uplink.books import Books, Courier
from holdfast.uplink.forwarder import Forwarder, Pace
from holdfast.uplink.inbox import Inbox
from holdfast.uplink.outbox import JournalSource
from holdfast.uplink.pipeline import GREETING_S, TIMEOUT_S
from holdfast_contract.wire import Stream
from uplink.fakes import FakeOutbox, FakeSession, Headquarters


class Scene:
    def __init__(self, count: int) -> None:
        self.clock = ManualClock(monotonic=50.0)
        self.outbox = FakeOutbox(count)
        self.session = FakeSession(Headquarters())
        pace = Pace(batch_bytes=1024, linger=0.0, compress=False, window=8192)
        self.forwarder = Forwarder(
            JournalSource(self.outbox), genesis=self.outbox.genesis, pace=pace, clock=self.clock, shop_clock=self.clock
        )

    async def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds * 2)):
            self.clock.advance(0.5)
            for _ in range(50):
                await asyncio.sleep(0)

    def firsts(self) -> list[int]:
        """First seq of every batch sent."""
        return [batch.first for batch in self.session.batches()]

    async def __aenter__(self) -> Self:
        self.forwarder.open()
        books = Books()
        inbox = Inbox(self.outbox.genesis, {Stream.EV: self.forwarder}, books, self.clock, chapters={})
        courier = Courier(self.session, books, self.clock)
        self._task = asyncio.gather(inbox.run(self.session), self.forwarder.run(courier))
        await self.pass_time(0.5)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def test_silence_is_answered_by_sending_a_little_again_and_waiting_longer() -> None:
    async with Scene(100) as scene:
        scene.session.deaf = True
        await scene.pass_time(GREETING_S)
        trust = scene.firsts()
        assert trust[0] == 1
        assert len(trust) <= 4, "on trust only a little is sent"
        await scene.pass_time(TIMEOUT_S)
        assert scene.firsts()[len(trust)] == 1, "sent again"
        once = len(scene.firsts())
        await scene.pass_time(TIMEOUT_S)
        assert len(scene.firsts()) == once, "the second wait is longer"
        await scene.pass_time(TIMEOUT_S)
        assert len(scene.firsts()) == 2 * once - len(trust)
        assert scene.forwarder.pipeline.acked == 0


async def test_an_hour_of_silence_costs_little() -> None:
    async with Scene(1000) as scene:
        scene.session.deaf = True
        await scene.pass_time(3600)
        events = sum(batch.n for batch in scene.session.batches())
    assert events < 70 * 4096 // 150, "one smallest window a minute"


async def test_nothing_is_lost_when_the_wait_was_in_vain() -> None:
    async with Scene(100) as scene:
        scene.session.deaf = True
        await scene.pass_time(GREETING_S + 1)
        scene.session.deaf = False
        await scene.pass_time(4 * TIMEOUT_S)
        assert scene.session.hq.records == [row.record for row in scene.outbox.rows]
        assert scene.outbox.cursor("uplink") == 100
