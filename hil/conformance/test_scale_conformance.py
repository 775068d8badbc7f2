"""What every scale driver promises, over every kind of link; and, with --port and --scale, with a real one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest

from conformance.rigs import LinkPair
from conformance.scale_kits import LIMITS, SCALE_KITS, ScaleKit
from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.hostile import HostileLink, Mangle, drop, duplicate, garbage
from holdfast_drivers.scales.base import Capability
from holdfast_drivers.scales.driver import Limits, Scale
from holdfast_drivers.scales.simulator import ScaleSimulator
from holdfast_drivers.values import DeviceError, ScaleReading, ScaleState, Tri

LONGEST = LIMITS.drain + LIMITS.write + LIMITS.answer + 0.5
"""Seconds a question may take, and what a loaded machine adds."""


@pytest.fixture
async def simulator(scale_kit: ScaleKit, link_pair: LinkPair) -> AsyncIterator[ScaleSimulator]:
    async with scale_kit.simulator(link_pair.device_link) as simulator:
        yield simulator


@pytest.fixture
async def scale(scale_kit: ScaleKit, link_pair: LinkPair, simulator: ScaleSimulator) -> AsyncIterator[Scale]:
    async with scale_kit.driver(link_pair.hub_opener) as scale:
        yield scale


def grams(reading: ScaleReading) -> int | None:
    return reading.weight.grams if reading.weight is not None else None


def hostile(opener: Opener, **how: object) -> Opener:
    async def open_link() -> Link:
        return HostileLink(await opener(), **how)  # type: ignore[arg-type]

    return open_link


async def test_a_weight_that_rests_is_told_to_the_gram(scale: Scale, simulator: ScaleSimulator) -> None:
    for load in (1, 250, 1250, 14_999):
        simulator.platform.load = load
        reading = await scale.read()
        assert (reading.state, grams(reading)) == (ScaleState.STABLE_WEIGHT, load)
    assert (scale.stats.asked, scale.stats.weights, scale.stats.garbled, scale.stats.silent) == (4, 4, 0, 0)


async def test_no_state_but_a_stable_weight_has_a_weight(scale: Scale, simulator: ScaleSimulator) -> None:
    platform = simulator.platform
    assert (await scale.read()).state is ScaleState.WEIGHT_ZERO
    platform.load, platform.moving = 500, True
    assert (await scale.read()).state is ScaleState.WEIGHT_UNSTABLE
    platform.load, platform.moving = platform.capacity + 100, False
    assert (await scale.read()).state is ScaleState.WEIGHT_OVERWEIGHT
    platform.load = -20
    assert (await scale.read()).state is ScaleState.WEIGHT_UNDER_ZERO
    assert scale.stats.weights == 0


async def test_a_fault_of_its_own_is_no_weight(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load, simulator.platform.faulty = 500, True
    assert (await scale.read()).state in (ScaleState.NOT_READY, ScaleState.UNKNOWN)


async def test_it_waits_for_what_moves_and_not_for_ever(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load, simulator.platform.moving = 750, True
    assert (await scale.weigh(patience=0.05)).state is ScaleState.WEIGHT_UNSTABLE
    asyncio.get_running_loop().call_later(0.1, setattr, simulator.platform, "moving", False)
    assert grams(await scale.weigh(patience=5)) == 750


async def test_silence_is_unknown_and_never_the_weight_before(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load = 400
    assert grams(await scale.read()) == 400
    simulator.silent = True
    async with asyncio.timeout(LONGEST):
        assert await scale.read() == ScaleReading(detail="timeout")
    assert scale.stats.silent == 1
    simulator.silent = False
    assert grams(await scale.read()) == 400


async def test_an_answer_that_comes_late_is_not_the_next_ones(scale: Scale, simulator: ScaleSimulator) -> None:
    """What lay there when the first was asked must not be sold to the second."""
    simulator.platform.load, simulator.late = 9000, LIMITS.answer + LIMITS.quiet / 3
    assert (await scale.read()).detail == "timeout"
    simulator.platform.load, simulator.late = 100, 0.0
    assert grams(await scale.read()) == 100


async def test_what_nobody_asked_for_is_not_believed(
    scale_kit: ScaleKit, scale: Scale, simulator: ScaleSimulator
) -> None:
    """A scale that sends by itself, or whose other host asked it."""
    assert (await scale.read()).state is ScaleState.WEIGHT_ZERO
    await simulator.say(scale_kit.weight)
    await asyncio.sleep(0.02)
    assert (await scale.read()).state is ScaleState.WEIGHT_ZERO


async def test_two_answers_to_one_question_are_none(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load, simulator.twice = 300, True
    reading = await scale.read()
    assert grams(reading) in (None, 300)  # the second may come after the first was taken
    simulator.twice = False
    simulator.platform.load = 800
    assert grams(await scale.read()) == 800


async def test_an_answer_cut_off_is_unknown_and_the_next_is_right(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load, simulator.cut = 300, True
    assert (await scale.read()).state is ScaleState.UNKNOWN
    simulator.cut = False
    assert grams(await scale.read()) == 300


async def test_a_port_set_to_the_wrong_width_hears_nothing(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load, simulator.parity = 300, True
    assert (await scale.read()).state is ScaleState.UNKNOWN
    assert scale.stats.weights == 0


async def test_it_finds_its_feet_after_garbage(scale: Scale, simulator: ScaleSimulator) -> None:
    await simulator.garbage(3000)
    simulator.platform.load = 1250
    for _ in range(5):
        if grams(await scale.read()) == 1250:
            return
    pytest.fail("never found")


async def test_a_babbling_scale_ends_no_question_late(scale: Scale, simulator: ScaleSimulator) -> None:
    async def babble() -> None:
        while True:
            await simulator.garbage(200)
            await asyncio.sleep(0.005)

    babbling = asyncio.create_task(babble())
    async with asyncio.timeout(LONGEST):
        assert (await scale.read()).weight is None
    babbling.cancel()
    await asyncio.wait({babbling})


@pytest.mark.parametrize("size", [1, 3])
async def test_one_byte_at_a_time_is_the_same(
    scale_kit: ScaleKit, link_pair: LinkPair, simulator: ScaleSimulator, size: int
) -> None:
    async with scale_kit.driver(hostile(link_pair.hub_opener, read_size=size, write_size=1, delay=0.001)) as scale:
        simulator.platform.load = 1250
        assert grams(await scale.read()) == 1250


@pytest.mark.parametrize("mangle", [drop, duplicate, garbage], ids=lambda mangle: mangle.__name__)
async def test_a_bad_line_is_noticed_or_at_worst_a_digit_wrong_is_no_more_than_that(
    scale_kit: ScaleKit, link_pair: LinkPair, simulator: ScaleSimulator, mangle: Callable[[float, Random], Mangle]
) -> None:
    """Neither protocol has a check sum, and no link here a parity bit: a digit may become a digit. A state that is no
    weight never becomes one.
    """
    quick = Limits(answer=0.02, quiet=0.005, drain=0.02, write=0.3, again=0.001)
    opener = hostile(link_pair.hub_opener, mangle=mangle(0.2, Random(3)))
    async with scale_kit.driver(opener, quick) as scale:
        simulator.platform.load = simulator.platform.capacity * 2
        for _ in range(15):
            assert (await scale.read()).weight is None
        assert scale.stats.garbled + scale.stats.silent


async def test_questions_at_once_are_asked_one_after_the_other(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load = 640
    assert [grams(reading) for reading in await asyncio.gather(*(scale.read() for _ in range(5)))] == [640] * 5
    assert simulator.asked == 5


async def test_a_question_given_up_spoils_nothing(scale: Scale, simulator: ScaleSimulator) -> None:
    rng = Random(11)
    for load in range(100, 108):
        simulator.platform.load = 5000
        asking = asyncio.create_task(scale.read())
        await asyncio.sleep(rng.random() * 0.004)
        asking.cancel()
        await asyncio.wait({asking})
        simulator.platform.load = load
        assert grams(await scale.read()) == load


async def test_zero_takes_a_little_for_nothing_and_refuses_more(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load = 20
    await scale.zero()
    assert (await scale.read()).state is ScaleState.WEIGHT_ZERO
    simulator.platform.load = 5020
    with pytest.raises(DeviceError, match="refused"):
        await scale.zero()
    assert grams(await scale.read()) == 5000


async def test_tare_takes_off_what_lies_there(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load = 80
    await scale.tare()
    simulator.platform.load = 580
    assert grams(await scale.read()) == 500
    simulator.platform.load = 0
    assert (await scale.read()).state is ScaleState.WEIGHT_UNDER_ZERO


@pytest.mark.not_with("net_untold")
async def test_net_is_told(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load = 80
    assert (await scale.read()).net is Tri.NO
    await scale.tare()
    simulator.platform.load = 580
    assert (await scale.read()).net is Tri.YES


@pytest.mark.not_with("no_clear")
async def test_a_tare_can_be_cleared(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load = 80
    await scale.tare()
    await scale.clear_tare()
    reading = await scale.read()
    assert (grams(reading), reading.net) == (80, Tri.NO)


async def test_what_a_protocol_lacks_is_refused(scale: Scale, simulator: ScaleSimulator) -> None:
    if Capability.CLEAR_TARE not in scale.capabilities:
        with pytest.raises(DeviceError, match="refused"):
            await scale.clear_tare()
        assert simulator.heard == []


async def test_tare_is_refused_when_there_is_nothing_to_take_off(scale: Scale, simulator: ScaleSimulator) -> None:
    with pytest.raises(DeviceError, match="weight_zero"):
        await scale.tare()
    simulator.platform.load, simulator.platform.moving = 500, True
    with pytest.raises(DeviceError, match="weight_unstable"):
        await scale.tare()
    assert simulator.heard == []


async def test_a_scale_that_may_not_tare_says_so_or_nothing(scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.platform.load, simulator.platform.can_tare = 500, False
    with pytest.raises(DeviceError) as caught:
        await scale.tare()
    assert caught.value.kind in ("refused", "timeout")
    assert grams(await scale.read()) == 500


@pytest.mark.parametrize("what", ["read", "zero", "tare"])
async def test_after_an_unplug_every_question_says_so(
    link_pair: LinkPair, scale: Scale, simulator: ScaleSimulator, what: str
) -> None:
    await link_pair.unplug()
    ask: Callable[[], Awaitable[object]] = getattr(scale, what)
    for _ in range(2):
        async with asyncio.timeout(LONGEST):
            with pytest.raises(DeviceError, match="unplugged"):
                await ask()


async def test_an_unplug_ends_a_question(link_pair: LinkPair, scale: Scale, simulator: ScaleSimulator) -> None:
    simulator.silent = True
    asking = asyncio.create_task(scale.read())
    await asyncio.sleep(LIMITS.quiet + 0.02)
    await link_pair.unplug()
    async with asyncio.timeout(LONGEST):
        with pytest.raises(DeviceError, match="unplugged"):
            await asking


async def test_after_a_replug_it_weighs_again(scale_kit: ScaleKit, link_pair: LinkPair) -> None:
    for load in (100, 200):
        async with _standing(scale_kit, link_pair, load) as scale:
            assert grams(await scale.read()) == load
        await link_pair.unplug()
        await link_pair.plug()


@asynccontextmanager
async def _standing(kit: ScaleKit, pair: LinkPair, load: int) -> AsyncIterator[Scale]:
    async with kit.simulator(pair.device_link) as simulator, kit.driver(pair.hub_opener) as scale:
        simulator.platform.load = load
        yield scale


async def test_a_person_weighs_something(
    real_port: Opener, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --scale: an empty platform, then a weight, as the person sees it on the display."""
    name = pytestconfig.getoption("--scale")
    if not name:
        pytest.skip("needs --scale")
    kit = next(kit for kit in SCALE_KITS if kit.name == name)

    def say(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}")
            sys.stdout.flush()

    async with kit.driver(real_port, Limits()) as scale:
        say(f"empty: {await scale.read()}; now put something on it, within 60 s: ")
        async with asyncio.timeout(60):
            while (reading := await scale.weigh(patience=5)).weight is None:  # noqa: ASYNC110 - a person takes their time
                await asyncio.sleep(0.2)
        say(f"{reading}: is that what its display shows?")
