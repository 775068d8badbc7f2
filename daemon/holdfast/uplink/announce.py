"""What the hub says of itself: status, will and birth, all carrying the same `(boot, conn)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.runtime.clock import Clock
from holdfast.uplink.books import Courier
from holdfast.uplink.outbox import Outbox
from holdfast.uplink.port import Will
from holdfast_contract import topics
from holdfast_contract.wire import Birth, Presence, Status, pack

OLDEST = 1
"""First seq the hub can send again: nothing of the journal is pruned."""


@dataclass(frozen=True, slots=True)
class About:
    """What a birth says of this hub besides its journal."""

    software: str
    schema: int
    speed: int = 1
    contact: str = ""
    devices: Callable[[], dict[str, str]] = dict
    """Device name to state, now."""


class Announcer:
    """Speaks for one start of the hub, connection by connection."""

    def __init__(self, outbox: Outbox, about: About, clock: Clock) -> None:
        """`clock` labels."""
        self._outbox = outbox
        self._about = about
        self._clock = clock
        self._hub = outbox.genesis.hub
        self.conn = 0
        """Connections tried in this start."""

    def will(self) -> Will:
        """Begin another connection: what the broker is to say when it is lost."""
        self.conn += 1
        return Will(topics.status(self._hub), self._status(Presence.LOST))

    async def tell(self, courier: Courier, presence: Presence) -> None:
        """Publish the status."""
        await courier.publish("status", topics.status(self._hub), self._status(presence), retain=True)

    async def arrive(self, courier: Courier, *, tm_next: int) -> None:
        """Publish status and birth."""
        await self.tell(courier, Presence.ONLINE)
        await courier.publish("birth", topics.birth(self._hub), pack(self._birth(tm_next)), retain=True)

    def _status(self, presence: Presence) -> bytes:
        return pack(Status(st=presence, boot=self._outbox.boot, conn=self.conn, ts=self._clock.wall_ms()))

    def _birth(self, tm_next: int) -> Birth:
        outbox, about = self._outbox, self._about
        return Birth(
            software=about.software,
            schema=about.schema,
            hub=self._hub,
            inc=outbox.genesis.inc,
            jid=outbox.genesis.jid,
            genesis=outbox.genesis_bytes,
            boot=outbox.boot,
            conn=self.conn,
            oldest=OLDEST,
            next=outbox.head.seq + 1,
            tm_next=tm_next,
            clk=self._clock.quality(),
            devices=about.devices(),
            speed=about.speed,
            contact=about.contact,
        )
