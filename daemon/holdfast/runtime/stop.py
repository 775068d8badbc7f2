"""The ordered stop: who asks for it, and the steps, each with its own limit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)


class StopAsked(Exception):  # noqa: N818 - not an error: it ends the task group on purpose
    """Raised in the hub's task group once the ordered stop is done."""


class StopRequest:
    """Asked by a signal, a card, a command or the battery; the first reason counts."""

    def __init__(self) -> None:
        self.why = ""
        self._asked = asyncio.Event()

    def ask(self, why: str) -> None:
        """Begin the ordered stop. Later calls change nothing."""
        if not self._asked.is_set():
            self.why = why
            self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    async def wait(self) -> str:
        """Why, as soon as somebody asked."""
        await self._asked.wait()
        return self.why


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the stop. `run` is given its limit in seconds; over it, the step is left and the next begins."""

    name: str
    limit: float
    run: Callable[[float], Awaitable[object]]


async def in_order(steps: Sequence[Step]) -> list[tuple[str, float, str]]:
    """Run every step, whatever becomes of the others: (name, seconds, `done`|`over`|`failed`) of each (INV-10.1)."""
    report = []
    for step in steps:
        began = time.monotonic()
        outcome = await _one(step)
        report.append((step.name, time.monotonic() - began, outcome))
    return report


async def _one(step: Step) -> str:
    try:
        async with asyncio.timeout(step.limit):
            await step.run(step.limit)
    except TimeoutError:
        log.warning("stop: %s took longer than %.0f s and was left", step.name, step.limit)
        return "over"
    except Exception:
        log.exception("stop: %s failed", step.name)
        return "failed"
    return "done"
