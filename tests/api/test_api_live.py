"""The live streams: lines and WebSocket, beats, slow readers, an orderly end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from holdfast.api import server
from hub_rig import Rig
from support.waiting import until


@asynccontextmanager
async def watching(hub: Rig) -> AsyncIterator[aiohttp.StreamReader]:
    async with hub.http.get("http://hub/v1/live") as response:
        assert response.headers["Content-Type"] == "application/x-ndjson"
        await until(lambda: hub.feed.listeners)
        yield response.content


async def item(stream: aiohttp.StreamReader) -> Any:
    async with asyncio.timeout(5):
        return json.loads(await stream.readline())


async def test_lines_as_it_happens(hub: Rig) -> None:
    async with watching(hub) as stream:
        hub.feed.publish({"kind": "outcome", "ok": True})
        hub.feed.publish({"kind": "outcome", "ok": False, "reason": "cash_short"})
        assert (await item(stream))["ok"] is True
        assert (await item(stream))["reason"] == "cash_short"


async def test_messages_over_a_websocket(hub: Rig) -> None:
    async with hub.http.ws_connect("http://hub/v1/live/ws") as ws:
        await until(lambda: hub.feed.listeners)
        hub.feed.publish({"kind": "scan", "text": "é"})
        assert await ws.receive_json(timeout=5) == {"kind": "scan", "text": "é"}
    await until(lambda: not hub.feed.listeners)


async def test_an_idle_stream_beats(hub: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.api.stream.BEAT_SECONDS", 0.02)
    async with watching(hub) as stream:
        assert await item(stream) == {"kind": "beat"}
        assert await item(stream) == {"kind": "beat"}
        hub.feed.publish({"kind": "scan"})
        kinds = [(await item(stream))["kind"] for _ in range(3)]
        assert "scan" in kinds


async def test_a_reader_that_leaves_is_forgotten(hub: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.api.stream.BEAT_SECONDS", 0.02)
    async with hub.http.get("http://hub/v1/live"):
        await until(lambda: hub.feed.listeners)
    await until(lambda: not hub.feed.listeners)


async def test_a_reader_that_takes_nothing_is_let_go(hub: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.api.stream.SEND_SECONDS", 0.05)
    _, writer = await asyncio.open_unix_connection(str(hub.socket), limit=1)
    writer.write(b"GET /v1/live HTTP/1.1\r\nHost: hub\r\n\r\n")
    await until(lambda: hub.feed.listeners)
    for _ in range(200):
        hub.feed.publish({"kind": "scan", "text": "x" * 10_000})
    await until(lambda: not hub.feed.listeners)
    writer.close()


async def test_streams_end_in_order_when_the_hub_stops(hub: Rig) -> None:
    async with watching(hub) as stream, hub.http.ws_connect("http://hub/v1/live/ws") as ws:
        await until(lambda: hub.feed.listeners == 2)
        stopping = asyncio.create_task(hub.server.quiesce(5.0))
        assert await stream.readline() == b""
        assert (await ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        await stopping
    assert hub.feed.listeners == 0


async def test_watchers_are_counted(hub: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_WATCHERS", 1)
    async with watching(hub):
        assert (await hub.get("/v1/live", 429))["reason"] == "queue_full"


async def test_a_websocket_client_may_not_talk_much(hub: Rig) -> None:
    async with hub.http.ws_connect("http://hub/v1/live/ws") as ws:
        await ws.send_str("hello")
        await ws.send_str("x" * 5000)
        message = await ws.receive(timeout=5)
        assert (message.type, ws.close_code) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.MESSAGE_TOO_BIG)
