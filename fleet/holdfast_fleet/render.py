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
NUMBERS = {"behind", "inc", "seq", "quantity", "amount", "right records", "first bad seq", "as of seq"}
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
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(table(what))


def line(notice: Notice) -> str:
    """One change, for people."""
    text = _printable(f"{_clock(now())} {notice.line()}")
    return f"READY {text}" if notice.kind == "ready" else text


def json_line(notice: Notice) -> str:
    """One change, for programs: `{at, kind, hub, …facts}`."""
    return msgspec.json.encode({"at": now(), "kind": notice.kind, "hub": notice.hub, **notice.facts}).decode()


def _table(*columns: str, title: str = "") -> Table:
    """A column named `body` takes the width that is left; `notes` and `head` take more lines instead."""
    table = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left", min_width=len(title) + 2)
    table.expand = "body" in columns
    for column in columns:
        table.add_column(
            column,
            no_wrap=column not in {"notes", "head"},
            overflow="ellipsis" if column == "body" else "fold",
            ratio=1 if column == "body" else None,
            justify="right" if column in NUMBERS else "left",
        )
    return table


def _add(table: Table, *cells: object) -> None:
    table.add_row(*(_printable(str(cell)) for cell in cells))


def _printable(text: str) -> str:
    """What hubs say is shown, never obeyed: no escape sequence reaches the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


def hubs(views: list[HubView]) -> Table:
    table = _table("hub", "condition", "seen", "committed", "behind", "digest", "clock", "notes")
    for view in views:
        _add(
            table,
            view.hub,
            view.condition,
            _age(now() - view.seen_at) if view.seen_at else "never",
            f"{view.inc}/{view.upto}",
            f"{view.behind} for {_age(now() - view.since)}" if view.behind and view.since else view.behind,
            view.digest if view.digest == "unknown" else f"{view.digest} @{view.digest_as_of}",
            view.clock,
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
    offset = abs(view.clock_offset_ms or 0)
    if view.speed > 1:
        notes.append(f"demo x{view.speed}")
    elif offset > CLOCK_OFF_MS:
        notes.append(f"clock off {_age(offset)}")
    return ", ".join(notes)


def events(views: list[EventView]) -> Table:
    table = _table("inc", "seq", "hub time", "type", "subject", "actor", "flag", "body")
    for view in views:
        flags = " ".join(filter(None, (view.flag, "orphaned" if view.orphaned else "")))
        body = msgspec.json.encode(view.body).decode()
        when = _clock(view.at) + ("" if view.clock == "synced" else f" {view.clock}")
        _add(table, view.inc, view.seq, when, view.type, view.subject, view.actor, flags, body)
    return table


def stock(found: dict[str, Any]) -> Table:
    table = _table("sku", "place", "quantity", title=_title(found))
    for sku, places in found["stock"].items():
        for place, quantity in places.items():
            _add(table, sku, place, quantity)
    return table


def money(found: dict[str, Any]) -> Table:
    accounts: dict[str, int] = found["money"]
    table = _table("account", "amount", title=_title(found))
    for account, amount in accounts.items():
        _add(table, account, amount)
    _add(table, "sum", sum(accounts.values()))
    return table


def audits(found: list[Audit]) -> Table:
    table = _table("hub", "inc", "right records", "verdict", "first bad seq", "head")
    for audit in found:
        verdict = f"BAD: {audit.problem}" if audit.problem else "ok"
        bad = "" if audit.bad_seq is None else audit.bad_seq
        _add(table, audit.hub, audit.inc, audit.records, verdict, bad, audit.head)
    return table


def digests(views: list[DigestView]) -> Table:
    table = _table("inc", "as of seq", "verdict", "differs in", "received")
    for view in views:
        _add(table, view.inc, view.as_of, view.verdict, view.differs, _clock(view.at))
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
