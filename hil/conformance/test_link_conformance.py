"""What every link promises (links/base.py), on every kind of link."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

import pytest

from conformance.rigs import LinkPair
from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.values import DeviceError

EVERY_BYTE = bytes(range(256))
MORE_THAN_ANY_BUFFER = bytes(16 << 20)


async def read_exactly(link: Link, count: int, *, chunk: int = 4096) -> bytes:
    got = bytearray()
    async with asyncio.timeout(20):
        while len(got) < count:
            piece = await link.read(min(chunk, count - len(got)))
            assert 1 <= len(piece) <= chunk
            got += piece
    return bytes(got)


async def test_every_byte_value_crosses_both_ways_unchanged(link_pair: LinkPair) -> None:
    hub = await link_pair.hub_opener()
    await hub.write(EVERY_BYTE, timeout=5)
    assert await read_exactly(link_pair.device_link, 256) == EVERY_BYTE
    await link_pair.device_link.write(EVERY_BYTE, timeout=5)
    assert await read_exactly(hub, 256) == EVERY_BYTE
    await hub.close()


async def test_a_read_takes_no_more_than_its_limit_and_leaves_the_rest(link_pair: LinkPair) -> None:
    hub = await link_pair.hub_opener()
    await link_pair.device_link.write(b"abcdef", timeout=5)
    assert await read_exactly(hub, 6, chunk=1) == b"abcdef"
    await hub.close()


async def test_a_read_cancelled_at_any_moment_loses_no_byte(link_pair: LinkPair) -> None:
    """The proof that read(limit) may stand inside any time-out."""
    rng = Random(7)
    sent = rng.randbytes(20_000)
    hub = await link_pair.hub_opener()

    async def device() -> None:
        for start in range(0, len(sent), 100):
            await link_pair.device_link.write(sent[start : start + 100], timeout=5)
            await asyncio.sleep(rng.choice((0, 0.0005)))

    talking = asyncio.create_task(device())
    got, cancelled = bytearray(), 0
    async with asyncio.timeout(20):
        while len(got) < len(sent):
            reading = asyncio.create_task(hub.read(64))
            for _ in range(rng.randrange(8)):
                await asyncio.sleep(0)
            reading.cancel()
            with suppress(asyncio.CancelledError):
                got += await reading
                continue
            cancelled += 1
    await talking
    assert bytes(got) == sent
    assert cancelled
    await hub.close()


async def test_a_write_nobody_takes_times_out_and_says_how_many_bytes_went(link_pair: LinkPair) -> None:
    hub = await link_pair.hub_opener()
    with pytest.raises(WriteError) as caught:
        await hub.write(MORE_THAN_ANY_BUFFER, timeout=0.2)
    assert caught.value.kind == "timeout"
    assert 0 < caught.value.taken < len(MORE_THAN_ANY_BUFFER)
    arrived = await read_exactly(link_pair.device_link, caught.value.taken, chunk=65536)
    assert len(arrived) == caught.value.taken
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await link_pair.device_link.read(1)
    await hub.close()


async def test_a_slow_reader_gets_a_long_write_whole_and_in_order(link_pair: LinkPair) -> None:
    sent = Random(3).randbytes(60_000)
    hub = await link_pair.hub_opener()
    writing = asyncio.create_task(hub.write(sent, timeout=20))
    assert await read_exactly(link_pair.device_link, len(sent), chunk=200) == sent
    await writing
    await hub.close()


async def test_an_unplug_wakes_the_reader(link_pair: LinkPair) -> None:
    hub = await link_pair.hub_opener()
    reading = asyncio.create_task(hub.read(10))
    await asyncio.sleep(0.01)
    await link_pair.unplug()
    with pytest.raises(DeviceError) as caught:
        async with asyncio.timeout(5):
            await reading
    assert caught.value.kind == "unplugged"
    await hub.close()


async def test_an_unplug_ends_a_blocked_write_and_says_how_many_bytes_went(link_pair: LinkPair) -> None:
    hub = await link_pair.hub_opener()
    writing = asyncio.create_task(hub.write(MORE_THAN_ANY_BUFFER, timeout=20))
    await asyncio.sleep(0.1)
    await link_pair.unplug()
    with pytest.raises(WriteError) as caught:
        await writing
    assert caught.value.kind == "unplugged"
    assert 0 < caught.value.taken < len(MORE_THAN_ANY_BUFFER)
    await hub.close()


async def write_until_it_fails(link: Link) -> None:
    """A TCP peer's reset arrives only in answer to a write."""
    for _ in range(100):
        await link.write(b"x", timeout=1)
        await asyncio.sleep(0.001)


async def test_after_a_loss_read_and_write_keep_saying_so(link_pair: LinkPair) -> None:
    hub = await link_pair.hub_opener()
    await link_pair.unplug()
    for _ in range(3):
        with pytest.raises(DeviceError, match="unplugged"):
            await hub.read(1)
    with pytest.raises(WriteError, match="unplugged"):
        await write_until_it_fails(hub)
    await hub.close()


async def test_a_closed_link_wakes_its_reader_and_closes_twice(link_pair: LinkPair) -> None:
    hub = await link_pair.hub_opener()
    reading = asyncio.create_task(hub.read(1))
    await asyncio.sleep(0.01)
    await hub.close()
    await hub.close()
    for read in (reading, hub.read(1)):
        with pytest.raises(DeviceError, match="unplugged"):
            async with asyncio.timeout(5):
                await read
    with pytest.raises(WriteError, match="unplugged"):
        await hub.write(b"x", timeout=1)


async def test_a_device_that_is_not_there_is_not_opened(link_pair: LinkPair) -> None:
    await link_pair.unplug()
    with pytest.raises(DeviceError) as caught:
        await link_pair.hub_opener()
    assert caught.value.kind in {"absent", "refused"}


async def test_after_a_replug_the_same_opener_works_again(link_pair: LinkPair) -> None:
    lost = await link_pair.hub_opener()
    await link_pair.unplug()
    await lost.close()
    await link_pair.plug()
    hub = await link_pair.hub_opener()
    await link_pair.device_link.write(b"back", timeout=5)
    assert await read_exactly(hub, 4) == b"back"
    await hub.close()


@pytest.mark.not_with("shared")
async def test_a_second_opener_is_told_busy_until_the_first_closes(link_pair: LinkPair) -> None:
    first = await link_pair.hub_opener()
    with pytest.raises(DeviceError) as caught:
        await link_pair.hub_opener()
    assert caught.value.kind == "busy"
    await first.close()
    second = await link_pair.hub_opener()
    await second.close()


async def test_an_open_cancelled_at_any_moment_leaves_the_port_free(link_pair: LinkPair) -> None:
    rng = Random(11)
    for _ in range(40):
        opening = asyncio.ensure_future(link_pair.hub_opener())
        await asyncio.sleep(rng.random() * 0.002)
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await (await opening).close()
    hub = await link_pair.hub_opener()
    await hub.close()


async def test_a_babbling_device_does_not_starve_the_loop(link_pair: LinkPair) -> None:
    """However fast the bytes come, other tasks get a turn between any two reads."""
    hub = await link_pair.hub_opener()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def babble() -> None:
        while True:
            await link_pair.device_link.write(bytes(4096), timeout=5)

    tasks = [asyncio.create_task(others()), asyncio.create_task(babble())]
    for _ in range(300):
        await hub.read(16)
    seen = turns
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert seen >= 299
    await hub.close()
