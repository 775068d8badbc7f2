"""How answers look on a terminal: plain tables, a mark for what is well and what is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.cli.amounts import format_amount

GOOD, DOUBTFUL, BAD = "[green]●[/]", "[yellow]●[/]", "[red]●[/]"
UNKNOWN = "[dim]unknown[/]"
NUMERIC = {"amount", "price", "on hand", "pieces", "job"}
"""Columns that are set to the right."""
WHOLE = {"number", "since", "at", "sku", "badge", "reason"}
"""Columns that are never broken over lines."""


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "none") -> RenderableType:
    """Rows under headings, empty columns left out. Cells may carry markup: the caller `escape`s text from elsewhere."""
    cells = [[str(cell) for cell in row] for row in rows]
    used = [index for index in range(len(columns)) if any(row[index] for row in cells)]
    if not cells:
        return Text.from_markup(f"[bold]{title}[/]: {empty}")
    made = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in (columns[index] for index in used):
        justify: JustifyMethod = "right" if column in NUMERIC else "left"
        made.add_column(column, justify=justify, header_style="dim", overflow="fold", no_wrap=column in WHOLE)
    for row in cells:
        made.add_row(*(row[index] for index in used))
    return made


def facts(pairs: Iterable[tuple[str, Any]]) -> RenderableType:
    """Names to the left, values to the right."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(name, value if isinstance(value, Text) else str(value))
    return made


def stack(*parts: RenderableType) -> RenderableType:
    """One under the other, a line between."""
    spaced: list[RenderableType] = []
    for part in parts:
        spaced += [part, ""]
    return Group(*spaced[:-1])


def marked(text: str) -> Text:
    """Text with markup of our own."""
    return Text.from_markup(text)


def plain(text: str) -> Text:
    """Text as it is, whatever brackets it holds."""
    return Text(text)


def money(answer: dict[str, Any], amount: int) -> str:
    """An amount with the currency the answer names."""
    return f"{format_amount(amount, answer['exponent'])} {answer['currency']}"


def local_time(at: str | float) -> str:
    """An RFC 3339 timestamp, or Unix seconds, in this terminal's time zone."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else datetime.fromtimestamp(at, UTC)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float | None) -> str:
    """`90` is `1 min 30 s`."""
    if seconds is None:
        return "none"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    told = [f"{value} {unit}" for value, unit in parts if value][:2]
    return " ".join(told) or "0 s"


def size(count: int) -> str:
    """Bytes, in the unit that leaves three digits."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"
