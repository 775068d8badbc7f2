"""The table people read, and the same for programs."""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from measure import Row, count


class Machine(msgspec.Struct, frozen=True):
    """What the figures were taken on, and how busy it was before."""

    processor: str
    cores: int
    memory_mib: int
    kernel: str
    python: str
    sqlite: str
    load: float


class Report(msgspec.Struct, frozen=True):
    machine: Machine
    quick: bool
    rows: dict[str, list[Row]]
    """By bench."""
    failed: dict[str, str]
    """Why a bench could not run."""


def look_around() -> Machine:
    """This machine, now."""
    processors = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name")[2]
    return Machine(
        processor=processors.partition(":")[2].partition("\n")[0].strip() or platform.machine(),
        cores=os.cpu_count() or 0,
        memory_mib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        kernel=platform.release(),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        load=round(os.getloadavg()[0], 2),
    )


def figure(value: float, unit: str) -> str:
    """Three digits that mean something."""
    if abs(value) >= 100:
        return f"{count(value)} {unit}"
    return f"{value:.{1 if abs(value) >= 10 else 2}f} {unit}"


def ratio(ours: float, theirs: float) -> str:
    if not (ours and theirs):
        return ""
    factor = ours / theirs
    return f"x {factor:.0f}" if factor >= 100 else f"x {factor:.1f}" if factor >= 10 else f"x {factor:.2f}"


def show(report: Report, console: Console) -> None:
    """Print machine and table."""
    m = report.machine
    console.print(
        f"{m.processor}, {m.cores} cores, {m.memory_mib} MiB; Linux {m.kernel}, Python {m.python}, SQLite {m.sqlite}; "
        f"load {m.load} at the start{'; quick' if report.quick else ''}"
    )
    table = Table(show_lines=True, expand=True)
    for heading in ("what", "holdfast", "instead", "ours / theirs", "goal", "met"):
        table.add_column(heading, justify="right" if heading in ("holdfast", "ours / theirs") else "left")
    for rows in report.rows.values():
        for row in rows:
            table.add_row(*cells(row))
    for name, why in report.failed.items():
        table.add_row(name, "[red]could not run[/]", why, "", "", "")
    console.print(table)


def cells(row: Row) -> list[str]:
    met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[row.met]
    return [
        row.what + (f"\n[dim]{row.note}[/]" if row.note else ""),
        figure(row.value, row.unit),
        "\n".join(f"{figure(beside.value, row.unit)}  {beside.what}" for beside in row.beside),
        "\n".join(ratio(row.value, beside.value) for beside in row.beside),
        row.goal,
        met,
    ]
