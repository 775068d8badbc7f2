"""Drivers by name: those of this library, and whatever is installed beside it under the entry point `holdfast.drivers`.

An entry point names a ScannerDriver, a PrinterDriver or a GaugeDriver. One that cannot be loaded is set aside with its
reason; nothing it does at import can stop whoever looks. docs/writing-a-driver.md has a worked example of each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from holdfast_drivers.links.base import Opener
from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.profiles import Profile
from holdfast_drivers.scanners.base import Scanner
from holdfast_drivers.scanners.datalogic import DatalogicScanner
from holdfast_drivers.scanners.honeywell import HoneywellScanner
from holdfast_drivers.scanners.newland import NewlandScanner
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.scanners.ssi_scanner import SsiScanner
from holdfast_drivers.ups.board import Gauge
from holdfast_drivers.values import Document

GROUP = "holdfast.drivers"
API = 1
"""Version of what a driver and this library expect of each other."""

Options = Mapping[str, Any]
"""Of the configuration, unchecked: raise ValueError for those that make no sense."""


@dataclass(frozen=True, slots=True)
class ScannerDriver:
    """A scanner on a byte link: `protocol` of a scanner in the configuration."""

    name: str
    """Lower case, with a prefix of one's own and a hyphen: `acme-ring`."""
    make: Callable[[Opener, Options], Scanner]
    """The scanner over a link that it opens when entered."""
    words: str = ""
    """What it drives, for people."""
    api: int = API


@dataclass(frozen=True, slots=True)
class PrinterDriver:
    """A receipt printer with a language of its own: `language` of the printer in the configuration."""

    name: str
    """As a ScannerDriver's."""
    printer: type[ReceiptPrinter]
    """With its `dialect`: how it is asked, what it answers, how a job is proved."""
    encode: Callable[[Document, Profile], bytes]
    """A document as the printer's bytes. Pure; called in a thread. Raises ValueError: it cannot be printed."""
    words: str = ""
    api: int = API


@dataclass(frozen=True, slots=True)
class GaugeDriver:
    """What measures a battery on an I²C bus: `board` of the power section in the configuration."""

    name: str
    """As a ScannerDriver's."""
    make: Callable[[I2CBus, Options, Callable[[], float]], Awaitable[Gauge]]
    """Finds the chip or raises DeviceError. The last argument is the monotonic clock that stamps readings."""
    words: str = ""
    api: int = API


Driver = ScannerDriver | PrinterDriver | GaugeDriver
D = TypeVar("D", ScannerDriver, PrinterDriver, GaugeDriver)


@dataclass(frozen=True, slots=True)
class Registry:
    drivers: Mapping[str, Driver]
    broken: Mapping[str, str] = field(default_factory=dict)
    """Entry points that could not be loaded, and why."""

    def find(self, kind: type[D], name: str) -> D:
        """Raises KeyError with what is known instead."""
        driver = self.drivers.get(name)
        if isinstance(driver, kind):
            return driver
        why = f": {self.broken[name]}" if name in self.broken else ""
        fitting = ", ".join(sorted(other.name for other in self.drivers.values() if isinstance(other, kind)))
        raise KeyError(f"no {kind.__name__} {name!r}{why}; there are {fitting or 'none'}")


def _built_in(name: str, make: Callable[..., Scanner], words: str) -> ScannerDriver:
    """Its one option is `gap`, the seconds of silence that end a read."""
    return ScannerDriver(name, lambda opener, options: make(opener, **options), words)


SCANNERS: Mapping[str, ScannerDriver] = {
    driver.name: driver
    for driver in (
        _built_in("plain", SerialScanner, "any scanner that sends text"),
        _built_in("ssi", SsiScanner, "Zebra, Simple Serial Interface"),
        _built_in("honeywell", HoneywellScanner, "Honeywell"),
        _built_in("datalogic", DatalogicScanner, "Datalogic"),
        _built_in("newland", NewlandScanner, "Newland"),
    )
}
"""Of this library, on a byte link."""


def load_drivers(found: Iterable[EntryPoint] | None = None) -> Registry:
    """Everyone's; `found` stands in for what is installed. A name that is taken is not given away."""
    drivers: dict[str, Driver] = {}
    broken: dict[str, str] = {}
    for point in entry_points(group=GROUP) if found is None else found:
        try:
            driver = _load(point)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the supervision edge of foreign code: its import may do anything
            broken[point.name] = f"{type(error).__name__}: {error}"
            continue
        if driver.name in drivers:
            broken[point.name] = f"the name {driver.name!r} is taken"
        else:
            drivers[driver.name] = driver
    return Registry(drivers, broken)


def _load(point: EntryPoint) -> Driver:
    driver = point.load()
    if not isinstance(driver, Driver):
        raise TypeError(f"{point.value} is a {type(driver).__name__}, no driver")
    if driver.api != API:
        raise ValueError(f"{point.value} is made for version {driver.api} of the interface, this is {API}")
    if "-" not in driver.name:
        raise ValueError(f"the name {driver.name!r} lacks a prefix of its own, such as acme-")
    return driver
