"""G-8: batches lost, repeated, reordered and cut anew end in the same state as once in order."""

from __future__ import annotations

import random
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.desk import Desk
from fleet.hubs import FakeHub
from holdfast_contract.wire import STOCK_DIGEST, Stream
from holdfast_fleet import events, streams
from holdfast_fleet.messages import Arrival
from holdfast_fleet.schema import open_reader

STATE = {
    "event": "SELECT * FROM event ORDER BY hub, inc, seq",
    "stock": "SELECT * FROM stock WHERE qty <> 0 ORDER BY hub, inc, sku, place",
    "money": "SELECT * FROM money WHERE amount <> 0 ORDER BY hub, inc, account",
    "stream": "SELECT hub, st, inc, jid, root, upto, hash, high, forked FROM stream ORDER BY hub, st, inc",
    "lineage": "SELECT * FROM lineage ORDER BY hub, inc, ancestor",
    "digest": "SELECT hub, inc, as_of, body, verdict, differs FROM digest ORDER BY hub, inc, as_of",
    "held": "SELECT * FROM held",
    "fork": "SELECT hub, inc, seq, jid FROM fork",
    "quarantine": "SELECT reason FROM quarantine",
}
"""Everything but counters and times of arrival."""


def journals() -> list[FakeHub]:
    """A hub rebuilt twice, the second time from a backup older than the first, and another hub."""
    first = FakeHub("hub-1", jid=1).trade(12)
    second = FakeHub("hub-1", jid=2, prior=first, prior_seq=20).trade(6)
    third = FakeHub("hub-1", jid=3, prior=second, prior_seq=9).trade(5)
    return [first, second, third, FakeHub("hub-2", jid=4).trade(9)]


HUBS = journals()
DIGESTS = [
    hub.report((1, STOCK_DIGEST, hub.digest(hub.last // 2)), (2, STOCK_DIGEST, hub.digest(hub.last))) for hub in HUBS
]


def state(path: Path) -> dict[str, list[Any]]:
    with closing(open_reader(path)) as db:
        return {name: db.execute(sql).fetchall() for name, sql in STATE.items()}


def in_order() -> dict[str, list[Any]]:
    with tempfile.TemporaryDirectory() as directory, Desk(Path(directory) / "fleet.db") as desk:
        for hub, digest in zip(HUBS, DIGESTS, strict=True):
            desk.give(*hub.batches(5), digest)
        return state(desk.path)


ONCE_IN_ORDER = in_order()


def cut(hub: FakeHub, sizes: list[int]) -> list[Arrival]:
    """The journal as batches of these sizes, over and over."""
    batches, first, turn = [], 1, 0
    while first <= hub.last:
        last = min(hub.last, first + sizes[turn % len(sizes)] - 1)
        batches.append(hub.batch(first, last))
        first, turn = last + 1, turn + 1
    return batches


def resend(desk: Desk, hub: FakeHub) -> None:
    """What a hub does until all is acknowledged: send again from the last ack."""
    for _ in range(hub.last + 1):
        known = desk.acks.get((hub.name, Stream.EV, hub.inc))
        upto = known.upto if known else 0
        if upto == hub.last:
            return
        desk.give(hub.batch(upto + 1, min(upto + 4, hub.last)))
    raise AssertionError("the hub never gets rid of its events")


sizes = st.lists(st.integers(1, 9), min_size=1, max_size=4)


schedules = given(
    cuts=st.lists(sizes, min_size=4, max_size=4), seed=st.integers(0, 2**32), loss=st.sampled_from([0.0, 0.3])
)


@settings(max_examples=40, deadline=None)
@schedules
def test_g_8_any_order_loss_and_repetition_end_in_the_same_state(cuts: list[list[int]], seed: int, loss: float) -> None:
    play(cuts, seed, loss)


@pytest.mark.proof
@pytest.mark.timeout(900)
@settings(max_examples=5000, deadline=None)
@schedules
def test_g_8_thousands_of_schedules_end_in_the_same_state(cuts: list[list[int]], seed: int, loss: float) -> None:
    play(cuts, seed, loss)


def play(cuts: list[list[int]], seed: int, loss: float) -> None:
    dice = random.Random(seed)
    sent = [batch for hub, each in zip(HUBS, cuts, strict=True) for batch in cut(hub, each)] + DIGESTS * 2
    sent += [arrival for arrival in sent if dice.random() < 0.3]
    dice.shuffle(sent)
    arriving = [arrival for arrival in sent if dice.random() >= loss]
    with tempfile.TemporaryDirectory() as directory, Desk(Path(directory) / "fleet.db") as desk:
        while arriving:
            group = dice.randint(1, 6)
            desk.give(*arriving[:group])
            del arriving[:group]
        for hub in HUBS:
            resend(desk, hub)
        desk.give(*DIGESTS)
        assert state(desk.path) == ONCE_IN_ORDER


def test_once_in_order_is_what_the_hubs_hold(desk: Desk) -> None:
    """The state everything is compared with is the right one: every digest equal, no gap, no double."""
    assert [row[4:] for row in ONCE_IN_ORDER["digest"]] == [("equal", "")] * 8
    assert len(ONCE_IN_ORDER["event"]) == sum(hub.last for hub in HUBS)
    for hub in HUBS:
        desk.give(*hub.batches(5))
    for hub in HUBS:
        desk.assert_holds(hub)


@pytest.mark.parametrize("fault", ["drops what is held", "acks the high water", "counts twice"])
def test_a_collector_with_a_fault_is_found_out(fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Negative control: the comparison above fails for each of these mistakes."""
    first, other = HUBS[0], HUBS[3]
    with Desk(tmp_path / "fleet.db") as desk:
        if fault == "drops what is held":
            monkeypatch.setattr(events, "_hold", lambda *_: None)
            desk.give(first.batch(10, first.last), first.batch(1, 9))
        elif fault == "acks the high water":
            save = streams.save
            monkeypatch.setattr(streams, "save", lambda w, k, s: save(w, k, s._replace(upto=s.high)))
            desk.give(first.batch(1, 3), first.batch(10, first.last))
        else:
            extend = events.lineage.extend
            monkeypatch.setattr(events.lineage, "extend", lambda *a: (extend(*a), extend(*a)))
            desk.give(first.batch())
        desk.give(*(hub.batch() for hub in HUBS[1:3]), other.batch(), *DIGESTS)
        assert state(desk.path) != ONCE_IN_ORDER
