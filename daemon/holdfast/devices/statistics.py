"""What each device has done in its life, under UnifiedPOS's names (1.16, statistics of each device category).

What UnifiedPOS has no name for begins with HUB_; the standard leaves such names to the manufacturer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from holdfast.devices.health import DETACHED, HERE, RELEASED, Health
from holdfast.devices.lifetimes import Lifetime, read_book, write_book
from holdfast.devices.printer import DRAWER, NoPrinter
from holdfast.runtime.clock import Clock
from holdfast_contract.record import ClockQuality
from holdfast_drivers.discovery.fingerprint import Fingerprint
from holdfast_drivers.values import Barcode, Document, Printed, PrintResult, Tri

log = logging.getLogger(__name__)

SAVE_EVERY = 300.0
"""Seconds between two writes of changed counts at the least: the flash is spared, a power cut costs no more."""
HOURS_EVERY = 3600.0
"""Seconds between two writes when only time has passed."""
OPENS_WITHIN = 3.0
"""Seconds after a pulse by which a drawer's switch has seen it open."""

HOURS = "HoursPoweredCount"
COMMUNICATION_ERRORS = "CommunicationErrorCount"
GOOD_SCANS = "GoodScanCount"
GOOD_WEIGHTS = "GoodWeightReadCount"
CUTS = "PaperCutCount"
BARCODES = "BarcodePrintedCount"
CAME_ONLINE = {"display": "OnlineTransitionCount"}
"""By kind, counted when a device comes online."""
DRAWER_OPENED = "DrawerGoodOpenCount"
DRAWER_STUCK = "DrawerFailedOpenCount"
LOSSES = "HUB_LostCount"
JOBS = {
    Printed.PRINTED: "HUB_JobPrintedCount",
    Printed.NOT_PRINTED: "HUB_JobNotPrintedCount",
    Printed.UNKNOWN: "HUB_JobUnknownCount",
}
BECAME = {
    ("cover_open", Tri.YES.value): "ReceiptCoverOpenCount",
    ("fault", Tri.YES.value): "PrinterFaultCount",
    ("open", Tri.YES.value): DRAWER_OPENED,
    ("paper", Tri.NO.value): "HUB_PaperEndCount",
}
"""Counted when a device's fact becomes this value."""


class Statistics:
    """Counters by device, kept in a file. `changed` follows the health board; `run` writes for as long as the hub."""

    def __init__(self, clock: Clock, store: Path) -> None:
        """Reads `store`; blocks."""
        self._clock = clock
        self._store = store
        self._book = read_book(store)
        self._last: dict[str, Health] = {}
        self._on_since: dict[str, float] = {}
        """Monotonic second from which the powered time of a device is not in its lifetime yet."""
        self._pulses: dict[str, float] = {}
        """When a drawer that is shut was last told to open."""
        self._changed = False
        self._saved_at = clock.monotonic()
        self._saving = asyncio.Lock()

    def count(self, name: str, statistic: str, by: int = 1) -> None:
        counts = self._life(name).counts
        counts[statistic] = counts.get(statistic, 0) + by
        self._changed = True

    def changed(self, now: Health) -> None:
        """A device is not as it was. Devices that nobody configured are not counted."""
        if not now.category:
            return
        before = self._last.get(now.name)
        self._last[now.name] = now
        is_here, was_here = now.state in HERE, before is not None and before.state in HERE
        if is_here and not was_here:
            self._on_since[now.name] = self._clock.monotonic()
            self._arrived(now.name)
            if now.kind in CAME_ONLINE:
                self.count(now.name, CAME_ONLINE[now.kind])
        elif was_here and not is_here:
            self._tick(now.name)
            del self._on_since[now.name]
            if now.reason != RELEASED:
                self.count(now.name, LOSSES if now.reason in DETACHED else COMMUNICATION_ERRORS)
        for (fact, value), statistic in BECAME.items():
            if now.facts.get(fact) == value and (before is None or before.facts.get(fact) != value):
                self.count(now.name, statistic)
        if now.facts.get("open") == Tri.YES.value:
            self._pulses.pop(now.name, None)

    def pulsed(self, name: str) -> None:
        """A drawer was told to open."""
        self._settle(name)
        if self._is_shut(name):
            self._pulses[name] = self._clock.monotonic()

    def identified(self, name: str, mark: Fingerprint) -> None:
        """What the device looks like was learnt."""
        self._tick(name)
        self._book.identified(name, mark)
        self._arrived(name)

    def replaced(self, name: str) -> bool:
        """Another device bears the name from now on. False: nothing was known of the old one."""
        self._tick(name)
        self._changed = True
        return self._book.replaced(name)

    def reset(self, name: str) -> Mapping[str, int]:
        """UnifiedPOS's ResetStatistics, all of them. What they were."""
        before, life = self.of(name), self._life(name)
        life.seconds, life.counts, life.reset = 0, {}, self._today()
        self._changed = True
        return before

    def of(self, name: str) -> dict[str, int]:
        """Counts of one device in its life; whole hours."""
        self._tick(name)
        self._settle(name)
        life = self._life(name)
        return {HOURS: life.seconds // 3600, **life.counts}

    def life(self, name: str) -> Lifetime:
        """A copy of what is kept."""
        self._tick(name)
        return msgspec.structs.replace(self._life(name))

    async def run(self) -> None:
        """Ends only with the hub."""
        while True:
            await self._clock.sleep(SAVE_EVERY)
            if self._changed or self._clock.monotonic() - self._saved_at >= HOURS_EVERY:
                await self.save()

    async def save(self) -> None:
        """Write what is known now. A disk that cannot take it costs the counts, not the hub."""
        async with self._saving:
            for name in self._on_since:
                self._tick(name)
                self._arrived(name)
            self._changed, self._saved_at = False, self._clock.monotonic()
            data = msgspec.json.format(msgspec.json.encode(self._book)) + b"\n"
            try:
                await asyncio.to_thread(write_book, self._store, data)
            except OSError as error:
                self._changed = True
                log.warning("the devices' statistics cannot be kept: %s", error)

    def _life(self, name: str) -> Lifetime:
        return self._book.devices.setdefault(name, Lifetime())

    def _arrived(self, name: str) -> None:
        """Note the day, as soon as the clock is trusted."""
        life = self._life(name)
        life.installed = life.installed or self._today()
        self._changed = True

    def _tick(self, name: str) -> None:
        """Put the whole seconds on into the lifetime."""
        since = self._on_since.get(name)
        if since is not None:
            seconds = int(self._clock.monotonic() - since)
            self._life(name).seconds += seconds
            self._on_since[name] = since + seconds

    def _settle(self, name: str) -> None:
        """A drawer that its switch still calls shut long after a pulse did not open."""
        pulsed = self._pulses.get(name)
        if pulsed is not None and self._clock.monotonic() - pulsed > OPENS_WITHIN:
            del self._pulses[name]
            if self._is_shut(name):
                self.count(name, DRAWER_STUCK)

    def _is_shut(self, name: str) -> bool:
        return name in self._last and self._last[name].facts.get("open") == Tri.NO.value

    def _today(self) -> str:
        if self._clock.quality() is ClockQuality.UNSET:
            return ""
        return datetime.fromtimestamp(self._clock.wall_ms() / 1000, UTC).date().isoformat()


class CountedPrinter:
    """A printer whose jobs and drawer are counted."""

    def __init__(self, printer: NoPrinter, name: str, statistics: Statistics) -> None:
        self._printer = printer
        self._name = name
        self._statistics = statistics
        self.ready = printer.ready
        self.wait_change = printer.wait_change

    async def print(self, document: Document, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult:
        result = await self._printer.print(document, job, started=started)
        self._statistics.count(self._name, JOBS[result.outcome])
        if result.outcome is Printed.PRINTED:
            symbols = sum(isinstance(block, Barcode) for block in document.blocks)
            for statistic, count in ((CUTS, int(document.cut)), (BARCODES, symbols)):
                if count:
                    self._statistics.count(self._name, statistic, count)
        return result

    async def kick(self) -> bool:
        sent = await self._printer.kick()
        if sent:
            self._statistics.pulsed(DRAWER)
        return sent
