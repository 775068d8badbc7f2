"""The link's four states, every cell of the table."""

from __future__ import annotations

from itertools import product

import pytest

from holdfast.uplink.link import TABLE, Link, Reach, Signals, reach, step

WELL = {"session_down": 0.0, "heartbeat_age": 3.0, "round_trip": 0.05, "lag": 0, "digest_acked": True}


def signals(**changes: object) -> Signals:
    return Signals(**{**WELL, **changes})  # type: ignore[arg-type]  # the test names fields by keyword


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Reach.GOOD),
        ({"heartbeat_age": 45.0}, Reach.GOOD),
        ({"heartbeat_age": 45.1}, Reach.POOR),
        ({"heartbeat_age": 90.0}, Reach.POOR),
        ({"heartbeat_age": 90.1}, Reach.NONE),
        ({"heartbeat_age": None}, Reach.NONE),
        ({"round_trip": 2.0}, Reach.GOOD),
        ({"round_trip": 2.1}, Reach.POOR),
        ({"round_trip": None}, Reach.GOOD),
        ({"session_down": 0.1}, Reach.POOR),
        ({"session_down": 15.0}, Reach.POOR),
        ({"session_down": 15.1}, Reach.NONE),
        ({"session_down": 20.0, "round_trip": 9.0}, Reach.NONE),
        ({"lag": 10_000, "digest_acked": False}, Reach.GOOD),
    ],
)
def test_reach_is_judged_by_the_present_alone(changes: dict[str, object], expected: Reach) -> None:
    assert reach(signals(**changes)) is expected


BY_REACH = {Reach.GOOD: {}, Reach.POOR: {"heartbeat_age": 60.0}, Reach.NONE: {"heartbeat_age": 100.0}}


@pytest.mark.parametrize(
    ("link", "now", "settled", "expected"),
    [
        (Link.ONLINE, Reach.GOOD, True, Link.ONLINE),
        (Link.ONLINE, Reach.GOOD, False, Link.ONLINE),
        (Link.ONLINE, Reach.POOR, True, Link.DEGRADED),
        (Link.ONLINE, Reach.POOR, False, Link.DEGRADED),
        (Link.ONLINE, Reach.NONE, True, Link.OFFLINE),
        (Link.ONLINE, Reach.NONE, False, Link.OFFLINE),
        (Link.DEGRADED, Reach.GOOD, True, Link.ONLINE),
        (Link.DEGRADED, Reach.GOOD, False, Link.ONLINE),
        (Link.DEGRADED, Reach.POOR, True, Link.DEGRADED),
        (Link.DEGRADED, Reach.POOR, False, Link.DEGRADED),
        (Link.DEGRADED, Reach.NONE, True, Link.OFFLINE),
        (Link.DEGRADED, Reach.NONE, False, Link.OFFLINE),
        (Link.OFFLINE, Reach.GOOD, True, Link.CATCHING_UP),
        (Link.OFFLINE, Reach.GOOD, False, Link.CATCHING_UP),
        (Link.OFFLINE, Reach.POOR, True, Link.OFFLINE),
        (Link.OFFLINE, Reach.POOR, False, Link.OFFLINE),
        (Link.OFFLINE, Reach.NONE, True, Link.OFFLINE),
        (Link.OFFLINE, Reach.NONE, False, Link.OFFLINE),
        (Link.CATCHING_UP, Reach.GOOD, True, Link.ONLINE),
        (Link.CATCHING_UP, Reach.GOOD, False, Link.CATCHING_UP),
        (Link.CATCHING_UP, Reach.POOR, True, Link.CATCHING_UP),
        (Link.CATCHING_UP, Reach.POOR, False, Link.CATCHING_UP),
        (Link.CATCHING_UP, Reach.NONE, True, Link.OFFLINE),
        (Link.CATCHING_UP, Reach.NONE, False, Link.OFFLINE),
    ],
)
def test_every_cell_of_the_table(link: Link, now: Reach, settled: bool, expected: Link) -> None:
    assert step(link, signals(**BY_REACH[now], digest_acked=settled)) is expected


def test_the_table_is_complete() -> None:
    assert {(link, now) for link in TABLE for now in TABLE[link]} == set(product(Link, Reach))


@pytest.mark.parametrize(("lag", "digest", "ends"), [(50, True, True), (51, True, False), (0, False, False)])
def test_catching_up_ends_with_a_small_backlog_and_an_acknowledged_digest(lag: int, digest: bool, ends: bool) -> None:
    assert (step(Link.CATCHING_UP, signals(lag=lag, digest_acked=digest)) is Link.ONLINE) == ends


def test_the_only_way_from_offline_to_online_is_to_catch_up() -> None:
    assert all(Link.ONLINE not in {row[now] for now in Reach} for link, row in TABLE.items() if link is Link.OFFLINE)
