"""Drivers by name: those of this library, and whatever is installed beside it under the entry point `holdfast.drivers`.

An entry point names a `Driver`. One that cannot be loaded is set aside with its reason; nothing it does at import can
stop whoever looks. docs/writing-a-driver.md has a worked example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.base import Scanner
from holdfast_drivers.scanners.datalogic import DatalogicScanner
from holdfast_drivers.scanners.honeywell import HoneywellScanner
from holdfast_drivers.scanners.newland import NewlandScanner
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.scanners.ssi_scanner import SsiScanner

GROUP = "holdfast.drivers"
API = 1
"""Version of what a driver and this library expect of each other."""

ScannerFactory = Callable[[Opener, Mapping[str, Any]], Scanner]
"""Makes a scanner over a link that it opens when entered. Options come from the configuration, unchecked: raise
ValueError for those that make no sense."""


@dataclass(frozen=True, slots=True)
class Driver:
    """What an entry point names. Scanners over a byte link are what can be added so far."""

    name: str
    """As in the configuration: lower case, with a prefix of one's own, e.g. `acme-ring`."""
    make: ScannerFactory
    words: str = ""
    """What it drives, for people."""
    api: int = API


@dataclass(frozen=True, slots=True)
class Registry:
    drivers: Mapping[str, Driver]
    broken: Mapping[str, str] = field(default_factory=dict)
    """Entry points that could not be loaded, and why."""

    def __getitem__(self, name: str) -> Driver:
        """Raises KeyError with what is known instead."""
        if name in self.drivers:
            return self.drivers[name]
        why = f": {self.broken[name]}" if name in self.broken else ""
        raise KeyError(f"no driver {name!r}{why}; there are {', '.join(sorted(self.drivers))}")


def _built_in(name: str, make: Callable[[Opener], Scanner], words: str) -> Driver:
    return Driver(name, lambda opener, _: make(opener), words)


BUILT_IN: tuple[Driver, ...] = (
    _built_in("plain", SerialScanner, "any scanner that sends text"),
    _built_in("ssi", SsiScanner, "Zebra, Simple Serial Interface"),
    _built_in("honeywell", HoneywellScanner, "Honeywell"),
    _built_in("datalogic", DatalogicScanner, "Datalogic"),
    _built_in("newland", NewlandScanner, "Newland"),
)


def load_drivers(found: Iterable[EntryPoint] | None = None) -> Registry:
    """Ours and everyone's; `found` stands in for what is installed. A name that is taken is not given away."""
    drivers = {driver.name: driver for driver in BUILT_IN}
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
        raise TypeError(f"{point.value} is a {type(driver).__name__}, not a Driver")
    if driver.api != API:
        raise ValueError(f"{point.value} is made for version {driver.api} of the interface, this is {API}")
    return driver
