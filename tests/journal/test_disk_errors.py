"""Errors at every write, sync and truncation of a script: no false acknowledgement, sound afterwards, never silent."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from holdfast.domain.core import Outcome
from holdfast.journal.store import FILE, SUSPECT
from holdfast.journal.verify import verify_chain
from holdfast.journal.writer import StorageFailedError
from journal.rig import Rig, check
from journal.toy import Put, toy_journal
from support.faulty import Disk

SCRIPT = 50


def _count_operations(directory: Path) -> int:
    disk = Disk()
    seen = 0

    def count(_: str) -> None:
        nonlocal seen
        seen += 1

    with Rig(directory, disk) as rig:
        disk.before = count
        for n in range(SCRIPT):
            rig.ask(Put(sku=str(n % 5), times=2))
        disk.before = lambda _: None
    return seen


def _fail_at(index: int, error: type[apsw.Error], *, lasting: int) -> object:
    """A `before` hook that fails operations index .. index + lasting - 1."""
    seen = -1

    def before(_: str) -> None:
        nonlocal seen
        seen += 1
        if index <= seen < index + lasting:
            raise error("injected")

    return before


def _one_failure(directory: Path, index: int, error: type[apsw.Error], *, lasting: int) -> str:
    disk = Disk()
    with Rig(directory, disk) as rig:
        disk.before = _fail_at(index, error, lasting=lasting)  # type: ignore[assignment]  # a closure with state
        answers = []
        for n in range(SCRIPT):
            answers.append(rig.ask(Put(sku=str(n % 5), times=2)))
            if rig.failure:
                break
        disk.before = lambda _: None
    assert rig.acked <= check(directory), f"operation {index}: acknowledged and lost"
    refused = [a for a in answers if isinstance(a, Outcome) and not a.ok]
    assert all(a.reason in ("storage_failed", "disk_full") for a in refused)
    with Rig(directory, Disk()) as again:
        for number in range(SCRIPT):
            outcome = again.ask(Put(sku=str(number % 5), times=2), number)
            assert outcome.ok, "asked again with the same id after the restart"
    assert check(directory) == set(range(SCRIPT))
    if rig.failure:
        assert isinstance(answers[-1], StorageFailedError)
        return "stopped"
    return "refused" if refused else "unseen"


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError], ids=["io_error", "disk_full"])
def test_g_9_an_error_at_sampled_operations_is_never_a_false_acknowledgement(
    tmp_path: Path, error: type[apsw.Error]
) -> None:
    total = _count_operations(tmp_path / "count")
    ends = [_one_failure(tmp_path / str(i), i, error, lasting=3) for i in range(0, total, max(1, total // 12))]
    assert {"stopped", "refused"} & set(ends), "the control: injected errors are noticed"


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError], ids=["io_error", "disk_full"])
def test_g_9_an_error_at_every_operation(
    tmp_path: Path, error: type[apsw.Error], capsys: pytest.CaptureFixture[str]
) -> None:
    total = _count_operations(tmp_path / "count")
    ends: dict[str, int] = {}
    for index in range(total):
        for lasting in (1, 1_000_000):
            directory = tmp_path / f"{index}-{lasting}"
            end = _one_failure(directory, index, error, lasting=lasting)
            ends[end] = ends.get(end, 0) + 1
            shutil.rmtree(directory)
    with capsys.disabled():
        print(f"\n{error.__name__} at each of {total} operations, once and for good: {ends}, 0 false acknowledgements")


def _damage(path: Path, where: int) -> None:
    """Overwrite one page with noise."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek(size * where)
        file.write(bytes(range(256)) * (size // 256))


def _page_of(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]) - 1


def _kept_aside(directory: Path) -> list[Path]:
    return list(directory.glob("journal-damaged-*.db"))


async def _filled(directory: Path) -> tuple[int, bytes]:
    async with toy_journal(directory) as journal:
        for n in range(60):
            await journal.execute(Put(sku=str(n), times=2), actor="b", command_id=b"id0000" + n.to_bytes(3, "big"))
        return journal.head


async def test_a_damaged_projection_costs_nothing_and_the_old_file_is_kept(tmp_path: Path) -> None:
    head = await _filled(tmp_path)
    _damage(tmp_path / FILE, _page_of(tmp_path / FILE, "toy"))
    (tmp_path / SUSPECT).touch()
    async with toy_journal(tmp_path) as journal:
        assert (journal.head, journal.genesis.inc) == (head, 1)
        assert journal.opened.moved_aside is not None
        assert journal.opened.moved_aside.exists()
        assert not (tmp_path / SUSPECT).exists()
        again = await journal.execute(Put(sku="0", times=2), actor="b", command_id=b"id0000" + bytes(3))
        assert again.seq == 3, "outcomes were rescued too"
        assert await journal.query("SELECT count(*) FROM toy") == [(120,)]


async def test_a_lost_record_begins_a_new_incarnation_on_what_can_be_proved(tmp_path: Path) -> None:
    head = await _filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("UPDATE journal SET record = zeroblob(40) WHERE seq = 100")
        db.commit()
        assert verify_chain(db).first_bad == 100
    (tmp_path / SUSPECT).touch()
    async with toy_journal(tmp_path) as journal:
        assert journal.genesis.inc == 2
        assert journal.head.seq == 1
        assert await journal.query("SELECT count(*), max(seq) FROM prior") == [(99, 99)]
        assert await journal.query("SELECT sum(qty) FROM toy WHERE place = 1") == [(98,)]
        assert (await journal.execute(Put(sku="0"), actor="b")).ok
    assert _kept_aside(tmp_path), f"the file with the head {head.seq} is kept"


async def test_a_file_that_is_no_database_is_moved_aside(tmp_path: Path) -> None:
    await _filled(tmp_path)
    (tmp_path / FILE).write_bytes(b"this was a journal once" * 1000)
    async with toy_journal(tmp_path) as journal:
        assert journal.head.seq == 1
    assert _kept_aside(tmp_path)[0].read_bytes().startswith(b"this was")


async def test_a_second_loss_keeps_what_the_first_had_rescued(tmp_path: Path) -> None:
    await _filled(tmp_path)
    for inc in (2, 3):
        with closing(sqlite3.connect(tmp_path / FILE)) as db:
            (last,) = db.execute("SELECT max(seq) FROM journal").fetchone()
            db.execute("UPDATE journal SET record = zeroblob(40) WHERE seq = ?", (last,))
            db.commit()
        (tmp_path / SUSPECT).touch()
        async with toy_journal(tmp_path) as journal:
            assert journal.genesis.inc == inc
            for _ in range(3):
                await journal.execute(Put(sku="0", times=2), actor="b")
            known = await journal.query("SELECT inc, count(*) FROM prior GROUP BY inc")
            assert known[0] == (1, 120)
            assert len(known) == inc - 1


async def test_a_hub_that_lost_all_of_its_journal_is_not_the_first_again(tmp_path: Path) -> None:
    await _filled(tmp_path)
    (tmp_path / FILE).write_bytes(b"nothing can be read here" * 1000)
    async with toy_journal(tmp_path) as journal:
        assert journal.genesis.inc == 2


async def test_a_row_whose_header_was_damaged_is_damage_not_a_crash(tmp_path: Path) -> None:
    head = await _filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("UPDATE journal SET record = CAST(x'a7ff00' AS TEXT) WHERE seq = ?", (head.seq - 3,))
        db.commit()
    async with toy_journal(tmp_path) as journal:
        assert journal.genesis.inc == 2
        assert await journal.query("SELECT max(seq) FROM prior") == [(head.seq - 4,)]
