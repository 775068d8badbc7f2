"""What a station keeps between two scans, what it reads before each, and what it can do about one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from holdfast.counter.commands import Act, Mode
from holdfast.domain.cart import AddItem
from holdfast.domain.core import Command
from holdfast.domain.delivery import CountIn
from holdfast.domain.operator import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What configuration fixes for a station. Times in seconds."""

    station: str
    badge_key: bytes = field(repr=False)
    badge_required: bool = True
    confirm_window: float = 10.0
    idle_timeout: float = 60.0
    park_timeout: float = 300.0
    exponent: int = 2
    """Digits after the point in the currency: a note's value is in major units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the journal says of a station at the moment a scan's turn comes."""

    badge: str = ""
    """Who is signed in."""
    role: Role | None = None
    training: bool = False
    cart: str = ""
    """The open cart."""
    lines: int = 0
    delivery: str = ""
    """The open delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a person has begun to say. Everything that counts is in the journal: losing this loses a few scans."""

    number: str = ""
    """Digits so far."""
    ended: bool = False
    """DONE ended the number: a further digit begins another."""
    ask: Act | None = None
    """The card whose number, product or reference is awaited."""
    recount: bool = False
    """The drawer is being counted for the second time."""
    second: Act | None = None
    """The risky card that was scanned once ..."""
    until: float = 0.0
    """... and counts as confirmed until this monotonic second."""
    retry: Command | None = None
    """What DONE will do: the command that needs to be confirmed."""
    document: str = ""
    """The receipt that was scanned."""
    sold: int | None = None
    """Cash due of the sale just paid exactly, for which an amount handed over may follow."""
    receiving: bool = True
    """An open delivery is being worked on, not left as a draft."""
    stopping: bool = False
    touched: float = 0.0
    """Monotonic second of the last scan."""

    @property
    def begun(self) -> bool:
        """Something would be lost by leaving."""
        return bool(self.number or self.ask or self.second or self.retry or self.document)

    def cleared(self) -> State:
        """Nothing begun."""
        return replace(
            self, number="", ended=False, ask=None, recount=False, second=None, until=0.0, retry=None, document="",
            sold=None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prompt:
    """More is needed, or something is told that changes nothing. `need` is a key of `words.NEEDS`."""

    need: str
    data: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False
    """Not worth paper."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`reason` is a code of `holdfast_contract.reasons`."""

    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    """What a security reviewer shall count (`NoteSecurity.kind`)."""


@dataclass(frozen=True, slots=True)
class Weigh:
    """The command needs a weight: ask the scale, then carry it out with `grams`."""

    command: AddItem | CountIn


class Chore(Enum):
    """What a card asks of the hub itself, or of the station's scale."""

    STATUS = "status"
    SHUTDOWN = "shutdown"
    TARE = "tare"
    ZERO = "zero"


Action = Command | Prompt | Refusal | Chore
"""The one outcome of a scan (INV-0.1)."""

Step = tuple[State, Action]


def mode_of(state: State, facts: Facts) -> Mode:
    """What the station is doing: an open cart comes first."""
    if facts.cart:
        return Mode.SALE
    return Mode.RECEIVE if facts.delivery and state.receiving else Mode.IDLE
