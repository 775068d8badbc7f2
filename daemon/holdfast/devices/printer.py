"""The receipt printer of the hub: keeps one connected, prints documents on it, kicks its drawer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from holdfast.config import LANGUAGES, Printer
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.ports import printer_line, printer_link, printer_place
from holdfast.devices.thirdparty import added
from holdfast.runtime.clock import Clock
from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.printers.detect import KINDS, Kind, detect
from holdfast_drivers.printers.dialect import hindrance
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.port import Limits
from holdfast_drivers.printers.profiles import Profile, load_profile, profile_names
from holdfast_drivers.registry import PrinterDriver
from holdfast_drivers.values import (
    DeviceError,
    DeviceState,
    Document,
    Printed,
    PrintResult,
    Tri,
)

log = logging.getLogger(__name__)

LOOK_EVERY = 10.0
"""Seconds between health checks of an idle printer."""
SILENT = "escpos"
"""The language of a printer that answers no question: those that say nothing are no-name ESC/POS ones."""
DRAWER = "drawer"
"""Name of the device that hangs on the printer."""
NOT_COMPOSED = "not composed"
ABSENT = PrintResult(Printed.NOT_PRINTED, reason="absent")


async def added_kind(language: str) -> Kind:
    """Somebody else's. Raises DeviceError `refused`."""
    found = await added(PrinterDriver, language)
    return Kind(found.printer, found.encode)


class NoPrinter:
    """A hub without a printer: paper stays on the spool, the drawer shut."""

    def ready(self) -> Tri:
        return Tri.NO

    async def wait_change(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def print(self, document: Document, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult:  # noqa: ARG002 - the port's signature
        return ABSENT

    async def kick(self) -> bool:
        return False


class PrinterDevice(NoPrinter):
    """`run` is one life of the connection; `print` and `kick` may be called at any time."""

    def __init__(
        self, options: Printer, *, health: HealthBoard, clock: Clock, test: Callable[[], Awaitable[PrintResult]]
    ) -> None:
        """`test` prints a test page."""
        self.name = options.name
        self._options = options
        self._opener = printer_link(options)
        self._health = health
        self._clock = clock
        self._test = test
        self._jobs = 0
        self._printer: ReceiptPrinter | None = None
        self._language = ""
        self._kind: Kind | None = None
        self._changed = asyncio.Event()
        self._profile: Profile | None = None
        health.add(self.name, "printer", printer_place(options))
        if options.drawer != "none":
            health.add(DRAWER, "drawer", printer_place(options), part_of=self.name)

    async def run(self) -> None:
        """Raises DeviceError when the printer is absent or its link is lost; and whatever an added driver raises."""
        wanted = self._options.language
        kind = None if wanted in LANGUAGES else await added_kind(wanted)
        profile = await self._load_profile()
        line = await asyncio.to_thread(printer_line, self._options)
        drawer = None if self._options.drawer == "none" else self._options.drawer_open_level == "high"
        link = await self._opener()
        try:
            self._language = await self._spoken(link)
            self._kind = kind or KINDS[self._language]
            printer = self._kind.driver(
                link,
                profile,
                monotonic=self._clock.monotonic,
                drawer_open_high=drawer,
                limits=Limits(patience=self._options.patience),
                line=line,
            )
        except BaseException:
            await link.close()
            raise
        try:
            async with printer:
                self._printer = printer
                await self._watch(printer)
        finally:
            self._printer = None
            self._stir()

    async def _spoken(self, link: Link) -> str:
        """Which language to print in."""
        if self._options.language != "auto":
            return self._options.language
        return await detect(link, first=self._language or "star") or SILENT

    async def _watch(self, printer: ReceiptPrinter) -> None:
        """Follow the printer's status; ask when it says nothing for long."""
        while True:
            self._report(printer)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await printer.next_change()
            except TimeoutError:
                await printer.check()

    def _report(self, printer: ReceiptPrinter) -> None:
        status = printer.status
        facts = {
            "language": self._language,
            "proof": printer.proof.name.lower() if printer.proof is not None else "unknown",
            "profile": self._options.profile,
            **{name: said for name, said in asdict(printer.identity).items() if said},
            **self._advice(printer.identity.model),
            "online": status.online.value,
            "paper": status.paper.value,
            "paper_low": status.paper_low.value,
            "cover_open": status.cover_open.value,
            "fault": status.fault.value,
        }
        self._health.online(self.name, hindrance=hindrance(status), **facts)
        if self._options.drawer != "none":
            self._health.online(DRAWER, online=status.online.value, open=status.drawer_open.value)
        self._stir()

    def _advice(self, model: str) -> dict[str, str]:
        """The profile of the model that the printer says it is, if another one is configured."""
        return {"suggested_profile": model} if model != self._options.profile and model in profile_names() else {}

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _load_profile(self) -> Profile:
        if self._profile is None:
            options = self._options
            font = Path(options.font) if options.font else None
            load = partial(load_profile, options.profile, dots=options.dots, columns=options.columns, font=font)
            self._profile = await asyncio.to_thread(load)
        return self._profile

    async def check(self) -> Verdict:
        """CheckHealth, external: a test page."""
        page = await self._test()
        if page.outcome is Printed.PRINTED:
            return Tri.YES, f"the test page is proved by {page.proof.name.lower().replace('_', ' ')}"
        if page.outcome is Printed.NOT_PRINTED:
            return Tri.NO, f"nothing was printed: {page.reason}"
        return Tri.UNKNOWN, f"look at the paper: {page.reason}"

    def ready(self) -> Tri:
        """Can a job be begun: YES, NO with a known hindrance or no connection, UNKNOWN while the printer is silent."""
        if self._printer is None:
            return Tri.NO
        status = self._printer.status
        if Tri.NO in (status.online, status.paper) or Tri.YES in (status.cover_open, status.fault):
            return Tri.NO
        return Tri.UNKNOWN if status.online is Tri.UNKNOWN else Tri.YES

    @property
    def busy(self) -> bool:
        """A document is under way."""
        return self._jobs > 0

    async def wait_change(self) -> None:
        """Returns when something about the printer has changed."""
        await self._changed.wait()

    async def print(self, document: Document, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult:
        """Encode off the loop and print. NOT_PRINTED(`absent`) when there is no printer; `error` for a defect.

        UNKNOWN(`not composed`) for a document that cannot be encoded: asked again, it could not be either.
        """
        begun = False

        async def begin() -> None:
            nonlocal begun
            begun = True
            await started()

        self._jobs += 1
        try:
            return await self._print(document, job, begin)
        except (Exception, SystemExit):  # the supervision edge of an added driver: the spool goes on
            log.exception("%s: its driver failed at job %d", self.name, job)
            return PrintResult(Printed.UNKNOWN if begun else Printed.NOT_PRINTED, reason="error")
        finally:
            self._jobs -= 1

    async def _print(self, document: Document, job: int, started: Callable[[], Awaitable[None]]) -> PrintResult:
        printer, kind = self._printer, self._kind
        if printer is None or kind is None:
            return ABSENT
        profile = await self._load_profile()
        try:
            data = await asyncio.to_thread(kind.encode, document, profile)
        except ValueError:
            log.exception("%s: job %d cannot be encoded", self.name, job)
            return PrintResult(Printed.UNKNOWN, reason=NOT_COMPOSED)
        return await printer.print(data, job, started=started) if printer is self._printer else ABSENT

    async def kick(self) -> bool:
        """Open the drawer. False: nothing was sent. True: the pulse left, or part of it may have."""
        if self._printer is None or self._options.drawer == "none":
            return False
        try:
            await self._printer.kick(1 if self._options.drawer == "pin5" else 0)
        except WriteError as error:
            return error.taken > 0
        except DeviceError:
            return False
        except (Exception, SystemExit):  # the supervision edge of an added driver
            log.exception("%s: its driver failed at the drawer", self.name)
            return False
        return True

    @property
    def state(self) -> DeviceState:
        return self._health[self.name].state
