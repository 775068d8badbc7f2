"""Power events. Energy is in mWh, power in mW, shares in permille; -1 is unknown. `m` and `p` are nobody's key here."""

from __future__ import annotations

import msgspec
from msgspec import field

from holdfast_contract.body import Body


class Share(msgspec.Struct, frozen=True, array_like=True):
    """What falls to one class of load, or to one source: mW or mWh."""

    kind: str
    amount: int


ByClass = tuple[Share, ...]


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
    """What demanded it, or let it go: `mains`, `battery`, `margin`, `charge`, `runtime`, `voltage`, `silent`, `grid`,
    `asked`."""
    charge: int = field(default=-1, name="c")
    cell_mv: int = field(default=-1, name="v")


class PowerBlind(Body, frozen=True):
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


class LoadShed(Body, frozen=True):
    """A switched load was turned off to save energy. The subject is its name."""

    kind: str = field(name="k")
    """Its class, e.g. `camera`."""
    mw: int = field(name="w")
    """What it is planned to draw."""
    stage: int = field(name="s")
    done: bool = field(default=True, name="d")
    """False: it did not obey."""


class LoadRestored(Body, frozen=True):
    """A switched load was turned on again. The subject is its name."""

    kind: str = field(name="k")
    mw: int = field(name="w")
    stage: int = field(name="s")
    done: bool = field(default=True, name="d")


class PlanArmed(Body, frozen=True):
    """The energy of an event was planned and found enough. Times are UTC milliseconds."""

    start: int = field(name="s")
    end: int = field(name="e")
    loads: ByClass = field(name="l")
    """mW."""
    pack: int = field(name="k")
    """Its label, mWh."""
    reserve: int = field(name="r")
    """What must be left at the end, mWh."""
    charge: int = field(name="c")
    """At the start, permille."""
    health: int = field(default=1000, name="h")
    temperature: int = field(default=250, name="t")
    """Of the battery, tenths of a degree Celsius."""
    margin: int = field(default=0, name="g")
    """What is to spare, in permille of the need."""
    verdict: str = field(default="ok", name="v")
    """`ok` or `plan_tight`."""


class PlanExtended(Body, frozen=True):
    """The event ends at another time, or with other loads; its energy was planned again."""

    end: int = field(name="e")
    loads: ByClass = field(name="l")
    reserve: int = field(name="r")
    margin: int = field(default=0, name="g")
    verdict: str = field(default="ok", name="v")


class PlanEnded(Body, frozen=True):
    """The event is over, or its plan was given up."""

    why: str = field(name="w")
    """`over`, `disarmed`."""


class EnergyMetered(Body, frozen=True):
    """What flowed since the last of these, at most a quarter of an hour ago."""

    seconds: int = field(name="s")
    mains: int = field(default=0, name="g")
    """mWh to the loads from the mains, reckoned from the loads: nothing meters them."""
    pack: int = field(default=0, name="k")
    """mWh to the loads from the pack, its converter's loss taken off."""
    charged: int = field(default=0, name="i")
    """mWh into the pack, where the board measures it."""
    loads: ByClass = field(default=(), name="l")
    """mWh."""
    metered_s: int = field(default=0, name="n")
    """Seconds of it in which the board measured what the pack gave."""
    peak: int = field(default=0, name="x")
    """Highest draw, mW."""
    stages: tuple[int, ...] = field(default=(), name="t")
    """Seconds in S0..S4."""
    outages: int = field(default=0, name="o")
    """Times the mains went."""
    outage_s: int = field(default=0, name="f")
    charge: int = field(default=-1, name="c")
    """Now, permille."""
    left: int = field(default=-1, name="u")
    """Left in the pack for the loads, mWh."""


class PowerStatement(Body, frozen=True):
    """The energy account of an event."""

    start: int = field(name="s")
    end: int = field(name="e")
    seconds: int = field(name="n")
    """Accounted for."""
    sources: ByClass = field(name="k")
    """mWh to the loads by `mains` and `pack`."""
    loads: ByClass = field(name="l")
    """mWh by class."""
    charged: int = field(default=0, name="i")
    metered_s: int = field(default=0, name="d")
    peak: int = field(default=0, name="x")
    stages: tuple[int, ...] = field(default=(), name="t")
    outages: int = field(default=0, name="o")
    outage_s: int = field(default=0, name="f")
    reserve: int = field(default=0, name="r")
    left: int = field(default=-1, name="u")
    """At the end, mWh; -1 unknown."""


class GridSignalled(Body, frozen=True):
    """An interval of an OpenADR 3 event. The subject is the program. Advice: it never stops a hub (INV-10.5)."""

    event: str = field(name="e")
    kind: str = field(name="k")
    """Payload type, e.g. `SIMPLE`."""
    level: int = field(name="l")
    """0..3."""
    priority: int = field(name="y")
    """Lower is more important; -1: none given."""
    start: int = field(name="s")
    until: int = field(name="u")
    """UTC milliseconds."""
    ignored: str = field(default="", name="w")
    """Why it has no effect: `unknown_type`, `late`; empty: it has one."""
