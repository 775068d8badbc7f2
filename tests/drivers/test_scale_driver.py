"""What the driver makes of answers that no simulator of a sound scale gives."""

from __future__ import annotations

import asyncio

import pytest

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.scales import cas, toledo
from holdfast_drivers.scales.base import ScaleProtocol
from holdfast_drivers.scales.driver import Limits, Scale
from holdfast_drivers.values import ScaleReading, ScaleState

QUICK = Limits(answer=0.1, quiet=0.01, drain=0.05)


async def answered(protocol: ScaleProtocol, *answers: bytes) -> ScaleReading:
    """What a question comes to when these bytes come back in one piece."""
    hub, device = memory_pair()

    async def opener() -> Link:
        return hub

    async def reply() -> None:
        await device.read(64)
        await device.write(b"".join(answers), timeout=1)

    async with Scale(opener, protocol, limits=QUICK) as scale:
        replying = asyncio.create_task(reply())
        reading = await scale.read()
        await replying
    return reading


@pytest.mark.parametrize("second", [b"\x0201.250\r", b"\x0209.999\r", b"\x02?A\r"])
async def test_two_answers_at_once_are_believed_neither(second: bytes) -> None:
    """The first may be to an earlier question."""
    assert await answered(toledo.protocol(), b"\x0201.250\r", second) == ScaleReading(detail="garbled")


async def test_noise_before_an_answer_is_passed_over() -> None:
    reading = await answered(toledo.protocol(), b"\xff\x00W", b"\x0201.250\r")
    assert reading.state is ScaleState.STABLE_WEIGHT


@pytest.mark.parametrize("noise", [b"\n" + b"9" * 80, b"\n01.2"])
async def test_an_answer_without_an_end_is_garbled_not_silence(noise: bytes) -> None:
    assert await answered(cas.PROTOCOL, noise) == ScaleReading(detail="garbled")
