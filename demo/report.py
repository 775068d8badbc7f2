"""What is left of a run: a table, a verdict, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from audit import Check, Evidence


@dataclass(frozen=True, slots=True)
class Run:
    """Figures of the run itself. Seconds, unless a name says otherwise."""

    seed: int
    speed: int
    seconds: float
    ringing: float
    closing_and_drain: float
    starts: tuple[float, ...]
    stages: tuple[int, ...]
    scans: int
    latencies: tuple[float, ...]
    """Scan's bytes sent to light seen."""
    interrupted: int
    """Times the cashier had to look what the hub remembers."""
    papers: int
    sent_events: int
    """By the hub's own count when last looked at, over all its runs."""
    sent_bytes: int


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of them does not exceed; 0 when there are none."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(len(ordered) * share * 1000) // 1000) - 1)] if ordered else 0.0


def figures(evidence: Evidence, run: Run) -> dict[str, Any]:
    """Everything a reader may want to know, in plain values. Money in minor units, latencies in milliseconds."""
    e, book, day = evidence, evidence.book, evidence.day
    # What a stopping hub sends after its doors are closed is not in its own count: never less than what arrived.
    sends = max(run.sent_events, e.core.records + e.core.duplicates)
    return {
        "day": day.date,
        "file": {"rows": day.rows, "pence": day.value},
        "baskets": {"served": book.baskets, "without a sale": book.unsold},
        "rows": {"rung": book.rung, "refused": dict(book.refused), "left out": dict(day.left_out)},
        "pence": {
            "rung": book.rung_value,
            "refused": dict(book.refused_value),
            "left out": dict(day.left_out_value),
        },
        "receipts": {
            "sold": len(book.sales),
            "originals on paper": e.paper.whole.total(),
            "torn": sorted(e.paper.torn),
            "late": e.paper.late.total(),
            "in doubt, copied": sorted(e.offered),
            "papers in all": run.papers,
        },
        "events": {
            "hub": e.hub.head,
            "headquarters": e.core.records,
            "sends per event": round(sends / max(e.core.records, 1), 3),
            "bytes on the wire per event": round(run.sent_bytes / max(e.core.records, 1), 1),
        },
        "scan to light, ms": {
            "p50": _ms(run.latencies, 0.50),
            "p95": _ms(run.latencies, 0.95),
            "p99": _ms(run.latencies, 0.99),
            "max": _ms(run.latencies, 1.0),
            "scans": run.scans,
        },
        "run": {name: value for name, value in asdict(run).items() if name not in _ELSEWHERE},
    }


_ELSEWHERE = frozenset({"latencies", "scans", "papers", "sent_events", "sent_bytes"})


def _ms(latencies: Sequence[float], share: float) -> float:
    return round(1000 * percentile(latencies, share), 2)


def show(console: Console, told: Mapping[str, Any], checks: Sequence[Check]) -> None:
    """The figures, then every check, then the verdict."""
    table = Table("", "", show_header=False, title=f"{told['day']} at the counter", title_justify="left")
    for group, values in told.items():
        if isinstance(values, Mapping):
            table.add_row(f"[bold]{group}", ", ".join(f"{name} {_plain(value)}" for name, value in values.items()))
    console.print(table)
    results = Table("", "compared", "seen", title="Verdict", title_justify="left")
    for check in checks:
        mark = "[green]equal[/]" if check.ok else "[bold red]DIFFERS[/]"
        results.add_row(mark, check.name, check.seen)
    console.print(results)


def _plain(value: Any) -> str:
    match value:
        case {}:
            return "none" if not value else " + ".join(f"{name} {count}" for name, count in value.items())
        case list() | tuple():
            return " ".join(str(part) for part in value) or "none"
        case float():
            return f"{value:g}"
        case _:
            return str(value)
