"""Published curves of resting voltage over charge, by the cell's chemistry. They differ by 20 points at one voltage."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast_drivers.ups.battery import OPEN_CIRCUIT_MV

Curve = tuple[tuple[float, float], ...]
"""(resting millivolts, charge 0..1 or energy left), rising in both."""

MESHTASTIC: Curve = tuple((mv, i / 10) for i, mv in enumerate(OPEN_CIRCUIT_MV))
"""As in the firmware of Meshtastic's nodes."""
ROHM: Curve = tuple(
    zip(
        (3581, 3691, 3697, 3742, 3781, 3809, 3837, 3878, 3954, 4024, 4099, 4200),
        (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        strict=True,
    )
)
"""Rohm's example in Linux's device tree bindings."""
VTC6: Curve = tuple(
    zip(
        (2535, 3129, 3268, 3411, 3558, 3662, 3752, 3840, 3922, 4037, 4090, 4175),
        (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        strict=True,
    )
)
"""A Murata US18650VTC6 measured at C/20, charged and discharged (derlucae98/US18650VTC6_OCV_SOC_Curve)."""
LIFEPO4: Curve = tuple(
    zip(
        (3000, 3120, 3200, 3230, 3250, 3260, 3270, 3290, 3320, 3350, 3400),
        (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        strict=True,
    )
)
"""As in the firmware of Meshtastic's nodes."""


@dataclass(frozen=True, slots=True)
class Chemistry:
    """What a cell's voltage can tell."""

    curves: tuple[Curve, ...]
    empty_mv: int
    """Where a hub on it should stop."""
    half_mv: int
    """Resting, at about half its charge at most."""
    full_mv: int
    """No cell under load stays above this for half an hour."""
    flat_above_mv: float | None = None
    """Above this the voltage says nothing of the charge; None: it always says something."""


LI_ION = Chemistry((MESHTASTIC, ROHM, VTC6), empty_mv=3200, half_mv=3700, full_mv=4120)
LI_FE_PO4 = Chemistry((LIFEPO4,), empty_mv=3000, half_mv=3260, full_mv=3380, flat_above_mv=3150)
"""Published tables put 3.20 V anywhere from 20 to 50 %; only nearly empty means something."""
CHEMISTRIES = {"li-ion": LI_ION, "lifepo4": LI_FE_PO4}
