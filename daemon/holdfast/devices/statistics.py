"""What each device has done since the hub's start, under UnifiedPOS's names (1.16, statistics of each device class).

What UnifiedPOS has no name for begins with HUB_, its mark of the manufacturer's own being M_.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from holdfast.devices.health import Health
from holdfast.devices.printer import NoPrinter
from holdfast.runtime.clock import Clock
from holdfast_drivers.values import DeviceState, Document, Printed, PrintResult, Tri

HOURS = "HoursPoweredCount"
COMMUNICATION_ERRORS = "CommunicationErrorCount"
GOOD_SCANS = "GoodScanCount"
CUTS = "PaperCutCount"
LOSSES = "HUB_LostCount"
JOBS = {
    Printed.PRINTED: "HUB_JobPrintedCount",
    Printed.NOT_PRINTED: "HUB_JobNotPrintedCount",
    Printed.UNKNOWN: "HUB_JobUnknownCount",
}
BECAME = {
    ("cover_open", Tri.YES.value): "ReceiptCoverOpenCount",
    ("fault", Tri.YES.value): "PrinterFaultCount",
    ("open", Tri.YES.value): "DrawerGoodOpenCount",
    ("paper", Tri.NO.value): "HUB_PaperEndCount",
}
"""Counted when a device's fact becomes this value."""
_GONE = frozenset({"absent", "unplugged"})


class Statistics:
    """Counters by device. `changed` follows the health board."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, Counter[str]] = {}
        self._last: dict[str, Health] = {}
        self._online: dict[str, float] = {}
        """Seconds online before the present stretch."""

    def count(self, name: str, statistic: str, by: int = 1) -> None:
        self._counts.setdefault(name, Counter())[statistic] += by

    def changed(self, now: Health) -> None:
        """A device is not as it was."""
        before = self._last.get(now.name)
        self._last[now.name] = now
        was_online = before is not None and before.state is DeviceState.ONLINE
        if before is not None and was_online and now.state is not DeviceState.ONLINE:
            self._online[now.name] = self._online.get(now.name, 0.0) + self._clock.monotonic() - before.since
            self.count(now.name, LOSSES if now.reason in _GONE else COMMUNICATION_ERRORS)
        for (fact, value), statistic in BECAME.items():
            if now.facts.get(fact) == value and (before is None or before.facts.get(fact) != value):
                self.count(now.name, statistic)

    def of(self, name: str) -> dict[str, int]:
        """Counts of one device; whole hours."""
        return {HOURS: int(self._seconds_online(name) / 3600), **self._counts.get(name, {})}

    def _seconds_online(self, name: str) -> float:
        last = self._last.get(name)
        running = last is not None and last.state is DeviceState.ONLINE
        stretch = self._clock.monotonic() - last.since if last is not None and running else 0.0
        return self._online.get(name, 0.0) + stretch


class CountedPrinter:
    """A printer whose jobs are counted."""

    def __init__(self, printer: NoPrinter, name: str, statistics: Statistics) -> None:
        self._printer = printer
        self._name = name
        self._statistics = statistics
        self.ready = printer.ready
        self.wait_change = printer.wait_change
        self.kick = printer.kick

    async def print(self, document: Document, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult:
        result = await self._printer.print(document, job, started=started)
        self._statistics.count(self._name, JOBS[result.outcome])
        if result.outcome is Printed.PRINTED and document.cut:
            self._statistics.count(self._name, CUTS)
        return result
