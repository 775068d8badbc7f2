"""From a board's name in the configuration to what reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from holdfast.config import Power
from holdfast.devices.thirdparty import added, refusals
from holdfast_drivers.links.i2c import I2CBus, i2c_bus
from holdfast_drivers.nut.client import NutClient, NutGauge
from holdfast_drivers.nut.protocol import PORT
from holdfast_drivers.registry import GaugeDriver
from holdfast_drivers.ups import pijuice, pisugar, waveshare_e
from holdfast_drivers.ups.board import Gauge
from holdfast_drivers.ups.bq27441 import Bq27441
from holdfast_drivers.ups.ina import INA219, INA226, INA3221, WAVESHARE, Ina, Part, Wiring
from holdfast_drivers.ups.lc709203 import Lc709203
from holdfast_drivers.ups.max17048 import Max17048
from holdfast_drivers.ups.pijuice import PiJuice
from holdfast_drivers.ups.pisugar import IP5209, IP5312, Chip2, PiSugar2, PiSugar3
from holdfast_drivers.ups.sbs import Sbs
from holdfast_drivers.ups.waveshare_e import WaveshareE
from holdfast_drivers.values import DeviceError

Seconds = Callable[[], float]
"""A monotonic clock."""
Make = Callable[[I2CBus, Power, Seconds], Awaitable[Gauge]]
"""Identifies the configured chip where it can be and raises DeviceError when it is not there."""


async def open_gauge(options: Power, stack: AsyncExitStack, clock: Seconds) -> Gauge:
    """What `options.board` names; the stack closes what it stands on. Raises DeviceError."""
    if options.nut_ups is not None:
        return _nut_gauge(options.nut_ups, options.cells, stack, clock)
    bus = await i2c_bus(options.bus)
    stack.push_async_callback(bus.close)
    make = GAUGES.get(options.board)
    return await (_added(bus, options, clock) if make is None else make(bus, options, clock))


async def serial_of(gauge: Gauge) -> str:
    """The serial number the pack or UPS tells; empty: none. Raises DeviceError."""
    return await gauge.serial() if isinstance(gauge, Sbs | NutGauge) else ""


def ups_test(options: Power) -> Callable[[], Awaitable[str]] | None:
    """What tells the configured UPS to test its battery, where it may be told; it raises DeviceError."""
    ups_at, user, file = options.nut_ups, options.nut_user, options.nut_password_file
    if ups_at is None or user is None or file is None:
        return None

    async def tell() -> str:
        ups, host, port = split_ups(ups_at)
        async with NutClient(host, port) as client:
            await client.authenticate(user, await asyncio.to_thread(read_password, file))
            return await client.test_battery(ups)

    return tell


def read_password(file: str) -> str:
    """One word: NUT's own clients do not quote it. Raises DeviceError(`refused`). Blocks."""
    try:
        password = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError("refused", f"{file}: {error}") from error
    if not password or any(letter.isspace() for letter in password):
        raise DeviceError("refused", f"{file}: a password is one word")
    return password


def cells_of(options: Power) -> int | None:
    """Cells in series, as far as configuration and board tell."""
    if options.board in WAVESHARE:
        return WAVESHARE[options.board].cells
    return options.cells or {"waveshare-e": 4, "nut": None}.get(options.board, 1)


def _nut_gauge(ups_at: str, cells: int | None, stack: AsyncExitStack, clock: Seconds) -> NutGauge:
    ups, host, port = split_ups(ups_at)
    client = NutClient(host, port)
    stack.push_async_callback(client.close)
    return NutGauge(client, ups, cells=cells, clock=clock)


def split_ups(ups_at: str) -> tuple[str, str, int]:
    ups, _, server = ups_at.partition("@")
    host, _, port = server.partition(":")
    return ups, host, int(port or PORT)


async def _added(bus: I2CBus, options: Power, clock: Seconds) -> Gauge:
    found = await added(GaugeDriver, options.board)
    with refusals(found.name):
        return await found.make(bus, options.options, clock)


async def _max1704x(bus: I2CBus, options: Power, clock: Seconds) -> Gauge:
    return await Max17048.detect(bus, doubled=options.doubled, clock=clock)


async def _ina(bus: I2CBus, options: Power, clock: Seconds, *, part: Part) -> Gauge:
    assert options.address is not None, "the configuration was checked"
    assert options.cells is not None, "the configuration was checked"
    assert options.shunt_mohm is not None, "the configuration was checked"
    wiring = Wiring(options.address, options.cells, options.shunt_mohm, options.channel or 1)
    return await Ina.detect(bus, part, wiring, clock=clock)


async def _wired(bus: I2CBus, _: Power, clock: Seconds, *, wiring: Wiring) -> Gauge:
    return await Ina.detect(bus, INA219, wiring, clock=clock)


async def _waveshare_e(bus: I2CBus, options: Power, clock: Seconds) -> Gauge:
    return await WaveshareE.detect(bus, address=options.address or waveshare_e.ADDRESS, clock=clock)


async def _pisugar3(bus: I2CBus, options: Power, clock: Seconds) -> Gauge:
    return await PiSugar3.detect(bus, address=options.address or pisugar.ADDRESS_3, clock=clock)


async def _pisugar2(bus: I2CBus, options: Power, clock: Seconds, *, chip: Chip2) -> Gauge:
    return await PiSugar2.detect(bus, chip, address=options.address or pisugar.ADDRESS_2, clock=clock)


async def _pijuice(bus: I2CBus, options: Power, clock: Seconds) -> Gauge:
    return await PiJuice.detect(bus, address=options.address or pijuice.ADDRESS, clock=clock)


async def _lc709203f(bus: I2CBus, _: Power, clock: Seconds) -> Gauge:
    return await Lc709203.detect(bus, clock=clock)


async def _sbs(bus: I2CBus, options: Power, clock: Seconds) -> Gauge:
    return await Sbs.detect(bus, cells=options.cells or 1, clock=clock)


async def _bq27441(bus: I2CBus, _: Power, clock: Seconds) -> Gauge:
    return await Bq27441.identified(bus, clock=clock)


GAUGES: dict[str, Make] = {
    "max1704x": _max1704x,
    "ina219": partial(_ina, part=INA219),
    "ina226": partial(_ina, part=INA226),
    "ina3221": partial(_ina, part=INA3221),
    **{name: partial(_wired, wiring=wiring) for name, wiring in WAVESHARE.items()},
    "waveshare-e": _waveshare_e,
    "pisugar3": _pisugar3,
    "pisugar2": partial(_pisugar2, chip=IP5209),
    "pisugar2pro": partial(_pisugar2, chip=IP5312),
    "pijuice": _pijuice,
    "lc709203f": _lc709203f,
    "sbs": _sbs,
    "bq27441": _bq27441,
}
"""Every board on an I²C bus, by its name in the configuration."""
