"""A day at a printer, 24 hours on a virtual clock: jobs, faults, somebody watching; memory stays flat."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from contextlib import suppress
from random import Random

import pytest

from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.pace import Line
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.values import Printed
from printer_rig import Bench, bench, receipt
from virtual_time import run

HOUR = 3600.0
FAULTS = (
    ("open_cover", "close_cover"),
    ("paper_out", "load_paper"),
    ("jam_cutter", "clear_jam"),
    ("go_silent", "speak"),
    ("power_cycle", "speak"),
)
ALLOWED = 64 * 1024
"""Bytes more at the end than after the first hour: caches of code pages and the like."""


async def serve(at: Bench, random: Random, tally: dict[str, int]) -> None:
    job = 0
    while True:
        await asyncio.sleep(random.uniform(20, 200))
        job += 1
        result = await at.print(receipt(random.randrange(5, 60), f"job{job}"), job)
        tally[result.outcome.value] = tally.get(result.outcome.value, 0) + 1
        copies = at.copies(f"job{job} 0")
        assert copies <= 1
        assert copies == 1 or result.outcome is not Printed.PRINTED
        assert copies == 0 or result.outcome is not Printed.NOT_PRINTED
        at.paper.clear()
        at.started.clear()


async def break_and_mend(at: Bench, random: Random) -> None:
    while True:
        await asyncio.sleep(random.uniform(300, 1800))
        fault, remedy = random.choice(FAULTS)
        getattr(at.sim, fault)()
        await asyncio.sleep(random.uniform(1, 60))
        getattr(at.sim, remedy)()


async def watch(at: Bench) -> None:
    while True:
        await at.printer.next_change()
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await at.printer.next_change()
                continue
        await at.printer.check()


async def day(model: Model, line: Line | None, tally: dict[str, int]) -> list[int]:
    """Memory in use after each hour."""
    random = Random(7)
    async with bench(model=model, line=line, limits=Limits(patience=30), speed=100, drawer_open_high=True) as at:
        tasks = [
            asyncio.create_task(work) for work in (serve(at, random, tally), break_and_mend(at, random), watch(at))
        ]
        memory = []
        for _ in range(24):
            await asyncio.wait(tasks, timeout=HOUR, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                assert not task.done(), task.exception()
            gc.collect()
            memory.append(tracemalloc.get_traced_memory()[0])
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return memory


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("model", "line"),
    [(Model.FULL, None), (Model.GS_R, None), (Model.STAR, None), (Model.NO_NAME, None), (Model.FULL, Line(960.0))],
)
def test_a_day_leaves_memory_flat_and_no_paper_twice(model: Model, line: Line | None) -> None:
    tally: dict[str, int] = {}
    tracemalloc.start()
    try:
        memory = run(lambda: day(model, line, tally))
    finally:
        tracemalloc.stop()
    print(f"{model.value}: {sum(tally.values())} jobs {tally}, {memory[0]} bytes after 1 h, {memory[-1]} after 24 h")
    assert sum(tally.values()) > 500
    assert memory[-1] - memory[0] < ALLOWED
