"""The scanner drivers the suite runs, each with the simulator that speaks to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.rigs import LINES, HidrawRig, Rig
from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.scanners.datalogic import DatalogicScanner
from holdfast_drivers.scanners.datalogic_sim import DatalogicSimulator
from holdfast_drivers.scanners.hidpos import HidPosScanner
from holdfast_drivers.scanners.hidpos_sim import HidPosSimulator
from holdfast_drivers.scanners.honeywell import HoneywellScanner
from holdfast_drivers.scanners.honeywell_sim import HoneywellSimulator
from holdfast_drivers.scanners.keyboard import KeyboardScanner
from holdfast_drivers.scanners.keyboard_sim import KeyboardSimulator
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.scanners.newland import NewlandScanner
from holdfast_drivers.scanners.newland_sim import NewlandSimulator
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.scanners.simulator import ScannerSimulator
from holdfast_drivers.scanners.ssi_scanner import Limits, SsiScanner
from holdfast_drivers.scanners.ssi_sim import SsiSimulator

KIT_QUIRKS = {
    "packets": "a scan comes whole in packets, or not at all",
    "whole": "what comes are whole structs of the kernel, not bytes: they may be lost, but not damaged",
    "reports": "comes in reports, and needs a link that keeps them apart",
}
"""What a protocol has by its nature. A test that needs the opposite is marked `not_with` and skipped there."""


@dataclass(frozen=True)
class ScannerKit:
    name: str
    driver: Callable[[Opener], LineScanner]
    simulator: Callable[[Link], ScannerSimulator]
    quirks: frozenset[str] = frozenset()

    @property
    def rigs(self) -> tuple[type[Rig], ...]:
        """What it can stand at."""
        return (HidrawRig,) if "reports" in self.quirks else LINES


def _silent(link: Link) -> SsiSimulator:
    """A Zebra scanner in plain serial mode: sends text, takes no packets."""
    simulator = SsiSimulator(link)
    simulator.deaf = True
    return simulator


KITS = (
    ScannerKit("plain", SerialScanner, ScannerSimulator),
    ScannerKit("honeywell", HoneywellScanner, HoneywellSimulator),
    ScannerKit("datalogic", lambda opener: DatalogicScanner(opener, identify=True), DatalogicSimulator),
    ScannerKit("newland", NewlandScanner, NewlandSimulator),
    ScannerKit("ssi", SsiScanner, lambda link: SsiSimulator(link, reply_within=0.3), frozenset({"packets"})),
    ScannerKit("ssi raw", lambda opener: SsiScanner(opener, limits=Limits(reply=0.02, wake=0.001)), _silent),
    ScannerKit("keyboard", KeyboardScanner, KeyboardSimulator, frozenset({"whole"})),
    ScannerKit("hidpos", HidPosScanner, HidPosSimulator, frozenset({"whole", "reports", "packets"})),
)
