"""What the uplink asks of an MQTT client, whatever library stands behind it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


class UplinkError(Exception):
    """The way to headquarters failed; the text is for a technician."""


class LostError(UplinkError):
    """There is no connection: not made, broken, or silent for too long."""


class RefusedError(UplinkError):
    """The broker took no responsibility for a publish or a subscription (`code` is MQTT's, 0x80 and above)."""

    def __init__(self, topic: str, code: int) -> None:
        super().__init__(f"broker refused {topic} with code 0x{code:02x}")
        self.topic = topic
        self.code = code


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us, retained, when we vanish; after `delay` seconds where MQTT 5 is spoken."""

    topic: str
    payload: bytes
    delay: int = 10


@dataclass(frozen=True, slots=True)
class Message:
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool = False
    """It was stored by the broker before we subscribed: its age is unknown."""
    qos: int = 0
    mid: int = 0


class Session(Protocol):
    """One connection, from CONNACK to its end. Every method raises LostError once it has ended."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: int | None = None) -> None:
        """Return when the broker has accepted the message (QoS 1). Raises RefusedError.

        Acceptance is not durability. `expiry` in seconds is a hint that MQTT 3.1.1 cannot carry.
        """
        ...

    async def subscribe(self, *filters: str) -> None:
        """Subscribe at QoS 1. Raises RefusedError when any of them is refused."""
        ...

    async def receive(self) -> Message:
        """The next message. Cancelling loses none."""
        ...

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that a message has been dealt with; until then it would deliver it again."""
        ...


Connect = Callable[[Will], AbstractAsyncContextManager[Session]]
"""Opens a new connection; raises LostError. Leaving it disconnects in bounded time."""
