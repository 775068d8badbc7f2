"""G-10: headquarters' folds equal the hub's at the same record, whatever happened in between."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fleet.desk import Desk
from fleet.hubs import FakeHub
from holdfast_contract.wire import STOCK_DIGEST, Digest
from holdfast_fleet import audit, digests, folds
from holdfast_fleet.schema import open_reader


def give_digest(desk: Desk, hub: FakeHub, seq: int, digest: Digest) -> None:
    desk.give(hub.report((seq, STOCK_DIGEST, digest)))


def verdicts(desk: Desk) -> list[tuple[int, str, str]]:
    return desk.rows("SELECT as_of, verdict, differs FROM digest ORDER BY inc, as_of")


def test_g_10_a_digest_at_the_head_equals(desk: Desk) -> None:
    hub = FakeHub().trade(9)
    desk.give(hub.batch())
    give_digest(desk, hub, 1, hub.digest(hub.last))
    assert verdicts(desk) == [(hub.last, "equal", "")]


def test_g_10_a_digest_of_every_earlier_record_equals(desk: Desk) -> None:
    hub = FakeHub().trade(9)
    desk.give(hub.batch())
    for seq in range(hub.last + 1):
        give_digest(desk, hub, seq + 1, hub.digest(seq))
    assert verdicts(desk) == [(seq, "equal", "") for seq in range(hub.last + 1)]


def test_g_10_a_digest_ahead_of_its_events_waits_for_them(desk: Desk) -> None:
    hub = FakeHub().trade(9)
    desk.give(hub.batch(1, 5))
    give_digest(desk, hub, 1, hub.digest(8))
    assert verdicts(desk) == [(8, "pending", "")]
    desk.give(hub.batch(6, 7))
    assert verdicts(desk) == [(8, "pending", "")]
    desk.give(hub.batch(8, hub.last))
    assert verdicts(desk) == [(8, "equal", "")]


@pytest.mark.parametrize("part", ["head", "stock", "money"])
def test_a_digest_that_differs_is_told_once_and_names_where(desk: Desk, part: str) -> None:
    hub = FakeHub().trade(5)
    desk.give(hub.batch())
    give_digest(desk, hub, 1, hub.digest(6))
    give_digest(desk, hub, 2, hub.digest(7, **{part: b"?" * 32}))
    give_digest(desk, hub, 3, hub.digest(8, **{part: b"?" * 32}))
    assert verdicts(desk)[1:] == [(7, "differs", part), (8, "differs", part)]
    assert desk.heard == ["digest_equal", "digest_differs"]


def test_g_10_one_unit_more_in_our_fold_is_found(desk: Desk) -> None:
    """Negative control: the comparison sees a single unit and a single minor unit."""
    hub = FakeHub().trade(5)
    desk.give(hub.batch())
    wrong = folds.Fold()
    wrong.stock["SKU-1", 1] += 1
    wrong.money["tender:cash"] += 1
    folds.apply(desk.store._db, hub.name, 1, wrong)
    give_digest(desk, hub, 1, hub.digest(hub.last))
    assert verdicts(desk) == [(hub.last, "differs", "stock money")]
    with closing(open_reader(desk.path)) as db:
        assert [found.problem for found in audit.verify(db, hub.name)] == ["fold"]


def test_a_digest_too_far_back_is_not_compared(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "REWIND_LIMIT", 3)
    hub = FakeHub().trade(5)
    desk.give(hub.batch())
    give_digest(desk, hub, 1, hub.digest(hub.last - 3))
    give_digest(desk, hub, 2, hub.digest(hub.last - 4))
    assert verdicts(desk) == [(hub.last - 4, "too_old", ""), (hub.last - 3, "equal", "")]


def test_a_digest_that_is_none_is_told_and_the_telemetry_kept(desk: Desk) -> None:
    hub = FakeHub().trade(1)
    desk.give(hub.report((1, STOCK_DIGEST, {"as_of_seq": "x"}), (2, STOCK_DIGEST, hub.digest(1, as_of_seq=2**60))))
    assert desk.heard == ["digest_unreadable"] * 2
    assert desk.one("SELECT count(*) FROM telemetry") == 2


def test_only_the_newest_digests_are_kept(desk: Desk) -> None:
    hub = FakeHub().trade(30)
    desk.give(hub.batch())
    for seq in range(1, digests.KEPT + 10):
        give_digest(desk, hub, seq, hub.digest(seq))
    assert [as_of for as_of, *_ in verdicts(desk)] == list(range(10, digests.KEPT + 10))


def test_a_rebuilt_hub_counts_from_where_it_was_rebuilt(desk: Desk) -> None:
    old = FakeHub().trade(8)
    new = FakeHub(jid=8, prior=old, prior_seq=10).trade(3)
    desk.give(old.batch(), new.batch())
    desk.assert_holds(old)
    desk.assert_holds(new)
    give_digest(desk, new, 1, new.digest(new.last))
    assert verdicts(desk) == [(new.last, "equal", "")]
    assert desk.one("SELECT count(*) FROM lineage WHERE inc = 2 AND ancestor = 1 AND cut = 10") == 1
    assert "rebuilt" in desk.heard


def test_g_10_a_rebuilt_hub_waits_for_the_records_it_continues_from(desk: Desk) -> None:
    old = FakeHub().trade(8)
    new = FakeHub(jid=8, prior=old, prior_seq=10).trade(3)
    desk.give(old.batch(1, 6), new.batch())
    give_digest(desk, new, 1, new.digest(new.last))
    assert verdicts(desk) == [(new.last, "pending", "")]
    desk.give(old.batch(7, old.last))
    assert verdicts(desk) == [(new.last, "equal", "")]
    desk.assert_holds(new)


def test_a_hub_rebuilt_from_a_head_we_do_not_have_is_a_fork(desk: Desk) -> None:
    old, other = FakeHub().trade(4), FakeHub().trade(3)
    other.sell("SKU-0", 50)
    other.sell("SKU-0", 50)
    new = FakeHub(jid=8, prior=other, prior_seq=other.last).trade(1)
    desk.give(old.batch(), new.batch())
    assert desk.rows("SELECT inc, seq, theirs FROM fork") == [(2, other.last, other.hashes[-1])]


def test_inv_12_2_verify_names_the_first_record_that_was_touched(desk: Desk) -> None:
    hub = FakeHub().trade(9)
    desk.give(hub.batch())
    for number, (sql, problem, bad) in enumerate(
        (
            ("UPDATE event SET record = CAST(record || x'00' AS BLOB) WHERE seq = 11", "hash", 11),
            ("DELETE FROM event WHERE seq = 8", "missing", 8),
            ("DELETE FROM event WHERE seq = 1", "missing", 1),
            ("DELETE FROM event WHERE seq > 20", "head", 21),
            ("DELETE FROM event", "missing", 1),
        )
    ):
        copy = desk.path.with_name(f"{number}.db")
        desk.store._db.execute("VACUUM INTO ?", (str(copy),))
        tamper(copy, sql)
        with closing(open_reader(copy)) as db:
            found = audit.verify(db, hub.name)
        assert [(one.problem, one.bad_seq) for one in found] == [(problem, bad)], sql


def test_verify_looks_at_one_moment_while_the_collector_goes_on(desk: Desk) -> None:
    hub = FakeHub().trade(9)
    desk.give(hub.batch(1, 5))
    with closing(open_reader(desk.path)) as db:
        desk.give(hub.batch(6, hub.last))
        assert [(found.records, found.ok) for found in audit.verify(db, hub.name)] == [(5, True)]


def tamper(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        assert db.execute(sql).rowcount
