"""Drives a two-line customer display. It tells nothing back: that bytes were taken is all that can be known."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from holdfast_drivers.displays.commands import Language
from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.values import Columns, DeviceError

WRITE_TIMEOUT = 2.0
"""Seconds for two lines: 60 bytes are 63 ms at 9600 baud."""


class LineDisplay:
    """`async with LineDisplay(opener) as display: await display.show(Columns("Tea", "7.49"), Columns("Total", "7.49"))`

    Entering raises what the opener raises. Cleared on entering and, if it is still there, on leaving.
    """

    def __init__(
        self, opener: Opener, language: Language | None = None, *, write_timeout: float = WRITE_TIMEOUT
    ) -> None:
        self.language = language or Language()
        self._opener = opener
        self._write_timeout = write_timeout
        self._link: Link | None = None
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._link = await self._opener()
        try:
            await self._send(self.language.begin())
        except BaseException:
            await self._link.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._link is None:
            return
        with suppress(DeviceError):
            await self._send(self.language.clear())
        await self._link.close()

    async def show(self, upper: Columns, lower: Columns) -> None:
        """Both lines. Raises DeviceError(`timeout`|`unplugged`)."""
        await self._send(self.language.show(upper, lower))

    async def clear(self) -> None:
        """Dark. Raises as `show` does."""
        await self._send(self.language.clear())

    async def lost(self) -> None:
        """Never returns: raises DeviceError(`unplugged`) when the display is gone. What it says is thrown away."""
        assert self._link is not None, "use the display as an async context manager"
        while True:
            await self._link.read(256)

    async def _send(self, data: bytes) -> None:
        assert self._link is not None, "use the display as an async context manager"
        async with self._writing:
            await self._link.write(data, timeout=self._write_timeout)
