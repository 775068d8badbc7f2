"""The closing command of a cart of three committed lines: alone, and with 64 stations waiting."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

from measure import Beside, Row, Run, in_turns, percentile
from selling import STATION, Shop, open_shop

BLOCK = 20 * 1024
"""Bytes of the raw write: about what a closing commit puts into the WAL, see `flash`."""
WAITING = 64
ALLOWED_RAW, ALLOWED_MS = 3, 2.0
RATE = 5000
PLAIN = """
CREATE TABLE sale (number INTEGER PRIMARY KEY, day INTEGER, shift INTEGER, total INTEGER, tendered INTEGER);
CREATE TABLE sale_line (number INTEGER, line INTEGER, sku TEXT, qty INTEGER, price INTEGER, PRIMARY KEY (number, line));
CREATE TABLE stock (sku TEXT PRIMARY KEY, qty INTEGER) WITHOUT ROWID;
"""
SKUS = 1000


class RawFile:
    """A file as a WAL is one after its first round: its blocks are there, they are only written again."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT)
        self._size = 256 * BLOCK
        self._at = 0
        os.write(self._fd, bytes(self._size))
        os.fsync(self._fd)

    def write(self) -> float:
        """Milliseconds of one write and fdatasync."""
        began = perf_counter()
        os.pwrite(self._fd, b"x" * BLOCK, self._at)
        os.fdatasync(self._fd)
        self._at = (self._at + BLOCK) % self._size
        return (perf_counter() - began) * 1e3

    def close(self) -> None:
        os.close(self._fd)


class PlainSales:
    """Sales as bare rows in plain SQLite, as durable as ours: WAL, synchronous=FULL."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.executescript(PLAIN)
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO stock VALUES (?, 1000000)", [(f"S{sku}",) for sku in range(SKUS)])
        self.db.execute("COMMIT")
        self._number = 0

    def sell(self, group: int, *, stock: bool = False) -> float:
        """Seconds for so many sales of three lines in one transaction; with `stock`, less what is sold."""
        began = perf_counter()
        self.db.execute("BEGIN IMMEDIATE")
        for _ in range(group):
            self._number += 1
            self.db.execute("INSERT INTO sale VALUES (?, 20000, 1, 750, 750)", (self._number,))
            for line in range(3):
                sku = f"S{(self._number * 7 + line) % SKUS}"
                self.db.execute("INSERT INTO sale_line VALUES (?, ?, ?, 1, 250)", (self._number, line, sku))
                if stock:
                    self.db.execute("UPDATE stock SET qty = qty - 1 WHERE sku = ?", (sku,))
        self.db.execute("COMMIT")
        return perf_counter() - began


async def run(bench: Run) -> list[Row]:
    directory = bench.disk / "closing"
    async with open_shop(directory) as shop:
        plain = PlainSales(directory / "plain.db")
        with closing(plain.db), closing(RawFile(directory / "raw")) as raw:
            return [
                await alone(shop, raw, plain, bench.pick(400, 100)),
                await waiting(shop, plain, rounds=bench.pick(9, 3), groups=bench.pick(12, 4)),
            ]


async def alone(shop: Shop, raw: RawFile, plain: PlainSales, count: int) -> Row:
    """One of each, again and again: all meet the same disk."""
    ours, raws, plains = [], [], []
    for _ in range(count):
        await shop.fill(STATION)
        began = perf_counter()
        await shop.pay(STATION)
        ours.append((perf_counter() - began) * 1e3)
        raws.append(raw.write())
        plains.append(plain.sell(1) * 1e3)
    limit = ALLOWED_RAW * median(raws) + ALLOWED_MS
    return Row(
        what="closing command, alone: command to durable outcome, P50",
        value=median(ours),
        unit="ms",
        beside=(
            Beside(f"raw write of {BLOCK // 1024} KiB + fdatasync", median(raws)),
            Beside("plain SQLite, the bare rows of one sale", median(plains)),
        ),
        goal=f"<= {ALLOWED_RAW} x raw + {ALLOWED_MS:g} ms = {limit:.2f} ms",
        met=median(ours) <= limit,
        note=f"P99: ours {percentile(ours, 99):.2f}, raw {percentile(raws, 99):.2f}, "
        f"plain SQLite {percentile(plains, 99):.2f} ms",
    )


async def waiting(shop: Shop, plain: PlainSales, *, rounds: int, groups: int) -> Row:
    stations = [f"t{number}" for number in range(WAITING)]

    async def ours() -> float:
        took = 0.0
        for _ in range(groups):
            await asyncio.gather(*(shop.fill(station) for station in stations))
            began = perf_counter()
            await asyncio.gather(*(shop.pay(station) for station in stations))
            took += perf_counter() - began
        return groups * WAITING / took

    async def bare() -> float:
        return groups * WAITING / sum(plain.sell(WAITING) for _ in range(groups))

    async def stocked() -> float:
        return groups * WAITING / sum(plain.sell(WAITING, stock=True) for _ in range(groups))

    rates = await in_turns(rounds, {"ours": ours, "bare": bare, "stocked": stocked})
    return Row(
        what=f"closing command, {WAITING} waiting",
        value=rates["ours"],
        unit="sales/s",
        beside=(
            Beside(f"plain SQLite, the bare rows in groups of {WAITING}", rates["bare"]),
            Beside("the same that also keeps stock", rates["stocked"]),
        ),
        goal=f">= {RATE} /s and >= 1/10 of plain SQLite",
        met=rates["ours"] >= max(RATE, rates["bare"] / 10),
    )
