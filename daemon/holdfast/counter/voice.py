"""What a station says: light and sound, the live feed, and paper where there is no screen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from holdfast.counter import jobs, words
from holdfast.counter.language import Language
from holdfast.counter.ports import Feed, Journal, Panel, Signal, Slips
from holdfast.counter.state import Prompt, Refusal
from holdfast.domain.cart import CheckPrice, ParkCart
from holdfast.domain.core import Command, Outcome
from holdfast.domain.hub import NoteSecurity
from holdfast.journal.writer import StorageFailedError
from holdfast.runtime.clock import Clock

SLIP_SPACING_S = 5.0
"""The same words are not printed again within this time: a scanner gone wild must not empty the roll."""

STORAGE_FAILED = (StorageFailedError, sqlite3.Error)
"""How the journal says that it can no longer write, or be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every station of a hub shares."""

    journal: Journal
    panel: Panel
    feed: Feed
    slips: Slips
    clock: Clock
    language: Language
    status: Callable[[], Mapping[str, Any]]
    """Facts for the status slip, by the labels of `words.PAPER`."""
    shutdown: Callable[[str], None]
    """Begin the ordered stop; told why."""


class Voice:
    """The mouth of one station."""

    def __init__(self, station: str, around: Surroundings, *, print_slips: bool) -> None:
        self._station = station
        self._around = around
        self._print_slips = print_slips
        self._last_slip = ("", 0.0)

    def show(self, said: Prompt | Refusal) -> Outcome:
        """Light, sound and feed; no paper. The outcome is what a caller without eyes gets."""
        if isinstance(said, Prompt):
            self._around.panel(self._station, Signal.NEED_INPUT)
            text = words.need(said.need, self._around.language)
            self._publish("prompt", need=said.need, words=text, data=said.data)
            return Outcome(data={"need": said.need, **said.data})
        self._around.panel(self._station, Signal.REFUSED)
        text = words.reason(said.reason, self._around.language)
        self._publish("refusal", reason=said.reason, words=text, data=said.data)
        return Outcome(ok=False, reason=said.reason, data=dict(said.data))

    async def tell(self, said: Prompt | Refusal, *, actor: str = "") -> Outcome:
        """Show it, note what a security reviewer counts, and print it. What cannot be stored is still shown."""
        outcome = self.show(said)
        with suppress(*STORAGE_FAILED):
            if isinstance(said, Refusal) and said.note:
                note = NoteSecurity(kind=said.note, where=self._station)
                await self._around.journal.execute(note, actor=actor or f"station:{self._station}")
            await self._slip(said)
        return outcome

    async def done(self, command: Command, outcome: Outcome, *, light: bool = True) -> None:
        """A command is committed. `light` is off when nobody scanned it."""
        if light and outcome.ok:
            self._around.panel(self._station, Signal.COMMITTED)
        tag = str(command.__struct_config__.tag)
        self._publish("outcome", do=tag, ok=outcome.ok, reason=outcome.reason, data=outcome.data, seq=outcome.seq)
        self._around.slips.wake()
        with suppress(*STORAGE_FAILED):
            if outcome.ok and isinstance(command, ParkCart):
                await self._around.slips.slip(jobs.PARKED, outcome.data)
            if outcome.ok and isinstance(command, CheckPrice) and self._print_slips:
                await self._around.slips.slip(jobs.PRICE, outcome.data)

    async def status(self) -> Outcome:
        """The status slip was asked for: green once it is queued."""
        await self._around.slips.slip(jobs.STATUS, self._around.status())
        return self.obeyed(jobs.STATUS)

    def obeyed(self, what: str) -> Outcome:
        """What asked for no command is done."""
        self._around.panel(self._station, Signal.COMMITTED)
        self._publish("outcome", do=what, ok=True, reason="", data={}, seq=0)
        return Outcome()

    def _publish(self, kind: str, **facts: Any) -> None:
        self._around.feed.publish({"kind": kind, "station": self._station, **facts})

    async def _slip(self, said: Prompt | Refusal) -> None:
        if not self._print_slips or (isinstance(said, Prompt) and said.quiet):
            return
        name = said.need if isinstance(said, Prompt) else said.reason
        last, at = self._last_slip
        now = self._around.clock.monotonic()
        if name == last and now - at < SLIP_SPACING_S:
            return
        self._last_slip = (name, now)
        key = "need" if isinstance(said, Prompt) else "reason"
        await self._around.slips.slip(jobs.SLIP, {key: name, "data": dict(said.data)})
