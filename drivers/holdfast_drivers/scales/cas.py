"""CAS PD-II in ECR mode, and others of the ECR (NCI) family: `W CR` goes out, weight, unit and status come back. Pure.

    LF 01.250KG CR LF 00 CR ETX     a weight and its status
    LF 10 CR ETX                    status alone: no weight is to be had
    LF ? CR ETX                     the command is not known

Sources: Mettler Toledo, DIVA Service Manual 72191202 (05/2012), pages 35 to 37 (commands, frames, status bits); Avery
Weigh-Tronix ZM401 and NCI 7800 manuals (the same, and `T`). That a PD-II speaks it, without `S` before the status, is
from Intel's retail sample alone. Whether it knows `T` is not known: a scale that does not is heard to refuse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from holdfast_drivers.scales.base import Capability, ScaleProtocol
from holdfast_drivers.values import ScaleReading, ScaleState, Tri, Weight, WeightUnit

LF, CR, ETX = 0x0A, 0x0D, 0x03
WEIGH = b"W\r"
COMMANDS = {Capability.ZERO: b"Z\r", Capability.TARE: b"T\r"}

_WEIGHT = re.compile(rb"([ \d]{1,5}?)(\d)(?:\.(\d{1,4}))? ?([A-Z]{1,2}|[a-z]{1,2}) ?\r\n(.*)", re.DOTALL)
_STATUS = re.compile(rb"S?([\x30-\x3f][\x30-\x3f\x70-\x7f]{1,3})\r")
_UNKNOWN_COMMAND = b"?\r"
_UNITS = {"kg": WeightUnit.KILOGRAM, "g": WeightUnit.GRAM, "lb": WeightUnit.POUND, "oz": WeightUnit.OUNCE}
_ALWAYS, _MORE = 0x30, 0x40


class Status:
    """The low four bits of each status byte, first byte lowest. Plain numbers: an enum would keep every mixture."""

    MOTION = 1 << 0
    AT_ZERO = 1 << 1
    RAM_ERROR = 1 << 2
    EEPROM_ERROR = 1 << 3
    UNDER_CAPACITY = 1 << 4
    OVER_CAPACITY = 1 << 5
    ROM_ERROR = 1 << 6
    FAULTY_CALIBRATION = 1 << 7
    HIGH_RANGE = 3 << 8
    NET = 1 << 10
    INITIAL_ZERO_ERROR = 1 << 11
    WEIGHT_CHANGE = 1 << 12
    ZERO_DETECTED = 1 << 13
    METRIC = 1 << 14


FAULTS = (
    Status.RAM_ERROR | Status.EEPROM_ERROR | Status.ROM_ERROR | Status.FAULTY_CALIBRATION | Status.INITIAL_ZERO_ERROR
)


@dataclass(frozen=True, slots=True)
class Shown:
    """The weight on the display."""

    units: int
    places: int
    unit: WeightUnit


@dataclass(frozen=True, slots=True)
class Answer:
    """A status of `count` bytes, 2 to 4, and the weight that came before it."""

    status: int
    """Bits of `Status`."""
    count: int = 2
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """The scale does not know what it was told."""


Frame = Answer | UnknownCommand


def encode(frame: Frame) -> bytes:
    """As the scale sends it, from LF to ETX."""
    if isinstance(frame, UnknownCommand):
        body = _UNKNOWN_COMMAND
    else:
        weight = b"" if frame.shown is None else _digits(frame.shown) + b"\r\n"
        body = weight + _status_bytes(frame.status, frame.count) + b"\r"
    return bytes([LF]) + body + bytes([ETX])


def decode(body: bytes) -> Frame | None:
    """What is between LF and ETX; None when it is nothing of this protocol."""
    if body == _UNKNOWN_COMMAND:
        return UnknownCommand()
    shown = None
    if match := _WEIGHT.fullmatch(body):
        unit = _UNITS.get(match[4].decode().lower())
        whole, fraction = match[1] + match[2], match[3] or b""
        if unit is None or b" " in whole.lstrip(b" "):
            return None
        shown, body = Shown(int(whole + fraction), len(fraction), unit), match[5]
    status = _STATUS.fullmatch(body)
    if status is None or not _chained(status[1]):
        return None
    bits = sum((byte & 0x0F) << 4 * place for place, byte in enumerate(status[1]))
    return Answer(bits, len(status[1]), shown)


def reading(frame: Frame) -> ScaleReading:
    """What a frame says."""
    if isinstance(frame, UnknownCommand):
        return ScaleReading(detail="unknown_command")
    net = Tri.UNKNOWN if frame.count < 3 else Tri.YES if frame.status & Status.NET else Tri.NO
    state = _state(frame.status, frame.shown)
    if state is not ScaleState.STABLE_WEIGHT or frame.shown is None:
        return ScaleReading(state, net=net, detail="fault" if frame.status & FAULTS else "")
    return ScaleReading(state, Weight(frame.shown.units, frame.shown.places, frame.shown.unit), net)


_STATES = (
    (FAULTS, ScaleState.NOT_READY),
    (Status.OVER_CAPACITY, ScaleState.WEIGHT_OVERWEIGHT),
    (Status.MOTION, ScaleState.WEIGHT_UNSTABLE),
    (Status.UNDER_CAPACITY, ScaleState.WEIGHT_UNDER_ZERO),
    (Status.AT_ZERO, ScaleState.WEIGHT_ZERO),
)


def _state(status: int, shown: Shown | None) -> ScaleState:
    """A weight is one only if nothing in the status speaks against it."""
    for flags, state in _STATES:
        if status & flags:
            return state
    if shown is None:
        return ScaleState.UNKNOWN
    return ScaleState.STABLE_WEIGHT if shown.units else ScaleState.WEIGHT_ZERO


def _digits(shown: Shown) -> bytes:
    whole, fraction = divmod(shown.units, 10**shown.places)
    point = b".%0*d" % (shown.places, fraction) if shown.places else b""
    return b"%02d%s%s" % (whole, point, shown.unit.value.upper().encode())


def _status_bytes(status: int, count: int) -> bytes:
    """Bit 6 of every byte from the second on: another follows."""
    return bytes(
        _ALWAYS | status >> 4 * place & 0x0F | (_MORE if 1 <= place < count - 1 else 0) for place in range(count)
    )


def _chained(status: bytes) -> bool:
    return all(bool(byte & _MORE) is (place < len(status) - 1) for place, byte in enumerate(status) if place)


def _read(body: bytes) -> ScaleReading | None:
    frame = decode(body)
    return None if frame is None else reading(frame)


PROTOCOL = ScaleProtocol("cas", LF, ETX, WEIGH, COMMANDS, _read, restarts=False)
