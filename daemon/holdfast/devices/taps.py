"""Listening in on an open link: for a recording, and for a log that shows what goes over the wire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.links.tape import MAX_BYTES, Entry, Tape, mask_text

Listener = Callable[[bytes, bool], None]
"""Gets what was read (False) or written (True) by the hub."""


class Taps:
    """Listeners by place. They stay while the link is lost and opened again."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}
        self._logs: dict[str, Listener] = {}

    def around(self, place: str, opener: Opener) -> Opener:
        """Opens the same link, with an ear on it."""
        listeners = self._listeners.setdefault(place, [])

        async def open_link() -> Link:
            return TappedLink(await opener(), listeners)

        return open_link

    def covers(self, place: str) -> bool:
        """Can this place be listened to?"""
        return place in self._listeners

    async def record(self, place: str, seconds: float) -> Tape:
        """What goes over the link for `seconds`, its text masked, at most MAX_BYTES. Raises KeyError: no such place."""
        loop = asyncio.get_running_loop()
        began, entries, room = loop.time(), list[Entry](), MAX_BYTES

        def keep(data: bytes, written: bool) -> None:
            nonlocal room
            room -= len(data)
            if room >= 0:
                entries.append(Entry(loop.time() - began, mask_text(data), written))

        with self._listening(place, keep):
            await asyncio.sleep(seconds)
        return Tape(place, redacted=True, entries=tuple(entries))

    def log(self, place: str, logger: logging.Logger | None) -> None:
        """Log the masked traffic at DEBUG from now on; None: no longer. Raises KeyError: no such place."""
        listeners = self._listeners[place]
        if (old := self._logs.pop(place, None)) is not None:
            listeners.remove(old)
        if logger is None:
            return

        def tell(data: bytes, written: bool) -> None:
            logger.debug("%s %r", "out" if written else "in", mask_text(data))

        self._logs[place] = tell
        listeners.append(tell)

    @contextmanager
    def _listening(self, place: str, listener: Listener) -> Iterator[None]:
        listeners = self._listeners[place]
        listeners.append(listener)
        try:
            yield
        finally:
            listeners.remove(listener)


class TappedLink:
    """A Link that lets `listeners` hear; a write that failed is not heard."""

    def __init__(self, inner: Link, listeners: list[Listener]) -> None:
        self._inner = inner
        self._listeners = listeners

    @property
    def name(self) -> str:
        return self._inner.name

    async def read(self, limit: int) -> bytes:
        data = await self._inner.read(limit)
        self._tell(data, written=False)
        return data

    async def write(self, data: bytes, *, timeout: float) -> None:
        await self._inner.write(data, timeout=timeout)
        self._tell(data, written=True)

    async def close(self) -> None:
        await self._inner.close()

    def _tell(self, data: bytes, *, written: bool) -> None:
        for listener in tuple(self._listeners):
            listener(data, written)


TAPS = Taps()
"""Of this process, as its loggers are."""
