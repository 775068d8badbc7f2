"""Supervision: a task that may fail is restarted in place; a task that may not ends the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import Clock

log = logging.getLogger(__name__)


class EndedError(RuntimeError):
    """A long-lived task returned, which is a fault."""


async def forever(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run a task whose end, even without an error, is a fault of the process."""
    await run()
    raise EndedError(name)


async def restarted(
    name: str,
    run: Callable[[], Awaitable[None]],
    *,
    clock: Clock,
    backoff: Backoff,
    expected: tuple[type[Exception], ...] = (),
    failed: Callable[[Exception], None] = lambda _: None,
    wake: asyncio.Event | None = None,
) -> None:
    """Run again after every end, after a capped random pause. The one place with a broad catch.

    `wake`, set, ends the pause at once or leaves out the next, and begins the backoff afresh; it is cleared here.

    The first failure of a streak is logged as a warning, the rest at debug. `expected` errors carry no traceback.
    A run that lasts longer than the backoff's cap ends the streak.
    """
    logger = log.getChild(name)
    streak = 0
    while True:
        began = clock.monotonic()
        try:
            await run()
        except Exception as error:
            if clock.monotonic() - began > backoff.cap:
                streak = 0
                backoff.reset()
            level = logging.DEBUG if streak else logging.WARNING
            logger.log(level, "%s failed: %s", name, error, exc_info=None if isinstance(error, expected) else error)
            failed(error)
            streak += 1
        if await _woken(clock.sleep(backoff.next()), wake):
            backoff.reset()


async def _woken(pause: Coroutine[Any, Any, None], wake: asyncio.Event | None) -> bool:
    """Sit out `pause`, unless `wake` is set before it ends."""
    if wake is None:
        await pause
        return False
    waits = asyncio.ensure_future(pause), asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    woken = wake.is_set()
    wake.clear()
    return woken
