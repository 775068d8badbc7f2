"""Start to ready with a long past on disk: from the process's start until health answers, chain verified."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import perf_counter

from backlog import backlog
from measure import Beside, Row, Run, count, environment, in_turns
from selling import open_shop
from services import Daemon

LIMIT_S = 1.5


async def run(bench: Run) -> list[Row]:
    events = bench.pick(1_000_000, 100_000)
    long = await backlog(bench, events)
    short = bench.disk / "start"
    async with open_shop(short):
        pass
    measures = {
        "long": partial(asyncio.to_thread, starting, long, bench.sockets / "long.sock"),
        "short": partial(asyncio.to_thread, starting, short, bench.sockets / "short.sock"),
        "imports": partial(asyncio.to_thread, python, "import holdfast.main"),
        "bare": partial(asyncio.to_thread, python, "pass"),
    }
    for measure in measures.values():
        await measure()
    took = await in_turns(bench.pick(9, 3), measures)
    return [
        Row(
            what=f"start to ready, {count(events)} events on disk, chain verified since the last checkpoint",
            value=took["long"],
            unit="s",
            beside=(
                Beside("the same with a day-old journal", took["short"]),
                Beside("python -c with the same imports", took["imports"]),
                Beside("python -c pass", took["bare"]),
            ),
            goal=f"<= {LIMIT_S:g} s",
            met=took["long"] <= LIMIT_S,
        )
    ]


def starting(state: Path, door: Path) -> float:
    """Seconds; the first start of a kind also warms bytecode and page cache and is not counted by the caller."""
    daemon = Daemon(state, door)
    took = daemon.start()
    daemon.stop()
    return took


def python(code: str) -> float:
    began = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())
    return perf_counter() - began
