"""What the hub's own doors need from the rest of it. `main` passes it in; nothing here knows where it comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from holdfast.config import Config
from holdfast.domain.core import Command, Outcome
from holdfast.journal.journal import Journal
from holdfast.runtime.clock import Clock
from holdfast_drivers.values import DeviceState, Document, PrintResult, Scan, Tri


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """A device as its supervisor last saw it."""

    name: str
    kind: str
    """`scanner`, `printer`, `drawer`, `battery`, `panel`, …"""
    state: DeviceState
    where: str = ""
    """The stable name of its port."""
    reason: str = ""
    """A code of `holdfast_contract.reasons`, its FAULTS above all, when it is not online."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Further statuses in words, e.g. `paper: low`."""
    statistics: Mapping[str, int] = field(default_factory=dict)
    """Counts of its life, under UnifiedPOS's names."""
    equipment: Mapping[str, str] = field(default_factory=dict)
    """Which device it is, in the fields of UnifiedPOS's statistics."""
    category: str = ""
    """UnifiedPOS's DeviceCategory: `Scanner`, `POSPrinter`, …"""


class Workbench(Protocol):
    """A device in a technician's hands. Raises KeyError for one that is not configured, DeviceError."""

    def found(self) -> Sequence[Mapping[str, Any]]:
        """Every port, what may be on it and why."""
        ...

    async def boards(self, bus: str | None, /) -> Mapping[str, Any]:
        """Battery boards on a bus, by reading alone: `{bus, boards}`. Raises ValueError for what is no bus."""
        ...

    async def test(self, name: str, level: str) -> Mapping[str, Any]:
        """`{level, healthy, text, words}`."""
        ...

    async def record(self, name: str, seconds: float) -> str:
        """A tape of its traffic, masked."""
        ...

    def log_level(self, name: str, level: str) -> None:
        """How much it says in the log."""
        ...

    async def forget(self, name: str) -> bool:
        """Learn it anew; False: nothing was known."""
        ...

    async def release(self, name: str) -> None:
        """Let go of its port until `claim` or the next start; returns once it is closed."""
        ...

    def claim(self, name: str) -> None:
        """Take it back."""
        ...

    def reset_statistics(self, name: str) -> Mapping[str, int]:
        """Begin its counts anew; what they were."""
        ...


OFF = "off"
"""State of the link when no headquarters is configured."""


@dataclass(frozen=True, slots=True)
class UplinkReport:
    """The link to headquarters."""

    state: str
    """`online`, `degraded`, `offline`, `catching_up`, or OFF."""
    acked: int = 0
    """Last seq that headquarters has committed."""
    sent_bytes: int = 0
    sent_events: int = 0
    """Put on the wire since the start, repeats included."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PowerReport:
    """The battery."""

    stage: int
    mains: Tri
    charge_permille: int | None = None
    cell_mv: int | None = None
    minutes_left: int | None = None
    battery: Mapping[str, Any] = field(default_factory=dict)
    """What else is judged of it: how sure the minutes are, draw, health, what is not well, the last test."""


class Battery(Protocol):
    """The battery in a person's hands."""

    async def begin_test(self) -> None:
        """Raises Refused(`test_not_now`)."""
        ...

    async def forget(self) -> bool:
        """The pack was replaced; False: nothing was known of the old one."""
        ...


@dataclass(frozen=True, slots=True)
class FindingReport:
    """One thing about the machine the hub runs on."""

    topic: str
    well: Tri
    value: str
    """For people."""
    key: str
    """Of `holdfast_contract.board.FINDINGS`; empty when it is well."""
    age_s: float
    """Since it was last seen to be so."""
    since_s: float
    """Since it became so."""


@dataclass(frozen=True, slots=True)
class BoardReport:
    """The machine the hub runs on."""

    model: str = ""
    findings: Sequence[FindingReport] = ()
    """Empty: it was not looked at yet."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What is known of: `temperature_c`, `undervoltages`, `written_bytes`, `life_used`, `memory_available_bytes`."""


class Execute(Protocol):
    """`Journal.execute`, or something around it that measures."""

    def __call__(self, command: Command, *, actor: str, command_id: bytes | None = None) -> Awaitable[Outcome]: ...


class Feed(Protocol):
    """What happens at the hub, as it happens."""

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Mapping[str, Any]]]:
        """Every item from now on. A subscriber that does not keep up loses the oldest, never delays anyone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """The hub as its doors see it."""

    config: Config
    version: str
    clock: Clock
    journal: Journal
    execute: Execute
    commands: Mapping[str, type[Command]]
    """Commands a technician may send, by tag."""
    devices: Callable[[], Sequence[DeviceReport]]
    others: Callable[[], Sequence[DeviceReport]]
    """What is plugged in and not configured."""
    workbench: Workbench
    uplink: Callable[[], UplinkReport]
    power: Callable[[], PowerReport | None]
    battery: Callable[[], Battery | None]
    feed: Feed
    scan: Callable[[str, Scan], Awaitable[Outcome]]
    """A scan at a configured station, by the same road as the scanner's."""
    print_test: Callable[[], Awaitable[PrintResult]]
    receipt: Callable[[str], Awaitable[Document | None]]
    """The document with this printed number, as it would go on paper."""
    badge_text: Callable[[str], str]
    """What a badge's barcode says: its id and the tag that only this hub can make."""
    board: Callable[[], BoardReport] = BoardReport
    card: Callable[[str], str | None]
    """What a command card does, by its code; None when there is no such card."""
