"""ESC/POS: how Epson's printers and their many relations are asked, and how they prove a job."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import ClassVar

from holdfast_drivers.links.base import WriteError
from holdfast_drivers.printers import status as wire
from holdfast_drivers.printers.dialect import NUL_FLUSH, Dialect, Identity, JobProof, plain
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.port import Limits, PrinterPort
from holdfast_drivers.values import Proof

_PROBE = b"PROB"
_ABOUT = {"model": 67, "manufacturer": 66, "firmware": 65, "serial": 68}
"""`GS I`; the model first, as a printer that does not tell it tells nothing."""


class EscPos(Dialect):
    """DLE EOT asks, GS a reports, GS ( H or GS r proves."""

    reset: ClassVar[bytes] = b"\x1b@"

    def __init__(
        self, port: PrinterPort, *, monotonic: Callable[[], float], drawer_open_high: bool | None, limits: Limits
    ) -> None:
        super().__init__(port, monotonic=monotonic, drawer_open_high=drawer_open_high, limits=limits)
        self._decoder = wire.StatusDecoder()
        self._answers: list[int] | None = None
        """To the questions under way."""
        self._last_job: bytes | None = None
        """Id of the job last reported done (GS ( H)."""
        self._said: bytes | None = None
        """Block that answered the question under way about what the printer is."""
        self._open_questions = 0
        """GS r 1 sent and not answered; whoever sends one adds it here first."""

    def hear(self, data: bytes) -> None:
        for reply in self._decoder.feed(data):
            self._take(reply)

    def _take(self, reply: wire.Reply) -> None:
        match reply:
            case wire.RealTime(value):
                self._take_answer(value)
            case wire.AutoStatus():
                self.auto = self.auto_in_job = True
                at = self._monotonic()
                self.status = wire.fold_auto(self.status, reply, at, drawer_open_high=self._drawer_open_high)
            case wire.InOrder() if wire.is_paper_reply(reply) and self._open_questions:
                self._open_questions -= 1
            case wire.JobDone(job):
                self._last_job = job
            case wire.Info(wire.IDENTITY, text):
                self._said = text
            case wire.Flow():
                pass  # the kernel obeys these where the line is set to; here they only pass through
            case _:
                self.junk += 1
                return
        self.heard = True

    def _take_answer(self, value: int) -> None:
        if self._answers is None:
            return
        self._answers.append(value)
        if len(self._answers) == 4:
            first, second, third, fourth = self._answers
            self._answers = None
            self.answers = True
            self.status = wire.fold_realtime(
                self.status,
                (first, second, third, fourth),
                self._monotonic(),
                drawer_open_high=self._drawer_open_high,
            )

    async def ask_status(self) -> bool:
        """DLE EOT 1..4."""
        for attempt in range(2):
            if attempt:
                await asyncio.sleep(self._limits.reply)  # a late answer must not count for the next question
            if await self._ask_status_once():
                return True
        self.fall_silent()
        return False

    async def _ask_status_once(self) -> bool:
        self._answers = []
        try:
            await self._port.write(wire.REALTIME_ALL, timeout=self._limits.reply)
            return await self._port.until(lambda: self._answers is None, self._limits.reply)
        except WriteError as error:
            if error.kind != "timeout":
                raise
            return False
        finally:
            self._answers = None

    async def learn_proof(self) -> Proof:
        """What a printer without GS ( H puts in its line buffer instead, the reset takes out again."""
        self._last_job = None
        question = wire.job_request(_PROBE) + wire.IN_ORDER_PAPER + self.reset + wire.ASB_ON
        for flush in (b"", bytes(NUL_FLUSH)) if self.answers else (b"",):
            self._open_questions = 1
            await self._port.write(flush + question)
            if await self._port.until(lambda: not self._open_questions, self._limits.probe):
                return Proof.PROCESS_ID if self._done(_PROBE) else Proof.IN_ORDER
        self._open_questions = 0
        return Proof.NONE

    async def identify(self) -> None:
        """GS I. What a printer that knows few of its numbers puts in its line buffer, the reset takes out again."""
        found = {}
        for name, number in _ABOUT.items():
            self._said = None
            await self._port.write(wire.identity_request(number) + self.reset + (wire.ASB_ON if self.auto else b""))
            if not await self._port.until(lambda: self._said is not None, self._limits.reply):
                break
            found[name] = plain(self._said)
        self.identity = Identity(**found)

    async def renew(self) -> None:
        if self.auto:
            await self._port.write(wire.ASB_ON)

    async def settle(self) -> str | None:
        """GS r answers."""
        if not self._open_questions:
            return None
        self._open_questions += 1
        before = self._open_questions
        await self._port.write(wire.IN_ORDER_PAPER)
        if not await self._port.until(lambda: self._open_questions < before, self._limits.stall):
            return "timeout"
        await self._port.until(lambda: not self._open_questions, self._limits.reply)
        self._open_questions = 0
        return None

    def flush(self, owed: int) -> bytes:
        return bytes(owed)

    def opening(self) -> bytes:
        """Without GS a for a printer that never reported: it may print the parameter."""
        return self.reset + (wire.ASB_ON if self.auto else b"")

    def proof_of(self, job: int, proof: Proof) -> JobProof:
        if proof is Proof.PROCESS_ID:
            ticket = _ticket(job)
            return JobProof(wire.job_request(ticket), given=lambda: self._done(ticket))
        if proof is Proof.IN_ORDER:
            junk = self.junk  # on a noisy line one byte proves nothing
            return JobProof(
                wire.IN_ORDER_PAPER, asked=self._ask, given=lambda: not self._open_questions and self.junk == junk
            )
        return JobProof()

    def _done(self, job: bytes) -> bool:
        return self._last_job == job

    def _ask(self) -> None:
        self._open_questions += 1

    def kick_pulse(self, pin: int) -> bytes:
        return wire.kick_pulse(pin)

    def interpreter(self, dots: int) -> Interpreter:
        return Interpreter(dots)


class EscPosPrinter(ReceiptPrinter):
    """A printer that speaks ESC/POS."""

    dialect: ClassVar[type[Dialect]] = EscPos


def _ticket(job: int) -> bytes:
    """Four characters: the job's last two digits, and two that tell this attempt from an earlier one's late answer."""
    return f"{job % 100:02d}".encode() + bytes(random.randrange(0x21, 0x7F) for _ in range(2))
