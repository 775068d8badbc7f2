"""What a scale says, as the counter understands it: whole grams, or why there is nothing to sell by. Pure."""

from __future__ import annotations

from holdfast.counter.state import Refusal
from holdfast_drivers.values import DeviceError, ScaleReading, ScaleState

REASONS: dict[ScaleState, str] = {
    ScaleState.WEIGHT_UNSTABLE: "scale_motion",
    ScaleState.WEIGHT_ZERO: "scale_zero",
    ScaleState.WEIGHT_UNDER_ZERO: "scale_under_zero",
    ScaleState.WEIGHT_OVERWEIGHT: "scale_overload",
    ScaleState.NOT_READY: "scale_fault",
    ScaleState.UNKNOWN: "scale_unknown",
}
"""Why a state is no weight; every one but STABLE_WEIGHT."""


def grams_of(reading: ScaleReading) -> int | Refusal:
    """Whole grams, more than 0; or the refusal the cashier gets."""
    if reading.weight is None:
        reason = "scale_unit" if reading.detail == "unit" else REASONS[reading.state]
        return Refusal(reason, {"detail": reading.detail} if reading.detail else {})
    grams = reading.weight.grams
    return Refusal("scale_unit", {"detail": str(reading.weight)}) if grams is None else grams


def not_done(error: DeviceError) -> Refusal:
    """Why the scale did not zero or tare."""
    if error.kind != "refused":
        return Refusal("scale_unknown", {"detail": error.kind})
    state = next((state for state in REASONS if state.value == error.detail), None)
    return Refusal("scale_refused", {"detail": error.detail}) if state is None else Refusal(REASONS[state])
