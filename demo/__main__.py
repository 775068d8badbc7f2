"""`python demo`: a real trading day at a virtual counter, with everything that can go wrong, and the books compared."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from pathlib import Path

from rich.console import Console

from audit import Evidence, verdict
from brokers import BrokerError
from cashier import StuckError
from episodes import FAST, Plan
from evidence import NoEvidenceError
from hub import DoorError, HubAwayError, Place, ShopTime
from processes import ChildError, Children
from report import Run, figures, show
from shop import Shop
from story import Story
from trading_day import DATA, DataError, Day, Row, days, plan, read_rows
from view import Board, line, live

OUT = Path("out")
DEFAULT_DAY = "2011-01-26"
RINGING_S, FAST_S = 80.0, 8.0
"""Real seconds that the time between the first and the last customer is squeezed into, if that is long enough."""
SCAN_S, SCANS_A_ROW = 0.010, 3
"""What ringing may take on a small machine; a day with more rows gets more time."""
OPENING_S = 5.0
"""Real seconds before the first customer: badge, catalogue, delivery, shift."""
FAST_BASKETS, FAST_ROWS = 12, 14
PLAIN_S = 5.0
"""Seconds between two lines where there is no screen."""
FAILED, UNFINISHED, INTERRUPTED = 1, 2, 130
TROUBLE = (BrokerError, ChildError, DoorError, HubAwayError, NoEvidenceError, StuckError, TimeoutError)


def main() -> None:
    """Entry point. Exit status 1: something differs; 2: the day could not be brought to its end."""
    options = _options()
    console = Console()
    try:
        rows = list(read_rows(options.data))
        if options.list_days:
            for date, count in sorted(days(rows).items()):
                console.print(f"{date}  {count} rows", highlight=False)
            return
        day = _plan(rows, options)
    except (DataError, OSError) as error:
        console.print(f"[red]{error}[/]")
        sys.exit(UNFINISHED)
    try:
        sys.exit(asyncio.run(_played(day, options, console)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Interrupted; every process is stopped.")
        sys.exit(INTERRUPTED)


def _plan(rows: list[Row], options: argparse.Namespace) -> Day:
    if not options.fast:
        return plan(rows, options.day, baskets=options.baskets)
    return plan(rows, options.day, baskets=options.baskets or FAST_BASKETS, fits=_is_quick)


def _is_quick(basket: Sequence[Row]) -> bool:
    """Soon rung, and sure to bring a receipt."""
    return 2 <= len(basket) <= FAST_ROWS and any(row.pence for row in basket)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--day", default=DEFAULT_DAY, metavar="DATE", help=f"default {DEFAULT_DAY}")
    parser.add_argument("--data", type=Path, default=DATA, metavar="FILE", help="another CSV of the same columns")
    parser.add_argument("--list-days", action="store_true", help="which days the file has, and leave")
    parser.add_argument("--fast", action="store_true", help="few baskets, every episode: for a quick check")
    parser.add_argument("--baskets", type=int, metavar="N", help="only the first N")
    parser.add_argument("--speed", type=int, metavar="N", help="shop seconds a second; default: the day in some 2 min")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of how customers pay, and what chance does")
    parser.add_argument("--keep", action="store_true", help="keep the hub's journal and headquarters' file, too")
    return parser.parse_args()


async def _played(day: Day, options: argparse.Namespace, console: Console) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    began = time.monotonic()
    speed = options.speed or _speed(day, fast=options.fast)
    first = day.baskets[0].at - timedelta(seconds=OPENING_S * speed)
    clock = ShopTime(first.replace(microsecond=0), time.time(), speed)
    board = Board(day.date, len(day.baskets), sum(basket.rows for basket in day.baskets), clock.now)
    with _place(day, keep=options.keep) as place:
        children = Children()
        async with Shop(place, clock, board, children) as shop, children:
            story = Story(day, shop, FAST if options.fast else Plan(), seed=options.seed)
            try:
                found = await _watched(story, board, console)
            except TROUBLE as error:
                console.print(f"[bold red]The day did not come to its end:[/] {type(error).__name__}: {error}")
                return UNFINISHED
        run = _run(story, shop, options.seed, speed, time.monotonic() - began)
        return _told(found, run, place, console)


def _speed(day: Day, *, fast: bool) -> int:
    """So that the hours between the first and the last customer last as long as ringing their rows may take."""
    ringing = sum(basket.rows for basket in day.baskets) * SCANS_A_ROW * SCAN_S
    span = (day.baskets[-1].at - day.baskets[0].at).total_seconds()
    return max(1, ceil(span / max(ringing, FAST_S if fast else RINGING_S)))


@contextmanager
def _place(day: Day, *, keep: bool) -> Iterator[Place]:
    """Fresh folders. What only the run needed goes again."""
    out = OUT / f"demo-{day.date}"
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    work = Path(tempfile.mkdtemp(prefix="holdfast-demo-"))
    place = Place(out.resolve(), work)
    try:
        yield place
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not keep:
            shutil.rmtree(place.journal, ignore_errors=True)
            for path in place.out.glob("fleet.db*"):
                path.unlink()


async def _watched(story: Story, board: Board, console: Console) -> Evidence:
    if console.is_terminal:
        with live(board, console):
            return await story.run()
    board.told = lambda words: console.print(words, highlight=False, soft_wrap=True)
    plain = asyncio.create_task(_plain(board, console), name="plain view")
    try:
        return await story.run()
    finally:
        plain.cancel()


async def _plain(board: Board, console: Console) -> None:
    while True:
        await asyncio.sleep(PLAIN_S)
        console.print(line(board), highlight=False, soft_wrap=True)


def _run(story: Story, shop: Shop, seed: int, speed: int, seconds: float) -> Run:
    return Run(
        seed=seed,
        speed=speed,
        seconds=round(seconds, 1),
        ringing=round(story.ringing_s, 1),
        closing_and_drain=round(story.drain_s, 1),
        starts=tuple(round(start, 2) for start in shop.starts),
        stages=tuple(shop.stages),
        scans=shop.till.scans,
        latencies=tuple(shop.till.latencies),
        interrupted=story.interrupted,
        papers=len(shop.printer.cuts),
        sent_events=sum(events for events, _ in shop.sent.values()),
        sent_bytes=sum(size for _, size in shop.sent.values()),
    )


def _told(found: Evidence, run: Run, place: Place, console: Console) -> int:
    """Table, verdict and report.json. Returns the exit status."""
    checks = verdict(found)
    told = figures(found, run)
    show(console, told, checks)
    ok = all(check.ok for check in checks)
    report = {**told, "ok": ok, "checks": [{"name": c.name, "ok": c.ok, "seen": c.seen} for c in checks]}
    (place.out / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    out = place.out.relative_to(Path.cwd())
    console.print(f"receipts as PNG and text: {out}/receipts; logs and report.json: {out}", highlight=False)
    failed = [check.name for check in checks if not check.ok]
    console.print("[bold green]All books agree.[/]" if ok else f"[bold red]Not in order:[/] {'; '.join(failed)}")
    return 0 if ok else FAILED


if __name__ == "__main__":
    main()
