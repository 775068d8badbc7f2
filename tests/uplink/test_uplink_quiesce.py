"""The uplink's part of the ordered stop: what is left goes, a goodbye is said, and none of it takes long."""

from __future__ import annotations

import asyncio
from pathlib import Path

from holdfast_contract.wire import Presence
from support.waiting import until
from uplink.fakes import FakeOutbox, Headquarters, Network, config, running


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
