"""What cannot be used is quarantined with a reason, changes nothing else, and stops nobody."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.desk import Desk
from fleet.hubs import FakeHub
from holdfast_contract import topics
from holdfast_contract.hub import HubStarted
from holdfast_contract.wire import MAX_PAYLOAD, Lead, Presence, Stream
from holdfast_fleet import lineage, store
from holdfast_fleet.messages import Arrival, RejectedError, parse

HUB = FakeHub().trade(4)
EV = topics.up(HUB.name, Stream.EV)


def reasons(desk: Desk) -> list[str]:
    return [reason for (reason,) in desk.rows("SELECT reason FROM quarantine ORDER BY id")]


def wrong_first_record() -> Arrival:
    hub = FakeHub()
    hub.records[0] = FakeHub("hub-2").records[0]
    return hub.batch()


@pytest.mark.parametrize(
    ("arrival", "reason"),
    [
        (Arrival(EV, b""), "bad_lead"),
        (Arrival(EV, b"\x07" + b"x"), "bad_lead"),
        (Arrival(EV, b"\x01garbage"), "bad_zlib"),
        (Arrival(EV, b"\x00\xc1"), "bad_msgpack"),
        (Arrival(EV, b"\x00\x81\xa1x" + b"\x91" * 100_000), "bad_msgpack"),
        (Arrival(EV, b"\x00\x81\xa3hub\xa1\xff"), "bad_msgpack"),
        (Arrival(EV, b"\x00" * (MAX_PAYLOAD + 1)), "too_large"),
        (Arrival("hf/v1/HUB 1/up/ev", HUB.batch().payload), "bad_topic"),
        (Arrival("hf/v1/hub-1/down/ack", HUB.batch().payload), "wrong_writer"),
        (HUB.batch(v=2), "wrong_version"),
        (HUB.batch(hub="hub-2"), "wrong_writer"),
        (HUB.batch(st=Stream.TM), "wrong_writer"),
        (HUB.batch(n=3), "wrong_count"),
        (HUB.batch(recs=(), n=0), "wrong_count"),
        (HUB.batch(prev=b"short"), "bad_prev"),
        (HUB.batch(prev=b"x" * 32), "bad_genesis"),
        (HUB.batch(inc=0), "out_of_range"),
        (HUB.batch(jid=-1), "out_of_range"),
        (HUB.batch(2, inc=2**40), "out_of_range"),
        (HUB.batch(2, 2, recs=(HUB.records[2],)), "bad_record"),
        (HUB.batch(2, 2, recs=(b"\x93\x01\x02\x03",)), "bad_record"),
        (HUB.batch(2, 2, recs=(b"",)), "bad_record"),
        (wrong_first_record(), "bad_genesis"),
        (HUB.birth(genesis=b""), "bad_genesis"),
        (HUB.birth(jid=3), "bad_genesis"),
        (HUB.birth(boot=2**60), "out_of_range"),
        (HUB.report((5, "x", 1), (5, "x", 1)), "bad_order"),
    ],
)
def test_each_defect_has_its_reason(desk: Desk, arrival: Arrival, reason: str) -> None:
    good = FakeHub("hub-2").trade(2)
    committed = desk.give(arrival, good.batch())
    assert reasons(desk) == [reason]
    assert [hub for hub, _ in committed.acks] == ["hub-2"]
    desk.assert_holds(good)
    assert desk.one("SELECT count(*) FROM event WHERE hub = 'hub-1'") == 0


def test_a_first_record_that_creates_nothing_is_refused(desk: Desk) -> None:
    hub = FakeHub()
    hub.records.clear()
    hub.hashes.clear()
    hub.emit("hub-1", HubStarted(version="1", kernel_boot="b"))
    desk.give(hub.batch())
    assert reasons(desk) == ["bad_genesis"]


def test_a_flood_is_counted_sampled_and_told_at_powers_of_ten(desk: Desk) -> None:
    desk.give(*[Arrival(EV, b"\x00" + b"\xc1" * 10_000)] * 250)
    assert desk.one("SELECT quarantined FROM hub WHERE hub = 'hub-1'") == 250
    assert desk.one("SELECT count(*) FROM quarantine") == store.SAMPLES
    assert desk.rows("SELECT DISTINCT length(sample), size FROM quarantine") == [(store.SAMPLE_BYTES, 10_001)]
    assert desk.heard == ["quarantined"] * 3


def test_an_arrival_that_trips_over_a_bug_is_set_aside_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = lineage.extend

    def trip(db: Any, hub: str, *rest: Any) -> None:
        if hub == "hub-1":
            raise ZeroDivisionError
        begin(db, hub, *rest)

    monkeypatch.setattr(lineage, "extend", trip)
    good = FakeHub("hub-2").trade(2)
    committed = desk.give(good.batch(1, 3), HUB.batch(), good.batch(4, good.last))
    assert [(hub, ack.upto) for hub, ack in committed.acks] == [("hub-2", good.last)]
    assert reasons(desk) == ["failed"]
    assert desk.one("SELECT count(*) FROM event WHERE hub = 'hub-1'") == 0
    desk.assert_holds(good)


def test_balances_beyond_64_bits_are_set_aside_not_rounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_fleet.reading.LARGEST", 2**63 - 1)
    hub = FakeHub()
    hub.receive("A", 2**62)
    hub.receive("A", 2**62)
    desk.give(hub.batch(1, 2), hub.batch(3, 3))
    assert reasons(desk) == ["failed"]
    assert desk.upto(hub) == 2
    assert desk.one("SELECT typeof(qty) || qty FROM stock WHERE place = 1") == f"integer{2**62}"


VALID = [HUB.batch(), HUB.batch(3, 7), HUB.birth(), HUB.report((1, "x", 1)), HUB.status(Presence.ONLINE)]


def damage(arrival: Arrival, dice: random.Random) -> Arrival:
    """A message with bytes flipped, dropped, doubled or cut off, under its lead byte's promise of plain msgpack."""
    body = bytearray(plain(arrival.payload))
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(max(1, len(body)))
        match dice.randrange(4):
            case 0:
                body[at : at + 1] = dice.randbytes(1)
            case 1:
                del body[at : at + 1]
            case 2:
                body[at:at] = body[max(0, at - 3) : at]
            case _:
                del body[at + 1 :]
    return Arrival(arrival.topic, b"\x00" + bytes(body))


def plain(payload: bytes) -> bytes:
    return zlib.decompress(payload[1:]) if payload[0] == Lead.ZLIB else payload[1:]


def test_ten_thousand_damaged_messages_are_used_or_refused_never_worse() -> None:
    dice = random.Random(20)
    refused = 0
    for _ in range(10_000):
        try:
            parse(*damage(dice.choice(VALID), dice))
        except RejectedError:
            refused += 1
    assert 5_000 < refused < 10_000


@settings(max_examples=200, deadline=None)
@given(topic=st.sampled_from([arrival.topic for arrival in VALID]), payload=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(topic: str, payload: bytes) -> None:
    with pytest.raises(RejectedError):
        parse(topic, payload)


def test_damaged_messages_never_change_what_is_committed(desk: Desk) -> None:
    """Those that still parse may add nothing but what chains: the journal stays verifiable and the hub can go on."""
    dice = random.Random(21)
    desk.give(HUB.batch(1, 5))
    desk.give(*(damage(HUB.batch(1, 5), dice) for _ in range(300)))
    desk.assert_holds(HUB, 5)
    assert desk.upto(HUB) == 5
    desk.give(HUB.batch(6, HUB.last))
    desk.assert_holds(HUB)
