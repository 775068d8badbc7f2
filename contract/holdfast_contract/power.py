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
