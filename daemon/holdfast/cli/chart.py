"""A pack's energy against time, as a few lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text

EIGHTHS = " ▁▂▃▄▅▆▇█"
HEIGHT = 8
LEFT = 8
"""Columns of the axis."""
BEYOND = 1.08
"""How far past the event's end, or the pack's, the chart goes."""


def energy_chart(
    *,
    usable: float,
    watts: float,
    reserve: float,
    hours: float,
    width: int,
    label: Callable[[float], str],
) -> Text:
    """What is expected to be left, with the reserve as a line and the event's end as a mark; watt-hours and hours.

    `label` names an hour from now.
    """
    columns = max(width - LEFT - 2, 20)
    lasts = usable / watts if watts > 0 else hours
    span = max(min(lasts, 2 * hours), hours) * BEYOND or 1.0
    full = max(usable, reserve, 1e-9)
    end = min(round(hours / span * columns), columns - 1)
    level = min(round(reserve / full * HEIGHT), HEIGHT - 1)
    left = [max(usable - watts * (column + 0.5) / columns * span, 0.0) for column in range(columns)]
    chart = Text()
    for row in range(HEIGHT - 1, -1, -1):
        chart.append(f"{_axis(row, level, full, reserve):>{LEFT - 2}} ", "dim")
        chart.append("┤" if row in (HEIGHT - 1, level, 0) else "│", "dim")
        for column in range(columns):
            _cell(chart, left[column] / full * HEIGHT - row, line=row == level, end=column == end)
            chart.stylize(_style(left[column], reserve, past=column > end), len(chart) - 1, len(chart))
        chart.append("\n")
    chart.append(" " * (LEFT - 1) + "└" + "─" * columns + "\n", "dim")
    chart.append(_times(columns, end, label, hours, span), "dim")
    return chart


def _axis(row: int, level: int, full: float, reserve: float) -> str:
    if row == HEIGHT - 1:
        return f"{full:.0f} Wh"
    if row == level and level:
        return f"{reserve:.0f} Wh"
    return "0 Wh" if row == 0 else ""


def _cell(chart: Text, height: float, *, line: bool, end: bool) -> None:
    eighths = EIGHTHS[round(min(max(height, 0.0), 1.0) * 8)]
    if end:
        chart.append("┃")
    elif eighths == " " and line:
        chart.append("╌")
    else:
        chart.append(eighths)


def _style(left: float, reserve: float, *, past: bool) -> str:
    if left < reserve:
        return "red"
    return "dim green" if past else "green"


def _times(columns: int, end: int, label: Callable[[float], str], hours: float, span: float) -> str:
    """Now, the end under its mark, and where the chart stops."""
    last, marked = label(span), f"end {label(hours)}"
    line = [" "] * (LEFT + columns)
    for at, text in ((LEFT + end - len(marked) // 2, marked), (LEFT, "now"), (LEFT + columns - len(last), last)):
        start = max(min(at, LEFT + columns - len(text)), LEFT)
        if not "".join(line[max(start - 1, 0) : start + len(text) + 1]).strip():
            line[start : start + len(text)] = text
    return "".join(line)
