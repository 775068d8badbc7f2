"""Toledo 8217: a letter goes out, `STX weight [N] CR` or `STX ? status CR` comes back. Pure.

Source: Mettler Toledo, DIVA Service Manual 72191202 (05/2012), 6.1.3 and 6.1.4. Bit 6 of the status is always 1 there;
that it means "bad command", as Odoo's driver has it, is in no vendor's document seen: it is not looked at. The unit is
not on the wire: by the manual kilograms have three decimals and pounds two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntFlag

from holdfast_drivers.scales.base import Capability, ScaleProtocol
from holdfast_drivers.values import ScaleReading, ScaleState, Tri, Weight, WeightUnit

STX, CR = 0x02, 0x0D
WEIGH = b"W"
COMMANDS = {Capability.ZERO: b"Z", Capability.TARE: b"T", Capability.CLEAR_TARE: b"C"}
PLACES = {WeightUnit.KILOGRAM: 3, WeightUnit.POUND: 2}

_WEIGHT = re.compile(rb" *(\d{1,3})\.(\d{1,3})(N?)")
_STATUS = re.compile(rb" *\?([\x00-\x7f])", re.DOTALL)
_ALWAYS = 0x40


class Status(IntFlag):
    """Why there is no weight."""

    MOTION = 1
    OVER_CAPACITY = 2
    UNDER_ZERO = 4
    OUTSIDE_ZERO_CAPTURE = 8
    CENTRE_OF_ZERO = 16
    NET = 32


@dataclass(frozen=True, slots=True)
class Shown:
    """The weight on the display."""

    units: int
    places: int
    net: bool = False


Frame = Shown | Status


def encode(frame: Frame) -> bytes:
    """As the scale sends it, from STX to CR."""
    if isinstance(frame, Status):
        body = b"?%c" % (_ALWAYS | frame)
    else:
        whole, fraction = divmod(frame.units, 10**frame.places)
        body = b"%02d.%0*d%s" % (whole, frame.places, fraction, b"N" if frame.net else b"")
    return bytes([STX]) + body + bytes([CR])


def decode(body: bytes) -> Frame | None:
    """What is between STX and CR; None when it is neither weight nor status."""
    if match := _STATUS.fullmatch(body):
        return Status(match[1][0] & ~_ALWAYS)
    match = _WEIGHT.fullmatch(body)
    if match is None:
        return None
    return Shown(int(match[1] + match[2]), len(match[2]), bool(match[3]))


def reading(frame: Frame, unit: WeightUnit) -> ScaleReading:
    """What a frame says. A weight whose decimals are not those of `unit` is no weight."""
    if isinstance(frame, Status):
        return _of_status(frame)
    net = Tri.YES if frame.net else Tri.NO
    if frame.places != PLACES[unit]:
        return ScaleReading(detail="unit")
    if not frame.units:
        return ScaleReading(ScaleState.WEIGHT_ZERO, net=net)
    return ScaleReading(ScaleState.STABLE_WEIGHT, Weight(frame.units, frame.places, unit), net)


_STATES = (
    (Status.OVER_CAPACITY, ScaleState.WEIGHT_OVERWEIGHT),
    (Status.MOTION, ScaleState.WEIGHT_UNSTABLE),
    (Status.UNDER_ZERO, ScaleState.WEIGHT_UNDER_ZERO),
    (Status.CENTRE_OF_ZERO, ScaleState.WEIGHT_ZERO),
)
"""The first that is set has the say: what hangs over the edge need not rest."""


def _of_status(status: Status) -> ScaleReading:
    state = next((state for flag, state in _STATES if flag in status), ScaleState.UNKNOWN)
    net = Tri.YES if Status.NET in status else Tri.NO
    return ScaleReading(state, net=net, detail="outside_zero_capture" if Status.OUTSIDE_ZERO_CAPTURE in status else "")


def protocol(unit: WeightUnit = WeightUnit.KILOGRAM) -> ScaleProtocol:
    """For a scale set to `unit`: kilograms or pounds. Raises ValueError for others."""
    if unit not in PLACES:
        raise ValueError(f"a Toledo 8217 scale does not weigh in {unit.value}")

    def read(body: bytes) -> ScaleReading | None:
        frame = decode(body)
        return None if frame is None else reading(frame, unit)

    return ScaleProtocol("toledo", STX, CR, WEIGH, COMMANDS, read, restarts=True)
