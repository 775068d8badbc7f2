"""Devices with drivers from elsewhere, supervised by the hub: good ones work, bad ones cost nobody else anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from holdfast.config import ConfigError, Power, Printer, Scanner, Serial, parse
from holdfast.devices import thirdparty
from holdfast.devices.claims import Claims
from holdfast.devices.health import HealthBoard
from holdfast.devices.power.gauges import open_gauge
from holdfast.devices.printer import PrinterDevice
from holdfast.devices.scanner import ScannerDevice
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import SystemClock
from holdfast.runtime.supervise import restarted
from holdfast_drivers.links.base import Opener
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.escpos import EscPosPrinter
from holdfast_drivers.printers.simulator import PrinterSimulator
from holdfast_drivers.registry import Driver, GaugeDriver, PrinterDriver, Registry, ScannerDriver
from holdfast_drivers.scanners.base import Capability
from holdfast_drivers.scanners.serial_scanner import SerialScanner
from holdfast_drivers.values import (
    DeviceError,
    DeviceState,
    Document,
    Printed,
    PrintResult,
    Scan,
    Text,
    Tri,
)
from support.waiting import until

THEIRS = "acme-x"
Made = tuple[ScannerDevice, HealthBoard, list[tuple[str, Scan]]]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Driver], None]:
    def put(driver: Driver) -> None:
        monkeypatch.setattr(thirdparty, "load_drivers", lambda: Registry({driver.name: driver}))

    return put


def scanner_on(port: str) -> Made:
    health, scans = HealthBoard(SystemClock()), list[tuple[str, Scan]]()
    options = Scanner(name="ring", station="t1", protocol=THEIRS, serial=Serial(port=port), options={"loud": True})
    device = ScannerDevice(options, health=health, scanned=lambda station, scan: scans.append((station, scan)))
    return device, health, scans


class Loud(SerialScanner):
    """Sounds, and fails at it when it is told to."""

    capabilities = frozenset({Capability.FEEDBACK})
    heard: ClassVar[list[int]] = []
    fails = False

    async def good_read(self, *, beeps: int = 1) -> None:
        self.heard.append(beeps)
        if Loud.fails:
            raise SystemExit(1)


async def test_it_scans_for_its_station_and_hears_the_outcome(
    tmp_path: Path, install: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    given = []

    def make(opener: Opener, options: Mapping[str, Any]) -> Loud:
        given.append(options)
        return Loud(opener)

    monkeypatch.setattr(Loud, "heard", [])
    install(ScannerDriver(THEIRS, make))
    from holdfast.counter.ports import Signal

    async with Pty(tmp_path / "ring") as port:
        device, health, scans = scanner_on(port.path)
        running = asyncio.create_task(device.run())
        await until(lambda: health["ring"].state is DeviceState.ONLINE)
        await port.link.write(b"4006381333931\r", timeout=1)
        await until(lambda: scans)
        assert (scans[0][0], scans[0][1].data) == ("t1", b"4006381333931")
        assert given == [{"loud": True}]
        device.signal("t1", Signal.NEED_INPUT)
        await until(lambda: Loud.heard == [2])
        monkeypatch.setattr(Loud, "fails", True)
        device.signal("t1", Signal.COMMITTED)
        await until(lambda: "failed at a tone" in caplog.text)
        await port.link.write(b"A\r", timeout=1)
        await until(lambda: len(scans) == 2)
        running.cancel()
        await asyncio.wait({running})


def bad_options(*_: Any) -> Any:
    raise ValueError("no such option")


class Liar:
    """Says it is a scanner, and gives text."""

    capabilities = frozenset[Capability]()

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
    ("driver", "kind", "told"),
    [
        (ScannerDriver(THEIRS, bad_options), "refused", "no such option"),
        (ScannerDriver(THEIRS, Liar), "garbled", "gave a str for a scan"),  # type: ignore[arg-type]  # it lies
        (ScannerDriver("acme-y", Liar), "refused", "no ScannerDriver 'acme-x'"),  # type: ignore[arg-type]
        (PrinterDriver(THEIRS, EscPosPrinter, encode), "refused", "no ScannerDriver 'acme-x'"),
    ],
)
async def test_whatever_it_does_is_a_device_s_fault(install: Any, driver: Driver, kind: str, told: str) -> None:
    install(driver)
    device, _, scans = scanner_on("/dev/null")
    with pytest.raises(DeviceError) as caught:
        await device.run()
    assert caught.value.kind == kind
    assert told in caught.value.detail
    assert scans == []


@pytest.mark.parametrize(
    ("error", "reason"), [(ZeroDivisionError(), "ZeroDivisionError"), (SystemExit(1), "refused"),
                          (KeyboardInterrupt(), "refused"), (asyncio.CancelledError(), "refused")],
)  # fmt: skip
async def test_the_supervisor_outlives_it(install: Any, error: BaseException, reason: str) -> None:
    def explode(*_: Any) -> Any:
        raise error

    install(ScannerDriver(THEIRS, explode))
    device, health, _ = scanner_on("/dev/null")
    failures: list[Exception] = []

    def failed(error: Exception) -> None:
        failures.append(error)
        health.lost("ring", error)

    claims = Claims(health=health, wake=lambda _: asyncio.Event(), busy=lambda _: False)
    work, backoff = claims.around("ring", device.run), Backoff(first=0.01, cap=0.01)
    running = asyncio.create_task(restarted("ring", work, clock=SystemClock(), backoff=backoff, failed=failed))
    await until(lambda: len(failures) > 2)
    assert health["ring"].reason == reason
    running.cancel()
    await asyncio.wait({running})


# Printers


async def no_page() -> PrintResult:
    raise AssertionError


async def printed_with(tmp_path: Path, begun: list[int]) -> tuple[PrintResult, bool]:
    """One job and one kick."""
    health = HealthBoard(SystemClock())
    async with Pty(tmp_path / "printer") as pty, PrinterSimulator(pty.link):
        options = Printer(serial=Serial(port=pty.path), language=THEIRS)
        device = PrinterDevice(options, health=health, clock=SystemClock(), test=no_page)
        life = asyncio.create_task(device.run())
        await until(lambda: health["printer"].state is DeviceState.ONLINE, 10)
        assert health["printer"].facts["language"] == THEIRS

        async def started() -> None:
            assert device.busy, "it is not let go of now"
            begun.append(1)

        result = await device.print(Document((Text("x"),)), 1, started=started)
        assert not device.busy
        kicked = await device.kick()
        life.cancel()
        await asyncio.wait({life})
    return result, kicked


class Clumsy(EscPosPrinter):
    async def print(self, *_: Any, started: Any, **__: Any) -> PrintResult:  # type: ignore[override]  # as it comes
        await started()
        raise ZeroDivisionError

    async def kick(self, pin: int = 0) -> None:
        raise ZeroDivisionError(pin)


def cannot(*_: Any) -> bytes:
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("driver", "told"),
    [
        (PrinterDriver(THEIRS, EscPosPrinter, encode), (Printed.PRINTED, "", 1, True)),
        (PrinterDriver(THEIRS, EscPosPrinter, cannot), (Printed.NOT_PRINTED, "error", 0, True)),
        (PrinterDriver(THEIRS, Clumsy, encode), (Printed.UNKNOWN, "error", 1, False)),
    ],
)
async def test_a_printer_prints_or_says_how_far_it_came(
    tmp_path: Path, install: Any, driver: Driver, told: tuple[Printed, str, int, bool]
) -> None:
    install(driver)
    starts: list[int] = []
    result, kicked = await printed_with(tmp_path, starts)
    assert (result.outcome, result.reason, len(starts), kicked) == told


async def test_a_printer_without_its_driver_is_refused(tmp_path: Path, install: Any) -> None:
    install(ScannerDriver(THEIRS, Liar))  # type: ignore[arg-type]  # never made
    options = Printer(serial=Serial(port=str(tmp_path / "nothing")), language=THEIRS)
    device = PrinterDevice(options, health=HealthBoard(SystemClock()), clock=SystemClock(), test=no_page)
    with pytest.raises(DeviceError, match="no PrinterDriver"):
        await device.run()
    assert device.ready() is Tri.NO


# Batteries


@pytest.mark.parametrize("error", [ValueError("no such option"), TypeError("no such argument")])
async def test_a_board_that_will_not_be_made_is_refused(tmp_path: Path, install: Any, error: Exception) -> None:
    async def make(*_: Any) -> Any:
        raise error

    install(GaugeDriver(THEIRS, make))
    async with BenchServer(tmp_path / "bus", {}, on_output=lambda *_: None), AsyncExitStack() as stack:
        with pytest.raises(DeviceError, match="refused: driver acme-x: no such"):
            await open_gauge(Power(board=THEIRS, bus=f"bench:{tmp_path}/bus"), stack, float)


# Configuration


def problems(**sections: Any) -> dict[str, str]:
    hub = {"id": "hub-1", "code": "HB", "name": "Shop"}
    with pytest.raises(ConfigError) as caught:
        parse({"hub": hub, "stations": [{"name": "t1"}], **sections})
    return dict(caught.value.problems)


def test_a_misspelt_driver_is_told_and_ours_take_no_options() -> None:
    ring = {"name": "ring", "station": "t1", "protocol": "honeywel", "serial": {"port": "/dev/x"}}
    assert "there are plain, ssi" in problems(scanners=[ring])["scanners[0].protocol"]
    assert "scanners[0].options" in problems(scanners=[{**ring, "protocol": "ssi", "options": {"a": 1}}])
    assert "printer.language" in problems(printer={"tcp": "h:9100", "language": "escpoz"})
    assert "power.board" in problems(power={"board": "toaster"})
    assert "power.address" in problems(power={"board": "acme-ups", "address": 0x36})
    assert "scanners[0]" in problems(scanners=[{"name": "r", "station": "t1", "protocol": "acme-ring", "input": "/x"}])
    assert "scanners[0].protocol" in problems(scanners=[{**ring, "protocol": "Acme_Ring"}])


def test_added_drivers_stand_in_the_ordinary_sections() -> None:
    config = parse(
        {
            "hub": {"id": "hub-1", "code": "HB", "name": "Shop"},
            "stations": [{"name": "t1"}],
            "scanners": [
                {"name": "r", "station": "t1", "protocol": "acme-ring", "serial": {"port": "/x"}, "options": {"a": 1}}
            ],
            "printer": {"tcp": "h:9100", "language": "acme-desk"},
            "power": {"board": "acme-ups", "cells": 2, "options": {"address": 90}},
        }
    )
    assert config.scanners[0].options == {"a": 1}
    assert config.power is not None
    assert config.power.options == {"address": 90}
