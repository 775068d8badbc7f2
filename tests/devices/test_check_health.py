"""UnifiedPOS's CheckHealth, external: what each kind of device does to show that it works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import Panel, Power, Printer, Scanner, Serial
from holdfast.devices.health import HealthBoard
from holdfast.devices.panel import PanelDevice
from holdfast.devices.power import device as power_module
from holdfast.devices.power.battery import BatteryCare
from holdfast.devices.power.book import PowerBook
from holdfast.devices.power.device import PowerDevice
from holdfast.devices.power.energy import EnergyKeeper
from holdfast.devices.printer import PrinterDevice
from holdfast.devices.scanner import ScannerDevice
from holdfast.domain.core import Outcome
from holdfast.runtime.clock import SystemClock
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scanners.sim import PROTOCOLS
from holdfast_drivers.scanners.simulator import ObedientSimulator
from holdfast_drivers.ups import pisugar
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import SimulatedChip
from holdfast_drivers.values import DeviceState, Printed, PrintResult, Proof, Tri
from support.power_rig import NoRecord
from support.waiting import until


@asynccontextmanager
async def living(device: Any, online: Callable[[], object]) -> AsyncIterator[None]:
    """While its `run` runs and it is there."""
    life = asyncio.create_task(device.run())
    try:
        await until(online, 15)
        yield
    finally:
        life.cancel()
        await asyncio.wait({life})


@pytest.mark.parametrize("protocol", ["plain", "ssi", "honeywell", "datalogic", "newland"])
async def test_a_scanner_sounds_and_answers_if_it_can(tmp_path: Path, protocol: Any) -> None:
    health = HealthBoard(SystemClock())
    async with Pty(tmp_path / "scanner") as pty:
        simulator = PROTOCOLS[protocol](pty.link)
        options = Scanner(name="s", station="t1", protocol=protocol, serial=Serial(port=pty.path))
        device = ScannerDevice(options, health=health, scanned=lambda *_: None)
        assert (await device.check())[0] is Tri.NO, "its port is not open yet"
        obedient = isinstance(simulator, ObedientSimulator)
        if obedient:
            await simulator.__aenter__()
        async with living(device, lambda: health["s"].state is DeviceState.ONLINE):
            healthy, words = await device.check()
            assert healthy is (Tri.YES if protocol in ("ssi", "honeywell", "newland") else Tri.UNKNOWN)
            sounds = protocol in ("ssi", "honeywell", "datalogic")
            assert ("a tone was asked for" in words) is sounds
            await until(lambda: not sounds or simulator.heard == ["good"])
        if obedient:
            await simulator.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (PrintResult(Printed.PRINTED, Proof.PROCESS_ID), (Tri.YES, "the test page is proved by process id")),
        (PrintResult(Printed.NOT_PRINTED, reason="paper_end"), (Tri.NO, "nothing was printed: paper_end")),
        (PrintResult(Printed.UNKNOWN, reason="no_proof"), (Tri.UNKNOWN, "look at the paper: no_proof")),
    ],
)
async def test_a_printer_prints_a_page(page: PrintResult, told: tuple[Tri, str]) -> None:
    async def test() -> PrintResult:
        return page

    clock = SystemClock()
    device = PrinterDevice(Printer(tcp="127.0.0.1:9"), health=HealthBoard(clock), clock=clock, test=test)
    assert await device.check() == told


async def test_a_panel_lights_each_lamp_alone(tmp_path: Path) -> None:
    health, seen = HealthBoard(SystemClock()), list[tuple[int, bool]]()
    options = Panel(chip=f"bench:{tmp_path}/bus", green=17, red=22, buzzer=25)
    device = PanelDevice(options, health=health, pressed=lambda *_: None, pace=0.1)
    assert (await device.check())[0] is Tri.NO
    bench = BenchServer(tmp_path / "bus", {}, on_output=lambda edge: seen.append((edge.line, edge.high)))
    async with bench, living(device, lambda: health["panel"].state is DeviceState.ONLINE):
        seen.clear()
        assert await device.check() == (Tri.UNKNOWN, "one after the other: green, red, buzzer. Did you notice each?")
        assert seen == [(17, True), (17, False), (22, True), (22, False), (25, True), (25, False)]


async def test_a_battery_is_measured_afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def execute(*_: Any, **__: Any) -> Outcome:
        return Outcome()

    clock, battery = SystemClock(), Battery(cells=1, charge=0.5, mains=False)
    health = HealthBoard(clock)
    chip = SimulatedChip(battery, pisugar.registers_3)
    power = Power(board="pisugar3", bus=f"bench:{tmp_path}/bus")

    async def quiet() -> bool:
        return True

    care = BatteryCare(power, clock=clock, store=tmp_path / "battery.json", execute=execute, quiet=quiet)
    energy = EnergyKeeper(power, book=PowerBook(NoRecord()), real=clock, clock=clock, execute=execute)
    device = PowerDevice(
        power, health=health, clock=clock, care=care, energy=energy, execute=execute,
        staged=lambda _: None, stop=lambda _: None, noted=lambda _: None,
    )  # fmt: skip
    bench = BenchServer(tmp_path / "bus", {pisugar.ADDRESS_3: chip}, on_output=lambda *_: None)
    async with bench, living(device, lambda: health["battery"].state is DeviceState.ONLINE):
        healthy, words = await device.check()
        assert healthy is Tri.YES
        assert words.startswith("mains no, charge 50 %, 3.")
        battery.charge = 0.3
        assert "charge 30 %" in (await device.check())[1], "what is, not what was"
    monkeypatch.setattr(power_module, "FRESH_WITHIN", 0.05)
    assert (await device.check())[0] is Tri.NO, "nothing is measured any more"
