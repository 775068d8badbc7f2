"""The battery model as a UPS of a NUT server: what a driver of NUT would say of it."""

from __future__ import annotations

from dataclasses import replace

from holdfast_drivers.nut.server import NutServer, Published
from holdfast_drivers.ups.battery import Battery, Measured
from holdfast_drivers.ups.chips import LIES, Fault

NAME = "ups"
LOW = 0.2
"""Charge below which it says LB, as UPSes do by themselves."""


class SimulatedUps:
    """A UPS over a battery, and what may be wrong with it."""

    def __init__(self, battery: Battery) -> None:
        self.battery = battery
        self.fault = Fault.NONE

    def can(self, fault: Fault) -> bool:
        """It loses its driver, or its charge lies."""
        return fault in (Fault.NONE, Fault.NACK) or fault in LIES

    def variables(self) -> dict[str, str] | None:
        """NUT's variables; None when its driver has lost it."""
        if self.fault is Fault.NACK:
            return None
        seen = self.battery.measured()
        return variables(replace(seen, charge=LIES[self.fault]) if self.fault in LIES else seen)

    def server(self, port: int) -> NutServer:
        """It on loopback, as UPS `ups`."""
        return NutServer(Published(NAME, "simulated", self.variables), version="simulated", port=port)


def variables(pack: Measured) -> dict[str, str]:
    """NUT's variables of a pack."""
    told = {
        "battery.charge": f"{pack.charge * 100:.0f}",
        "battery.current": f"{pack.current_a:.3f}",
        "battery.temperature": f"{pack.temperature_c:.1f}",
        "battery.voltage": f"{pack.cell_mv * pack.cells / 1000:.3f}",
        "ups.status": _status(pack),
    }
    return told | ({"battery.runtime": f"{pack.runtime_s:.0f}"} if pack.current_a < 0 else {})


def _status(pack: Measured) -> str:
    words = ["OL"] if pack.mains else ["OB", "DISCHRG"]
    if pack.current_a > 0:
        words.append("CHRG")
    return " ".join([*words, "LB"] if pack.charge < LOW else words)
