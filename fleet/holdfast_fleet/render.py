"""How the commands show things: tables for people, JSON for programs, one line per change while collecting."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from holdfast_fleet.audit import Audit
from holdfast_fleet.overview import HubView
from holdfast_fleet.queries import DigestView, EventView
from holdfast_fleet.work import Notice

T = TypeVar("T")


PIPED_WIDTH = 400
CLOCK_OFF_MS = 5000
"""A hub's clock further off than this, transit included, is worth a note."""


def now() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


def show(what: T, table: Callable[[T], Table], *, as_json: bool) -> None:
    """Print `what`, as JSON or as the table it makes. Piped tables are as wide as they need to be."""
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(what)))
        return
    console = Console()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(table(what))


def line(notice: Notice) -> str:
    """One change, for people."""
    text = f"{_clock(now())} {notice.line()}"
    return f"READY {text}" if notice.kind == "ready" else text


def json_line(notice: Notice) -> str:
    """One change, for programs: `{at, kind, hub, …facts}`."""
    return msgspec.json.encode({"at": now(), "kind": notice.kind, "hub": notice.hub, **notice.facts}).decode()


def hubs(views: list[HubView]) -> Table:
    table = Table("hub", "condition", "seen", "committed", "behind", "digest", "clock", "software", "notes")
    for view in views:
        table.add_row(
            view.hub,
            view.condition,
            _age(now() - view.seen_at) if view.seen_at else "never",
            f"{view.inc}/{view.upto}",
            f"{view.behind} for {_age(now() - view.since)}" if view.behind and view.since else str(view.behind),
            view.digest if view.digest == "unknown" else f"{view.digest} @{view.digest_as_of}",
            view.clock,
            view.software,
            _notes(view),
        )
    return table


def _notes(view: HubView) -> str:
    """Counts worth a look, those that are not zero."""
    counts = {
        "forks": view.forks,
        "refused": view.quarantined,
        "held": view.held,
        "orphans": view.orphans,
        "duplicates": view.duplicates,
    }
    notes = [f"{name} {count}" for name, count in counts.items() if count]
    if abs(view.clock_offset_ms or 0) > CLOCK_OFF_MS:
        notes.append(f"clock off {_age(abs(view.clock_offset_ms or 0))}")
    return ", ".join([*notes, f"demo x{view.speed}"] if view.speed > 1 else notes)


def events(views: list[EventView]) -> Table:
    table = Table("inc", "seq", "hub time", "clock", "type", "subject", "actor", "flag", "body")
    for view in views:
        flags = " ".join(filter(None, (view.flag, "orphaned" if view.orphaned else "")))
        body = msgspec.json.encode(view.body).decode()
        names = (view.clock, view.type, view.subject, view.actor)
        table.add_row(str(view.inc), str(view.seq), _clock(view.at), *names, flags, body)
    return table


def stock(found: dict[str, Any]) -> Table:
    table = Table("sku", "place", "quantity", title=_title(found))
    for sku, places in found["stock"].items():
        for place, quantity in places.items():
            table.add_row(sku, place, str(quantity))
    return table


def money(found: dict[str, Any]) -> Table:
    accounts: dict[str, int] = found["money"]
    table = Table("account", "amount", title=_title(found))
    for account, amount in accounts.items():
        table.add_row(account, str(amount))
    table.add_row("sum", str(sum(accounts.values())), style="bold")
    return table


def audits(found: list[Audit]) -> Table:
    table = Table("hub", "inc", "right records", "verdict", "first bad seq", "head")
    for audit in found:
        verdict = f"BAD: {audit.problem}" if audit.problem else "ok"
        bad = "" if audit.bad_seq is None else str(audit.bad_seq)
        table.add_row(audit.hub, str(audit.inc), str(audit.records), verdict, bad, audit.head)
    return table


def digests(views: list[DigestView]) -> Table:
    table = Table("inc", "as of seq", "verdict", "differs in", "received")
    for view in views:
        table.add_row(str(view.inc), str(view.as_of), view.verdict, view.differs, _clock(view.at))
    return table


def _title(found: dict[str, Any]) -> str:
    return f"{found['hub']}, incarnation {found['inc']}, as of {found['as_of_seq']}"


def _clock(at: int) -> str:
    """UTC to the second; a label no clock could have written is shown as it is."""
    if not at:
        return "never"
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return str(at)


def _age(milliseconds: int) -> str:
    seconds = max(0, milliseconds) // 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
