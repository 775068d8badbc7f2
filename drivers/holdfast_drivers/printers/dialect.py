"""What a printer language has to bring for the driver to print with it: what to say, and what an answer means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.port import Limits, PrinterPort
from holdfast_drivers.values import PrinterStatus, Proof, Tri

NUL_FLUSH = 8192
"""Ends whatever command somebody before us left half sent; receiptio sends as many."""


def plain(text: bytes | None) -> str:
    """A printer's word about itself as one line."""
    return " ".join("".join(chr(byte) if 0x20 <= byte < 0x7F else " " for byte in text or b"").split())


def nothing() -> None:
    """For a proof that needs no note of being asked for."""


@dataclass(frozen=True, slots=True)
class JobProof:
    """How one job is proved."""

    request: bytes = b""
    """Its last bytes."""
    asked: Callable[[], None] = nothing
    """Called just before the request goes out."""
    given: Callable[[], bool] = bool
    """Whether the printer has answered it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a printer says it is; empty: it does not say."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


class Dialect(ABC):
    """One printer's language, and all that was heard in it. The driver calls one coroutine at a time."""

    reset: ClassVar[bytes]
    """Power-on modes; drops the line begun, not the receive buffer."""

    def __init__(
        self, port: PrinterPort, *, monotonic: Callable[[], float], drawer_open_high: bool | None, limits: Limits
    ) -> None:
        self.status = PrinterStatus()
        self.identity = Identity()
        self.heard = False
        """Whether the printer ever said anything that makes sense."""
        self.answers = False
        """Whether it ever answered a question about its status."""
        self.auto = False
        """Whether it reports changes by itself while it is idle."""
        self.auto_in_job = False
        """Whether it does while a job is under way."""
        self.junk = 0
        """Replies that made no sense, or that nobody had asked for."""
        self._port = port
        self._monotonic = monotonic
        self._drawer_open_high = drawer_open_high
        self._limits = limits

    @abstractmethod
    def hear(self, data: bytes) -> None:
        """Bytes as they arrive, in any split."""

    @abstractmethod
    async def ask_status(self) -> bool:
        """Ask, twice at most; whether `status` is fresh now. Silence makes every field unknown."""

    @abstractmethod
    def interpreter(self, dots: int) -> Interpreter:
        """What a printer `dots` wide makes of our bytes."""

    async def learn_proof(self) -> Proof:
        """Find out with an empty job what the printer can prove."""
        return Proof.NONE

    async def identify(self) -> None:  # noqa: B027 - many cannot be asked
        """Ask a printer that can prove something what it is: `identity`. Nothing of it is printed."""

    async def renew(self) -> None:  # noqa: B027 - most printers have nothing to switch on
        """Switch on again what a power cycle at the printer may have switched off."""

    async def settle(self) -> str | None:
        """Wait out the answers that an earlier job left behind, lest they prove the next; why that failed."""
        return None

    def flush(self, owed: int) -> bytes:
        """Ends a command that still waits for at most `owed` bytes."""
        return bytes(owed)

    def opening(self) -> bytes:
        """Goes before every job."""
        return self.reset

    def proof_of(self, job: int, proof: Proof) -> JobProof:  # noqa: ARG002 - for languages that can prove one
        """How `job` is to be proved by a printer that can give `proof`."""
        return JobProof()

    def kick_pulse(self, pin: int) -> bytes:
        """Opens the drawer on connector pin 2 (`pin` 0) or 5 (1). Raises ValueError: no such pin."""
        raise ValueError(f"no such drawer pin: {pin}")

    def fall_silent(self) -> None:
        """Nothing is known any more."""
        self.status = PrinterStatus(at=self.status.at)
        self._port.stir()


def hindrance(status: PrinterStatus) -> str | None:
    """Why a printer in `status` will not print: `paper_end`, `cover_open`, `error`, `offline`; None: none known."""
    if status.paper is Tri.NO:
        return "paper_end"
    if status.cover_open is Tri.YES:
        return "cover_open"
    if status.fault is Tri.YES:
        return "error"
    return "offline" if status.online is Tri.NO else None
