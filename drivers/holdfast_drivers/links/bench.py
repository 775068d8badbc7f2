"""The bench: I²C chips and GPIO lines at the far end of a Unix socket, so that simulated hardware lives elsewhere.

Each message is one JSON object on one line of at most 4096 bytes. A client asks, the bench answers in order:

    {"do":"read","id":1,"address":54,"register":2,"length":2}     {"id":1,"data":"b900"}
    {"do":"write","id":2,"address":54,"register":6,"data":"4000"} {"id":2}
    {"do":"take","id":3,"line":6,"pull":"up","debounce":0.05}     {"id":3}         input; "output":true,"high":… output
    {"do":"get","id":4,"line":6}                                  {"id":4,"high":true}
    {"do":"set","id":5,"line":17,"high":true}                     {"id":5}
    {"do":"give","id":6,"line":6}                                 {"id":6}         back to nobody
    {"do":"edges","id":7}                                         {"id":7}, then {"line":6,"high":false,"at":81.25} …

Data is hexadecimal in wire order; `at` is CLOCK_MONOTONIC, one clock for all processes of a machine. A refusal is
`{"id":…,"error":kind,"detail":…}` with DeviceError's kinds: `absent` (no acknowledge), `busy` (another connection's
line), `refused`. A bus held by a chip is an answer that never comes. A line belongs to the connection that took it
and is free when that ends. A malformed or oversize message ends the connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from holdfast_drivers.links.lines import Edge, LineConfig, Pull
from holdfast_drivers.links.registers import Hang, Nack, RegisterMap
from holdfast_drivers.values import DeviceError

FRAME_LIMIT = 4096
"""Bytes of one message, newline included."""
BACKLOG_LIMIT = 65536
"""Bytes a client may leave unread before it is cut off."""
BLOCK_LIMIT = 32
"""SMBus block size."""


class Request(msgspec.Struct, tag_field="do", forbid_unknown_fields=True):
    id: int


class Read(Request, tag="read"):
    address: int
    register: int
    length: int


class Write(Request, tag="write"):
    address: int
    register: int
    data: str


class Take(Request, tag="take", omit_defaults=True):
    line: int
    output: bool = False
    high: bool = False
    pull: Pull = Pull.FLOATING
    debounce: float = 0.0


class Get(Request, tag="get"):
    line: int


class Set(Request, tag="set"):
    line: int
    high: bool


class Give(Request, tag="give"):
    line: int


class Edges(Request, tag="edges"):
    pass


class Reply(msgspec.Struct, omit_defaults=True):
    id: int
    data: str = ""
    high: bool | None = None
    error: str = ""
    detail: str = ""


AnyRequest = Read | Write | Take | Get | Set | Give | Edges
"""What a client may ask."""


_UNUSED = LineConfig()


@dataclass(slots=True)
class _Line:
    config: LineConfig = _UNUSED
    owner: object | None = None
    driven: bool | None = None
    """Level put on it from outside; None: nothing drives it."""
    high: bool = False
    settling: asyncio.TimerHandle | None = None

    def rest(self) -> bool:
        """The level an input has, debounce aside."""
        return self.config.pull is Pull.UP if self.driven is None else self.driven


class BenchServer:
    """Hosts register maps by I²C address and GPIO lines by number at a socket; an async context manager.

    `on_output` is called in the loop with every change of a line that a client drives, release to low included.
    """

    def __init__(
        self, path: Path | str, chips: dict[int, RegisterMap] | None = None, *, on_output: Callable[[Edge], None]
    ) -> None:
        self.path = Path(path)
        self.chips = chips or {}
        self._on_output = on_output
        self._lines: dict[int, _Line] = {}
        self._clients: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._watchers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self.path, limit=FRAME_LIMIT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        await self.unplug()
        await self._server.wait_closed()
        await asyncio.to_thread(self.path.unlink, missing_ok=True)

    async def unplug(self) -> None:
        """Cut every client off, as if the cable were drawn. New ones may come."""
        for writer in self._clients:
            writer.transport.abort()
        tasks = [task for task in self._clients.values() if task is not None]
        if tasks:
            await asyncio.wait(tasks)

    def drive(self, line: int, *, high: bool | None) -> None:
        """Put a level on a line from outside (None: let go); its edges follow once it outlasts the line's debounce."""
        cell = self._line(line)
        cell.driven = high
        if cell.settling is not None:
            cell.settling.cancel()
            cell.settling = None
        if cell.config.debounce:
            cell.settling = asyncio.get_running_loop().call_later(cell.config.debounce, self._settle, line, cell)
        else:
            self._settle(line, cell)

    def level(self, line: int) -> bool:
        """The level of a line as its client sees or drives it."""
        return self._line(line).high

    def _line(self, line: int) -> _Line:
        return self._lines.setdefault(line, _Line())

    def _settle(self, line: int, cell: _Line) -> None:
        cell.settling = None
        if cell.config.output or cell.high == cell.rest():
            return
        cell.high = cell.rest()
        frame = msgspec.json.encode(Edge(line, cell.high, time.monotonic())) + b"\n"
        for writer in list(self._watchers):
            if writer.transport.get_write_buffer_size() > BACKLOG_LIMIT:
                writer.transport.abort()
            else:
                writer.write(frame)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients[writer] = asyncio.current_task()
        try:
            while frame := await reader.readline():
                await self._answer(msgspec.json.decode(frame, type=AnyRequest), writer)
                await writer.drain()
        except (ValueError, OSError):  # oversize, malformed or gone: all end this connection alone
            pass
        finally:
            self._watchers.discard(writer)
            del self._clients[writer]
            for line in [number for number, cell in self._lines.items() if cell.owner is writer]:
                self._give(line, writer)
            writer.close()

    async def _answer(self, request: AnyRequest, writer: asyncio.StreamWriter) -> None:
        with suppress(Hang):
            try:
                reply = self._do(request, writer)
            except Nack:
                reply = Reply(request.id, error="absent", detail="no acknowledge")
            except DeviceError as error:
                reply = Reply(request.id, error=error.kind, detail=error.detail)
            writer.write(msgspec.json.encode(reply) + b"\n")

    def _do(self, request: AnyRequest, client: asyncio.StreamWriter) -> Reply:
        match request:
            case Read(id_, address, register, length):
                data = self._chip(address).read(register, min(length, BLOCK_LIMIT))
                return Reply(id_, data=data.hex())
            case Write(id_, address, register, data):
                self._chip(address).write(register, bytes.fromhex(data))
            case Take():
                self._take(request, client)
            case Get(id_, line):
                return Reply(id_, high=self._owned(line, client).high)
            case Set(_, line, high):
                self._set(line, self._owned(line, client), high=high)
            case Give(_, line):
                self._give(line, client)
            case Edges():
                self._watchers.add(client)
        return Reply(request.id)

    def _chip(self, address: int) -> RegisterMap:
        if address not in self.chips:
            raise Nack
        return self.chips[address]

    def _owned(self, line: int, client: asyncio.StreamWriter) -> _Line:
        cell = self._line(line)
        if cell.owner is not client:
            raise DeviceError("refused", f"line {line} is not taken")
        return cell

    def _take(self, request: Take, client: asyncio.StreamWriter) -> None:
        cell = self._line(request.line)
        if cell.owner not in (None, client):
            raise DeviceError("busy", f"line {request.line} is another connection's")
        cell.owner = client
        self._use(request.line, cell, LineConfig(request.output, request.high, request.pull, request.debounce))

    def _give(self, line: int, client: asyncio.StreamWriter) -> None:
        cell = self._line(line)
        if cell.owner is client:
            cell.owner = None
            self._use(line, cell, _UNUSED)

    def _use(self, line: int, cell: _Line, config: LineConfig) -> None:
        was = cell.config.output and cell.high
        cell.config = config
        cell.high = config.high if config.output else cell.rest()
        if was != (config.output and config.high):
            self._on_output(Edge(line, config.output and config.high, time.monotonic()))

    def _set(self, line: int, cell: _Line, *, high: bool) -> None:
        if not cell.config.output:
            raise DeviceError("refused", f"line {line} is an input")
        if cell.high != high:
            cell.high = high
            self._on_output(Edge(line, high, time.monotonic()))
