"""The live feed: everybody sees everything in order, or loses the oldest; nobody delays anyone."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.counter.feed import MAX_LISTENERS, LiveFeed, TooManyListenersError


async def test_every_listener_gets_every_item_in_order() -> None:
    feed = LiveFeed()
    async with feed.subscribe() as one, feed.subscribe() as two:
        for n in range(3):
            feed.publish({"kind": "n", "n": n})
        assert [(await anext(one))["n"] for _ in range(3)] == [0, 1, 2]
        assert [(await anext(two))["n"] for _ in range(3)] == [0, 1, 2]


async def test_a_listener_waits_for_the_next_item() -> None:
    feed = LiveFeed()
    async with feed.subscribe() as listener:
        waiting = asyncio.create_task(anext(listener))
        await asyncio.sleep(0)
        assert not waiting.done()
        feed.publish({"kind": "late"})
        assert (await waiting)["kind"] == "late"


async def test_a_slow_listener_loses_the_oldest_and_is_counted() -> None:
    feed = LiveFeed(depth=2)
    async with feed.subscribe() as slow, feed.subscribe() as quick:
        for n in range(5):
            feed.publish({"kind": "n", "n": n})
            assert (await anext(quick))["n"] == n
        assert [(await anext(slow))["n"] for _ in range(2)] == [3, 4]
        assert (slow.dropped, quick.dropped, feed.dropped) == (3, 0, 3)


async def test_who_leaves_is_forgotten_and_nobody_can_crowd_the_hub() -> None:
    feed = LiveFeed()
    async with feed.subscribe():
        assert feed.listeners == 1
    assert feed.listeners == 0
    crowd = [feed.subscribe() for _ in range(MAX_LISTENERS)]
    for each in crowd:
        await each.__aenter__()
    with pytest.raises(TooManyListenersError):
        await feed.subscribe().__aenter__()
    for each in crowd:
        await each.__aexit__(None, None, None)
