"""The technicians' door: HTTP on a Unix socket. Who may open the socket is a technician; the kernel says who it is.

Answers are JSON. A refusal is `{ok: false, reason, words, detail, data}` with status 400 (not understood), 403 (role),
404 (no such thing), 409 (not possible now), 413 (too large), 422 (id used for something else), 429, 500, 503 or 507.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from holdfast.api import acts, battery, devices, shop, technical
from holdfast.api.answers import answer, json_errors, refusal
from holdfast.api.ports import Hub
from holdfast.api.sockets import listen, remove
from holdfast.api.stream import Ending, lines, websocket
from holdfast.domain.core import Refused

Answer = Callable[[Hub, web.Request], Awaitable[Any]]

READS: dict[str, Answer] = {
    "/v1/health": technical.health,
    "/v1/status": technical.status,
    "/v1/devices": devices.devices,
    "/v1/devices/found": devices.found,
    "/v1/devices/boards": devices.boards,
    "/v1/outbox": technical.outbox,
    "/v1/power": technical.power,
    "/v1/power/report": technical.power_report,
    "/v1/board": technical.board,
    "/v1/spool": technical.spool,
    "/v1/badges": technical.badges,
    "/v1/reasons": technical.reasons,
    "/v1/stock": shop.stock,
    "/v1/sales": shop.sales,
    "/v1/receipts/{number}": shop.receipt,
    "/v1/carts": shop.carts,
    "/v1/shift": shop.shift,
    "/v1/money": shop.money,
}
ACTS: dict[str, Answer] = {
    "/v1/commands": acts.command,
    "/v1/catalogue": acts.catalogue,
    "/v1/badges": acts.badge,
    "/v1/scans": acts.scan,
    "/v1/scan-test": acts.scan_test,
    "/v1/print-test": acts.print_test,
    "/v1/power/test": battery.test,
    "/v1/power/forget": battery.forget,
    "/v1/devices/{name}/test": devices.test,
    "/v1/devices/{name}/record": devices.record,
    "/v1/devices/{name}/log-level": devices.log_level,
    "/v1/devices/{name}/forget": devices.forget,
    "/v1/devices/{name}/release": devices.release,
    "/v1/devices/{name}/claim": devices.claim,
    "/v1/devices/{name}/reset-statistics": devices.reset_statistics,
}
MAX_WATCHERS = 32
"""Live streams at a time."""
END_SECONDS = 2.0
"""How long a request may still run when the door closes."""


class ApiServer:
    """`async with ApiServer(hub, path) as server`. Raises InUseError, OSError when the socket cannot be had."""

    def __init__(self, hub: Hub, path: Path) -> None:
        self._hub = hub
        self._path = path
        self._running: set[asyncio.Future[None]] = set()
        self._watchers = 0

    async def __aenter__(self) -> Self:
        self._ending: Ending = asyncio.get_running_loop().create_future()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=END_SECONDS)
        await self._runner.setup()
        listener = listen(self._path)
        self._inode = self._path.stat().st_ino
        await web.SockSite(self._runner, listener).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.quiesce(END_SECONDS)
        await self._runner.cleanup()
        remove(self._path, self._inode)

    async def quiesce(self, limit: float) -> None:
        """Refuse further commands, end the live streams, give what runs `limit` seconds to finish."""
        if not self._ending.done():
            self._ending.set_result(None)
        if self._running:
            await asyncio.wait(self._running, timeout=limit)

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[json_errors])
        for path, read in READS.items():
            application.router.add_get(path, self._handler(read))
        for path, act in ACTS.items():
            application.router.add_post(path, self._handler(act, closes=True))
        application.router.add_get("/v1/live", self._handler(self._lines))
        application.router.add_get("/v1/live/ws", self._handler(self._websocket))
        return application

    def _handler(self, ask: Answer, *, closes: bool = False) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            if closes and self._ending.done():
                return refusal("stopping")
            with self._counted():
                result = await ask(self._hub, request)
            return result if isinstance(result, web.StreamResponse) else answer(result)

        return handle

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """What runs is known, so that an orderly stop can wait for it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running.add(done)
        try:
            yield
        finally:
            self._running.discard(done)
            done.set_result(None)

    async def _lines(self, hub: Hub, request: web.Request) -> web.StreamResponse:
        with self._watching():
            return await lines(request, hub.feed, self._ending)

    async def _websocket(self, hub: Hub, request: web.Request) -> web.StreamResponse:
        with self._watching():
            return await websocket(request, hub.feed, self._ending)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        if self._watchers >= MAX_WATCHERS:
            raise Refused("queue_full", detail=f"{MAX_WATCHERS} live streams are open already")
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1
