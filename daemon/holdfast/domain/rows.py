"""Rows in and out of SQL with constant statements, which the connection keeps prepared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from holdfast.domain.core import Tables


def scalar(tables: Tables, sql: str, *args: Any) -> int:
    """The one integer of a query that always has one row."""
    row = tables.one(sql, *args)
    assert row is not None
    return int(row[0])


def as_json(rows: Sequence[Any]) -> str:
    """Any number of rows (or array-like structs) as one argument, for `json_each(?)` with `value ->> 0`, ..."""
    return msgspec.json.encode(rows).decode()
