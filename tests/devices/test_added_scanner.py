"""A scanner with a driver from elsewhere, supervised by the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from holdfast.config import AddedScanner, ConfigError, Serial, parse
from holdfast.devices.health import HealthBoard
from holdfast.devices.thirdparty import AddedScannerDevice
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import SystemClock
from holdfast.runtime.supervise import restarted
from holdfast_drivers.links.base import Opener
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.registry import Driver, Registry
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.values import DeviceError, DeviceState, Scan
from support.waiting import until


def made(
    port: str, make: Callable[[Opener, Mapping[str, Any]], Any], driver: str = "theirs"
) -> tuple[AddedScannerDevice, HealthBoard, list[tuple[str, Scan]]]:
    health, scans = HealthBoard(SystemClock()), list[tuple[str, Scan]]()
    options = AddedScanner(name="ring", station="t1", driver=driver, serial=Serial(port=port), options={"loud": True})
    device = AddedScannerDevice(
        options,
        health=health,
        scanned=lambda station, scan: scans.append((station, scan)),
        registry=lambda: Registry({"theirs": Driver("theirs", make)}),
    )
    return device, health, scans


async def test_it_scans_for_its_station(tmp_path: Path) -> None:
    given = []

    def make(opener: Opener, options: Mapping[str, Any]) -> SerialScanner:
        given.append(options)
        return SerialScanner(opener)

    async with Pty(tmp_path / "ring") as port:
        device, health, scans = made(port.path, make)
        running = asyncio.create_task(device.run())
        await until(lambda: health["ring"].state is DeviceState.ONLINE)
        await port.link.write(b"4006381333931\r", timeout=1)
        await until(lambda: scans)
        assert (scans[0][0], scans[0][1].data) == ("t1", b"4006381333931")
        assert given == [{"loud": True}]
        running.cancel()
        await asyncio.wait({running})


def bad_options(*_: Any) -> Any:
    raise ValueError("no such option")


def quits(*_: Any) -> Any:
    raise SystemExit(1)


class Liar:
    """Says it is a scanner, and gives text."""

    def __init__(self, *_: object) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> Liar:
        return self

    async def __anext__(self) -> str:
        await asyncio.sleep(0)
        return "4006381333931"


@pytest.mark.parametrize(
    ("make", "driver", "kind", "told"),
    [
        (bad_options, "theirs", "refused", "no such option"),
        (quits, "theirs", "refused", "end the process"),
        (Liar, "theirs", "garbled", "gave a str for a scan"),
        (Liar, "nobody's", "refused", 'no driver "nobody\'s"'),
    ],
)
async def test_whatever_it_does_is_a_device_s_fault(make: Any, driver: str, kind: str, told: str) -> None:
    device, _, scans = made("/dev/null", make, driver)
    with pytest.raises(DeviceError) as caught:
        await device.run()
    assert caught.value.kind == kind
    assert told in caught.value.detail
    assert scans == []


async def test_the_supervisor_outlives_it() -> None:
    def explode(*_: Any) -> Any:
        raise ZeroDivisionError

    device, health, _ = made("/dev/null", explode)
    failures: list[Exception] = []

    def failed(error: Exception) -> None:
        failures.append(error)
        health.lost("ring", error)

    running = asyncio.create_task(
        restarted("ring", device.run, clock=SystemClock(), backoff=Backoff(first=0.01, cap=0.01), failed=failed)
    )
    await until(lambda: len(failures) > 2)
    assert health["ring"].reason == "ZeroDivisionError"
    running.cancel()
    await asyncio.wait({running})


def test_its_station_must_be_there() -> None:
    scanner = {"name": "ring", "station": "t9", "driver": "acme-ring", "serial": {"port": "/dev/x"}}
    hub = {"id": "hub-1", "code": "HB", "name": "Shop"}
    with pytest.raises(ConfigError, match="no station named 't9'"):
        parse({"hub": hub, "stations": [{"name": "t1"}], "added_scanners": [scanner]})
