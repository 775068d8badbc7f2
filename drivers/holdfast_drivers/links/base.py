"""What a byte link is. Where it goes is the opener's affair, what the bytes mean the codec's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from holdfast_drivers.values import DeviceError


class WriteError(DeviceError):
    """A write did not finish. `taken` bytes were accepted by the link before it failed."""

    def __init__(self, kind: str, detail: str = "", *, taken: int = 0) -> None:
        super().__init__(kind, detail)
        self.taken = taken


class Link(Protocol):
    """An open, exclusive, bidirectional byte stream. One reader and one writer at a time."""

    @property
    def name(self) -> str:
        """Where it goes, for people and logs."""
        ...

    async def read(self, limit: int) -> bytes:
        """1..limit bytes as soon as any are there; cancelled, it loses none. Raises DeviceError("unplugged")."""
        ...

    async def write(self, data: bytes, *, timeout: float) -> None:
        """Hand all of `data` to the device within `timeout` seconds. Raises WriteError(`timeout`|`unplugged`)."""
        ...

    async def close(self) -> None:
        """Release the descriptor. Idempotent; never raises."""
        ...


Opener = Callable[[], Awaitable[Link]]
"""Opens the link afresh; raises DeviceError(`absent`|`busy`|`refused`). Called again after every loss."""
