"""The driver of a receipt printer: prints jobs and knows what became of them, kicks the drawer, tells how it is.

It never sends a job twice and never says "printed" without the printer's word. It does not open the link, reconnect,
queue jobs or encode documents; the printer's language is a Dialect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from typing import ClassVar, Self

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.printers.dialect import Dialect, Identity, JobProof, hindrance
from holdfast_drivers.printers.pace import Line, Pace
from holdfast_drivers.printers.port import Limits, PrinterPort
from holdfast_drivers.printers.profiles import Profile
from holdfast_drivers.values import DeviceError, Printed, PrinterStatus, PrintResult, Proof

_LOOK_AGAIN = 1.0
_DOTS_PER_MM = 8
_LINE_MM = 4.25
_SYMBOLS_MM = 60.0
"""Paper that commands of a few bytes can use: barcodes, feeds, the way to the cutter."""


class ReceiptPrinter:
    """A printer on an open `link`, as an async context manager; leaving it closes the link.

    Entering asks what the printer can prove and how it is; a printer that says nothing makes this last some seconds.
    `monotonic` stamps statuses. `drawer_open_high` is the level of the drawer's switch line when the drawer stands
    open; None: no drawer, or not known. `line` paces the bytes for a wire without flow control; None: as fast as the
    link takes them. One job or question at a time; callers wait for each other.
    """

    dialect: ClassVar[type[Dialect]]

    def __init__(
        self,
        link: Link,
        profile: Profile,
        *,
        monotonic: Callable[[], float],
        drawer_open_high: bool | None = None,
        limits: Limits | None = None,
        line: Line | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._profile = profile
        self._monotonic = monotonic
        self._port = PrinterPort(link, self._limits)
        self._dialect = self.dialect(
            self._port, monotonic=monotonic, drawer_open_high=drawer_open_high, limits=self._limits
        )
        self._pace: Pace | None = None
        if line is not None:
            self._pace = Pace(line, self._dialect.interpreter(profile.dots))
            self._port.sent = self._pace.took
        self._turn = asyncio.Lock()
        self._proof: Proof | None = None
        self._answered_probe = False
        """Whether the printer was there when the proof was learned: a mute one may only have been switched off."""
        self._torn = 0
        """Bytes that a job given up half-way still owed; the printer may wait for them inside a command."""
        self._kicked_at: float | None = None
        self._reported = PrinterStatus()

    async def __aenter__(self) -> Self:
        self._port.start(self._dialect.hear)
        try:
            await self.check()
        except BaseException:
            await self._port.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._port.stop()

    @property
    def status(self) -> PrinterStatus:
        """What the printer said last; all unknown once older than `stale` (`check` renews it) or the link is lost."""
        status = self._dialect.status
        fresh = status.at is not None and self._age(status) <= self._limits.stale
        return status if fresh and self._port.lost is None else PrinterStatus(at=status.at)

    @property
    def proof(self) -> Proof | None:
        """What this printer can prove; None: it could not be asked yet."""
        return self._proof

    @property
    def identity(self) -> Identity:
        """What the printer said it is."""
        return self._dialect.identity

    async def next_change(self) -> PrinterStatus:
        """The status, as soon as it differs from what this returned last. Raises DeviceError: link lost.

        A printer that answers but reports nothing by itself is asked again and again while this waits.
        """
        while not self._changed():
            if self._dialect.answers and not self._dialect.auto and self._age(self._dialect.status) > self._limits.ask:
                await self.check()
            await self._port.until(self._changed, _LOOK_AGAIN)
        status = self.status
        self._reported = replace(status, at=None)
        return status

    def _changed(self) -> bool:
        return replace(self.status, at=None) != self._reported

    def _age(self, status: PrinterStatus) -> float:
        return self._monotonic() - (status.at or 0.0)

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
                refusal = await self._late_refusal()
            if refusal is not None:
                return PrintResult(Printed.NOT_PRINTED, reason=refusal)
            return await self._run(data, self._dialect.proof_of(job, self._proof or Proof.NONE))

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
        await self._port.write(self._dialect.kick_pulse(pin))

    async def _refresh(self) -> bool:
        """Ask for status; from a printer that could print, learn its proof and switch its reports on."""
        answered = await self._dialect.ask_status()
        if hindrance(self._dialect.status) is None:
            if self._proof is None or (answered and not self._answered_probe):
                self._proof = await self._dialect.learn_proof()
                self._answered_probe = self._dialect.heard
                if self._proof is not Proof.NONE:
                    await self._dialect.identify()
            elif answered:
                await self._dialect.renew()
        return answered

    async def _refusal(self) -> str | None:
        """Why nothing should be sent now."""
        try:
            if self._port.lost is not None:
                return self._port.lost.kind
            if self._dialect.heard or self._proof is None:
                answered = await self._refresh()
                if self._dialect.answers and not answered:
                    return "timeout"
            return hindrance(self._dialect.status) or await self._dialect.settle()
        except DeviceError as error:
            return error.kind

    async def _late_refusal(self) -> str | None:
        """The same once the job has been recorded, which takes a while; a printer that reports has said so already."""
        try:
            if self._dialect.answers and not self._dialect.auto and not await self._dialect.ask_status():
                return "timeout"
        except DeviceError as error:
            return error.kind
        return hindrance(self._dialect.status)

    async def _run(self, data: bytes, proof: JobProof) -> PrintResult:
        owed_before = self._torn
        flush = self._dialect.flush(self._torn) if self._torn else b""
        body = flush + self._dialect.opening() + data.removeprefix(self._dialect.reset)
        self._torn = len(body) + len(proof.request)
        taken, reason = await self._send(body)
        if reason is None:
            proof.asked()
            more, reason = await self._send(proof.request)
            taken += more
        self._torn = self._torn - taken if taken else owed_before
        if not taken:
            return PrintResult(Printed.NOT_PRINTED, reason=reason or "timeout")
        reason = reason or await self._await_proof(proof, self._print_seconds(body))
        if reason is not None:
            return PrintResult(Printed.UNKNOWN, reason=reason)
        return PrintResult(Printed.PRINTED, self._proof or Proof.NONE)

    async def _send(self, data: bytes) -> tuple[int, str | None]:
        """How many bytes the link took, and why not all."""
        taken = 0
        patience = _Patience(self._limits.stall, self._limits.patience, "timeout")
        while taken < len(data):
            chunk = data[taken : taken + self._limits.chunk]
            if self._pace is not None:
                chunk = await self._pace.admit(chunk)
            more, reason = await self._write(chunk)
            taken += more
            if reason is not None:
                return taken, reason
            if more:
                patience.renew()
            elif spent := patience.spent(hindrance(self._dialect.status)):
                return taken, spent
        return taken, None

    async def _write(self, chunk: bytes) -> tuple[int, str | None]:
        """How many bytes the link took of one chunk; why there is no going on."""
        try:
            await self._port.write(chunk)
        except WriteError as error:
            return error.taken, error.kind if error.kind != "timeout" else None
        return len(chunk), None

    async def _await_proof(self, proof: JobProof, seconds: float) -> str | None:
        """None once the printer has proved the job; else why it did not."""
        if self._proof is Proof.NONE:
            return "no_proof"
        patience = _Patience(seconds, self._limits.patience, "no_proof")
        try:
            while not await self._port.until(proof.given, _LOOK_AGAIN):
                if not self._dialect.auto_in_job:
                    await self._dialect.ask_status()
                reason = patience.spent(hindrance(self._dialect.status))
                if reason is not None and not proof.given():
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
