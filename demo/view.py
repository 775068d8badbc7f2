"""What one sees of the demonstration while it runs: a screen in a terminal, lines elsewhere. Drawing only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

TICKS = 200
"""Events kept; the screen shows the newest that fit."""
PAPER_WIDTH = 52
"""Of the last receipt's place: 48 characters and a frame."""
REFRESH = 6
"""Pictures a second: more would cost the counter its processor."""
STAGES = ("S0 normal", "S1 conserve", "S2 shed", "S3 critical", "S4 stop")
LAMPS = {"green": "green", "amber": "yellow", "red": "red", "blue": "blue", "white": "white"}


@dataclass(slots=True)
class Board:
    """Everything that is shown. Whoever learns something writes it here."""

    day: str
    baskets: int
    rows: int
    clock: Callable[[], datetime]
    served: int = 0
    rung: int = 0
    refused: int = 0
    takings: int = 0
    scans: int = 0
    light_ms: float = 0.0
    """Median of the last scans."""
    hub: str = "starting"
    broker: str = "up"
    link: str = "offline"
    head: int = 0
    outbox: int = 0
    printer: str = "unknown"
    papers: int = 0
    """Fallen out of the printer."""
    queued: int = 0
    mains: bool = True
    charge: int | None = None
    """Permille."""
    stage: int = 0
    lit: frozenset[str] = frozenset()
    paper: str = ""
    """Text of the last receipt."""
    ticks: deque[tuple[datetime, str, str]] = field(default_factory=lambda: deque(maxlen=TICKS))
    """(shop time, style, what happened)."""
    told: Callable[[str], None] = lambda _: None
    """Gets each tick as a line, where there is no screen."""

    def tick(self, what: str, style: str = "") -> None:
        """Something happened that one should see."""
        now = self.clock()
        self.ticks.append((now, style, what))
        self.told(f"{now:%H:%M}  {what}")


def line(board: Board) -> str:
    """The state in one line, for logs."""
    charge = "?" if board.charge is None else f"{board.charge // 10} %"
    return (
        f"{board.clock():%H:%M}  baskets {board.served}/{board.baskets}  rows {board.rung}+{board.refused}/{board.rows}"
        f"  {_money(board.takings)}  light {board.light_ms:.1f} ms  hub {board.hub}  link {board.link}"
        f"  outbox {board.outbox}  printer {board.printer}, {board.queued} waiting"
        f"  battery {charge}, {STAGES[board.stage]}"
    )


def screen(board: Board, height: int = 30) -> RenderableType:
    """The whole picture, `height` lines high."""
    layout = Layout()
    layout.split_column(Layout(_head(board), size=5), Layout(name="body"))
    layout["body"].split_row(Layout(name="left", ratio=3), Layout(_paper(board, height - 7), size=PAPER_WIDTH))
    layout["left"].split_column(Layout(_state(board), size=9), Layout(_ticker(board, height - 16)))
    return layout


def _head(board: Board) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(ratio=1)
    grid.add_column(justify="right")
    done = board.rung + board.refused
    grid.add_row(
        Text.assemble("baskets ", (f"{board.served}", "bold"), f" of {board.baskets}"),
        Text.assemble((f"{board.clock():%H:%M:%S}", "bold cyan"), " shop time"),
    )
    grid.add_row(ProgressBar(total=max(board.rows, 1), completed=done), f"{done} of {board.rows} rows")
    grid.add_row(
        Text(f"{board.scans} scans, light after {board.light_ms:.1f} ms"),
        Text(f"takings {_money(board.takings)}", style="bold"),
    )
    return Panel(grid, title=f"holdfast, {board.day}", border_style="cyan")


def _state(board: Board) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 2))
    for _ in range(2):
        grid.add_column(style="dim")
        grid.add_column(ratio=1)
    charge = "?" if board.charge is None else f"{board.charge / 10:.0f} %"
    grid.add_row("hub", _word(board.hub, "up"), "head", f"{board.head} events")
    grid.add_row("broker", _word(board.broker, "up"), "outbox", _word(str(board.outbox), "0"))
    grid.add_row("link", _word(board.link, "online"), "lamps", _lamps(board.lit))
    grid.add_row("printer", _word(board.printer, "ready"), "papers", f"{board.papers}, {board.queued} waiting")
    grid.add_row("mains", _word("on" if board.mains else "off", "on"), "battery", charge)
    grid.add_row("stage", _word(STAGES[board.stage], STAGES[0]), "refused", f"{board.refused} rows")
    return Panel(grid, title="hub", border_style="blue")


def _ticker(board: Board, height: int) -> RenderableType:
    shown = list(board.ticks)[-max(height, 1) :]
    rows = [Text.assemble((f"{at:%H:%M} ", "dim"), (what, style), overflow="ellipsis") for at, style, what in shown]
    for row in rows:
        row.no_wrap = True
    return Panel(Group(*rows), title="what happens", border_style="magenta")


def _paper(board: Board, height: int) -> RenderableType:
    lines = board.paper.splitlines()
    shown = "\n".join(lines[: max(height, 1)])
    return Panel(Text(shown, style="black on white", no_wrap=True), title="last receipt", border_style="white")


def _lamps(lit: frozenset[str]) -> Text:
    return Text(" ").join(Text("●" if lamp in lit else "○", style=style) for lamp, style in LAMPS.items())


def _word(text: str, fine: str) -> Text:
    return Text(text, style="green" if text == fine else "bold red")


def _money(minor: int) -> str:
    return f"£{minor // 100:,}.{minor % 100:02d}"


class Screen:
    """Asked for its picture anew each time it is drawn."""

    def __init__(self, board: Board, console: Console) -> None:
        self._board = board
        self._console = console

    def __rich__(self) -> RenderableType:
        return screen(self._board, self._console.height)


def live(board: Board, console: Console) -> Live:
    """A context manager that draws for as long as it is entered."""
    return Live(Screen(board, console), console=console, refresh_per_second=REFRESH, screen=True, transient=True)
