"""One gapless, verified chain per journal, and an ack that never says more than what is on disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import msgspec
import pytest

from fleet.desk import Desk
from fleet.hubs import FakeHub
from holdfast_contract.ledger import Move, Place
from holdfast_contract.record import chain, decode_record, encode_record
from holdfast_contract.wire import Presence, Stream
from holdfast_fleet import events, reports
from holdfast_fleet.schema import WrongDatabaseError, open_writer


def test_a_journal_is_stored_as_sent_and_acknowledged_to_its_head(desk: Desk) -> None:
    hub = FakeHub().trade(20)
    desk.give(*hub.batches(7))
    desk.assert_holds(hub)
    ack = desk.acks[hub.name, Stream.EV, 1]
    assert (ack.upto, ack.hash, ack.jid, ack.inc, ack.core) == (hub.last, hub.hashes[-1], hub.jid, 1, "hq")


def test_a_repeated_batch_changes_nothing_is_counted_and_is_answered(desk: Desk) -> None:
    hub = FakeHub().trade(5)
    desk.give(hub.batch())
    desk.acks.clear()
    desk.give(hub.batch(3, 6))
    assert desk.upto(hub) == hub.last
    assert desk.one("SELECT duplicates FROM stream WHERE st = 'ev'") == 4
    desk.assert_holds(hub)


def test_a_batch_that_overlaps_adds_only_what_is_new(desk: Desk) -> None:
    hub = FakeHub().trade(5)
    desk.give(hub.batch(1, 6))
    desk.give(hub.batch(4, hub.last))
    assert desk.one("SELECT duplicates FROM stream WHERE st = 'ev'") == 3
    desk.assert_holds(hub)


def test_what_lies_beyond_a_gap_is_held_and_not_acknowledged(desk: Desk) -> None:
    hub = FakeHub().trade(10)
    desk.give(hub.batch(1, 5))
    desk.give(hub.batch(11, 15), hub.batch(16, hub.last))
    assert desk.upto(hub) == 5
    assert desk.acks[hub.name, Stream.EV, 1].hash == hub.hash_at(5)
    assert desk.one("SELECT high FROM stream WHERE st = 'ev'") == hub.last
    desk.assert_holds(hub, 5)
    desk.give(hub.batch(6, 10))
    assert desk.upto(hub) == hub.last
    assert desk.one("SELECT count(*) FROM held") == 0
    assert desk.heard == ["gap_opened", "gap_closed"]
    desk.assert_holds(hub)


def test_a_hub_far_ahead_cannot_fill_the_disk(desk: Desk) -> None:
    hub = FakeHub().trade(60)
    desk.give(*(hub.batch(seq, seq) for seq in range(3, hub.last + 1)))
    assert desk.one("SELECT count(*) FROM held") == events.HELD_BATCHES < hub.last - 2
    desk.give(hub.batch(1, 2))
    assert desk.upto(hub) == events.HELD_BATCHES + 2
    desk.give(hub.batch(desk.upto(hub) + 1, hub.last))
    desk.assert_holds(hub)


def test_other_bytes_under_a_committed_seq_are_a_fork_and_change_nothing(desk: Desk) -> None:
    hub = FakeHub().trade(5)
    desk.give(hub.batch())
    clone = FakeHub().trade(3)
    clone.sell("SKU-6", 9)
    clone.sell("SKU-6", 9)
    differs = next(seq for seq in range(1, clone.last) if clone.records[seq - 1] != hub.records[seq - 1])
    desk.give(clone.batch(differs - 1, clone.last))
    assert desk.rows("SELECT seq, theirs, ours FROM fork") == [(differs, clone.hash_at(differs), hub.hashes[-1])]
    assert desk.upto(hub) == hub.last
    assert desk.heard == ["fork"]
    desk.assert_holds(hub)


def test_a_chain_that_does_not_continue_ours_is_a_fork(desk: Desk) -> None:
    hub = FakeHub().trade(5)
    desk.give(hub.batch(1, 6))
    desk.give(hub.batch(7, hub.last, prev=b"x" * 32))
    assert desk.rows("SELECT seq, theirs FROM fork") == [(6, b"x" * 32)]
    assert desk.upto(hub) == 6
    desk.give(hub.batch(7, hub.last))
    desk.assert_holds(hub)
    assert desk.one("SELECT forked FROM stream WHERE st = 'ev'") == 1


def test_a_second_journal_under_one_incarnation_is_a_fork_answered_with_ours(desk: Desk) -> None:
    hub, clone = FakeHub().trade(3), FakeHub(jid=8).trade(9)
    desk.give(hub.batch())
    desk.give(clone.birth(), clone.batch())
    assert desk.acks[hub.name, Stream.EV, 1].jid == hub.jid
    assert desk.rows("SELECT jid FROM fork") == [(f"{8:016x}",)]
    desk.assert_holds(hub)


def test_reports_of_a_second_journal_are_not_mixed_in(desk: Desk) -> None:
    hub, clone = FakeHub(), FakeHub(jid=8)
    desk.give(hub.report((1, "x", "mine")))
    desk.give(clone.report((2, "x", "theirs")))
    assert desk.rows("SELECT seq FROM telemetry") == [(1,)]
    assert desk.acks[hub.name, Stream.TM, 1].jid == hub.jid
    assert desk.heard == ["fork"]


def test_only_a_commit_counts_as_one(desk: Desk) -> None:
    """Since when nothing more came is what tells a stuck hub from a slow one."""
    hub = FakeHub().trade(9)
    desk.give(hub.batch(1, 4))
    desk.store._db.execute("UPDATE stream SET committed_at = 5")
    desk.give(hub.batch(1, 4), hub.batch(8, 9), hub.birth())
    assert desk.one("SELECT committed_at FROM stream WHERE st = 'ev'") == 5
    desk.give(hub.batch(5, 7))
    assert desk.one("SELECT committed_at FROM stream WHERE st = 'ev'") > 5


def test_a_held_batch_that_turns_out_to_be_a_fork_is_dropped_with_a_note(desk: Desk) -> None:
    hub, clone = FakeHub().trade(4), FakeHub().trade(3)
    clone.sell("SKU-0", 50)
    clone.sell("SKU-0", 50)
    desk.give(clone.batch(clone.last, clone.last))
    desk.give(hub.batch())
    assert desk.one("SELECT count(*) FROM held") == 0
    assert desk.heard.count("fork") == 1
    desk.assert_holds(hub)


def test_what_cannot_be_interpreted_is_flagged_stored_and_acknowledged(desk: Desk) -> None:
    hub = FakeHub()
    moves = {"m": [["A", 20, 1, 5]], "p": [["x", 3], ["y", -3]]}
    encode = msgspec.msgpack.encode
    counted = type("Counted", (), {"moves": (Move("A", Place.SUPPLIER, Place.SELLABLE, 5),), "posts": ()})
    hub.emit_raw("drone.landed", "d", encode({"m": moves["m"], "new": 1}), counted)
    hub.emit_raw("sale.completed", "c", encode({"m": moves["m"], "n": "not a number"}), counted)
    hub.emit_raw("stock.received", "d", encode({"m": [["A", 99, 1, 5]]}))
    hub.emit_raw("stock.received", "d", encode({"m": [["A", 20, 1, 2**62]]}))
    hub.emit_raw("cart.opened", "c", encode(17))
    desk.give(hub.batch())
    flags = desk.rows("SELECT flag FROM event ORDER BY seq")
    assert [flag for (flag,) in flags] == [
        "", "unknown_type", "bad_body", "bad_effects", "bad_effects", "bad_effects",
    ]  # fmt: skip
    desk.assert_holds(hub)


def test_trailing_fields_of_a_newer_minor_are_kept(desk: Desk) -> None:
    hub = FakeHub()
    hub.scan("A")
    newer = msgspec.msgpack.encode([*msgspec.msgpack.decode(hub.records.pop()), "a new field"])
    hub.records.append(newer)
    hub.hashes[-1] = chain(hub.hash_at(1), newer)
    desk.give(hub.batch())
    desk.assert_holds(hub)


def test_two_hubs_and_two_incarnations_do_not_touch_each_other(desk: Desk) -> None:
    one, two = FakeHub("hub-1").trade(5), FakeHub("hub-2", jid=9).trade(8)
    desk.give(*[arrival for pair in zip(one.batches(3), two.batches(3), strict=False) for arrival in pair])
    desk.give(one.batch(), two.batch())
    desk.assert_holds(one)
    desk.assert_holds(two)


def test_a_birth_is_answered_for_every_stream_before_anything_is_sent(desk: Desk) -> None:
    hub = FakeHub().trade(2)
    desk.give(hub.birth())
    assert {key[1]: ack.upto for key, ack in desk.acks.items()} == {Stream.EV: 0, Stream.TM: 0, Stream.DG: 0}
    assert desk.acks[hub.name, Stream.EV, 1].hash == hub.root


def test_a_birth_of_an_old_incarnation_is_told_of_the_newest(desk: Desk) -> None:
    old = FakeHub().trade(4)
    new = FakeHub(jid=8, prior=old, prior_seq=4).trade(1)
    desk.give(old.batch(), new.batch())
    desk.acks.clear()
    desk.give(old.birth())
    assert desk.acks[old.name, Stream.EV, 2].upto == new.last


def test_thinned_telemetry_is_acknowledged_to_its_highest(desk: Desk) -> None:
    hub = FakeHub()
    desk.give(hub.report((1, "power.reading", 1), (2, "power.reading", 2)))
    desk.give(hub.report((9, "power.reading", 3), (12, "power.reading", 4)))
    desk.give(hub.report((2, "power.reading", 2), (9, "power.reading", 3), (13, "power.reading", 5)))
    assert desk.upto(hub, Stream.TM) == 13
    assert desk.rows("SELECT seq FROM telemetry ORDER BY seq") == [(1,), (2,), (9,), (12,), (13,)]


def test_telemetry_makes_room_for_newer(desk: Desk) -> None:
    hub = FakeHub()
    desk.give(hub.report((1, "x", 0)), hub.report((reports.KEPT + 1, "x", 0)), hub.report((reports.KEPT + 2, "x", 0)))
    assert desk.rows("SELECT seq FROM telemetry") == [(reports.KEPT + 1,), (reports.KEPT + 2,)]


def test_the_three_streams_have_their_own_seqs(desk: Desk) -> None:
    hub = FakeHub().trade(2)
    desk.give(hub.batch(), hub.report((5, "x", 0)), hub.report((3, "log", "hello"), st=Stream.DG))
    assert (desk.upto(hub), desk.upto(hub, Stream.TM), desk.upto(hub, Stream.DG)) == (hub.last, 5, 3)


def test_everything_is_still_there_after_the_store_is_opened_again(desk: Desk) -> None:
    hub = FakeHub().trade(10)
    desk.give(hub.batch(1, 9), hub.batch(12, hub.last))
    with Desk(desk.path) as again:
        again.give(hub.batch(10, 11))
        assert again.upto(hub) == hub.last
        again.assert_holds(hub)


def test_a_file_of_someone_else_is_left_alone(desk: Desk) -> None:
    other = desk.path.with_name("other.db")
    other.write_bytes(b"")
    with Desk(other) as mine:
        mine.give(FakeHub().status(Presence.ONLINE))
    with closing(sqlite3.connect(other)) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(WrongDatabaseError, match="found 9"):
        open_writer(other)


def test_a_record_in_the_wrong_place_refuses_its_batch(desk: Desk) -> None:
    hub = FakeHub().trade(3)
    record = decode_record(hub.records[4])
    moved = encode_record(msgspec.structs.replace(record, seq=9))
    desk.give(hub.batch(1, 4), hub.batch(5, 5, recs=(moved,)))
    assert desk.upto(hub) == 4
    assert desk.rows("SELECT reason FROM quarantine") == [("bad_record",)]
