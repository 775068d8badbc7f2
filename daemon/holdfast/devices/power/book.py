"""The event's plan, the grid's signals and what is shed, as the record has them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from holdfast.domain.grid import Interval, level_at
from holdfast.domain.plan import SELECT_PLAN, Plan, plan_of


class Record(Protocol):
    """The part of the journal in use."""

    @property
    def head(self) -> tuple[int, bytes]: ...

    @property
    def query(self) -> Callable[..., Awaitable[list[tuple[Any, ...]]]]: ...


class PowerBook:
    """`refresh` reads again what may have changed; between two calls it stays as it is."""

    def __init__(self, record: Record) -> None:
        self.plan: Plan | None = None
        self.metered_at = 0
        """When the battery was last metered, UTC milliseconds; 0: never."""
        self.shed: frozenset[str] = frozenset()
        """Names of the loads that are off."""
        self._signals: list[Interval] = []
        self._record = record
        self._seen = 0

    async def refresh(self) -> None:
        """At most one look for each record."""
        head = self._record.head[0]
        if head == self._seen:
            return
        query = self._record.query
        rows = await query(SELECT_PLAN)
        self.plan = plan_of(rows[0]) if rows else None
        self._signals = [Interval(*row) for row in await query("SELECT * FROM grid_signal")]
        self.shed = frozenset(name for (name,) in await query("SELECT name FROM shed"))
        metered = await query("SELECT at FROM meter")
        self.metered_at = metered[0][0] if metered else 0
        self._seen = head

    async def off(self) -> frozenset[str]:
        """Names of the loads that are off, as the record has them now."""
        await self.refresh()
        return self.shed

    def grid_level(self, now_ms: int) -> int:
        """What the grid asks for, 0..3."""
        return level_at(self._signals, now_ms)

    @property
    def grid(self) -> list[Interval]:
        """Signals not yet over when they were last looked at."""
        return list(self._signals)
