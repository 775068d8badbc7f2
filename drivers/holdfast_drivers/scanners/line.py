"""What all scanner drivers share: one task reads the link, a decoder tells frames apart, scans wait in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, Self

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.scanners.base import Capability, Garbled, ScannerStats
from holdfast_drivers.values import DeviceError, Scan, Tri

WAITING = 64
"""Scans kept for a reader that is slow; then the link itself is left to wait."""
WRITE_TIMEOUT = 1.0
"""Seconds for the link to take a command."""

_CHUNK = 4096
_GRACE = 0.005
"""Seconds. When the loop itself was late, bytes that came in time are still in the kernel: one more look, then idle."""


class Decoder(Protocol):
    """Bytes in; scans, replies and `Garbled` out. Knows no clock: times are the caller's monotonic seconds."""

    @property
    def gap(self) -> float:
        """Seconds of silence after which `idle` has something to say."""
        ...

    @property
    def open(self) -> bool:
        """A frame has begun and not ended."""
        ...

    @property
    def oversize(self) -> int:
        """Reads dropped for their length."""
        ...

    def feed(self, data: bytes, at: float) -> Sequence[object]:
        """The frames that `data`, received at `at`, completes."""
        ...

    def idle(self, at: float) -> Sequence[object]:
        """The frame that silence until `at` ends, if it has lasted for `gap`."""
        ...

    def drop(self) -> bool:
        """Forget a frame that has begun: its end will never come. True when there was one."""
        ...


class LineScanner:
    """A `Scanner` that reads, and can do nothing else; a protocol adds what it can."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, opener: Opener, decoder: Decoder) -> None:
        self.stats = ScannerStats()
        self._opener = opener
        self._decoder = decoder
        self._link: Link | None = None
        self._reader: asyncio.Task[None] | None = None
        self._lost: DeviceError | None = None
        self._scans: deque[Scan] = deque()
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._writing = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._awaited: tuple[Callable[[Any], bool], asyncio.Future[Any]] | None = None

    async def __aenter__(self) -> Self:
        self._link = await self._opener()
        self._reader = asyncio.create_task(self._read(), name=f"scanner {self._link.name}")
        try:
            await self._greet()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Scan:
        """The next scan, in the order of the wire. Cancelling loses none."""
        while not self._scans:
            if self._lost is not None:
                raise DeviceError(self._lost.kind, self._lost.detail) from self._lost
            self._came.clear()
            await self._came.wait()
        self.stats.reads += 1
        self._room.set()
        return self._scans.popleft()

    async def good_read(self, *, beeps: int = 1) -> None:  # noqa: ARG002 - the signature is Scanner's
        raise self._cannot("good_read")

    async def bad_read(self) -> None:
        raise self._cannot("bad_read")

    async def enable(self) -> None:
        raise self._cannot("enable")

    async def disable(self) -> None:
        raise self._cannot("disable")

    async def alive(self) -> Tri:
        if Capability.QUERY not in self.capabilities:
            return Tri.UNKNOWN
        try:
            await self._probe()
        except DeviceError as error:
            if error.kind != "timeout":
                raise
            return Tri.UNKNOWN
        return Tri.YES

    async def _probe(self) -> None:
        """Ask something harmless, of a scanner that can be asked. Raises DeviceError."""

    async def _greet(self) -> None:
        """What a protocol says first."""

    async def _hear(self, frame: object) -> None:
        """Something other than a scan came."""
        if self._awaited is not None and self._awaited[0](frame) and not self._awaited[1].done():
            self._awaited[1].set_result(frame)

    async def _send(self, data: bytes) -> None:
        """Raises WriteError."""
        assert self._link is not None, "use the scanner as an async context manager"
        async with self._writing:
            await self._link.write(data, timeout=WRITE_TIMEOUT)

    async def _ask(self, question: bytes, answers: Callable[[Any], bool], *, within: float) -> Any:
        """Send `question`; the first frame that `answers`. Raises DeviceError(`timeout`|`unplugged`)."""
        try:
            async with asyncio.timeout(within + WRITE_TIMEOUT), self._asking:
                return await self._answer(question, answers, within)
        except TimeoutError:
            raise DeviceError("timeout", f"no answer within {within:g} s") from None

    async def _answer(self, question: bytes, answers: Callable[[Any], bool], within: float) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._awaited = answers, answer
        try:
            await self._send(question)
            if self._lost is not None:
                raise DeviceError(self._lost.kind, self._lost.detail)
            async with asyncio.timeout(within):
                return await answer
        finally:
            self._awaited = None
            answer.cancel()

    async def _deliver(self, scan: Scan) -> None:
        while len(self._scans) >= WAITING:
            self._room.clear()
            await self._room.wait()
        self.stats.fragments += not scan.terminated
        self._scans.append(scan)
        self._came.set()

    async def _read(self) -> None:
        try:
            while True:
                for frame in await self._receive():
                    await self._take(frame)
                self.stats.oversize = self._decoder.oversize
        except DeviceError as error:
            self.stats.fragments += self._decoder.drop()
            self._lost = error
        finally:
            if self._lost is None:
                self._lost = DeviceError("unplugged", "no longer read")
            self._came.set()
            if self._awaited is not None and not self._awaited[1].done():
                self._awaited[1].set_exception(DeviceError(self._lost.kind, self._lost.detail))

    async def _take(self, frame: object) -> None:
        if isinstance(frame, Scan):
            await self._deliver(frame)
            return
        self.stats.garbled += isinstance(frame, Garbled)
        await self._hear(frame)

    async def _receive(self) -> Sequence[object]:
        loop = asyncio.get_running_loop()
        data = await self._read_some()
        if data is None:
            return self._decoder.idle(loop.time())
        self.stats.bytes += len(data)
        return self._decoder.feed(data, loop.time())

    async def _read_some(self) -> bytes | None:
        """Bytes, or None when a frame has begun and the line fell silent."""
        assert self._link is not None
        if not self._decoder.open:
            return await self._link.read(_CHUNK)
        for patience in (self._decoder.gap, _GRACE):
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    return await self._link.read(_CHUNK)
        return None

    async def _close(self) -> None:
        if self._reader is None or self._link is None:
            return
        self._reader.cancel()
        ended = await asyncio.gather(self._reader, return_exceptions=True)
        await self._link.close()
        if isinstance(ended[0], Exception):
            raise ended[0]

    def _cannot(self, what: str) -> DeviceError:
        return DeviceError("refused", f"{type(self).__name__} has no {what}")
