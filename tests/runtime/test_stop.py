"""The ordered stop: every step in order, none waited for beyond its limit (INV-10.1)."""

from __future__ import annotations

import asyncio

from holdfast.runtime.stop import Step, StopRequest, in_order


async def test_inv_10_1_a_step_that_hangs_or_fails_holds_up_nothing() -> None:
    done: list[str] = []

    async def quick(_: float) -> None:
        done.append("quick")

    async def hangs(_: float) -> None:
        await asyncio.sleep(1000)

    async def fails(_: float) -> None:
        raise OSError("gone")

    async def last(_: float) -> None:
        done.append("last")

    steps = [Step("a", 1, quick), Step("b", 0.05, hangs), Step("c", 1, fails), Step("d", 1, last)]
    report = await in_order(steps)
    assert [(name, outcome) for name, _, outcome in report] == [
        ("a", "done"),
        ("b", "over"),
        ("c", "failed"),
        ("d", "done"),
    ]
    assert done == ["quick", "last"]


async def test_the_first_reason_counts() -> None:
    stop = StopRequest()
    waiting = asyncio.create_task(stop.wait())
    await asyncio.sleep(0)
    assert not stop.asked
    stop.ask("battery")
    stop.ask("card")
    assert await waiting == "battery"
    assert stop.asked
