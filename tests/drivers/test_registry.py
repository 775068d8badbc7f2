"""Drivers from elsewhere: the documented examples at work, and what broken ones may not do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.i2c import i2c_bus
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.registry import (
    API,
    GROUP,
    SCANNERS,
    GaugeDriver,
    PrinterDriver,
    ScannerDriver,
    load_drivers,
)
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import SimulatedChip
from holdfast_drivers.values import (
    Barcode,
    Columns,
    DeviceError,
    Document,
    Printed,
    Proof,
    Rule,
    Symbol,
    Text,
    Tri,
)
from support import acme
from support.installed import EXAMPLE, install_example

PAGE = Path(__file__).parents[2] / "docs/writing-a-driver.md"
FILES = ("acme_ring.py", "acme_desk.py", "acme_ups.py", "pyproject.toml")
BROKEN = "raise RuntimeError('no such luck')"
RING = "import holdfast_drivers.registry as r\nDRIVER = r.ScannerDriver"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_example(tmp_path_factory.mktemp("example"))


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(site))
    yield
    for name in ("acme_ring", "acme_desk", "acme_ups"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("file", FILES)
def test_the_page_shows_what_is_tested(file: str) -> None:
    assert (EXAMPLE / file).read_text() in PAGE.read_text()


@pytest.mark.usefixtures("installed")
def test_installed_drivers_are_found_by_kind_and_name() -> None:
    registry = load_drivers()
    assert registry.broken == {}
    assert registry.find(ScannerDriver, "acme-ring").words == "ACME ring scanner"
    assert registry.find(PrinterDriver, "acme-desk").api == API
    assert registry.find(GaugeDriver, "acme-ups").name == "acme-ups"
    with pytest.raises(KeyError, match="no PrinterDriver 'acme-ring'; there are acme-desk"):
        registry.find(PrinterDriver, "acme-ring")


def test_without_them_there_is_nobody_s() -> None:
    assert load_drivers().drivers == {}
    with pytest.raises(KeyError, match="there are none"):
        load_drivers().find(GaugeDriver, "acme-ups")


@pytest.mark.usefixtures("installed")
async def test_the_example_scans() -> None:
    driver = load_drivers().find(ScannerDriver, "acme-ring")
    ours, device = memory_pair()

    async def opener() -> Link:
        await asyncio.sleep(0)
        return ours

    async with driver.make(opener, {"loud": False}) as scanner:
        whole = acme.ring("4006381333931")
        for piece in (whole[:9], whole[9:], b"<bad00>", acme.ring("A")):
            await device.write(piece, timeout=1)
        assert (await anext(scanner)).data == b"4006381333931"
        assert (await anext(scanner)).data == b"A"
        assert scanner.stats.garbled == 1
        await scanner.good_read(beeps=2)
        assert await device.read(10) == b".."
    with pytest.raises(ValueError, match="volume"):
        driver.make(opener, {"volume": 11})
    await device.close()


RECEIPT = Document((Text("Grüße"), Columns("Honey", "7.49 €"), Rule(), Barcode(Symbol.QR, "hi"), Text("λάδι")))


@pytest.mark.usefixtures("installed")
async def test_the_example_prints_with_proof() -> None:
    driver = load_drivers().find(PrinterDriver, "acme-desk")
    ours, device = memory_pair()
    desk = acme.Desk(device)
    running = asyncio.create_task(desk.run())
    profile = load_profile("TM-T20II", columns=32)

    async def started() -> None: ...

    async with driver.printer(ours, profile, monotonic=asyncio.get_running_loop().time) as printer:
        assert (printer.status.paper, printer.proof) == (Tri.YES, Proof.PROCESS_ID)
        result = await printer.print(driver.encode(RECEIPT, profile), 300, started=started)
        assert (result.outcome, result.proof) == (Printed.PRINTED, Proof.PROCESS_ID)
        assert desk.paper[0].startswith("Grüße\nHoney                     7.49 €\n────")
        desk.status = 1
        refused = await printer.print(b"x", 301, started=started)
        assert (refused.outcome, refused.reason) == (Printed.NOT_PRINTED, "paper_end")
        desk.status = 0
        await printer.kick(0)
        with pytest.raises((ValueError, DeviceError)):
            await printer.kick(1)
    await device.close()
    await running
    assert desk.kicks == 1


@pytest.mark.usefixtures("installed")
async def test_the_example_measures(tmp_path: Path) -> None:
    driver = load_drivers().find(GaugeDriver, "acme-ups")
    battery = Battery(charge=0.5, mains=False)
    chip = SimulatedChip(battery, acme.ups)
    async with BenchServer(tmp_path / "bus", {0x5A: chip}, on_output=lambda *_: None):
        bus = await i2c_bus(f"bench:{tmp_path}/bus")
        gauge = await driver.make(bus, {}, lambda: 7.0)
        reading = await gauge.read()
        assert (reading.at, reading.charge_permille, reading.mains) == (7.0, 500, Tri.NO)
        with pytest.raises(DeviceError, match="absent"):
            await driver.make(bus, {"address": 0x11}, float)
        with pytest.raises(ValueError, match="volume"):
            await driver.make(bus, {"volume": 11}, float)
        await bus.close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BROKEN, "RuntimeError: no such luck"),
        ("DRIVER = 7", "is a int, no driver"),
        (f"{RING}('x-y', print, api=99)", "version 99"),
        (f"{RING}('acme-ring', print)", "'acme-ring' is taken"),
        (f"{RING}('ssi', print)", "lacks a prefix"),
        ("nothing = 1", "AttributeError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def (:", "SyntaxError"),
    ],
)
@pytest.mark.usefixtures("installed")
def test_a_broken_driver_is_set_aside_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "foreign.py").write_text(text)
    points = [EntryPoint("acme-ring", "acme_ring:DRIVER", GROUP), EntryPoint("theirs", "foreign:DRIVER", GROUP)]
    registry = load_drivers(points)
    sys.modules.pop("foreign", None)
    assert why in registry.broken["theirs"]
    assert registry.find(ScannerDriver, "acme-ring"), "the others are there all the same"
    with pytest.raises(KeyError, match="no ScannerDriver 'theirs'"):
        registry.find(ScannerDriver, "theirs")


def test_ours_need_nobody() -> None:
    assert set(SCANNERS) == {"plain", "ssi", "honeywell", "datalogic", "newland"}
    assert all(driver.words for driver in SCANNERS.values())
