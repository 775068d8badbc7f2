"""What a test may not leave behind: open descriptors, running tasks."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


@asynccontextmanager
async def nothing_left_behind() -> AsyncIterator[None]:
    """Raises AssertionError for a descriptor or a task that was not there before."""
    before, tasks = await asyncio.to_thread(_descriptors), asyncio.all_tasks()
    yield
    gc.collect()
    left = await asyncio.to_thread(_descriptors) - before
    assert not left, f"descriptors left open: {left}"
    running = {task.get_name() for task in asyncio.all_tasks() - tasks if task is not asyncio.current_task()}
    assert not running, f"tasks left running: {running}"


def _descriptors() -> set[tuple[str, str]]:
    """Number and target of each."""
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists the folder
            found.add((fd.name, str(fd.readlink())))
    return found
