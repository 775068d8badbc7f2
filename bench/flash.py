"""Bytes written to the medium by a sale, checkpoints counted; beside SQLite's default page size and plain SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from closing import PlainSales
from holdfast.journal.schema import PAGE_SIZE, WAL_PAGES
from holdfast.journal.store import FILE
from measure import Beside, Row, Run
from selling import STATION, open_shop, with_pragmas

CLOSING_KB, CART_KB = 24.0, 48.0
DEFAULT_PAGE, DEFAULT_WAL_PAGES = 4096, 1000
"""SQLite's own (sqlite.org/pgszchng2016.html, sqlite.org/pragma.html#pragma_wal_autocheckpoint)."""
SCANS = 3


async def run(bench: Run) -> list[Row]:
    carts = bench.pick(600, 150)
    chosen = await cost(bench, carts, PAGE_SIZE, WAL_PAGES)
    default = await cost(bench, carts, DEFAULT_PAGE, DEFAULT_WAL_PAGES)
    plain = await asyncio.to_thread(plain_cost, bench.disk / "plain.db", carts)
    return [
        Row(
            what="bytes written by the closing commit, checkpoints counted",
            value=chosen.closing,
            unit="kB",
            beside=(
                Beside(f"the same with SQLite's default pages of {DEFAULT_PAGE}", default.closing),
                Beside("plain SQLite, the bare rows of one sale", plain),
            ),
            goal=f"<= {CLOSING_KB:g} kB",
            met=chosen.closing <= CLOSING_KB,
            note=chosen.note,
        ),
        Row(
            what=f"... with its {SCANS} scans",
            value=chosen.cart,
            unit="kB",
            beside=(Beside(f"the same with SQLite's default pages of {DEFAULT_PAGE}", default.cart),),
            goal=f"<= {CART_KB:g} kB",
            met=chosen.cart <= CART_KB,
            note=default.note,
        ),
    ]


class Written:
    """What a thread has written so far: bytes handed to write calls, and bytes of the 4 KiB pages they dirtied."""

    def __init__(self, thread: int | None) -> None:
        self._path = Path(f"/proc/self/task/{thread or threading.get_native_id()}/io")

    def __call__(self) -> tuple[float, float]:
        """kB."""
        facts = dict(line.split(": ") for line in self._path.read_text(encoding="ascii").splitlines())
        return int(facts["wchar"]) / 1000, int(facts["write_bytes"]) / 1000


class Cost(NamedTuple):
    """kB."""

    closing: float
    cart: float
    note: str


async def cost(bench: Run, carts: int, page: int, wal_pages: int) -> Cost:
    """Every commit measured by itself; the checkpoints, made by a connection of ours, spread over them by bytes."""
    directory = bench.disk / f"flash-{page}"
    async with open_shop(directory, with_pragmas(page_size=page, wal_autocheckpoint=0)) as shop:
        writer = next(thread for thread in threading.enumerate() if thread.name == "journal-writer")
        ledger = Ledger(directory / FILE, Written(writer.native_id), wal_kb=wal_pages * page / 1000)
        with closing(ledger.db):
            for _ in range(carts):
                for _ in range(SCANS):
                    await ledger.count("scan", shop.fill(STATION, 1))
                await ledger.count("closing", shop.pay(STATION))
    return ledger.cost(page)


class Ledger:
    """Bytes of commits and of checkpoints, kept apart."""

    def __init__(self, path: Path, written: Written, *, wal_kb: float) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self._written = written
        self._here = Written(None)
        self._commits: dict[str, list[tuple[float, float]]] = {"scan": [], "closing": []}
        self._wal_kb = wal_kb
        self._since = self._covered = self._checkpointed = 0.0

    async def count(self, what: str, command: Coroutine[Any, Any, object]) -> None:
        before = self._written()
        await command
        calls, pages = (after - at for after, at in zip(self._written(), before, strict=True))
        self._commits[what].append((calls, pages))
        self._since += calls
        if self._since >= self._wal_kb:
            self._checkpoint()

    def _checkpoint(self) -> None:
        """As SQLite does by itself at so many pages; the next commit begins the WAL anew."""
        before = self._here()[0]
        busy, log, moved = self.db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if busy or log != moved:
            raise RuntimeError(f"a checkpoint was held up: {busy}, {moved} of {log} pages")
        self._checkpointed += self._here()[0] - before
        self._covered += self._since
        self._since = 0.0

    def cost(self, page: int) -> Cost:
        if not self._covered:
            raise RuntimeError("too few carts for a checkpoint")
        share = self._checkpointed / self._covered
        scan, closed = (mean(calls for calls, _ in self._commits[what]) for what in ("scan", "closing"))
        pages = mean(dirty for _, dirty in self._commits["closing"])
        return Cost(
            closing=closed * (1 + share),
            cart=(closed + SCANS * scan) * (1 + share),
            note=f"pages of {page}: WAL {closed:.1f} kB a closing ({pages:.1f} kB in 4 KiB blocks), {scan:.1f} a scan; "
            f"checkpoints add {share:.0%}",
        )


def plain_cost(path: Path, sales: int) -> float:
    """kB a sale, with the checkpoints SQLite makes by itself."""
    plain = PlainSales(path)
    with closing(plain.db):
        written = Written(None)
        before = written()[0]
        for _ in range(sales):
            plain.sell(1)
        return (written()[0] - before) / sales
