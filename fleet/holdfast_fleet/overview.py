"""The fleet at a glance: one row per hub, worst first."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from holdfast_contract.record import ClockQuality
from holdfast_contract.wire import Birth, Presence, Stream, unpack
from holdfast_fleet import lineage
from holdfast_fleet.digests import Verdict

SILENT_MS = 3_600_000
"""An online hub not heard of for this long is silent; nobody knows how it is."""
BEHIND = 50
"""Events not committed yet beyond which a hub is catching up."""
CONDITIONS = (
    "fork",
    "digest_differs",
    "rejected",
    "gap",
    "lost",
    "silent",
    "behind",
    "unknown",
    "offline",
    "draining",
    "online",
)
"""Worst first."""


class HubView(msgspec.Struct, frozen=True, kw_only=True):
    """One hub as headquarters sees it; its newest incarnation where nothing else is said."""

    hub: str
    condition: str
    """The worst of CONDITIONS that applies."""
    presence: str
    seen_at: int
    """UTC milliseconds of the last message, 0 for never."""
    inc: int = 0
    upto: int = 0
    """Last seq committed and acknowledged."""
    behind: int = 0
    """Events the hub is known to hold beyond that."""
    since: int = 0
    """UTC milliseconds of the last commit."""
    held: int = 0
    """Batches waiting behind a gap."""
    duplicates: int = 0
    forks: int = 0
    orphans: int = 0
    """Records of older incarnations that the newest does not continue from."""
    quarantined: int = 0
    digest: str = "unknown"
    """`equal`, `differs` or `unknown`."""
    digest_as_of: int = 0
    clock: str = "unknown"
    """The hub's own word: `synced`, `holdover`, `unset`."""
    clock_offset_ms: int | None = None
    """Headquarters' clock less the hub's at its last batch, transit included."""
    software: str = ""
    speed: int = 1
    """More than 1 marks a demo."""


_FACTS = """
SELECT h.hub, h.presence, h.seen_at, h.offset_ms, h.birth, h.quarantined,
  (SELECT max(at) FROM quarantine q WHERE q.hub = h.hub),
  s.inc, s.upto, s.high, s.duplicates, s.forked, s.committed_at,
  (SELECT count(*) FROM held WHERE held.hub = h.hub), (SELECT count(*) FROM fork WHERE fork.hub = h.hub)
FROM hub h LEFT JOIN stream s ON s.hub = h.hub AND s.st = ?1
  AND s.inc = (SELECT max(inc) FROM stream WHERE hub = h.hub AND st = ?1)
WHERE h.hub <> ''
"""


def hubs(db: sqlite3.Connection, now: int) -> list[HubView]:
    """Every hub, worst first. `now` is UTC milliseconds."""
    views = [_hub(db, row, now) for row in db.execute(_FACTS, (Stream.EV,)).fetchall()]
    return sorted(views, key=lambda view: (CONDITIONS.index(view.condition), -view.behind, view.hub))


def _hub(db: sqlite3.Connection, row: tuple[Any, ...], now: int) -> HubView:
    hub, presence, seen_at, offset, packed, quarantined, rejected_at, *stream = row
    inc, upto, high, duplicates, forked, since, held, forks = [value or 0 for value in stream]
    birth = None if packed is None else unpack(packed, Birth)
    born_high = birth.next - 1 if birth is not None and birth.inc == inc else 0
    behind = max(0, high - upto, born_high - upto)
    verdict, as_of = _last_verdict(db, hub, inc)
    worst = {
        "fork": bool(forked),
        "digest_differs": verdict == Verdict.DIFFERS,
        "rejected": (rejected_at or 0) > since,
        "gap": high > upto,
        "lost": presence == Presence.LOST,
        "silent": presence == Presence.ONLINE and now - seen_at > SILENT_MS,
        "behind": behind > BEHIND,
        presence: True,
    }
    return HubView(
        hub=hub,
        condition=next(condition for condition in CONDITIONS if worst.get(condition)),
        presence=presence,
        seen_at=seen_at,
        inc=inc,
        upto=upto,
        behind=behind,
        since=since,
        held=held,
        duplicates=duplicates,
        forks=forks,
        orphans=lineage.orphans(db, hub),
        quarantined=quarantined,
        digest=verdict,
        digest_as_of=as_of,
        clock=_clock(birth),
        clock_offset_ms=offset,
        software="" if birth is None else birth.software,
        speed=1 if birth is None else birth.speed,
    )


def _last_verdict(db: sqlite3.Connection, hub: str, inc: int) -> tuple[str, int]:
    row = db.execute(
        "SELECT verdict, as_of FROM digest WHERE hub = ? AND inc = ? AND verdict IN (?,?) ORDER BY as_of DESC LIMIT 1",
        (hub, inc, Verdict.EQUAL, Verdict.DIFFERS),
    ).fetchone()
    return (str(row[0]), int(row[1])) if row else ("unknown", 0)


def _clock(birth: Birth | None) -> str:
    if birth is None or birth.clk not in set(ClockQuality):
        return "unknown"
    return ClockQuality(birth.clk).name.lower()
