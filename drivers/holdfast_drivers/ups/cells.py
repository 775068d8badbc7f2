"""What every battery board's numbers must pass, and what voltage and current alone can tell. Pure."""

from __future__ import annotations

from collections import deque

from holdfast_drivers.ups.battery import OPEN_CIRCUIT_MV, interpolated
from holdfast_drivers.values import DeviceError, Tri

PLAUSIBLE_MV = range(2500, 4501)
"""A Li-ion cell that can still power the hub."""
KELVIN_DC = 2731
"""0 °C in tenths of a kelvin."""
DRAINING_MA = -150
"""The current of a full pack on mains floats between this and zero; a running hub draws more."""
AGREE = 5
"""So many samples must agree before the direction of the current says anything of the mains."""

_BY_VOLTAGE = [(float(mv), i * 1000 / (len(OPEN_CIRCUIT_MV) - 1)) for i, mv in enumerate(OPEN_CIRCUIT_MV)]


def plausible(cell_mv: int, source: str) -> int:
    """`cell_mv` itself. Raises DeviceError("garbled") for what no working cell has."""
    if cell_mv not in PLAUSIBLE_MV:
        raise DeviceError("garbled", f"{source} is {cell_mv} mV a cell")
    return cell_mv


def permille(percent: int) -> int:
    """A gauge's percent, which some count past 100, as 0..1000. Raises DeviceError("garbled") past any counting."""
    if not 0 <= percent <= 110:
        raise DeviceError("garbled", f"a charge of {percent} %")
    return min(percent * 10, 1000)


def signed(word: int) -> int:
    """Two's complement of 16 bits."""
    return word - 0x10000 if word & 0x8000 else word


def charge_from_voltage(cell_mv: float) -> int:
    """Permille of a resting Li-ion cell. An estimate: load, age and temperature move it by up to 200."""
    return round(interpolated(_BY_VOLTAGE, cell_mv))


class InferredMains:
    """AC by the direction of the battery's current: what AGREE samples in a row say; before that, UNKNOWN."""

    def __init__(self) -> None:
        self._known = Tri.UNKNOWN
        self._recent: deque[Tri] = deque(maxlen=AGREE)

    def take(self, current_ma: int) -> Tri:
        """AC present, with this sample taken into account."""
        self._recent.append(Tri.YES if current_ma > DRAINING_MA else Tri.NO)
        if len(self._recent) == AGREE and len(set(self._recent)) == 1:
            self._known = self._recent[0]
        return self._known
