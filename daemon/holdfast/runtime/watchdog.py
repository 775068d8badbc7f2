"""Feeding systemd's watchdog: only while the loop and the journal's writer both make progress."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from holdfast.runtime.notify import notify, watchdog_seconds

log = logging.getLogger(__name__)


async def feed_watchdog(writer_progress: Callable[[], float], writer_waiting: Callable[[], int]) -> None:
    """Run for as long as the hub does; that this coroutine runs is the loop's own proof of progress."""
    period = (watchdog_seconds() or 60.0) / 3
    while True:
        stalled = time.monotonic() - writer_progress()
        if writer_waiting() and stalled > period:
            log.warning("the journal's writer has not moved for %.1f s", stalled)
        else:
            notify("WATCHDOG=1")
        await asyncio.sleep(period)
