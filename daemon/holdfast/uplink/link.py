"""Whether the hub can reach headquarters, in four words: a table over what is measured. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

HEARTBEAT_FRESH_S = 45.0
"""Headquarters' heartbeat comes every 30 s; up to this age it is well."""
HEARTBEAT_DEAD_S = 90.0
SLOW_S = 2.0
"""A round trip longer than this is a poor link."""
NO_SESSION_S = 15.0
"""Without a broker session for this long the hub is offline."""
SETTLED_LAG = 50
"""Events not yet acknowledged that do not count as a backlog."""


class Link(StrEnum):
    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    CATCHING_UP = "catching_up"


class Reach(Enum):
    """How well headquarters can be reached right now."""

    GOOD = "good"
    POOR = "poor"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Signals:
    """What the link is judged by. Seconds on the monotonic clock."""

    session_down: float
    """Since when there is no broker session; 0 while there is one."""
    heartbeat_age: float | None
    """None: headquarters has not been heard in this process."""
    round_trip: float | None
    lag: int
    """Events committed here and not yet acknowledged."""
    digest_acked: bool
    """Headquarters has the digest made since the hub was last offline."""


def reach(signals: Signals) -> Reach:
    """Judge the present, whatever came before."""
    age = signals.heartbeat_age
    if age is None or age > HEARTBEAT_DEAD_S or signals.session_down > NO_SESSION_S:
        return Reach.NONE
    slow = signals.round_trip is not None and signals.round_trip > SLOW_S
    if signals.session_down or age > HEARTBEAT_FRESH_S or slow:
        return Reach.POOR
    return Reach.GOOD


# From a state, by reach. Only catching up asks whether the backlog is settled: it is left for ONLINE when it is.
TABLE: dict[Link, dict[Reach, Link]] = {
    Link.ONLINE: {Reach.GOOD: Link.ONLINE, Reach.POOR: Link.DEGRADED, Reach.NONE: Link.OFFLINE},
    Link.DEGRADED: {Reach.GOOD: Link.ONLINE, Reach.POOR: Link.DEGRADED, Reach.NONE: Link.OFFLINE},
    Link.OFFLINE: {Reach.GOOD: Link.CATCHING_UP, Reach.POOR: Link.OFFLINE, Reach.NONE: Link.OFFLINE},
    Link.CATCHING_UP: {Reach.GOOD: Link.CATCHING_UP, Reach.POOR: Link.CATCHING_UP, Reach.NONE: Link.OFFLINE},
}


def step(link: Link, signals: Signals) -> Link:
    """The state that follows."""
    now = reach(signals)
    settled = signals.lag <= SETTLED_LAG and signals.digest_acked
    if link is Link.CATCHING_UP and now is Reach.GOOD and settled:
        return Link.ONLINE
    return TABLE[link][now]
