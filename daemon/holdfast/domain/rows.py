"""Rows in and out of SQL by a bounded set of statements, so that the connection keeps them prepared."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from holdfast.domain.core import Tables

ROWS_PER_STATEMENT = 32


def scalar(tables: Tables, sql: str, *args: Any) -> int:
    """The one integer of a query that always has one row."""
    row = tables.one(sql, *args)
    assert row is not None
    return int(row[0])


def insert(tables: Tables, into: str, rows: Sequence[tuple[Any, ...]], otherwise: str = "") -> None:
    """`{into} VALUES (…), (…) {otherwise}`, any number of rows of one width; `into` is `INSERT INTO …`."""
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        some = rows[start : start + ROWS_PER_STATEMENT]
        tables.run(_insert(into, len(some[0]), len(some), otherwise), *chain.from_iterable(some))


def as_json(rows: Sequence[Any]) -> str:
    """Any number of rows as one argument of a query, for `json_each(?)` with `value ->> 0`, …"""
    return msgspec.json.encode(rows).decode()


@lru_cache
def _insert(into: str, width: int, count: int, otherwise: str) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{into} VALUES {', '.join([row] * count)} {otherwise}"
