"""Drivers that came from elsewhere. Whatever they do, the hub and its other devices go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from holdfast_drivers.registry import GaugeDriver, PrinterDriver, ScannerDriver, load_drivers
from holdfast_drivers.values import DeviceError

D = TypeVar("D", ScannerDriver, PrinterDriver, GaugeDriver)


async def added(kind: type[D], name: str) -> D:
    """The installed driver called so. Raises DeviceError `refused`: there is none, or it is broken."""
    registry = await asyncio.to_thread(load_drivers)  # an import may take its time
    try:
        return registry.find(kind, name)
    except KeyError as error:
        raise DeviceError("refused", str(error.args[0])) from error


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """A driver that will not be made of what the configuration says is a device that is not there."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise DeviceError("refused", f"driver {name}: {error}") from error
