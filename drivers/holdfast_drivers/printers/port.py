"""The printer's end of the line: the one task that reads, whatever the language, and the bounds of every wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.values import DeviceError

_READ_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every wait, in seconds where nothing else is said."""

    reply: float = 0.5
    """For the answer to a question about status; asked twice."""
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
    ask: float = 2.0
    """Age at which a printer that reports nothing by itself is asked again."""
    kick: float = 1.0
    """Between drawer pulses: a coil made for 20 % duty needs 0.5 after 100 ms."""
    chunk: int = 1024
    """Bytes."""
    bytes_per_s: float = 960.0
    """Of the slowest wire: 9600 baud."""
    mm_per_s: float = 50.0
    """Of the slowest printer."""


class PrinterPort:
    """Reads `link` from `start` to `stop`, which closes it. Nobody else reads."""

    def __init__(self, link: Link, limits: Limits) -> None:
        self.lost: DeviceError | None = None
        """Why the link is gone, once it is."""
        self.sent: Callable[[bytes], None] = lambda _: None
        """Gets every byte that has left; all of a write that was cancelled, as nobody knows."""
        self._link = link
        self._limits = limits
        self._stirred = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    def start(self, hear: Callable[[bytes], None]) -> None:
        """`hear` gets every byte that arrives."""
        self._reader = asyncio.create_task(self._read(hear), name=f"printer reader {self._link.name}")

    async def stop(self) -> None:
        """Raises what `hear` raised."""
        assert self._reader is not None
        self._reader.cancel()
        ended = await asyncio.gather(self._reader, return_exceptions=True)
        await self._link.close()
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def write(self, data: bytes, *, timeout: float | None = None) -> None:
        """Raises WriteError."""
        taken = len(data)
        try:
            await self._link.write(data, timeout=self._limits.write if timeout is None else timeout)
        except WriteError as error:
            taken = error.taken
            raise
        finally:
            self.sent(data[:taken])

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

    def stir(self) -> None:
        """Let everyone in `until` look again."""
        self._stirred.set()
        self._stirred = asyncio.Event()

    async def _read(self, hear: Callable[[bytes], None]) -> None:
        try:
            while True:
                hear(await self._link.read(_READ_LIMIT))
                self.stir()
        except DeviceError as error:
            self.lost = error
        finally:
            if self.lost is None:
                self.lost = DeviceError("unplugged", f"{self._link.name}: no longer read")
            self.stir()
