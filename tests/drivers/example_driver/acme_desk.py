"""ACME's desk printer: CP858, dots by `GS v 0`, cuts at FF, answers ENQ, and says of each job when it is on paper."""

from __future__ import annotations

from typing import Any, ClassVar

from holdfast_drivers.links.base import WriteError
from holdfast_drivers.printers import bitmap
from holdfast_drivers.printers.dialect import Dialect, JobProof
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.profiles import Profile
from holdfast_drivers.printers.sheet import Bars, Look, Sheet
from holdfast_drivers.registry import PrinterDriver
from holdfast_drivers.values import Document, PrinterStatus, Proof, Tri

RESET, CUT, ASK, DONE, PULSE = b"\x1b@", b"\x0c", b"\x05", b"\x1bN", b"\x07"
STATUS, NO_PAPER, COVER_OPEN = 0x40, 0x01, 0x02
"""A status has bit 6; the answer to DONE has bit 7 and the job's last seven bits."""


class DeskSheet(Sheet):
    """What the printer cannot draw itself, bars and QR codes, comes to `picture` as dots."""

    pages = ("CP858",)

    def put(self, runs: list[tuple[str, str]], look: Look) -> None:  # noqa: ARG002 - it has one look
        self.out += b"".join(text.encode("cp858") for _, text in runs) + b"\n"

    def picture(self, image: Any) -> None:
        self.out += bitmap.raster(image)

    def bars(self, bars: Bars, *, caption: bool) -> bool:  # noqa: ARG002 - the signature is Sheet's
        return False

    def qr(self, data: str, size: int) -> bool:  # noqa: ARG002 - the signature is Sheet's
        return False

    def gap(self) -> None:
        self.out += b"\n"

    def feed(self, lines: int) -> None:
        self.out += b"\n" * lines

    def cut(self) -> None:
        self.out += CUT


def encode(document: Document, profile: Profile) -> bytes:
    return DeskSheet(profile).document(document)


class Desk(Dialect):
    """The driver asks; `hear` gets whatever the printer says, in any split."""

    reset: ClassVar[bytes] = RESET
    _statuses = 0
    _done = -1

    def hear(self, data: bytes) -> None:
        for byte in data:
            if byte & 0x80:
                self._done = byte & 0x7F
            elif byte & STATUS:
                self._take(byte)
            else:
                self.junk += 1

    def _take(self, byte: int) -> None:
        self.heard = self.answers = True
        self._statuses += 1
        paper, cover = Tri.NO if byte & NO_PAPER else Tri.YES, Tri.YES if byte & COVER_OPEN else Tri.NO
        ready = Tri.NO if byte & (NO_PAPER | COVER_OPEN) else Tri.YES
        self.status = PrinterStatus(online=ready, paper=paper, cover_open=cover, at=self._monotonic())

    async def ask_status(self) -> bool:
        before = self._statuses
        try:
            await self._port.write(ASK, timeout=self._limits.reply)
        except WriteError as error:
            if error.kind != "timeout":
                raise
        if await self._port.until(lambda: self._statuses > before, self._limits.reply):
            return True
        self.fall_silent()
        return False

    async def learn_proof(self) -> Proof:
        return Proof.PROCESS_ID if self.answers else Proof.NONE

    def proof_of(self, job: int, proof: Proof) -> JobProof:
        if proof is not Proof.PROCESS_ID:
            return JobProof()
        number = job & 0x7F
        return JobProof(DONE + bytes([number]), asked=self._forget, given=lambda: self._done == number)

    def _forget(self) -> None:
        self._done = -1

    def kick_pulse(self, pin: int) -> bytes:
        if pin:
            raise ValueError(f"no such drawer pin: {pin}")
        return PULSE

    def interpreter(self, dots: int) -> Interpreter:
        return Interpreter(dots)


class DeskPrinter(ReceiptPrinter):
    dialect: ClassVar[type[Dialect]] = Desk


DRIVER = PrinterDriver("acme-desk", DeskPrinter, encode, "ACME desk printer")
