"""No ack without a commit: a disk that refuses, fills up or loses power never costs an acknowledged record."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest

from fleet.desk import Desk
from fleet.hubs import FakeHub
from holdfast_contract.wire import Stream
from holdfast_fleet import intake
from holdfast_fleet.intake import Intake
from holdfast_fleet.messages import Arrival
from holdfast_fleet.store import Committed, Store
from support.faulty import Disk, FaultyConnection
from support.waiting import until


def faulty(disk: Disk, synchronous: str = "FULL") -> Any:
    return lambda path, **_: FaultyConnection(path, disk, synchronous)


class Fuse:
    """Fails the disk's operation number `index`, once."""

    def __init__(self, index: int) -> None:
        self.left = index

    @property
    def blown(self) -> bool:
        return self.left < 0

    def __call__(self, _: str) -> None:
        self.left -= 1
        if self.left == -1:
            raise apsw.IOError("disk I/O error")


def test_an_error_at_any_operation_is_never_acknowledged_and_the_hub_can_go_on(tmp_path: Path) -> None:
    hub = FakeHub().trade(8)
    for index in count():
        disk, path, fuse = Disk(), tmp_path / f"{index}.db", Fuse(index)
        with Desk(path, faulty(disk)) as desk:
            disk.before = fuse
            with suppress(sqlite3.DatabaseError):
                desk.give(hub.batch(1, 9))
                desk.give(hub.batch(10, hub.last))
            disk.before = lambda _: None
            known = desk.acks.get((hub.name, Stream.EV, 1))
            acked = known.upto if known else 0
            assert (acked < hub.last) is fuse.blown
            desk.give(hub.batch(acked + 1, hub.last))
            assert desk.upto(hub) == hub.last
        with Desk(path) as again:
            again.give(hub.birth())
            again.assert_holds(hub)
        if not fuse.blown:
            break
    assert index > 10


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_a_power_cut_keeps_all_that_was_acknowledged(tmp_path: Path, synchronous: str) -> None:
    """Negative control: with synchronous=NORMAL the same cuts lose acknowledged records."""
    lost = 0
    for seed in range(12):
        dice = random.Random(seed)
        hub, disk = FakeHub().trade(12), Disk()
        with Desk(tmp_path / f"{synchronous}{seed}.db", faulty(disk, synchronous)) as desk:
            for arrival in hub.batches(4)[: dice.randint(2, 9)]:
                desk.give(arrival)
            after = tmp_path / f"after-{synchronous}{seed}"
            disk.cut(after, dice)
        with Desk(after / desk.path.name) as restarted:
            restarted.give(hub.birth())
            restarted.assert_holds(hub, restarted.upto(hub))
            lost += restarted.upto(hub) < desk.upto(hub)
    assert (lost == 0) is (synchronous == "FULL")


def test_a_full_disk_refuses_loudly_and_recovers(desk: Desk) -> None:
    hub = FakeHub().trade(300)
    desk.give(hub.batch(1, 9))
    (pages,) = desk.store._db.execute("PRAGMA page_count").fetchone()
    desk.store._db.execute(f"PRAGMA max_page_count = {pages}")
    desk.acks.clear()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        desk.give(hub.batch(10, hub.last))
    assert not desk.acks
    desk.store._db.execute("PRAGMA max_page_count = 1000000")
    desk.give(hub.batch(10, hub.last))
    desk.assert_holds(hub)


async def test_the_intake_keeps_a_group_until_the_storage_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "RETRY_SECONDS", 0.01)
    hub, disk = FakeHub().trade(5), Disk()
    acked: list[int] = []
    said: list[str] = []

    def deliver(committed: Committed) -> None:
        acked.extend(ack.upto for _, ack in committed.acks)

    def fail(_: str) -> None:
        raise apsw.IOError("disk I/O error")

    works = Intake(
        lambda: Store(tmp_path / "fleet.db", core="hq", connect=faulty(disk)),
        deliver=deliver,
        say=lambda notice: said.append(notice.kind),
    )
    task = asyncio.create_task(works.run())
    works.put(hub.batch(1, 3))
    await until(lambda: acked == [3])
    disk.before = fail
    works.put(hub.batch(4, hub.last))
    await until(lambda: said == ["storage_failed"])
    assert works.trouble
    assert acked == [3]
    disk.before = lambda _: None
    await works.drained()
    assert acked == [3, hub.last]
    assert said == ["storage_failed", "storage_recovered"]
    assert not works.trouble
    task.cancel()
    await asyncio.wait([task])


async def test_the_intake_never_holds_more_than_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "WAITING_BYTES", 1000)
    said: list[dict[str, Any]] = []
    works = Intake(
        lambda: Store(tmp_path / "fleet.db", core="hq"), deliver=lambda _: None, say=lambda n: said.append(n.facts)
    )
    for _ in range(10):
        works.put(Arrival("hf/v1/hub-1/up/ev", b"x" * 300))
    assert len(works._waiting) == 3
    assert said == [{"dropped": 1}]
    task = asyncio.create_task(works.run())
    await works.drained()
    works.put(Arrival("hf/v1/hub-1/up/ev", b"x" * 900))
    assert len(works._waiting) == 1
    task.cancel()
    await asyncio.wait([task])
