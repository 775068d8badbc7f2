"""The link watch on a clock that moves when told to: digests, changes, and what they wait for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from holdfast.runtime.clock import ManualClock
from holdfast.uplink.books import Books
from holdfast.uplink.link import Link
from holdfast.uplink.telemetry import TelemetryStore
from holdfast.uplink.watch import DIGEST_RETRY_S, Hooks, LinkWatch
from uplink.fakes import Changes, no_digest

DIGEST_S = 1800.0


@dataclass
class Pipe:
    acked: int = 0


@dataclass
class Stream:
    """As much of a forwarder as the watch looks at."""

    lag: int = 0
    pipeline: Pipe = field(default_factory=Pipe)


@dataclass
class Ear:
    heard_at: float | None = None


class Scene:
    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock(monotonic=1000.0)
        self.events, self.reports, self.ear, self.links = Stream(), Stream(), Ear(), Changes()
        self.telemetry = TelemetryStore(directory / "t.db", self.clock)
        self.watch = LinkWatch(
            events=cast("Any", self.events),
            reports=cast("Any", self.reports),
            telemetry=self.telemetry,
            inbox=cast("Any", self.ear),
            books=Books(),
            hooks=Hooks(self.links, no_digest),
            clock=self.clock,
            digest_seconds=DIGEST_S,
        )

    @property
    def digests(self) -> int:
        """How many digests were made."""
        return len(self.telemetry.rings[next(iter(self.telemetry.rings))]._waiting)

    async def pass_time(self, seconds: float, *, heard: bool = True) -> None:
        """Second by second, as the watch does; headquarters is heard all the while, or not at all."""
        for _ in range(round(seconds)):
            self.clock.advance(1.0)
            if heard:
                self.ear.heard_at = self.clock.monotonic()
            await self.watch.judge()

    async def come_online(self) -> None:
        self.watch.session_up()
        await self.pass_time(2)
        self.reports.pipeline.acked = self.digests
        await self.pass_time(1)
        assert self.watch.link is Link.ONLINE


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def test_online_waits_for_the_digest_to_be_acknowledged(scene: Scene) -> None:
    scene.watch.session_up()
    await scene.pass_time(5)
    assert (scene.watch.link, scene.digests) == (Link.CATCHING_UP, 1)
    scene.reports.pipeline.acked = 1
    await scene.pass_time(1)
    assert scene.links.seen == [Link.CATCHING_UP, Link.ONLINE]


async def test_no_digest_is_made_before_the_backlog_is_in(scene: Scene) -> None:
    scene.events.lag = 51
    scene.watch.session_up()
    await scene.pass_time(30)
    assert (scene.watch.link, scene.digests) == (Link.CATCHING_UP, 0)
    scene.events.lag = 50
    await scene.pass_time(1)
    assert scene.digests == 1


async def test_a_digest_nobody_acknowledges_is_made_again_while_catching_up(scene: Scene) -> None:
    scene.watch.session_up()
    await scene.pass_time(DIGEST_RETRY_S - 1)
    assert scene.digests == 1
    await scene.pass_time(3)
    assert scene.digests == 2


async def test_online_a_digest_is_made_at_its_interval(scene: Scene) -> None:
    await scene.come_online()
    await scene.pass_time(DIGEST_S - 10)
    assert scene.digests == 1
    await scene.pass_time(10)
    assert scene.digests == 2


async def test_after_an_outage_a_new_digest_is_asked_for(scene: Scene) -> None:
    await scene.come_online()
    await scene.pass_time(100, heard=False)
    assert scene.links.seen[-2:] == [Link.DEGRADED, Link.OFFLINE]
    made = scene.digests
    await scene.pass_time(5)
    assert (scene.watch.link, scene.digests) == (Link.CATCHING_UP, made + 1)
    scene.reports.pipeline.acked = scene.digests
    await scene.pass_time(1)
    assert scene.watch.link is Link.ONLINE
    assert scene.watch.changes == len(scene.links.seen) == 6


async def test_a_lost_session_degrades_at_once_and_is_offline_after_fifteen_seconds(scene: Scene) -> None:
    await scene.come_online()
    scene.watch.session_down()
    await scene.pass_time(1)
    assert scene.watch.link is Link.DEGRADED
    await scene.pass_time(14)
    assert scene.watch.link is Link.DEGRADED
    await scene.pass_time(1)
    assert scene.watch.link is Link.OFFLINE


async def test_an_old_digest_does_not_count_after_an_outage_however_short(scene: Scene) -> None:
    await scene.come_online()
    scene.watch.session_down()
    await scene.pass_time(17)
    assert scene.watch.link is Link.OFFLINE
    scene.watch.session_up()
    await scene.pass_time(5)
    assert (scene.watch.link, scene.digests) == (Link.CATCHING_UP, 2)


async def test_digests_are_half_as_many_while_power_is_saved(scene: Scene) -> None:
    await scene.come_online()
    made = scene.digests
    scene.watch.digest_factor = 2
    await scene.pass_time(2 * DIGEST_S - 10)
    assert scene.digests == made
    await scene.pass_time(20)
    assert scene.digests == made + 1
