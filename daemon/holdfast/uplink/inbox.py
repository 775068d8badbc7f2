"""What headquarters says: acknowledgements and its heartbeat. Nothing read here can end the session."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from holdfast.runtime.clock import Clock
from holdfast.uplink.books import Books
from holdfast.uplink.forwarder import Forwarder
from holdfast.uplink.outbox import Alarm
from holdfast.uplink.port import Message, Session
from holdfast_contract import topics
from holdfast_contract.record import Genesis
from holdfast_contract.wire import Ack, BadPayloadError, CoreStatus, Stream, unpack

log = logging.getLogger(__name__)

HASH_BYTES = 32
UNREADABLE = (BadPayloadError, UnicodeDecodeError, RecursionError)
"""What a message that is none can raise; msgspec lets the last two through."""


class Inbox:
    def __init__(
        self,
        genesis: Genesis,
        forwarders: Mapping[Stream, Forwarder],
        books: Books,
        clock: Clock,
        *,
        chapters: Mapping[tuple[int, int], Forwarder],
    ) -> None:
        """`chapters` are forwarders of earlier incarnations, by `(inc, jid)`."""
        self._chapters = chapters
        self._genesis = genesis
        self._forwarders = forwarders
        self._books = books
        self._clock = clock
        self._ack_topic = topics.ack(genesis.hub)
        self.filters = (self._ack_topic, topics.CORE_STATUS)
        """What to subscribe to before the birth, so that its answer is heard."""
        self.heard_at: float | None = None
        """Monotonic seconds of the last live sign of headquarters; what the broker had stored is none."""
        self.core_up: bool | None = None

    async def run(self, session: Session) -> None:
        """Deal with one message after another. Raises LostError."""
        while True:
            message = await session.receive()
            try:
                await self._take(message)
            except UNREADABLE as error:
                level = logging.DEBUG if self._books.malformed else logging.WARNING
                log.log(level, "unreadable message on %s: %s", message.topic, error)
                self._books.malformed += 1
            session.acknowledge(message)

    async def _take(self, message: Message) -> None:
        if message.topic == topics.CORE_STATUS:
            self._take_heartbeat(unpack(message.payload, CoreStatus), live=not message.retained)
        elif message.topic == self._ack_topic and not message.retained:
            await self._take_ack(unpack(message.payload, Ack))

    def _take_heartbeat(self, status: CoreStatus, *, live: bool) -> None:
        self.core_up = status.up
        if live and status.up:
            self.heard_at = self._clock.monotonic()

    async def _take_ack(self, ack: Ack) -> None:
        chapter = self._chapters.get((ack.inc, ack.jid)) if ack.st is Stream.EV else None
        if chapter is None and (ack.inc, ack.jid) != (self._genesis.inc, self._genesis.jid):
            self._take_foreign(ack)
            return
        if ack.upto < 0 or (ack.st is Stream.EV and ack.upto and len(ack.hash) != HASH_BYTES):
            raise BadPayloadError("bad_ack", f"upto {ack.upto}, hash of {len(ack.hash)} bytes")
        self.heard_at = self._clock.monotonic()
        await (chapter or self._forwarders[ack.st]).acknowledge(ack)

    def _take_foreign(self, ack: Ack) -> None:
        """Word of an earlier incarnation is old news; of a later one, or of another journal as this one, an alarm."""
        self._books.foreign += 1
        if ack.st is Stream.EV and ack.inc >= self._genesis.inc:
            alarm = Alarm.FORK if ack.inc == self._genesis.inc else Alarm.BEHIND
            self._forwarders[Stream.EV].stop(alarm, ack)
