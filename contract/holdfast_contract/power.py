"""Power events."""

from __future__ import annotations

from msgspec import field

from holdfast_contract.body import Body


class MainsChanged(Body, frozen=True):
    mains: str = field(name="l")
    """`yes`, `no`, `unknown`."""
    charge: int = field(default=-1, name="c")
    """Permille; -1 unknown."""
    cell_mv: int = field(default=-1, name="v")


class StageChanged(Body, frozen=True):
    """Power stage S0..S4 (INV-10.2)."""

    old: int = field(name="o")
    new: int = field(name="n")
    why: str = field(name="w")
    charge: int = field(default=-1, name="c")
    cell_mv: int = field(default=-1, name="v")


class TelemetryLost(Body, frozen=True):
    """The battery has not answered for 15 s."""

    on_battery: bool = field(name="b")


class PowerResumed(Body, frozen=True):
    """First start after a power stop."""

    outage_s: int = field(default=-1, name="s")
    """Seconds by the wall clock; -1 when the clock cannot tell."""


class BatteryTested(Body, frozen=True):
    """The battery was tested: by somebody, by the UPS itself, or by an outage long or deep enough."""

    result: str = field(name="r")
    """`passed`, `failed`."""
    by: str = field(name="b")
    """`person`, `ups`, `outage`."""
    seconds: int = field(default=0, name="s")
    """On battery."""
    start: int = field(default=-1, name="a")
    """Charge at its start, permille; -1 unknown."""
    left: int = field(default=-1, name="e")
    """Of that, what was left at its end, permille."""
    minutes_left: int = field(default=-1, name="u")
    """What it would still have lasted."""
    health: int = field(default=-1, name="h")
    """What the pack holds of its label, permille; -1 unknown."""


class ReplaceBattery(Body, frozen=True):
    """The battery should be replaced."""

    why: str = field(name="w")
    """`battery_worn`, `battery_failed_test`, `battery_ups_says`."""
    health: int = field(default=-1, name="h")


class BatteryRenewed(Body, frozen=True):
    """Somebody said that the pack was replaced; what was learnt of the old one is forgotten."""
