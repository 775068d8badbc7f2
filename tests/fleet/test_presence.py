"""Births and deaths arrive late, twice and in any order; what is shown is the last thing that was true."""

from __future__ import annotations

from itertools import permutations

import pytest

from fleet.desk import Desk
from fleet.hubs import FakeHub
from holdfast_contract.wire import Presence
from holdfast_fleet.messages import Arrival

HUB = FakeHub()


def presence(desk: Desk) -> str:
    return str(desk.one("SELECT presence FROM hub WHERE hub = ?", HUB.name))


def test_a_birth_brings_a_hub_online(desk: Desk) -> None:
    desk.give(HUB.birth())
    assert presence(desk) == "online"
    assert desk.heard == ["born", "online"]


def test_a_batch_alone_says_nothing_about_presence(desk: Desk) -> None:
    desk.give(HUB.batch())
    assert presence(desk) == "unknown"


@pytest.mark.parametrize("death", [Presence.LOST, Presence.OFFLINE])
def test_the_death_of_this_connection_counts(desk: Desk, death: Presence) -> None:
    desk.give(HUB.birth(boot=2, conn=5), HUB.status(death, boot=2, conn=5))
    assert presence(desk) == death


@pytest.mark.parametrize(("boot", "conn"), [(2, 4), (1, 9)])
def test_a_death_older_than_the_last_birth_is_ignored(desk: Desk, boot: int, conn: int) -> None:
    desk.give(HUB.birth(boot=2, conn=5), HUB.status(Presence.LOST, boot=boot, conn=conn))
    assert presence(desk) == "online"


def test_a_retained_birth_delivered_again_does_not_raise_the_dead(desk: Desk) -> None:
    desk.give(HUB.birth(boot=2, conn=5), HUB.status(Presence.LOST, boot=2, conn=5), HUB.birth(boot=2, conn=5))
    assert presence(desk) == "lost"


MESSAGES = {
    "first birth": HUB.birth(boot=1, conn=1),
    "first will": HUB.status(Presence.LOST, boot=1, conn=1),
    "second birth": HUB.birth(boot=1, conn=2),
    "online": HUB.status(Presence.ONLINE, boot=1, conn=2),
}


@pytest.mark.parametrize("order", list(permutations(MESSAGES)))
def test_any_order_of_a_reconnect_ends_online(desk: Desk, order: tuple[str, ...]) -> None:
    desk.give(*(MESSAGES[name] for name in order))
    assert presence(desk) == "online"


@pytest.mark.parametrize("order", list(permutations(["first birth", "first will"])))
def test_any_order_of_a_loss_ends_lost(desk: Desk, order: tuple[str, ...]) -> None:
    desk.give(*(MESSAGES[name] for name in order))
    assert presence(desk) == "lost"


def test_a_rebuilt_hub_counts_its_starts_anew(desk: Desk) -> None:
    rebuilt = FakeHub(jid=8, prior=HUB, prior_seq=1)
    desk.give(HUB.birth(boot=40, conn=3), HUB.status(Presence.LOST, boot=40, conn=3), rebuilt.birth(boot=1, conn=1))
    assert presence(desk) == "online"


def test_a_hub_cannot_speak_for_another(desk: Desk) -> None:
    topic = FakeHub("hub-2").birth().topic
    desk.give(Arrival(topic, HUB.birth().payload), Arrival(topic.replace("birth", "up/ev"), HUB.batch().payload))
    assert desk.rows("SELECT hub, reason FROM quarantine") == [("hub-2", "wrong_writer")] * 2
    assert not desk.acks
    assert desk.one("SELECT count(*) FROM event") == 0
