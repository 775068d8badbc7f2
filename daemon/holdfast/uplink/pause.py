"""Sleeping that can be cut short."""

from __future__ import annotations

import asyncio

from holdfast.runtime.clock import Clock


async def pause(clock: Clock, seconds: float, *, unless: asyncio.Event) -> None:
    """Sleep for `seconds`, or until the event is set."""
    waits = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(unless.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
