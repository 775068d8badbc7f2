"""One transaction's worth of intake: what is changed, who is to be acknowledged, what people should hear of."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from holdfast_contract.wire import Stream

StreamKey = tuple[str, Stream, int]
"""Hub, stream, incarnation."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something changed. `kind` is a stable key, `hub` empty when it is about the collector itself."""

    kind: str
    hub: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """For people: `hub-1 fork inc=1 seq=7`."""
        facts = " ".join(f"{name}={value}" for name, value in self.facts.items() if value not in {"", None})
        return " ".join(part for part in (self.hub or "collector", self.kind, facts) if part)


@dataclass(frozen=True, slots=True)
class Work:
    """Collected while a transaction runs; only valid once it has committed."""

    db: sqlite3.Connection
    now: int
    """UTC milliseconds."""
    owed: set[StreamKey] = field(default_factory=set)
    """Streams whose sender is owed an ack."""
    notices: list[Notice] = field(default_factory=list)

    def say(self, kind: str, hub: str, **facts: Any) -> None:
        self.notices.append(Notice(kind, hub, facts))
