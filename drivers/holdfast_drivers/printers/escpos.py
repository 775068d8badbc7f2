"""The driver of an ESC/POS printer: prints jobs and knows what became of them, kicks the drawer, tells how it is.

It never sends a job twice and never says "printed" without the printer's word. It does not open the link, reconnect,
queue jobs or encode documents.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.printers import status as wire
from holdfast_drivers.printers.port import Limits, PrinterPort
from holdfast_drivers.printers.profiles import Profile
from holdfast_drivers.values import DeviceError, Printed, PrinterStatus, PrintResult, Proof

_RESET = b"\x1b@"
_PROBE = b"PROB"
_NUL_FLUSH = 8192
"""Ends whatever command somebody before us left half sent; receiptio sends as many."""
_LOOK_AGAIN = 1.0
_DOTS_PER_MM = 8
_LINE_MM = 4.25
_SYMBOLS_MM = 60.0
"""Paper that commands of a few bytes can use: barcodes, feeds, the way to the cutter."""


class EscPosPrinter:
    """A printer on an open `link`, as an async context manager; leaving it closes the link.

    Entering asks what the printer can prove and how it is; a printer that says nothing makes this last some seconds.
    `monotonic` stamps statuses. `drawer_open_high` is the level of drawer pin 3 when the drawer stands open; None: no
    drawer, or not known. One job or question at a time; callers wait for each other.
    """

    def __init__(
        self,
        link: Link,
        profile: Profile,
        *,
        monotonic: Callable[[], float],
        drawer_open_high: bool | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._profile = profile
        self._monotonic = monotonic
        self._port = PrinterPort(link, monotonic=monotonic, drawer_open_high=drawer_open_high, limits=self._limits)
        self._turn = asyncio.Lock()
        self._proof: Proof | None = None
        self._answered_probe = False
        """Whether the printer was there when the proof was learned: a mute one may only have been switched off."""
        self._torn = 0
        """Bytes that a job given up half-way still owed; the printer may wait for them inside a command."""
        self._kicked_at: float | None = None
        self._reported = PrinterStatus()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            await undo.enter_async_context(self._port)
            await self.check()
            undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._port.__aexit__(kind, error, trace)

    @property
    def status(self) -> PrinterStatus:
        """What the printer said last; all unknown once older than `stale` (`check` renews it) or the link is lost."""
        status = self._port.status
        fresh = status.at is not None and self._monotonic() - status.at <= self._limits.stale
        return status if fresh and self._port.lost is None else PrinterStatus(at=status.at)

    @property
    def proof(self) -> Proof | None:
        """What this printer can prove; None: it could not be asked yet."""
        return self._proof

    async def next_change(self) -> PrinterStatus:
        """The status, as soon as it differs from what this returned last. Raises DeviceError: link lost."""
        while True:
            if self._changed():
                status = self.status
                self._reported = replace(status, at=None)
                return status
            await self._port.until(self._changed, _LOOK_AGAIN)

    def _changed(self) -> bool:
        return replace(self.status, at=None) != self._reported

    async def check(self) -> PrinterStatus:
        """Ask the printer how it is; while a job is under way, what is known already. Raises DeviceError: link lost."""
        if not self._turn.locked():
            async with self._turn:
                await self._refresh()
        if self._port.lost is not None:
            raise self._port.lost
        return self.status

    async def print(self, data: bytes, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult:
        """Print `data`, a whole document. `started` is awaited just before its first byte goes out.

        PRINTED: the printer said so. NOT_PRINTED: no byte left; `started` may not have been awaited. UNKNOWN: all else.
        Lasts as long as the paper takes, and up to `patience` more while the printer waits for a person.
        """
        async with self._turn:
            refusal = await self._refusal()
            if refusal is None:
                await started()
                refusal = wire.hindrance(self._port.status)
            if refusal is not None:
                return PrintResult(Printed.NOT_PRINTED, reason=refusal)
            return await self._run(data, _ticket(job))

    async def kick(self, pin: int = 0) -> None:
        """Open the drawer on connector pin 2 (`pin` 0) or 5 (1).

        Raises DeviceError: `refused` while the printer would only do it later, `busy` when a job does not end within
        `write` seconds and within `kick` seconds of the last pulse, `unplugged`, `timeout`.
        """
        try:
            async with asyncio.timeout(self._limits.write):
                await self._turn.acquire()
        except TimeoutError:
            raise DeviceError("busy", "a job is under way") from None
        try:
            await self._kick(pin)
        finally:
            self._turn.release()

    async def _kick(self, pin: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._kicked_at is not None and now - self._kicked_at < self._limits.kick:
            raise DeviceError("busy", "the drawer's coil must cool")
        refusal = await self._refusal()
        if refusal is not None:
            raise DeviceError("refused", refusal)
        self._kicked_at = now
        await self._port.write(wire.kick_pulse(pin))

    async def _refresh(self) -> bool:
        """Ask for status; from a printer that could print, learn its proof and switch its reports on."""
        answered = await self._port.ask_status()
        if wire.hindrance(self._port.status) is None:
            if self._proof is None or (answered and not self._answered_probe):
                self._proof = await self._learn_proof()
                self._answered_probe = self._port.heard
            elif answered:
                await self._port.write(wire.ASB_ON)
        return answered

    async def _learn_proof(self) -> Proof:
        """An empty job. What a printer without GS ( H puts in its line buffer instead, the reset takes out again."""
        self._port.last_job = None
        question = wire.job_request(_PROBE) + wire.IN_ORDER_PAPER + _RESET + wire.ASB_ON
        for flush in (b"", bytes(_NUL_FLUSH)) if self._port.answers else (b"",):
            self._port.open_questions = 1
            await self._port.write(flush + question)
            if await self._port.until(lambda: not self._port.open_questions, self._limits.probe):
                return Proof.PROCESS_ID if self._port.done(_PROBE) else Proof.IN_ORDER
        self._port.open_questions = 0
        return Proof.NONE

    async def _refusal(self) -> str | None:
        """Why nothing should be sent now."""
        try:
            if self._port.lost is not None:
                return self._port.lost.kind
            if self._port.heard or self._proof is None:
                answered = await self._refresh()
                if self._port.answers and not answered:
                    return "timeout"
            return wire.hindrance(self._port.status) or await self._settle()
        except DeviceError as error:
            return error.kind

    async def _settle(self) -> str | None:
        """Wait out the in-order answers that an earlier job left behind, lest they prove the next one."""
        if not self._port.open_questions:
            return None
        self._port.open_questions += 1
        before = self._port.open_questions
        await self._port.write(wire.IN_ORDER_PAPER)
        if not await self._port.until(lambda: self._port.open_questions < before, self._limits.stall):
            return "timeout"
        await self._port.until(lambda: not self._port.open_questions, self._limits.reply)
        self._port.open_questions = 0
        return None

    async def _run(self, data: bytes, ticket: bytes) -> PrintResult:
        owed_before, junk_before = self._torn, self._port.junk
        body = bytes(self._torn) + _RESET + wire.ASB_ON + data.removeprefix(_RESET)
        trailer = {Proof.PROCESS_ID: wire.job_request(ticket), Proof.IN_ORDER: wire.IN_ORDER_PAPER}.get(
            self._proof or Proof.NONE, b""
        )
        self._torn = len(body) + len(trailer)
        taken, reason = await self._send(body)
        if reason is None:
            self._port.open_questions += self._proof is Proof.IN_ORDER
            more, reason = await self._send(trailer)
            taken += more
        self._torn = self._torn - taken if taken else owed_before
        if not taken:
            return PrintResult(Printed.NOT_PRINTED, reason=reason or "timeout")
        reason = reason or await self._await_proof(ticket, junk_before, self._print_seconds(body))
        if reason is not None:
            return PrintResult(Printed.UNKNOWN, reason=reason)
        return PrintResult(Printed.PRINTED, self._proof or Proof.NONE)

    async def _send(self, data: bytes) -> tuple[int, str | None]:
        """How many bytes the link took, and why not all."""
        taken = 0
        patience = _Patience(self._limits.stall, self._limits.patience, "timeout")
        while taken < len(data):
            before = taken
            chunk = data[taken : taken + self._limits.chunk]
            try:
                await self._port.write(chunk)
                taken += len(chunk)
            except WriteError as error:
                taken += error.taken
                if error.kind != "timeout":
                    return taken, error.kind
            if taken > before:
                patience.renew()
            elif reason := patience.spent(wire.hindrance(self._port.status)):
                return taken, reason
        return taken, None

    async def _await_proof(self, ticket: bytes, junk_before: int, seconds: float) -> str | None:
        """None once the printer has proved the job; else why it did not."""
        port = self._port

        def proved() -> bool:
            if self._proof is Proof.PROCESS_ID:
                return port.done(ticket)
            return not port.open_questions and port.junk == junk_before  # on a noisy line one byte proves nothing

        if self._proof is Proof.NONE:
            return "no_proof"
        patience = _Patience(seconds, self._limits.patience, "no_proof")
        try:
            while not await port.until(proved, _LOOK_AGAIN):
                if not port.auto:
                    await port.ask_status()
                reason = patience.spent(wire.hindrance(port.status))
                if reason is not None and not proved():
                    return reason
        except DeviceError as error:
            return error.kind
        return None

    def _print_seconds(self, body: bytes) -> float:
        """How long the job may take on a slow wire and a slow printer."""
        rows_mm = len(body) / (self._profile.dots / 8) / _DOTS_PER_MM
        paper_mm = body.count(b"\n") * _LINE_MM + rows_mm + _SYMBOLS_MM
        return len(body) / self._limits.bytes_per_s + paper_mm / self._limits.mm_per_s + self._limits.margin


class _Patience:
    """Runs out `idle` seconds after the last renewal, or `held` seconds after a hindrance began; not while held."""

    def __init__(self, idle: float, held: float, idle_reason: str) -> None:
        self._idle = idle
        self._held = held
        self._idle_reason = idle_reason
        self._held_since: float | None = None
        self.renew()

    def renew(self) -> None:
        self._renewed = asyncio.get_running_loop().time()

    def spent(self, hindrance: str | None) -> str | None:
        """Why there is no point in waiting on."""
        if hindrance == "error":
            return hindrance
        now = asyncio.get_running_loop().time()
        if hindrance is None:
            self._held_since = None
            return self._idle_reason if now - self._renewed > self._idle else None
        self._renewed = now
        self._held_since = now if self._held_since is None else self._held_since
        return hindrance if now - self._held_since > self._held else None


def _ticket(job: int) -> bytes:
    """Four characters: the job's last two digits, and two that tell this attempt from an earlier one's late answer."""
    return f"{job % 100:02d}".encode() + bytes(random.randrange(0x21, 0x7F) for _ in range(2))
