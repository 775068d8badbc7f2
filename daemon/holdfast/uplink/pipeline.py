"""What of one stream is under way: go-back-N under cumulative acknowledgements, sized by bytes. Pure; time is given.

`acked` is what headquarters has committed, `sent` the last seq put on the wire since the last rewind. Nothing is kept
of what was sent but its end and size: whatever must go again is read again from where it is stored.

The window follows the delay at the broker, as LEDBAT does (RFC 6817): what a status message would wait behind us. It
doubles with every round trip until that delay shows, then grows by FLOOR.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

FLOOR = 4 * 1024
"""Bytes in flight that are always allowed."""
START = 16 * 1024
MAX_FLIGHTS = 16
"""Batches under way; below the MQTT window, so that other publishes always find room."""
QUEUE_S = 0.5
"""Seconds a batch may wait at the broker's door beyond the fastest one, before the window is halved."""
GREETING_S = 5.0
"""Seconds to wait on a new connection for word of what is committed, before sending on trust."""
TIMEOUT_S, TIMEOUT_CAP_S = 5.0, 60.0
"""Without progress for so long, doubling each time up to the cap: send again."""
SUSPECT_S = 0.25
"""An acknowledgement without progress speaks of a batch only if that has been under way for so long."""


@dataclass(frozen=True, slots=True)
class Flight:
    """One batch under way."""

    last: int
    size: int
    at: float
    end: bytes
    """Chain hash after its last record."""


class Pipeline:
    def __init__(self, acked: int, *, ceiling: int) -> None:
        """`ceiling` is the most bytes ever in flight."""
        self.acked = self.sent = self._highest = acked
        self.sends = 0
        """Records put on the wire, repeats included."""
        self.resends = 0
        self._ceiling = ceiling
        self._limit = START
        self._flights: deque[Flight] = deque()
        self._bytes = 0
        self._greeted = False
        self._opened = self._progressed = self._cut = 0.0
        self._streak = 0
        self._suspicious = False
        self._careful = False
        self._fastest: float | None = None
        self._round_trip: float | None = None

    @property
    def in_flight(self) -> int:
        """Records under way."""
        return self.sent - self.acked

    @property
    def bytes_in_flight(self) -> int:
        return self._bytes

    def open(self, now: float) -> None:
        """A new connection: nothing is under way, and what got through is not known yet."""
        self._rewind()
        self._greeted = False
        self._fastest = None
        self._careful = False
        self._opened = self._progressed = now

    def room(self, now: float) -> int:
        """Bytes the next batch may have; 0 says wait."""
        if not self._greeted:
            if now - self._opened < GREETING_S:
                return 0
            self._greeted = True
            self._limit = FLOOR
        free = self._limit - self._bytes
        return free if free >= FLOOR and len(self._flights) < MAX_FLIGHTS else 0

    def launch(self, first: int, last: int, *, size: int, end: bytes, now: float) -> None:
        """Records `first .. last` go out as `size` bytes; `first` is beyond `sent`."""
        self.sends += last - first + 1
        self.resends += max(0, min(last, self._highest) - first + 1)
        self._highest = max(self._highest, last)
        self.sent = last
        self._flights.append(Flight(last, size, now, end))
        self._bytes += size

    def confirm(self, took: float, now: float) -> None:
        """The broker accepted a batch after `took` seconds."""
        self._fastest = took if self._fastest is None else min(self._fastest, took)
        if took - self._fastest > QUEUE_S and now - self._cut > QUEUE_S:
            self._limit = max(FLOOR, self._limit // 2)
            self._cut = now
            self._careful = True

    def end_of(self, seq: int) -> bytes | None:
        """Chain hash at `seq` if a batch under way ends there."""
        return next((flight.end for flight in self._flights if flight.last == seq), None)

    def acknowledge(self, upto: int, now: float) -> bool:
        """Headquarters holds everything up to `upto`, which is ours. True when that is news.

        A lower `upto` than known, or the same again while something has long been under way, means that it is lost
        there: send again. Until there is progress this is believed once.
        """
        self._greeted = True
        if upto > self.acked:
            self._advance(upto, now)
            return True
        if upto < self.acked:
            self.acked = upto
            self._rewind()
        elif self._overdue(now) and not self._suspicious:
            self._rewind()
        else:
            return False
        self._suspicious = True
        return False

    def expire(self, now: float) -> bool:
        """Rewind when nothing has moved for too long. True when it did."""
        if not self._flights or now - max(self._flights[0].at, self._progressed) < self._timeout():
            return False
        self._rewind()
        self._limit = FLOOR
        self._streak += 1
        self._suspicious = False
        return True

    def _advance(self, upto: int, now: float) -> None:
        freed, newest = 0, None
        while self._flights and self._flights[0].last <= upto:
            newest = self._flights.popleft()
            freed += newest.size
        if newest is not None:
            sample = now - newest.at
            self._round_trip = sample if self._round_trip is None else 0.875 * self._round_trip + 0.125 * sample
        self._bytes -= freed
        growth = freed * FLOOR // self._limit if self._careful else freed
        self._limit = min(self._ceiling, self._limit + growth)
        self.acked = upto
        self.sent = max(self.sent, upto)
        self._progressed = now
        self._streak = 0
        self._suspicious = False

    def _rewind(self) -> None:
        self._flights.clear()
        self._bytes = 0
        self.sent = self.acked

    def _overdue(self, now: float) -> bool:
        return bool(self._flights) and now - self._flights[0].at > max(SUSPECT_S, 2 * (self._round_trip or 0.0))

    def _timeout(self) -> float:
        patience = max(TIMEOUT_S, 4 * (self._round_trip or 0.0))
        return min(TIMEOUT_CAP_S, patience * (1 << min(self._streak, 8)))
