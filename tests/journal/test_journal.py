"""The journal on a real disk: group commit, idempotency, cursors, restart, refusal before harm."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from holdfast.journal.journal import Journal
from holdfast.journal.projector import Projector
from holdfast.journal.schema import connect_read
from holdfast.journal.space import Marks
from holdfast.journal.store import InUseError
from holdfast.journal.verify import projections_agree, verify_chain
from holdfast.journal.writer import StorageFailedError
from holdfast.runtime.clock import ManualClock
from holdfast_contract.record import chain, decode_record, genesis_hash
from journal.toy import TOY, Break, Load, Pay, Put, Refuse, toy_journal

ID = bytes(range(9))


async def all_records(journal: Journal) -> list[bytes]:
    return [stored.record for stored in await journal.records(0, limit=10_000, max_bytes=1 << 30)]


async def test_a_command_is_durable_when_its_outcome_returns(tmp_path: Path) -> None:
    async with toy_journal(tmp_path) as journal:
        outcome = await journal.execute(Put(sku="a", qty=3), actor="b1")
        assert outcome.ok
        assert outcome.seq == journal.head.seq == 2
        with closing(connect_read(journal.path)) as other:
            assert other.execute("SELECT qty FROM toy WHERE sku = 'a' AND place = 1").fetchone() == (3,)


async def test_g_1_sequence_is_gapless_and_the_chain_verifies(tmp_path: Path) -> None:
    async with toy_journal(tmp_path) as journal:
        await asyncio.gather(*(journal.execute(Put(sku=str(n), times=3), actor="b") for n in range(50)))
        records = await journal.records(0, limit=1000, max_bytes=1 << 30)
        assert [stored.seq for stored in records] == list(range(1, 152))
        head = genesis_hash(journal.genesis)
        for stored in records:
            head = chain(head, stored.record)
            assert head == stored.hash
            assert decode_record(stored.record).seq == stored.seq


async def test_g_2_projections_equal_a_replay_and_a_tampered_one_does_not(tmp_path: Path) -> None:
    projector = Projector((TOY,))
    async with toy_journal(tmp_path) as journal:
        for n in range(20):
            await journal.execute(Put(sku=str(n % 3), qty=n + 1), actor="b")
        assert projections_agree(journal.path, projector)
        await journal.desk(lambda db: db.execute("UPDATE toy SET qty = qty + 1 WHERE sku = '1'"))
        assert not projections_agree(journal.path, projector)


async def test_g_3_one_id_has_one_effect_and_one_outcome(tmp_path: Path) -> None:
    async with toy_journal(tmp_path) as journal:
        asked = [journal.execute(Put(sku="a"), actor="b", command_id=ID) for _ in range(5)]
        outcomes = await asyncio.gather(*asked)
        assert len({msgspec.msgpack.encode(o) for o in outcomes}) == 1
        assert len(await all_records(journal)) == 2
    async with toy_journal(tmp_path) as journal:
        assert await journal.execute(Put(sku="a"), actor="b", command_id=ID) == outcomes[0]
        other = await journal.execute(Put(sku="other"), actor="b", command_id=ID)
        assert other.reason == "idempotency_conflict"
        assert len(await all_records(journal)) == 2


async def test_g_3_an_id_older_than_the_pruned_outcomes_is_refused(tmp_path: Path) -> None:
    clock = ManualClock(wall_ms=1_790_000_000_000)
    old = clock.wall_ms().to_bytes(6, "big") + b"abc"
    async with toy_journal(tmp_path, clock) as journal:
        await journal.execute(Put(sku="a"), actor="b", command_id=old)
        clock.step_wall(31 * 86_400)
        assert await journal.prune() == 1
        assert (await journal.execute(Put(sku="a"), actor="b", command_id=old)).reason == "expired_command"
        assert len(await all_records(journal)) == 2


async def test_g_9_a_refused_or_broken_command_leaves_nothing_behind(tmp_path: Path) -> None:
    async with toy_journal(tmp_path) as journal:
        asked = (Put(sku="a"), Refuse(), Break(), Put(sku="b"))
        outcomes = await asyncio.gather(*(journal.execute(command, actor="b") for command in asked))
        assert [(o.ok, o.reason) for o in outcomes] == [(True, ""), (False, "no_price"), (False, "fault"), (True, "")]
        assert journal.head.seq == 3
        assert await journal.query("SELECT DISTINCT sku FROM toy ORDER BY sku") == [("a",), ("b",)]


async def test_commands_found_waiting_share_one_commit(tmp_path: Path) -> None:
    commits = 0

    class Counting(sqlite3.Connection):
        def execute(self, sql: str, *args: object) -> sqlite3.Cursor:  # type: ignore[override]  # narrower than typeshed's
            nonlocal commits
            commits += sql == "COMMIT"
            return super().execute(sql, *args)  # type: ignore[arg-type]  # passed through

    def factory(*args: object, **kwargs: object) -> sqlite3.Connection:
        return sqlite3.connect(*args, factory=Counting, **kwargs)  # type: ignore[call-overload, no-any-return]  # passed through

    async with toy_journal(tmp_path, connect=factory) as journal:
        before = commits
        await asyncio.gather(*(journal.execute(Put(sku="a"), actor="b") for _ in range(128)))
        assert commits - before < 64


async def test_a_restart_continues_the_chain_and_counts_the_boot(tmp_path: Path) -> None:
    async with toy_journal(tmp_path) as journal:
        await journal.execute(Put(sku="a", times=250), actor="b")
        head, boot, genesis = journal.head, journal.boot, journal.genesis
    async with toy_journal(tmp_path) as journal:
        assert (journal.head, journal.boot, journal.genesis) == (head, boot + 1, genesis)
        assert journal.opened.verdict.ok
        assert journal.opened.verdict.checked < 200
        await journal.execute(Put(sku="a"), actor="b")
        with closing(connect_read(journal.path)) as db:
            assert verify_chain(db).ok


async def test_a_cursor_rides_with_a_command_or_commits_by_itself(tmp_path: Path) -> None:
    async with toy_journal(tmp_path) as journal:
        journal.advance("hq", 7)
        await journal.execute(Put(sku="a"), actor="b")
        assert await journal.query("SELECT seq FROM cursor WHERE name = 'hq'") == [(7,)]
        journal.advance("hq", 9)
    async with toy_journal(tmp_path) as journal:
        assert journal.cursor("hq") == 9


async def test_followers_wake_on_commit(tmp_path: Path) -> None:
    async with toy_journal(tmp_path) as journal:
        waiting = asyncio.create_task(journal.wait_beyond(journal.head.seq))
        await asyncio.sleep(0)
        assert not waiting.done()
        await journal.execute(Put(sku="a"), actor="b")
        assert (await waiting).seq == 2


async def test_two_daemons_never_share_a_journal(tmp_path: Path) -> None:
    async with toy_journal(tmp_path):
        with pytest.raises(InUseError):
            await toy_journal(tmp_path).__aenter__()


async def test_the_journal_of_another_hub_is_refused(tmp_path: Path) -> None:
    async with toy_journal(tmp_path):
        pass
    foreign = toy_journal(tmp_path)
    foreign._settings = replace(foreign._settings, policy=replace(foreign._settings.policy, hub="other-hub"))
    with pytest.raises(ValueError, match="belongs to hub 'toy-hub'"):
        await foreign.__aenter__()


async def test_little_space_refuses_bulk_first_then_new_work_but_never_money(tmp_path: Path) -> None:
    async with toy_journal(tmp_path, marks=Marks(low=200, floor=100)) as journal:
        journal.space.free = 150
        journal.space._countdown = 1000
        assert (await journal.execute(Load(), actor="b")).reason == "disk_full"
        assert (await journal.execute(Put(sku="a"), actor="b")).ok
        journal.space.free = 50
        assert (await journal.execute(Put(sku="a"), actor="b")).reason == "disk_full"
        assert (await journal.execute(Pay(), actor="b")).ok


async def test_a_failed_commit_ends_the_journal_and_acknowledges_nothing(tmp_path: Path) -> None:
    class Failing(sqlite3.Connection):
        armed = False

        def execute(self, sql: str, *args: object) -> sqlite3.Cursor:  # type: ignore[override]  # narrower than typeshed's
            if sql == "COMMIT" and Failing.armed:
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, *args)  # type: ignore[arg-type]  # passed through

    def factory(*args: object, **kwargs: object) -> sqlite3.Connection:
        return sqlite3.connect(*args, factory=Failing, **kwargs)  # type: ignore[call-overload, no-any-return]  # passed through

    async with toy_journal(tmp_path, connect=factory) as journal:
        Failing.armed = True
        with pytest.raises(StorageFailedError):
            await journal.execute(Put(sku="a"), actor="b", command_id=ID)
        with pytest.raises(StorageFailedError):
            await journal.failed
        with pytest.raises(StorageFailedError):
            await journal.execute(Put(sku="b"), actor="b")
    Failing.armed = False
    async with toy_journal(tmp_path) as journal:
        assert journal.head.seq == 1
        assert (await journal.execute(Put(sku="a"), actor="b", command_id=ID)).ok
