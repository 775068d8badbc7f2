"""Waiting for hardware that lives in other threads and processes, and counting what it leaves open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path


async def until(condition: Callable[[], bool]) -> None:
    """Returns once `condition` holds; fails after 5 s."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread, or at the far end
            await asyncio.sleep(0.002)


def open_descriptors() -> int:
    """File descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))
