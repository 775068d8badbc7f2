"""The ordered stop: who asks for it, and the steps, each with its own limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)


class StopAsked(Exception):  # noqa: N818 - not an error: it ends the task group on purpose
    """Raised in the hub's task group once the ordered stop is done. `status` is the exit status."""

    def __init__(self, status: int = 0) -> None:
        super().__init__(status)
        self.status = status


class StopRequest:
    """Asked by a signal, a card, a command or the battery; the first reason counts."""

    def __init__(self) -> None:
        self.why = ""
        self.insisted = asyncio.Event()
        """Asked by a signal although the stop had begun: wait for nothing more."""
        self._asked = asyncio.Event()

    def ask(self, why: str) -> None:
        """Begin the ordered stop. Later calls change nothing."""
        if not self._asked.is_set():
            self.why = why
            self._asked.set()

    def signal(self, name: str) -> None:
        """A signal asks; the second one insists."""
        if self.asked:
            self.insisted.set()
        self.ask(name)

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
    report, now = [], asyncio.get_running_loop().time
    for step in steps:
        began = now()
        outcome = await _one(step)
        report.append((step.name, now() - began, outcome))
    return report


async def _one(step: Step) -> str:
    """A step that does not even let itself be cancelled is left behind."""

    async def whole() -> None:
        await step.run(step.limit)

    task = asyncio.create_task(whole(), name=f"stop {step.name}")
    try:
        await asyncio.wait([task], timeout=step.limit)
    finally:
        task.cancel()
    if not task.done():
        task.add_done_callback(lambda left: left.cancelled() or left.exception())
        log.warning("stop: %s took longer than %.0f s and was left", step.name, step.limit)
        return "over"
    if task.cancelled() or task.exception() is not None:
        log.error("stop: %s failed", step.name, exc_info=None if task.cancelled() else task.exception())
        return "failed"
    return "done"
