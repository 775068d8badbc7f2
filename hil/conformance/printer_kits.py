"""The kinds of printer the suite runs: how each is driven, how it proves a job, what it cannot do by its nature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from holdfast_drivers.printers import encode, star_encode
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.escpos import EscPosPrinter
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.profiles import Profile, load_profile
from holdfast_drivers.printers.sample import SAMPLE
from holdfast_drivers.printers.star import StarPrinter
from holdfast_drivers.values import Document, Proof

PRINTER_QUIRKS = {
    "proofless": "never says that a job is on paper",
    "statusless": "never says that anything is wrong",
}
"""What a printer has by its nature. A test that needs the opposite is marked `not_with` and skipped there."""

PATIENT = Limits(reply=5, probe=10, ask=0.2)
"""For printers that answer: a loaded machine is no silence."""
CURT = Limits(reply=5, probe=0.1, ask=0.2)
"""For one whose proof is waited for in vain."""
DEAF = Limits(reply=0.05, probe=0.05)
HASTY = Limits(reply=0.1, probe=0.1, stall=0.3, patience=0.5, margin=0.2, mm_per_s=5000, bytes_per_s=1_000_000)
"""For a printer as fast as the simulator, whose answers do not all arrive."""
_PLAIN = load_profile("POS-5890")
_EPSON = load_profile("TM-T20II")


@dataclass(frozen=True)
class PrinterKit:
    model: Model
    proof: Proof = Proof.NONE
    limits: Limits = PATIENT
    quirks: frozenset[str] = frozenset()
    profile: Profile = _EPSON
    language: str = "escpos"
    driver: type[ReceiptPrinter] = EscPosPrinter
    encode: Callable[[Document, Profile], bytes] = encode.encode
    cut: bytes = b"\x1dVB\x00"

    @property
    def name(self) -> str:
        return self.model.value

    @property
    def answers(self) -> bool:
        """Whether what it speaks can be found out."""
        return self.model is not Model.MUTE

    def lines(self, count: int) -> bytes:
        """A document of that many numbered lines."""
        return b"\x1b@" + b"".join(b"line %d\n" % number for number in range(count)) + self.cut


PRINTER_KITS = (
    PrinterKit(Model.FULL, Proof.PROCESS_ID),
    PrinterKit(Model.GS_R, Proof.IN_ORDER),
    PrinterKit(Model.STATUS, limits=CURT, quirks=frozenset({"proofless"})),
    PrinterKit(Model.NO_NAME, limits=CURT, quirks=frozenset({"proofless", "statusless"}), profile=_PLAIN),
    PrinterKit(Model.MUTE, limits=DEAF, quirks=frozenset({"proofless", "statusless"})),
    PrinterKit(
        Model.STAR,
        Proof.COUNTER,
        language="star",
        driver=StarPrinter,
        encode=star_encode.encode,
        cut=b"\x1bd\x03",
    ),
)

SAMPLES = {kit.model: kit.encode(SAMPLE, kit.profile) for kit in PRINTER_KITS}
"""A whole receipt for each."""
MARK = "Two for less"
"""On it once."""
