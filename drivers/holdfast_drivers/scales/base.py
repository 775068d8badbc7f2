"""What a scale is to whoever uses it, and what a protocol has to bring for the driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from holdfast_drivers.values import ScaleReading

MAX_FRAME = 64
"""Bytes between a frame's begin and its end; more without an end is noise."""


class Capability(Enum):
    """What a scale can be told. What it has not, its methods refuse."""

    ZERO = auto()
    TARE = auto()
    CLEAR_TARE = auto()


@dataclass(slots=True)
class ScaleStats:
    """Counts since the scale was opened."""

    asked: int = 0
    weights: int = 0
    """Stable weights."""
    silent: int = 0
    """Questions without an answer."""
    garbled: int = 0
    """Frames that were none of the protocol's, or too long."""


@dataclass(frozen=True, slots=True)
class ScaleProtocol:
    """A way to ask a scale: what is sent, and what an answer means. Pure."""

    name: str
    begin: int
    """The byte that begins an answer ..."""
    end: int
    """... and the one that ends it."""
    weigh: bytes
    commands: dict[Capability, bytes]
    read: Callable[[bytes], ScaleReading | None]
    """What is between `begin` and `end`; None: nothing of this protocol."""
    restarts: bool
    """`begin` inside an answer begins it afresh: what came before it was cut off."""


class AnswerFramer:
    """Bytes in, what stands between begin and end out. Any split of the same bytes gives the same."""

    def __init__(self, protocol: ScaleProtocol) -> None:
        self.oversize = 0
        """Answers dropped for their length."""
        self._protocol = protocol
        self._frame: bytearray | None = None

    @property
    def open(self) -> bool:
        """An answer has begun and not ended."""
        return self._frame is not None

    def feed(self, data: bytes) -> list[bytes]:
        """The answers that `data` completes."""
        return [answer for byte in data if (answer := self._take(byte)) is not None]

    def drop(self) -> None:
        """Forget an answer that has begun."""
        self._frame = None

    def _take(self, byte: int) -> bytes | None:
        if self._frame is None or (self._protocol.restarts and byte == self._protocol.begin):
            self._frame = bytearray() if byte == self._protocol.begin else None
            return None
        if byte == self._protocol.end:
            answer, self._frame = bytes(self._frame), None
            return answer
        self._frame.append(byte)
        if len(self._frame) > MAX_FRAME:
            self.oversize += 1
            self._frame = None
        return None
