"""The live feed as it leaves the hub: one JSON object a line, or one a WebSocket message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import web

from holdfast.api.ports import Feed

SEND_SECONDS = 10.0
"""A reader that takes nothing for this long is let go."""
BEAT_SECONDS = 15.0
"""An idle stream says so, so that both ends notice when the other is gone."""
BEAT: Mapping[str, Any] = {"kind": "beat"}
CLOSE_SECONDS = 1.0
"""How long a WebSocket client may take to say goodbye."""
MAX_MESSAGE = 1024
"""Bytes a WebSocket client may send; nothing it says is used."""

Ending = asyncio.Future[None]
"""Done when the hub stops: a stream then ends in order."""

_encode = msgspec.json.Encoder().encode


async def lines(request: web.Request, feed: Feed, ending: Ending) -> web.StreamResponse:
    """GET: newline-delimited JSON until either end leaves."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
    async with feed.subscribe() as items:
        await response.prepare(request)
        with suppress(ConnectionError, TimeoutError):
            await _pump(items, lambda item: response.write(_encode(item) + b"\n"), ending)
    return response


async def websocket(request: web.Request, feed: Feed, ending: Ending) -> web.WebSocketResponse:
    """GET with Upgrade: one text message an item."""
    response = web.WebSocketResponse(heartbeat=BEAT_SECONDS, timeout=CLOSE_SECONDS, max_msg_size=MAX_MESSAGE)
    async with feed.subscribe() as items:
        await response.prepare(request)
        tasks = {
            asyncio.create_task(
                _pump(items, lambda item: response.send_str(_encode(item).decode()), ending), name="api: live send"
            ),
            asyncio.create_task(_until_closed(response), name="api: live receive"),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    await response.close()
    return response


async def _until_closed(response: web.WebSocketResponse) -> None:
    """Read what the client says, which is nothing, so that its pings and its leaving are heard."""
    async for _ in response:
        pass


async def _pump(
    items: AsyncIterator[Mapping[str, Any]], send: Callable[[Mapping[str, Any]], Awaitable[None]], ending: Ending
) -> None:
    """Every item, and a beat whenever there was none for a while. Raises TimeoutError for a reader that is stuck."""
    following: asyncio.Future[Any] = asyncio.ensure_future(anext(items))
    try:
        while True:
            await asyncio.wait({following, ending}, timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return
            item = following.result() if following.done() else BEAT
            async with asyncio.timeout(SEND_SECONDS):
                await send(item)
            if following.done():
                following = asyncio.ensure_future(anext(items))
    except StopAsyncIteration:
        return
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
