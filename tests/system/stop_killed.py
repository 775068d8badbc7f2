"""holdfastd that dies by SIGKILL at one point of its ordered stop: `HOLDFAST_DIES=step:before|inside|after`."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace

from holdfast import main
from holdfast.assembly import stopping
from holdfast.runtime.stop import Step, in_order

NAME, _, WHEN = os.environ["HOLDFAST_DIES"].partition(":")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(step: Step) -> Step:
    if step.name != NAME:
        return step

    async def run(limit: float) -> object:
        if WHEN == "before":
            die()
        work = asyncio.ensure_future(step.run(limit))
        await asyncio.sleep(0)
        if WHEN == "inside":
            die()
        await work
        die()
        return None

    return replace(step, run=run)


async def deadly_order(steps: Sequence[Step]) -> list[tuple[str, float, str]]:
    return await in_order([deadly(step) for step in steps])


stopping.in_order = deadly_order  # type: ignore[assignment]  # that is the point
main.main()
