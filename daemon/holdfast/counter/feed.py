"""The live feed: what happens at the hub, as it happens. Nobody who watches can delay the counter."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

DEPTH = 256
"""Items a listener may be behind; then its oldest is dropped."""
MAX_LISTENERS = 64


class TooManyListenersError(RuntimeError):
    """Nobody more can watch."""


class Listener:
    """One watcher's queue, an async iterator that never ends."""

    def __init__(self, depth: int) -> None:
        self.dropped = 0
        """Items this listener was too slow for."""
        self._items: deque[Mapping[str, Any]] = deque(maxlen=depth)
        self._some = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Mapping[str, Any]:
        while not self._items:
            self._some.clear()
            await self._some.wait()
        return self._items.popleft()

    def put(self, item: Mapping[str, Any]) -> bool:
        """False when an older item had to make room."""
        fits = len(self._items) != self._items.maxlen
        self._items.append(item)
        self._some.set()
        self.dropped += not fits
        return fits


class LiveFeed:
    """Fans items out. Every item has a `kind`; its values are plain JSON."""

    def __init__(self, *, depth: int = DEPTH) -> None:
        self.dropped = 0
        """Items that slow listeners lost, over all of them."""
        self._depth = depth
        self._listeners: set[Listener] = set()

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def publish(self, item: Mapping[str, Any]) -> None:
        """Never blocks, never raises."""
        for listener in self._listeners:
            self.dropped += not listener.put(item)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Listener]:
        """Every item from now on. Raises TooManyListenersError."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise TooManyListenersError
        listener = Listener(self._depth)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
