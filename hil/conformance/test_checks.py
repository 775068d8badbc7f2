"""The checks every test of the suite runs under find what they are there for."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from blockbuster import BlockingError

from conformance.leaks import nothing_left_behind
from holdfast_drivers.links.pty import Pty


async def test_a_descriptor_left_open_is_found() -> None:
    pty = Pty()
    with pytest.raises(AssertionError, match="descriptors left open"):
        async with nothing_left_behind():
            await pty.plug()
    await pty.unplug()


async def test_a_task_left_running_is_found() -> None:
    tasks = []
    with pytest.raises(AssertionError, match="straggler"):
        async with nothing_left_behind():
            tasks.append(asyncio.create_task(asyncio.sleep(60), name="straggler"))
    tasks[0].cancel()
    await asyncio.wait(tasks)


async def test_a_call_that_blocks_the_loop_is_found() -> None:
    with pytest.raises(BlockingError):
        time.sleep(0.01)  # noqa: ASYNC251 - what must not be
    with pytest.raises(BlockingError):
        os.listdir("/proc")  # noqa: PTH208 - as a driver in a hurry would
