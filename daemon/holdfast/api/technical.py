"""How the hub is: its record, its devices, its link to headquarters, its paper. For a technician who asks why."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from holdfast.api.answers import answer, number, rfc3339
from holdfast.api.devices import devices
from holdfast.api.documents import number_of
from holdfast.api.ports import OFF, FindingReport, Hub
from holdfast.domain import jobs
from holdfast_contract.board import FINDINGS
from holdfast_contract.events import decode_body
from holdfast_contract.power import PowerStatement
from holdfast_contract.reasons import FAULTS, REASONS
from holdfast_contract.record import decode_record

STALL_SECONDS = 30.0
"""A writer without a sign of life for this long is stuck: longer than a storage card stalls."""
MAX_JOBS = 200
STAGES = ("normal", "conserve", "shed", "critical", "shutdown")

DOCUMENT_JOBS = frozenset({jobs.RECEIPT, jobs.COPY, jobs.Z_REPORT})


async def health(hub: Hub, _: web.Request) -> web.Response:
    """200 while the record can be written, else 503."""
    idle = time.monotonic() - hub.journal.writer_progress
    writes = not hub.journal.failed.done()
    healthy = writes and idle < STALL_SECONDS
    facts = {"ok": healthy, "journal": "writes" if writes else "failed", "writer_idle_s": round(idle, 1)}
    return answer(facts, status=200 if healthy else 503)


async def status(hub: Hub, _: web.Request) -> dict[str, Any]:
    """Everything on one screen."""
    journal, own = hub.journal, hub.config.hub
    return {
        "hub": {"id": own.id, "code": own.code, "name": own.name, "currency": own.currency, "exponent": own.exponent},
        "version": hub.version,
        "clock": {"at": rfc3339(hub.clock.wall_ms()), "quality": hub.clock.quality().name.lower()},
        "journal": {
            "seq": journal.head.seq,
            "hash": journal.head.hash.hex(),
            "inc": journal.genesis.inc,
            "jid": f"{journal.genesis.jid:016x}",
            "boot": journal.boot,
            "public_key": journal.genesis.key.hex(),
            "waiting": journal.waiting,
            "free_bytes": journal.space.free,
            "moved_aside": journal.opened.moved_aside.name if journal.opened.moved_aside else None,
        },
        "outbox": await outbox(hub),
        "devices": (await devices(hub))["devices"],
        "power": await power(hub),
        "board": await board(hub),
        "shop": await _shop(hub),
        "spool": await _job_counts(hub),
    }


async def outbox(hub: Hub, _: web.Request | None = None) -> dict[str, Any]:
    """What headquarters has not committed yet; nothing waits for one that is not configured."""
    report, head = hub.uplink(), hub.journal.head.seq
    waiting = max(0, head - report.acked) if report.state != OFF else 0
    oldest = await hub.journal.records(report.acked, limit=1, max_bytes=1) if waiting else []
    at = decode_record(oldest[0].record).at if oldest else None
    return {
        "state": report.state,
        "head": head,
        "acked": report.acked,
        "waiting": waiting,
        "oldest_at": None if at is None else rfc3339(at),
        "oldest_age_s": None if at is None else max(0, hub.clock.wall_ms() - at) // 1000,
        "sent_bytes": report.sent_bytes,
        "sent_events": report.sent_events,
        "error": report.error,
    }


async def power(hub: Hub, _: web.Request | None = None) -> dict[str, Any]:
    """The battery, if there is one. A null is what nobody knows."""
    report = hub.power()
    if report is None:
        return {"battery": False}
    return {
        "battery": True,
        "stage": report.stage,
        "stage_name": STAGES[report.stage],
        "mains": report.mains.value,
        "charge_permille": report.charge_permille,
        "cell_mv": report.cell_mv,
        "minutes_left": report.minutes_left,
        **report.battery,
    }


async def power_report(hub: Hub, _: web.Request) -> dict[str, Any]:
    """The energy account of the last event; null when none has ended."""
    rows = await hub.journal.query("SELECT max(seq) FROM energy_statement")
    if not rows or rows[0][0] is None:
        return {"seq": None, "statement": None}
    (stored,) = await hub.journal.records(rows[0][0] - 1, limit=1, max_bytes=1)
    body = decode_body(decode_record(stored.record))
    assert isinstance(body, PowerStatement), "the table is projected from these alone"
    told = {field: getattr(body, field) for field in body.__struct_fields__}
    return {"seq": stored.seq, "statement": told}


async def board(hub: Hub, _: web.Request | None = None) -> dict[str, Any]:
    """The machine the hub runs on: what is well, what is not and what to do, what nobody knows."""
    report = hub.board()
    return {"model": report.model, "findings": [_finding(finding) for finding in report.findings]}


def _finding(finding: FindingReport) -> dict[str, Any]:
    meaning, remedy = FINDINGS.get(finding.key, ("", ""))
    return {
        "topic": finding.topic,
        "well": finding.well.value,
        "value": finding.value,
        "key": finding.key,
        "meaning": meaning,
        "remedy": remedy,
        "age_s": round(finding.age_s, 1),
        "since_s": round(finding.since_s, 1),
    }


async def spool(hub: Hub, request: web.Request) -> dict[str, Any]:
    """Paper that waits, and paper nobody can vouch for: look at the printer, then ask for a copy or leave it."""
    limit = number(request, "limit", default=50, least=1, most=MAX_JOBS)
    rows = await hub.journal.query(
        "SELECT s.job, s.kind, s.state, s.at, s.why, u.job, j.record FROM spool s"
        " LEFT JOIN unknown_paper u ON u.job = s.job LEFT JOIN journal j ON j.seq = s.ref"
        " WHERE s.state <> 'printed' ORDER BY s.job DESC LIMIT ?",
        limit,
    )
    found = [
        {
            "job": job,
            "kind": kind,
            "state": state,
            "at": rfc3339(at),
            "why": why or "",
            "number": number_of(hub, decode_record(record)) if record and kind in DOCUMENT_JOBS else None,
            "offered": doubtful is not None,
        }
        for job, kind, state, at, why, doubtful, record in rows
    ]
    return {"counts": await _job_counts(hub), "jobs": found}


async def badges(hub: Hub, _: web.Request) -> dict[str, Any]:
    """Badges issued here, revoked ones too. Never their tags."""
    rows = await hub.journal.query(
        "SELECT b.badge, b.name, b.role, b.revoked, s.station FROM badge b"
        " LEFT JOIN station s ON s.badge = b.badge ORDER BY b.revoked, b.name, b.badge"
    )
    return {
        "badges": [
            {"badge": badge, "name": name, "role": role, "revoked": bool(revoked), "station": station}
            for badge, name, role, revoked, station in rows
        ]
    }


async def reasons(_: Hub, __: web.Request) -> dict[str, Any]:
    """Every reason this hub refuses with, and every fault of a device."""
    return {"reasons": _told(REASONS), "faults": _told(FAULTS)}


def _told(table: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    return [{"reason": code, "meaning": m, "remedy": r} for code, (m, r) in sorted(table.items())]


async def _shop(hub: Hub) -> dict[str, Any]:
    shift = await hub.journal.query("SELECT shift, z FROM shift ORDER BY shift DESC LIMIT 1")
    catalogue = await hub.journal.query("SELECT version, rows FROM catalogue")
    carts = await hub.journal.query("SELECT count(*), coalesce(sum(parked > 0), 0) FROM cart")
    stations = await hub.journal.query(
        "SELECT s.station, s.training, b.name, b.role FROM station s LEFT JOIN badge b ON b.badge = s.badge"
        " ORDER BY s.station"
    )
    discrepancies = await hub.journal.query("SELECT count(*) FROM discrepancy")
    return {
        "shift": f"s{shift[0][0]}" if shift and not shift[0][1] else None,
        "catalogue": {"version": catalogue[0][0], "rows": catalogue[0][1]} if catalogue else None,
        "carts": carts[0][0],
        "parked": carts[0][1],
        "discrepancies": discrepancies[0][0],
        "stations": [
            {"station": station, "training": bool(training), "name": name, "role": role}
            for station, training, name, role in stations
        ],
    }


async def _job_counts(hub: Hub) -> dict[str, int]:
    return dict(await hub.journal.query("SELECT state, count(*) FROM spool GROUP BY state ORDER BY state"))
