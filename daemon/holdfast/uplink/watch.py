"""Watches the link: once a second it judges, has a digest made when one is due, and reports changes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from holdfast.runtime.clock import Clock
from holdfast.uplink.books import Books
from holdfast.uplink.forwarder import Forwarder
from holdfast.uplink.inbox import Inbox
from holdfast.uplink.link import SETTLED_LAG, Link, Reach, Signals, reach, step
from holdfast.uplink.telemetry import TelemetryStore
from holdfast_contract.wire import STOCK_DIGEST, Digest

log = logging.getLogger(__name__)

PERIOD_S = 1.0
DIGEST_RETRY_S = 60.0
"""While catching up, a digest that is not acknowledged for so long is made again."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the uplink asks of the rest of the hub."""

    link_changed: Callable[[Link], Awaitable[None]]
    digest: Callable[[], Awaitable[Digest]] | None = None
    """What the folds say at some recent seq, for headquarters to compare (G-10)."""


class LinkWatch:
    def __init__(
        self,
        *,
        events: Forwarder,
        reports: Forwarder,
        telemetry: TelemetryStore,
        inbox: Inbox,
        books: Books,
        hooks: Hooks,
        clock: Clock,
        digest_seconds: float,
    ) -> None:
        """`events` forwards `ev`, `reports` forwards `tm`."""
        self.link = Link.OFFLINE
        self.changes = 0
        self._events = events
        self._reports = reports
        self._telemetry = telemetry
        self._inbox = inbox
        self._books = books
        self._hooks = hooks
        self._clock = clock
        self._digest_seconds = digest_seconds
        self.digest_factor = 1
        """On the seconds between digests while the link is well."""
        self._digest: int | None = None
        """Number of the digest made since the hub was last offline."""
        self._digest_at = 0.0
        self._lost_at: float | None = clock.monotonic()

    @property
    def connected(self) -> bool:
        return self._lost_at is None

    def session_up(self) -> None:
        self._lost_at = None

    def session_down(self) -> None:
        self._lost_at = self._clock.monotonic()

    @property
    def heartbeat_age(self) -> float | None:
        """Seconds since headquarters was heard."""
        heard = self._inbox.heard_at
        return None if heard is None else self._clock.monotonic() - heard

    def signals(self) -> Signals:
        now = self._clock.monotonic()
        acked = self._digest is not None and self._reports.pipeline.acked >= self._digest
        return Signals(
            session_down=0.0 if self._lost_at is None else max(now - self._lost_at, 1e-9),
            heartbeat_age=self.heartbeat_age,
            round_trip=self._books.round_trip(now),
            lag=self._events.lag,
            digest_acked=acked or self._hooks.digest is None,
        )

    async def run(self) -> None:
        while True:
            await self.judge()
            await self._clock.sleep(PERIOD_S)

    async def judge(self) -> None:
        """Take one step of the state machine."""
        signals = self.signals()
        following = step(self.link, signals)
        if following is Link.CATCHING_UP and self.link is Link.OFFLINE:
            self._digest = None
        if following is not self.link:
            log.info("link to headquarters: %s, was %s", following, self.link)
            self.link = following
            self.changes += 1
            await self._hooks.link_changed(following)
        await self._report_digest(signals)

    async def _report_digest(self, signals: Signals) -> None:
        digest = self._hooks.digest
        if digest is None or reach(signals) is not Reach.GOOD or signals.lag > SETTLED_LAG:
            return
        period = DIGEST_RETRY_S if self.link is Link.CATCHING_UP else self._digest_seconds * self.digest_factor
        if self._digest is None or self._clock.monotonic() - self._digest_at >= period:
            self._digest = self._telemetry.report(STOCK_DIGEST, await digest())
            self._digest_at = self._clock.monotonic()
