"""What went over the link and how it fared: counters, the courier that keeps them, and the picture shown to people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from holdfast.runtime.clock import Clock
from holdfast.uplink.link import Link
from holdfast.uplink.port import RefusedError, Session

PUBLISH_OVERHEAD = 7
"""Bytes of a QoS 1 PUBLISH beside topic and payload: fixed header of at most three, topic length, message id."""
ROUND_TRIP_VALID_S = 60.0


@dataclass(frozen=True, slots=True)
class UplinkState:
    """The uplink at one moment. Ages in seconds; None is "not known"."""

    link: Link
    link_changes: int
    connected: bool
    connects: int
    """Connections that were made since the start."""
    head: int
    """Last seq of the journal."""
    acked: int
    """Last seq headquarters has committed."""
    lag: int
    in_flight: int
    """Events sent and not yet acknowledged."""
    oldest_unacked_age: float | None
    """By the wall-clock label of the oldest event headquarters lacks; 0 when it lacks none."""
    last_ack_age: float | None
    heartbeat_age: float | None
    core_up: bool | None
    """What headquarters last said of itself."""
    round_trip: float | None
    sends: int
    """Events put on the wire, repeats included."""
    resends: int
    bytes_out: dict[str, int]
    """By class: `ev`, `tm`, `dg`, `status`, `birth`, `state`."""
    refusals: int
    malformed: int
    """Messages from headquarters that could not be read."""
    foreign: int
    """Acknowledgements for another incarnation or journal."""
    telemetry_dropped: int
    alarm: str
    """Empty, `fork`, `behind` or `gap`; while it stands no event is sent."""
    last_error: str


@dataclass(slots=True)
class Books:
    """Counters since the process started."""

    bytes_out: Counter[str] = field(default_factory=Counter)
    connects: int = 0
    refusals: int = 0
    malformed: int = 0
    foreign: int = 0
    last_error: str = ""
    _round_trip: float | None = None
    _measured: float = 0.0

    def measure(self, took: float, now: float) -> None:
        """Smooth a broker round trip into the running one."""
        known = self.round_trip(now)
        self._round_trip = took if known is None else 0.75 * known + 0.25 * took
        self._measured = now

    def round_trip(self, now: float) -> float | None:
        """Seconds; None when nothing was measured lately."""
        return self._round_trip if now - self._measured <= ROUND_TRIP_VALID_S else None


class Courier:
    """Publishes on one session and writes it into the books."""

    def __init__(self, session: Session, books: Books, clock: Clock) -> None:
        self._session = session
        self._books = books
        self._clock = clock

    async def publish(
        self, kind: str, topic: str, payload: bytes, *, retain: bool = False, expiry: int | None = None
    ) -> float | None:
        """Seconds until the broker accepted it; None when it refused, which is counted. Raises LostError."""
        self._books.bytes_out[kind] += len(topic) + len(payload) + PUBLISH_OVERHEAD
        began = self._clock.monotonic()
        try:
            await self._session.publish(topic, payload, retain=retain, expiry=expiry)
        except RefusedError as error:
            self._books.refusals += 1
            self._books.last_error = str(error)
            return None
        now = self._clock.monotonic()
        self._books.measure(now - began, now)
        return now - began
