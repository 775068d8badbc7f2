"""Journals with a past: so many events of the demonstration's day, chain, projections and checkpoints all as real."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from functools import partial
from itertools import cycle
from pathlib import Path

from measure import Run
from selling import open_shop, trading, with_pragmas

TILLS = 64
"""At once, so that the writer groups them."""


async def backlog(bench: Run, events: int) -> Path:
    """A copy of one's own of a journal of at least `events` records; made by the real writer, but not synced."""
    made = bench.disk / f"past-{events}"
    if not made.exists():
        draft = made.with_suffix(".draft")
        await _sell(draft, events)
        draft.rename(made)
    copy = bench.disk / f"copy-of-{made.name}"
    await asyncio.to_thread(partial(shutil.rmtree, copy, ignore_errors=True))
    await asyncio.to_thread(shutil.copytree, made, copy)
    return copy


async def _sell(directory: Path, events: int) -> None:
    async with open_shop(directory, with_pragmas(synchronous="OFF")) as shop:
        customers = cycle(trading().baskets)

        async def till(station: str) -> None:
            while shop.journal.head.seq < events:
                await shop.serve(station, next(customers))

        await asyncio.gather(*(till(f"t{number}") for number in range(TILLS)))
        await shop.journal.desk(_print_everything)


def _print_everything(db: sqlite3.Connection) -> None:
    """A hub with a past has no thousands of receipts still to print."""
    db.execute("UPDATE spool SET state = 'printed'")
