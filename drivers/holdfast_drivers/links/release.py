"""Free an I²C bus whose data line a chip holds low: clocks, then a stop (NXP UM10204, I²C-bus specification, 3.1.16).

    sudo /opt/holdfast/bin/python -m holdfast_drivers.links.release /dev/i2c-1 [--sda 2 --scl 3]

Run it with the hub stopped. The adapter's driver is unbound first and bound again at the end: lines that a controller
has are not free to be driven, and requested under an older kernel they are taken from it for good; binding puts them
back (raspberrypi/linux pull requests 7522, 7530). A clock line that is held low nobody can free but by cutting the
power. On a Pi 5 the kernel does all this by itself (raspberrypi/linux pull request 6071).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast_drivers.links.gpiochip import find_chip
from holdfast_drivers.links.lines import LineChip, LineConfig
from holdfast_drivers.values import DeviceError

CLOCKS = 9
"""A chip that was sending is at most a byte and its acknowledge from seeing a stop."""
HALF = 1e-5
"""Seconds a level is held, at least; there is no most."""
HEADER_SDA, HEADER_SCL = 2, 3
"""The header's `/dev/i2c-1`, BCM numbers."""
SYSFS = Path("/sys/bus/i2c/devices")

_RELEASED = LineConfig()
_LOW = LineConfig(output=True)


def release(chip: LineChip, *, sda: int, scl: int, pause: Callable[[float], None] = time.sleep) -> int:
    """Clocks it took: 0 when nobody held the bus. Never drives a line high: the bus's resistors do.

    Raises DeviceError("bus_stuck") when the clock is held, or the data line still is after CLOCKS clocks.
    """

    def put(line: int, config: LineConfig) -> None:
        chip.configure(line, config)
        pause(HALF)

    try:
        put(sda, _RELEASED)
        put(scl, _RELEASED)
        for clocks in range(CLOCKS + 1):
            if not chip.read(scl):
                raise DeviceError("bus_stuck", f"{chip.name}: the clock on line {scl} is held low")
            if chip.read(sda):
                if clocks:
                    _stop(put, sda, scl)
                return clocks
            put(scl, _LOW)
            put(scl, _RELEASED)
        raise DeviceError("bus_stuck", f"{chip.name}: line {sda} is still held low after {CLOCKS} clocks")
    finally:
        chip.release(sda)
        chip.release(scl)


def _stop(put: Callable[[int, LineConfig], None], sda: int, scl: int) -> None:
    """Data rises while the clock is high."""
    put(scl, _LOW)
    put(sda, _LOW)
    put(scl, _RELEASED)
    put(sda, _RELEASED)


@contextmanager
def unbound(bus: str, *, sysfs: Path | None = None) -> Iterator[None]:
    """Take the driver off the adapter behind `/dev/i2c-N`, and put it on again, whatever happens meanwhile.

    Raises DeviceError: `absent` (no such bus), `refused` (not root, or an adapter that is no platform device's).
    """
    adapter = (sysfs or SYSFS) / Path(bus).name
    device = adapter.resolve().parent
    driver = device / "driver"
    if not driver.exists():
        raise DeviceError("refused" if adapter.exists() else "absent", f"{bus}: no driver to unbind")
    driver = driver.resolve()
    _write(driver / "unbind", device.name)
    try:
        yield
    finally:
        _write(driver / "bind", device.name)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise DeviceError("refused", f"{path}: {error.strerror}") from error


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 when the bus is free."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("bus")
    parser.add_argument("--sda", type=int, default=HEADER_SDA, help="BCM number of the data line")
    parser.add_argument("--scl", type=int, default=HEADER_SCL, help="BCM number of the clock line")
    options = parser.parse_args(arguments)
    try:
        with unbound(options.bus):
            chip = find_chip()
            try:
                clocks = release(chip, sda=options.sda, scl=options.scl)
            finally:
                chip.close()
    except DeviceError as error:
        sys.stderr.write(f"{error}\nSwitch the power of hub and battery board off and on.\n")
        return 1
    sys.stdout.write(f"{options.bus} was free\n" if not clocks else f"{options.bus} is free after {clocks} clocks\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
