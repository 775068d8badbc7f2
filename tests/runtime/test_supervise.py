"""A task that may fail is started again: after a pause, or as soon as someone wakes it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import ManualClock
from holdfast.runtime.supervise import restarted
from support.waiting import until


class Patient:
    """A task that counts its starts and fails each time."""

    def __init__(self) -> None:
        self.starts = 0
        self.failures: list[Exception] = []

    async def run(self) -> None:
        self.starts += 1
        await asyncio.sleep(0)
        raise OSError("away")


@pytest.mark.parametrize("early", [False, True])
async def test_a_wake_ends_the_pause_and_one_that_came_before_it_leaves_it_out(early: bool) -> None:
    clock, wake, task = ManualClock(), asyncio.Event(), Patient()
    if early:
        wake.set()
    work = restarted(
        "x", task.run, clock=clock, backoff=Backoff(first=1e6, cap=1e6), expected=(OSError,),
        failed=task.failures.append, wake=wake,
    )  # fmt: skip
    running = asyncio.create_task(work)
    if not early:
        await until(lambda: task.failures)
        await asyncio.sleep(0.02)
        assert task.starts == 1, "the pause is long"
        wake.set()
    await until(lambda: task.starts == 2)
    await asyncio.sleep(0.02)
    assert task.starts == 2, "a wake counts once"
    assert not wake.is_set()
    running.cancel()
    await asyncio.wait({running})


async def test_without_a_wake_the_pause_is_the_clock_s(caplog: pytest.LogCaptureFixture) -> None:
    clock, task = ManualClock(), Patient()
    with caplog.at_level(logging.DEBUG):
        running = asyncio.create_task(restarted("x", task.run, clock=clock, backoff=Backoff(), expected=(OSError,)))
        await until(lambda: task.starts == 1)
        clock.advance(1000)
        await until(lambda: task.starts == 2)
        await asyncio.sleep(0)
    assert [record.levelname for record in caplog.records if "x failed" in record.message] == ["WARNING", "DEBUG"]
    running.cancel()
    await asyncio.wait({running})
