"""Command ids: time-sortable, made by whoever asks."""

from __future__ import annotations

import os

from holdfast.runtime.clock import Clock


class IdSource:
    """Ids of this process: 48-bit milliseconds and 24 bits that never repeat within one of them.

    Nine bytes instead of sixteen; an originator elsewhere may use up to 16 bytes with the same first six.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ms = 0
        self._counter = int.from_bytes(os.urandom(2), "big")

    def __call__(self) -> bytes:
        self._last_ms = max(self._last_ms, self._clock.wall_ms())
        self._counter = (self._counter + 1) & 0xFFFFFF
        return (self._last_ms & 0xFFFF_FFFF_FFFF).to_bytes(6, "big") + self._counter.to_bytes(3, "big")


def id_millis(command_id: bytes) -> int:
    """UTC milliseconds an id was made at, by its originator's clock."""
    return int.from_bytes(command_id[:6], "big")
