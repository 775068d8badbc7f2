"""The printer's end of the line: the one task that reads, and what it has heard so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.printers import status as wire
from holdfast_drivers.values import DeviceError, PrinterStatus

_READ_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every wait, in seconds where nothing else is said."""

    reply: float = 0.5
    """For the answers to DLE EOT; asked twice."""
    probe: float = 3.0
    """For the answer that shows what proof the printer can give."""
    write: float = 10.0
    """For the link to take one chunk; then the stall is looked into."""
    stall: float = 30.0
    """Without a byte taken and no reason known, a job is given up."""
    patience: float = 600.0
    """From a hindrance during a job (no paper, cover open) until it is given up."""
    margin: float = 5.0
    """Added to the time that printing a job takes at most."""
    stale: float = 60.0
    """Age at which a status is worth nothing."""
    kick: float = 1.0
    """Between drawer pulses: a coil made for 20 % duty needs 0.5 after 100 ms."""
    chunk: int = 1024
    """Bytes."""
    bytes_per_s: float = 960.0
    """Of the slowest wire: 9600 baud."""
    mm_per_s: float = 50.0
    """Of the slowest printer."""


class PrinterPort:
    """Reads `link` from entering to leaving, which closes it. Everything heard is kept here; nobody else reads."""

    def __init__(
        self, link: Link, *, monotonic: Callable[[], float], drawer_open_high: bool | None, limits: Limits
    ) -> None:
        self.status = PrinterStatus()
        self.lost: DeviceError | None = None
        """Why the link is gone, once it is."""
        self.heard = False
        """Whether the printer ever said anything that makes sense."""
        self.answers = False
        """Whether it ever answered DLE EOT."""
        self.auto = False
        """Whether it reports changes by itself."""
        self.last_job: bytes | None = None
        """Id of the job last reported done (GS ( H)."""
        self.junk = 0
        """Replies that made no sense, or that nobody had asked for."""
        self.open_questions = 0
        """GS r 1 sent and not answered; whoever sends one adds it here first."""
        self._link = link
        self._monotonic = monotonic
        self._drawer_open_high = drawer_open_high
        self._limits = limits
        self._answers: list[int] | None = None
        self._stirred = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read(), name=f"printer reader {self._link.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._reader is not None
        self._reader.cancel()
        ended = await asyncio.gather(self._reader, return_exceptions=True)
        await self._link.close()
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def write(self, data: bytes) -> None:
        """Raises WriteError."""
        await self._link.write(data, timeout=self._limits.write)

    async def until(self, condition: Callable[[], bool], within: float) -> bool:
        """Whether `condition` came true `within` seconds. Raises DeviceError: link lost."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    if self.lost is not None:
                        raise self.lost
                    await self._stirred.wait()
        except TimeoutError:
            return condition()
        return True

    def done(self, job: bytes) -> bool:
        """Whether GS ( H last reported `job`."""
        return self.last_job == job

    async def ask_status(self) -> bool:
        """DLE EOT 1..4, twice at most; whether `status` is fresh now. Silence makes every field unknown."""
        for attempt in range(2):
            if attempt:
                await asyncio.sleep(self._limits.reply)  # a late answer must not count for the next question
            if await self._ask_status_once():
                return True
        self.status = PrinterStatus(at=self.status.at)
        self._stir()
        return False

    async def _ask_status_once(self) -> bool:
        self._answers = []
        try:
            await self._link.write(wire.REALTIME_ALL, timeout=self._limits.reply)
            return await self.until(lambda: self._answers is None, self._limits.reply)
        except WriteError as error:
            if error.kind != "timeout":
                raise
            return False
        finally:
            self._answers = None

    async def _read(self) -> None:
        decoder = wire.StatusDecoder()
        try:
            while True:
                data = await self._link.read(_READ_LIMIT)
                for reply in decoder.feed(data):
                    self._hear(reply)
                self._stir()
        except DeviceError as error:
            self.lost = error
        finally:
            if self.lost is None:
                self.lost = DeviceError("unplugged", f"{self._link.name}: no longer read")
            self._stir()

    def _hear(self, reply: wire.Reply) -> None:
        match reply:
            case wire.RealTime(value):
                self._hear_answer(value)
            case wire.AutoStatus():
                self.auto = True
                at = self._monotonic()
                self.status = wire.fold_auto(self.status, reply, at, drawer_open_high=self._drawer_open_high)
            case wire.InOrder() if wire.is_paper_reply(reply) and self.open_questions:
                self.open_questions -= 1
            case wire.JobDone(job):
                self.last_job = job
            case wire.Flow():
                pass  # the kernel obeys these where the line is set to; here they only pass through
            case _:
                self.junk += 1
                return
        self.heard = True

    def _hear_answer(self, value: int) -> None:
        if self._answers is None:
            return
        self._answers.append(value)
        if len(self._answers) == 4:
            first, second, third, fourth = self._answers
            self._answers = None
            self.answers = True
            self.status = wire.fold_realtime(
                self.status,
                (first, second, third, fourth),
                self._monotonic(),
                drawer_open_high=self._drawer_open_high,
            )

    def _stir(self) -> None:
        self._stirred.set()
        self._stirred = asyncio.Event()
