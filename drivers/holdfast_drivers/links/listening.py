"""What simulators have in common that hear what the hub says."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from holdfast_drivers.links.base import Link
from holdfast_drivers.values import DeviceError


class Listening(ABC):
    """Hears its link while it is entered. What fails meanwhile is raised on leaving; a lost link is no failure."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._listen(), name=f"simulator {self._link.name}")
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listening is not None
        self._listening.cancel()
        ended = await asyncio.gather(self._listening, return_exceptions=True)
        if isinstance(ended[0], Exception) and not isinstance(ended[0], DeviceError):
            raise ended[0]

    @abstractmethod
    async def _listen(self) -> None:
        """Until cancelled, or DeviceError of the link."""
