"""The Network UPS Tools protocol (RFC 9271): one line is one message. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from holdfast_drivers.ups.cells import PLAUSIBLE_MV
from holdfast_drivers.values import DeviceError, PowerReading, Tri

PORT = 3493
LONGEST_LINE = 512
"""Bytes of one line, its end included."""
PROTOCOL = "1.3"
UNKNOWN_STATES = ("DATA-STALE", "DRIVER-NOT-CONNECTED")
"""Errors by which a server says that it does not know."""

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+)')
_ESCAPED = re.compile(r"\\(.)")


class NutError(DeviceError):
    """The other side answered `ERR`; `code` is RFC 9271's, e.g. `UNKNOWN-UPS`. `kind` is `refused`."""

    def __init__(self, code: str, extra: str = "") -> None:
        super().__init__("refused", f"{code} {extra}".strip())
        self.code = code


def tokens(line: str) -> list[str]:
    """The words of a line, quotes and escapes resolved. Raises DeviceError("garbled") on an open quote."""
    words, at = [], 0
    line = line.strip()
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(line, at)
        if match is None:
            raise DeviceError("garbled", f"{line[at:]!r} is no word")
        words.append(_ESCAPED.sub(r"\1", match[2] if match[1] is None else match[1]))
        at = match.end()
    return words


def quoted(value: str) -> str:
    """A value as it stands on the wire; what would end the line becomes a space."""
    clean = "".join(letter if letter.isprintable() else " " for letter in value)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def answer(line: str) -> list[str]:
    """The words of a server's line. Raises NutError for `ERR`, DeviceError("garbled") for nothing at all."""
    words = tokens(line)
    if not words:
        raise DeviceError("garbled", "an empty answer")
    if words[0] == "ERR":
        raise NutError(words[1] if len(words) > 1 else "", " ".join(words[2:]))
    return words


def mains_from_status(status: frozenset[str]) -> Tri:
    """AC present; unknown tokens say nothing, FSD is `OB LB`, a contradiction is UNKNOWN."""
    online, battery = "OL" in status, "OB" in status or "FSD" in status
    if online == battery:
        return Tri.UNKNOWN
    return Tri.YES if online else Tri.NO


LONGEST_TEST = 64
"""Letters kept of a UPS's word on its test."""


def reading_of(variables: Mapping[str, str], at: float, *, cells: int | None = None) -> PowerReading:
    """What a UPS's variables say; the voltage of one cell only when the number of cells is known.

    The sign of `battery.current` differs among drivers; the status gives it.
    """
    status = frozenset(variables.get("ups.status", "").split())
    charge, runtime = _number(variables, "battery.charge"), _number(variables, "battery.runtime")
    pack_mv, temperature = _scaled(variables, "battery.voltage", 1000), _scaled(variables, "battery.temperature", 10)
    cell_mv = pack_mv // cells if pack_mv is not None and cells else None
    mains = mains_from_status(status)
    return PowerReading(
        at,
        cell_mv=cell_mv if cell_mv in PLAUSIBLE_MV else None,
        charge_permille=None if charge is None else round(min(max(charge, 0), 100) * 10),
        mains=mains,
        pack_mv=pack_mv,
        current_ma=_current(variables, status),
        temperature_dc=temperature,
        minutes_left=None if runtime is None or runtime < 0 else int(runtime // 60),
        stop_asked="FSD" in status or {"OB", "LB"} <= status,
        replace_asked="RB" in status,
        tested=variables.get("ups.test.result", "")[:LONGEST_TEST],
    )


def _current(variables: Mapping[str, str], status: frozenset[str]) -> int | None:
    current_ma = _scaled(variables, "battery.current", 1000)
    if current_ma is None or not status & {"OB", "DISCHRG", "CHRG"}:
        return None
    return abs(current_ma) if "CHRG" in status else -abs(current_ma)


def _scaled(variables: Mapping[str, str], name: str, factor: int) -> int | None:
    number = _number(variables, name)
    return None if number is None else round(number * factor)


def _number(variables: Mapping[str, str], name: str) -> float | None:
    """A decimal number, or None: absent, or no number of a battery."""
    text = variables.get(name, "")
    return float(text) if re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", text) else None
