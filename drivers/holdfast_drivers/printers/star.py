"""Star Line Mode and StarPRNT: how Star's printers are asked, and how their ETB counter proves a job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from holdfast_drivers.links.base import WriteError
from holdfast_drivers.printers import star_status as wire
from holdfast_drivers.printers.dialect import NUL_FLUSH, Dialect, Identity, JobProof, plain
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.port import Limits, PrinterPort
from holdfast_drivers.printers.star_interpreter import STAR
from holdfast_drivers.values import Proof

_PULSES = (b"\x1b\x07\x14\x14\x07", b"\x1a")
"""ESC BEL: 200 ms on, 200 ms off, then BEL for drawer 1; SUB for drawer 2, whose times are fixed."""
_ETB_QUESTION = wire.ASB_ON + wire.ETB + wire.ASB_OFF


class Star(Dialect):
    """ESC ACK SOH asks; during a job automatic status reports, and the ETB counter proves.

    Automatic status is off between jobs, as the printer must not be asked while it is on.
    """

    reset: ClassVar[bytes] = b"\x1b@"

    def __init__(
        self, port: PrinterPort, *, monotonic: Callable[[], float], drawer_open_high: bool | None, limits: Limits
    ) -> None:
        super().__init__(port, monotonic=monotonic, drawer_open_high=drawer_open_high, limits=limits)
        self.auto_in_job = True
        self._decoder = wire.StarDecoder()
        self._said: bytes | None = None
        """Answer to the question about the version."""
        self._reports = 0
        self._counter: int | None = None
        self._expected: int | None = None
        """What the counter shows once every ETB sent has been carried out."""
        self._counted = False
        """Whether it was reported to show that."""

    def hear(self, data: bytes) -> None:
        for reply in self._decoder.feed(data):
            match reply:
                case wire.AutoStatus():
                    self._take(reply)
                case wire.Version():
                    self._said = reply.text
                case wire.Junk():
                    self.junk += 1
                case wire.Flow():
                    pass  # the kernel obeys these where the line is set to; here they only pass through

    def _take(self, report: wire.AutoStatus) -> None:
        self.heard = self.answers = True
        self._reports += 1
        if report.counter != self._counter and not self._on_the_way(report.counter):
            self._expected = None  # switched off and on: the counter began again, what was under way is gone
        self._counter = report.counter
        self._counted |= report.executed and self._expected is not None and self._expected == self._counter
        at = self._monotonic()
        self.status = wire.fold(self.status, report, at, drawer_open_high=self._drawer_open_high)

    def _on_the_way(self, counter: int | None) -> bool:
        """Whether the counter gets from where it is to what is expected by way of `counter`."""
        if counter is None or self._counter is None or self._expected is None:
            return False
        return (counter - self._counter) % wire.COUNTS <= (self._expected - self._counter) % wire.COUNTS

    async def ask_status(self) -> bool:
        """ESC ACK SOH."""
        for attempt in range(2):
            if attempt:
                await asyncio.sleep(self._limits.reply)  # one question at a time, says Star
            if await self._ask_status_once():
                return True
        self.fall_silent()
        return False

    async def _ask_status_once(self) -> bool:
        before = self._reports
        try:
            await self._port.write(wire.ASK, timeout=self._limits.reply)
            return await self._port.until(lambda: self._reports > before, self._limits.reply)
        except WriteError as error:
            if error.kind != "timeout":
                raise
            return False

    async def learn_proof(self) -> Proof:
        """Whether the counter goes on by one."""
        if not self.answers:
            return Proof.NONE
        for flush in (b"", self.flush(NUL_FLUSH)):
            self._expected = self._counter
            if await self._count_one(flush, self._limits.probe):
                return Proof.COUNTER
        return Proof.NONE

    async def identify(self) -> None:
        self._said = None
        await self._port.write(wire.ASK_VERSION)
        if await self._port.until(lambda: self._said is not None, self._limits.reply):
            model, _, firmware = plain(self._said).partition("Ver")
            self.identity = Identity("Star", model.strip(), firmware=firmware.strip(" ."))

    async def renew(self) -> None:
        """Nothing is switched on between jobs."""

    async def settle(self) -> str | None:
        """ETBs not carried out."""
        if self._expected is None or self._expected == self._counter:
            self._expected = self._counter
            return None
        if await self._count_one(b"", self._limits.stall):
            return None
        self._expected = self._counter
        return "timeout"

    async def _count_one(self, flush: bytes, within: float) -> bool:
        """Send an ETB; whether it and all before it were carried out."""
        self._ask()
        await self._port.write(flush + _ETB_QUESTION)
        return await self._port.until(lambda: self._counted, within)

    def flush(self, owed: int) -> bytes:
        """RS ends a barcode; alone it does nothing."""
        return bytes(owed) + b"\x1e"

    def opening(self) -> bytes:
        return self.reset + wire.ASB_ON

    def proof_of(self, job: int, proof: Proof) -> JobProof:  # noqa: ARG002 - the counter carries no job id
        if proof is not Proof.COUNTER:
            return JobProof(wire.ASB_OFF)
        junk = self.junk
        return JobProof(wire.ETB + wire.ASB_OFF, asked=self._ask, given=lambda: self._counted and self.junk == junk)

    def _ask(self) -> None:
        """An ETB is about to go out."""
        expected = self._counter if self._expected is None else self._expected
        self._expected = None if expected is None else (expected + 1) % wire.COUNTS
        self._counted = False

    def kick_pulse(self, pin: int) -> bytes:
        if pin not in (0, 1):
            raise ValueError(f"no such drawer pin: {pin}")
        return _PULSES[pin]

    def interpreter(self, dots: int) -> Interpreter:
        return Interpreter(dots, language=STAR)


class StarPrinter(ReceiptPrinter):
    """A printer that speaks Star Line Mode or StarPRNT."""

    dialect: ClassVar[type[Dialect]] = Star
