"""How hot the processor is, and where its board begins to hold it back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.board.files import entries, integer, text

MODEL = "proc/device-tree/model"
SLOWED_MILLI_C = 80_000
"""From here to 85 °C the processor is slowed step by step, on every Raspberry Pi (raspberrypi/documentation,
frequency-management)."""
SOFT_MILLI_C = 60_000
"""Models 3 B+ and 3 A+ step down from 1.4 to 1.2 GHz here already."""
SOFT_MODELS = ("Raspberry Pi 3 Model B Plus", "Raspberry Pi 3 Model A Plus")


@dataclass(frozen=True, slots=True)
class Heat:
    """Thousandths of a degree Celsius."""

    milli_c: int
    soft: int
    """Above it the board is slowed a little."""
    slowed: int
    """Above it it is slowed as far as it takes."""


def read_model(root: Path) -> str:
    """The board's name, e.g. `Raspberry Pi 4 Model B Rev 1.4`; empty when the machine has none."""
    return (text(root / MODEL) or "").rstrip("\0")


def read_heat(root: Path, model: str) -> Heat | None:
    """The processor's zone, by its type (`cpu-thermal`); None when no zone tells."""
    zones = [zone for zone in entries(root / "sys/class/thermal") if zone.name.startswith("thermal_zone")]
    zones.sort(key=lambda zone: not (text(zone / "type") or "").startswith("cpu"))
    found = next((value for zone in zones if (value := integer(zone / "temp")) is not None), None)
    if found is None:
        return None
    soft = SOFT_MILLI_C if model.startswith(SOFT_MODELS) else SLOWED_MILLI_C
    return Heat(found, soft, SLOWED_MILLI_C)
