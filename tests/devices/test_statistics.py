"""What a device has done in its life: counted under UnifiedPOS's names, kept through stops, crashes and damage."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.devices import statistics as module
from holdfast.devices.equipment import equipment
from holdfast.devices.health import Health, HealthBoard
from holdfast.devices.lifetimes import RETIRED, Lifetime
from holdfast.devices.printer import NoPrinter
from holdfast.devices.statistics import CountedPrinter, Statistics
from holdfast.runtime.clock import ManualClock
from holdfast_contract.record import ClockQuality
from holdfast_drivers.discovery.fingerprint import Fingerprint
from holdfast_drivers.discovery.sysfs import Port, Subsystem, Usb
from holdfast_drivers.values import (
    Barcode,
    DeviceError,
    DeviceState,
    Document,
    Printed,
    PrintResult,
    Symbol,
    Text,
)
from support.waiting import until

OURS = Fingerprint("0c2e:0900", "S1", "Voyager", 2)
CLONE = Fingerprint("0416:5011", "", "POS58", 7)
NOW = 1_790_000_000_000
"""2026-09-21."""


class Counted:
    """Statistics that follow a health board."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "statistics.json"
        self.clock = ManualClock(wall_ms=NOW)
        self.statistics = Statistics(self.clock, self.file)
        self.health = HealthBoard(self.clock, self.statistics.changed)
        for name in ("scanner", "printer", "drawer"):
            self.health.add(name, name, "nowhere", part_of="printer" if name == "drawer" else None)

    def of(self, name: str) -> dict[str, int]:
        return self.statistics.of(name)


@pytest.fixture
def hub(tmp_path: Path) -> Counted:
    return Counted(tmp_path)


def test_counters_bear_unified_pos_names(hub: Counted) -> None:
    hub.health.online("printer", online="yes", cover_open="no")
    hub.clock.advance(7200)
    hub.health.online("printer", online="no", cover_open="yes")
    hub.health.online("printer", online="no", cover_open="yes", paper="no")
    hub.clock.advance(3600)
    hub.health.lost("printer", DeviceError("timeout"))
    hub.clock.advance(7200)
    hub.health.lost("printer", DeviceError("absent"))
    assert hub.of("printer") == {
        "HoursPoweredCount": 3,
        "ReceiptCoverOpenCount": 1,
        "HUB_PaperEndCount": 1,
        "CommunicationErrorCount": 1,
    }
    hub.health.online("printer", online="yes")
    hub.health.lost("printer", DeviceError("unplugged"))
    assert hub.of("printer")["HUB_LostCount"] == 1


def test_a_port_that_was_lent_is_no_loss(hub: Counted) -> None:
    hub.health.online("printer", online="yes")
    hub.clock.advance(3600)
    hub.health.released("printer")
    hub.clock.advance(3600)
    assert hub.of("printer") == {"HoursPoweredCount": 1}


def test_a_display_s_comings_are_counted(hub: Counted) -> None:
    hub.health.add("pole", "display", "nowhere")
    for _ in range(2):
        hub.health.online("pole")
        hub.health.online("pole", online="yes")
        hub.health.lost("pole", DeviceError("unplugged"))
    assert (hub.of("pole")["OnlineTransitionCount"], hub.of("pole")["HUB_LostCount"]) == (2, 2)


def test_what_nobody_configured_is_not_counted(hub: Counted) -> None:
    hub.health.found([Health("SNAPI", "unsupported", "usb", DeviceState.UNKNOWN, "unsupported")])
    assert json.loads(written(hub))["devices"] == {}


def written(hub: Counted) -> str:
    asyncio.run(hub.statistics.save())
    return hub.file.read_text()


class Scripted(NoPrinter):
    result = PrintResult(Printed.PRINTED)

    async def print(self, *_: object, **__: object) -> PrintResult:  # type: ignore[override]  # whatever is asked
        return self.result

    async def kick(self) -> bool:
        return True


async def test_cuts_and_symbols_are_counted_when_the_paper_is_proved(hub: Counted) -> None:
    printer = Scripted()
    counted = CountedPrinter(printer, "printer", hub.statistics)

    async def started() -> None: ...

    page = Document((Text("x"), Barcode(Symbol.QR, "a"), Barcode(Symbol.CODE128, "b")))
    for outcome in (Printed.PRINTED, Printed.UNKNOWN):
        printer.result = PrintResult(outcome)
        await counted.print(page, 1, started=started)
    counts = hub.of("printer")
    assert counts["PaperCutCount"] == counts["HUB_JobPrintedCount"] == counts["HUB_JobUnknownCount"] == 1
    assert counts["BarcodePrintedCount"] == 2


@pytest.mark.parametrize(
    ("before", "after", "good", "failed"), [("no", "yes", 1, 0), ("no", "no", 0, 1), ("unknown", "unknown", 0, 0)]
)
async def test_a_drawer_opens_or_does_not(hub: Counted, before: str, after: str, good: int, failed: int) -> None:
    counted = CountedPrinter(Scripted(), "printer", hub.statistics)
    hub.health.online("drawer", open=before)
    assert await counted.kick()
    hub.clock.advance(1)
    hub.health.online("drawer", open=after)
    hub.clock.advance(5)
    counts = hub.of("drawer")
    assert (counts.get("DrawerGoodOpenCount", 0), counts.get("DrawerFailedOpenCount", 0)) == (good, failed)


def test_counts_outlive_the_daemon(hub: Counted, tmp_path: Path) -> None:
    hub.health.online("scanner")
    hub.statistics.count("scanner", "GoodScanCount", 7)
    hub.clock.advance(5400)
    written(hub)
    again = Counted(tmp_path)
    again.health.online("scanner")
    again.clock.advance(1800)
    assert again.of("scanner") == {"HoursPoweredCount": 2, "GoodScanCount": 7}
    assert again.statistics.life("scanner").installed == "2026-09-21"


def test_a_clock_that_nobody_trusts_dates_nothing(hub: Counted) -> None:
    hub.clock._quality = ClockQuality.UNSET
    hub.health.online("scanner")
    assert hub.statistics.life("scanner").installed == ""
    hub.clock._quality = ClockQuality.SYNCED
    written(hub)
    assert hub.statistics.life("scanner").installed == "2026-09-21"


DAMAGE = [
    b"", b"{", b"\xff\xfe", b"[]", b'{"devices": {"s": {"counts": {"x": -1}}}}',
    b'{"devices": {"s": {"seconds": 1.5}}}', b'{"devices": {}, "more": 1}',
    b"[" * 100_000, b'{"devices": {"s": {"installed": "' + b"x" * 2_000_000 + b'"}}}',
]  # fmt: skip


@pytest.mark.parametrize("data", DAMAGE)
def test_a_damaged_file_costs_the_counts_alone(tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "statistics.json").write_bytes(data)
    hub = Counted(tmp_path)
    assert hub.of("scanner") == {"HoursPoweredCount": 0}
    assert (tmp_path / "statistics.json.damaged").read_bytes() == data
    assert "begin anew" in caplog.text
    hub.statistics.count("scanner", "GoodScanCount")
    written(hub)
    assert Counted(tmp_path).of("scanner")["GoodScanCount"] == 1


def test_any_cut_of_the_file_is_survived(hub: Counted, tmp_path: Path) -> None:
    hub.statistics.identified("scanner", OURS)
    hub.statistics.count("scanner", "GoodScanCount", 7)
    whole = written(hub).encode()
    for length in range(len(whole)):
        hub.file.write_bytes(whole[:length])
        assert Counted(tmp_path).of("scanner").get("GoodScanCount", 0) in (0, 7)


async def test_a_full_disk_stops_nothing_and_is_tried_again(hub: Counted, caplog: pytest.LogCaptureFixture) -> None:
    hub.file.with_name("statistics.json.new").mkdir()
    hub.statistics.count("scanner", "GoodScanCount")
    await hub.statistics.save()
    assert "cannot be kept" in caplog.text
    hub.file.with_name("statistics.json.new").rmdir()
    await hub.statistics.save()
    assert hub.file.exists()


async def test_the_flash_is_spared(hub: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[float] = []
    monkeypatch.setattr(module, "write_book", lambda *_: writes.append(hub.clock.monotonic()))
    running = asyncio.create_task(hub.statistics.run())
    hub.health.online("scanner")
    await until(lambda: hub.clock._sleepers)
    for minute in range(180):
        if minute < 60:
            hub.statistics.count("scanner", "GoodScanCount", 100)
        hub.clock.advance(60)
        await until(lambda: hub.clock._sleepers)
    running.cancel()
    await asyncio.wait({running})
    gaps = [later - earlier for earlier, later in pairwise(writes)]
    assert len(writes) == 12 + 2, "every five minutes of a busy hour, then once an hour for the hours alone"
    assert min(gaps) >= module.SAVE_EVERY


def test_a_replaced_device_begins_anew_and_one_that_comes_back_goes_on(hub: Counted, tmp_path: Path) -> None:
    other = Fingerprint("0c2e:0900", "S2", "Voyager", 2)
    hub.statistics.count("scanner", "GoodScanCount", 5)
    hub.statistics.identified("scanner", OURS)
    assert hub.of("scanner")["GoodScanCount"] == 5, "what was counted before it was learnt is its own"
    assert hub.statistics.replaced("scanner")
    hub.statistics.identified("scanner", other)
    hub.statistics.count("scanner", "GoodScanCount", 2)
    assert hub.of("scanner")["GoodScanCount"] == 2
    written(hub)
    hub = Counted(tmp_path)
    hub.statistics.identified("scanner", OURS)
    assert hub.of("scanner")["GoodScanCount"] == 5
    hub.statistics.replaced("scanner")
    hub.statistics.count("scanner", "GoodScanCount", 1)
    hub.statistics.identified("scanner", other)
    assert hub.of("scanner")["GoodScanCount"] == 3, "with what it did before it was known again"


def test_a_clone_without_a_serial_number_is_never_taken_for_another(hub: Counted) -> None:
    hub.statistics.identified("printer", CLONE)
    hub.statistics.count("printer", "PaperCutCount", 5)
    hub.statistics.replaced("printer")
    hub.statistics.identified("printer", CLONE)
    assert "PaperCutCount" not in hub.of("printer")
    assert hub.statistics.replaced("printer")
    assert not hub.statistics.replaced("printer"), "nothing is known of this one"


def test_only_so_many_devices_are_remembered(hub: Counted) -> None:
    for number in range(2 * RETIRED):
        hub.statistics.identified("scanner", Fingerprint("0c2e:0900", f"S{number}"))
    assert len(json.loads(written(hub))["retired"]) == RETIRED


def test_resetting_tells_what_was_and_begins_anew(hub: Counted) -> None:
    hub.health.online("scanner")
    hub.statistics.count("scanner", "GoodScanCount", 5)
    hub.clock.advance(3600)
    assert hub.statistics.reset("scanner") == {"HoursPoweredCount": 1, "GoodScanCount": 5}
    assert hub.of("scanner") == {"HoursPoweredCount": 0}
    life = hub.statistics.life("scanner")
    assert (life.installed, life.reset) == ("2026-09-21", "2026-09-21"), "its identity stays"
    hub.clock.advance(3600)
    assert hub.of("scanner") == {"HoursPoweredCount": 1}


# Which device it is


def port(ids: tuple[int, int], subsystem: Subsystem = Subsystem.TTY, *, interface: int = 2) -> Port:
    return Port(subsystem, "/dev/x", "usb-0:1.2:1.0", Usb(*ids, "S1", "ACME", "Ring 9"), interface)


def told(device: Health, at: Port | None = None) -> dict[str, str]:
    return equipment(device, at, Lifetime(installed="2026-09-21"))


SCANNER = Health("s", "scanner", "/dev/holdfast/x")


def test_equipment_is_told_in_unified_pos_fields() -> None:
    assert told(SCANNER, port((0x0C2E, 0x0900))) == {
        "UnifiedPOSVersion": "1.16",
        "DeviceCategory": "Scanner",
        "ManufacturerName": "ACME",
        "ModelName": "Ring 9",
        "SerialNumber": "S1",
        "FirmwareRevision": "unknown",
        "Interface": "USB",
        "InstallationDate": "2026-09-21",
    }


def test_an_adapter_says_nothing_of_what_is_behind_it() -> None:
    behind = told(SCANNER, port((0x0403, 0x6001)))
    assert (behind["ManufacturerName"], behind["SerialNumber"], behind["Interface"]) == ("unknown", "unknown", "USB")


@pytest.mark.parametrize(
    ("device", "at", "interface"),
    [
        (Health("p", "printer", "10.0.0.9:9100"), None, "Ethernet"),
        (Health("p", "printer", "/dev/ttyAMA0"), Port(Subsystem.TTY, "/dev/ttyAMA0", "x"), "RS232"),
        (Health("p", "printer", "/dev/pts/7"), None, "unknown"),
        (Health("panel", "panel", "header"), None, "GPIO"),
        (Health("battery", "battery", "/dev/i2c-1"), Port(Subsystem.I2C, "/dev/i2c-1", "x"), "I2C"),
        (Health("battery", "battery", "/dev/i2c-1"), None, "I2C"),
        (Health("battery", "battery", "ups@10.0.0.2"), None, "Ethernet"),
        (Health("battery", "battery", "bench:/run/x"), None, "unknown"),
    ],
)
def test_interfaces_by_where_the_device_is(device: Health, at: Port | None, interface: str) -> None:
    assert told(device, at)["Interface"] == interface


def test_a_device_s_own_word_counts_first() -> None:
    own = {"model": "TM-T88VII", "manufacturer": "EPSON", "firmware": "1.02", "serial": "X9"}
    said = told(Health("p", "printer", "h:9100", facts=own), port((0x04B8, 0x0202), Subsystem.USBLP, interface=7))
    assert [said[key] for key in ("ManufacturerName", "ModelName", "SerialNumber", "FirmwareRevision")] == [
        "EPSON", "TM-T88VII", "X9", "1.02",
    ]  # fmt: skip
