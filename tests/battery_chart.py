"""A chart of minutes left over minutes on battery, as SVG for light and dark pages. Nothing but text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 470
LEFT, RIGHT, TOP, BOTTOM = 66, 26, 108, 60
INNER_W, INNER_H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
STEPS = (5, 10, 15, 30, 60, 120)
MOST_LINES = 7
"""Of the grid, in each direction."""
HEADROOM = 1.45
"""The highest value shown, as a multiple of what was really left at the start; what is above leaves the chart."""

LIGHT = {
    "page": "#ffffff", "ink": "#1f2328", "soft": "#59636e", "grid": "#d8dee4",
    "truth": "#1f2328", "ours": "#0969da", "other": "#bc4c00", "mark": "#8250df",
}  # fmt: skip
DARK = {
    "page": "#0d1117", "ink": "#f0f6fc", "soft": "#9198a1", "grid": "#30363d",
    "truth": "#f0f6fc", "ours": "#58a6ff", "other": "#f0883e", "mark": "#bc8cff",
}  # fmt: skip

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    name: str
    role: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Band:
    role: str
    points: Sequence[tuple[float, float, float]]
    """(minute, lowest, highest)."""


@dataclass(frozen=True)
class Mark:
    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Chart:
    title: str
    subtitle: str
    lines: tuple[Line, ...]
    """The first is the truth; it sets the scale."""
    band: Band
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Scale:
    most_x: float
    most_y: float

    def at(self, x: float, y: float) -> str:
        return f"{LEFT + x / self.most_x * INNER_W:.1f},{TOP + INNER_H - y / self.most_y * INNER_H:.1f}"


def drawn(chart: Chart) -> str:
    """The whole picture."""
    truth = chart.lines[0].points
    scale = Scale(truth[-1][0] * 1.02, max(y for _, y in truth) * HEADROOM)
    parts = [
        _frame(chart),
        _grid(scale),
        f'<g clip-path="url(#inside)">{_band(chart.band, scale)}{"".join(_line(x, scale) for x in chart.lines)}</g>',
        *(_mark(mark, scale, number) for number, mark in enumerate(chart.marks)),
        _legend(chart.lines),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _frame(chart: Chart) -> str:
    told = f"{chart.title}: {chart.subtitle}"
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" \
role="img" aria-label="{escape(told)}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">
<style>@media (prefers-color-scheme: dark) {{ {_dark()} }}</style>
<defs><clipPath id="inside"><rect x="{LEFT}" y="{TOP}" width="{INNER_W}" height="{INNER_H}"/></clipPath></defs>
<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{LIGHT["page"]}"/>
{_text(LEFT, 34, chart.title, "ink", size=18, weight=600)}
{_text(LEFT, 56, chart.subtitle, "soft", size=13)}"""


def _dark() -> str:
    fills = [f".{role} {{ fill: {colour} }}" for role, colour in DARK.items()]
    strokes = [f".s-{role} {{ stroke: {colour} }}" for role, colour in DARK.items()]
    return " ".join(fills + strokes)


def _grid(scale: Scale) -> str:
    found = []
    for x in _ticks(scale.most_x):
        px, _ = scale.at(x, 0).split(",")
        found.append(_rule(px, str(TOP), px, str(TOP + INNER_H)))
        found.append(_text(float(px), TOP + INNER_H + 20, _clock(x), "soft", anchor="middle"))
    for y in _ticks(scale.most_y):
        _, py = scale.at(0, y).split(",")
        found.append(_rule(str(LEFT), py, str(LEFT + INNER_W), py))
        found.append(_text(LEFT - 10, float(py) + 4, f"{y:.0f}", "soft", anchor="end"))
    middle = LEFT + INNER_W / 2
    found.append(_text(middle, HEIGHT - 14, "time on battery, h:min", "soft", anchor="middle"))
    found.append(
        f'<g transform="translate(20 {TOP + INNER_H / 2:.0f}) rotate(-90)">'
        f"{_text(0, 0, 'minutes left', 'soft', anchor='middle')}</g>"
    )
    return "\n".join(found)


def _ticks(most: float) -> list[float]:
    step = next(step for step in STEPS if most / step <= MOST_LINES)
    return [float(n * step) for n in range(int(most / step) + 1)]


def _clock(minutes: float) -> str:
    return f"{int(minutes) // 60}:{int(minutes) % 60:02}"


def _rule(x1: str, y1: str, x2: str, y2: str) -> str:
    colour = LIGHT["grid"]
    return f'<line class="s-grid" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="1"/>'


def _band(band: Band, scale: Scale) -> str:
    upper = [scale.at(x, high) for x, _, high in band.points]
    lower = [scale.at(x, low) for x, low, _ in reversed(band.points)]
    points = " ".join(upper + lower)
    return f'<polygon class="{band.role}" points="{points}" fill="{LIGHT[band.role]}" fill-opacity="0.16"/>'


def _line(line: Line, scale: Scale) -> str:
    points = " ".join(scale.at(x, y) for x, y in line.points)
    dashes = ' stroke-dasharray="2 5"' if line.role == "truth" else ""
    width = {"ours": 2.6, "truth": 2.2}.get(line.role, 1.6)
    return (
        f'<polyline class="s-{line.role}" points="{points}" fill="none" stroke="{LIGHT[line.role]}"'
        f' stroke-width="{width}" stroke-linejoin="round" stroke-linecap="round"{dashes}/>'
    )


def _mark(mark: Mark, scale: Scale, number: int) -> str:
    """A point with its words above it, those of several one under the other."""
    x, y = (float(part) for part in scale.at(mark.x, mark.y).split(","))
    words_y, anchor = TOP + 16 + 18 * number, "end" if x > LEFT + INNER_W / 2 else "start"
    words_x = x - 8 if anchor == "end" else x + 8
    colour = LIGHT["mark"]
    return (
        f'<line class="s-mark" x1="{x}" y1="{words_y - 8}" x2="{x}" y2="{y}" stroke="{colour}" stroke-width="1"/>'
        f'<circle class="mark" cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
        f"{_text(words_x, words_y, mark.name, 'mark', anchor=anchor)}"
    )


def _legend(lines: Sequence[Line]) -> str:
    found, x = [], float(LEFT)
    for line in lines:
        sample = Line(line.name, line.role, ((0, 0), (1, 0)))
        found.append(f'<g transform="translate({x:.0f} 82)">{_line(sample, _LEGEND)}</g>')
        found.append(_text(x + 34, 86, line.name, "ink"))
        x += 34 + 7.2 * len(line.name) + 26
    return "\n".join(found)


class _Sample(Scale):
    def at(self, x: float, y: float) -> str:
        return f"{26 * x:.0f},{y:.0f}"


_LEGEND = _Sample(1, 1)


def _text(
    x: float, y: float, words: str, role: str, *, size: int = 12, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text class="{role}" x="{x:.1f}" y="{y:.1f}" fill="{LIGHT[role]}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}">{escape(words)}</text>'
    )
