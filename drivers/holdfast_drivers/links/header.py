"""The hub's GPIO header: one pin factory, and the one thread from which the daemon touches it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from holdfast_drivers.links.thread import CallThread, opened

if TYPE_CHECKING:
    from holdfast_drivers.links.gpio import HoldfastFactory

T = TypeVar("T")

OPEN_DEADLINE = 5.0
"""Seconds; includes the import of gpiozero, slow on a cold SD card."""
DEADLINE = 2.0
"""Seconds for one batch of changes or a read."""


class Header:
    """Devices of gpiozero are made, used and closed inside `call`, never in the loop."""

    def __init__(self, factory: HoldfastFactory, thread: CallThread) -> None:
        self.factory = factory
        self._thread = thread

    async def call(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises, run in the header's thread. Raises DeviceError("timeout") after DEADLINE."""
        return await self._thread.call(work, timeout=DEADLINE)


def handed_over(callback: Callable[[], object]) -> Callable[[], None]:
    """`callback`, to be called from any thread and run in the loop of the caller; dropped once that loop is closed."""
    loop = asyncio.get_running_loop()

    def hand_over() -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(callback)

    return hand_over


@asynccontextmanager
async def gpio_header(spec: str = "header") -> AsyncIterator[Header]:
    """Open the lines at `spec` (see links/gpio.py). Raises DeviceError(`absent`|`refused`|`timeout`)."""
    thread, factory = await opened(
        f"gpio {spec}", lambda: _open(spec), lambda late: late.close(), timeout=OPEN_DEADLINE
    )
    try:
        yield Header(factory, thread)
    finally:
        await thread.close(factory.close)


def _open(spec: str) -> HoldfastFactory:
    from holdfast_drivers.links.gpio import HoldfastFactory, open_chip  # noqa: PLC0415 - 5 MB a hub without GPIO saves

    return HoldfastFactory(open_chip(spec))
