"""Testing, recording and counting a device: the technician's bench over live parts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast.devices.claims import Claims
from holdfast.devices.finder import Finder
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.power.detect import boards_on
from holdfast.devices.statistics import Statistics
from holdfast.devices.taps import TAPS
from holdfast.devices.workbench import Workbench
from holdfast.runtime.clock import ManualClock
from holdfast_drivers.links.base import Link
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.links.tape import Tape
from holdfast_drivers.values import DeviceError, DeviceState, Scan, Tri

PLACE = "bench place"


@dataclass
class Bench:
    clock: ManualClock
    health: HealthBoard
    work: Workbench
    statistics: Statistics
    checked: list[str] = field(default_factory=list)
    failing: DeviceError | None = None


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    clock = ManualClock()
    statistics = Statistics(clock, tmp_path / "statistics.json")
    health = HealthBoard(clock, statistics.changed)
    health.add("scanner", "scanner", PLACE)
    health.add("printer", "printer", "nowhere")
    health.add("drawer", "drawer", "nowhere", part_of="printer")

    async def look() -> Verdict:
        made.checked.append("scanner")
        if made.failing is not None:
            raise made.failing
        return Tri.UNKNOWN, "did you hear it?"

    claims = Claims(health=health, wake=lambda _: asyncio.Event(), busy=lambda _: False)
    finder = Finder(health=health, clock=clock, store=tmp_path / "known.json", root=tmp_path)
    work = Workbench(
        health=health,
        finder=finder,
        statistics=statistics,
        claims=claims,
        external={"scanner": look},
        boards=lambda bus: boards_on(bus, None),
        patience=0.2,
    )
    made = Bench(clock, health, work, statistics)
    return made


async def verdict(bench: Bench, name: str, level: str) -> str:
    return str((await bench.work.test(name, level))["healthy"])


async def test_an_internal_check_tells_what_is_known(bench: Bench) -> None:
    assert await verdict(bench, "printer", "internal") == "unknown", "silence is unknown"
    bench.health.online("printer", online="yes", cover_open="no")
    told = await bench.work.test("printer", "internal")
    assert told["text"] == "Internal HCheck: Successful"
    bench.health.online("printer", online="yes", cover_open="yes")
    assert await verdict(bench, "printer", "internal") == "no"
    bench.health.lost("printer", DeviceError("unplugged"))
    words = (await bench.work.test("printer", "external"))["words"]
    assert words.startswith("unplugged: It was unplugged"), "not even tried"
    assert "Plug it in again" in words
    with pytest.raises(KeyError):
        await bench.work.test("nobody", "internal")


async def test_an_external_check_is_the_device_s_own(bench: Bench) -> None:
    bench.health.online("scanner")
    told = await bench.work.test("scanner", "external")
    assert (told["text"], told["words"]) == ("External HCheck: Complete", "did you hear it?")
    bench.failing = DeviceError("timeout", "no answer")
    assert (await bench.work.test("scanner", "external"))["text"] == "External HCheck: Not Responding"
    bench.health.lost("scanner", DeviceError("absent"))
    assert await verdict(bench, "scanner", "external") == "no"
    assert bench.checked == ["scanner", "scanner"], "one that is away is not asked"
    assert await verdict(bench, "drawer", "external") == "unknown", "nothing opens a drawer without a record of it"


async def test_an_interactive_check_of_a_scanner_keeps_the_code_from_the_counter(bench: Bench) -> None:
    bench.health.online("scanner")
    assert not bench.work.takes("scanner", Scan(b"1"))
    testing = asyncio.create_task(bench.work.test("scanner", "interactive"))
    await asyncio.sleep(0)
    assert bench.work.takes("scanner", Scan(b"4006381333931", "]E0"))
    assert (await testing)["words"] == "13 bytes, AIM ]E0, ended by its terminator"
    assert not bench.work.takes("scanner", Scan(b"1")), "one code alone"
    assert await verdict(bench, "scanner", "interactive") == "no", "nobody scanned"


async def test_an_interactive_check_of_a_printer_watches_its_cover(bench: Bench) -> None:
    bench.health.online("printer", online="yes", cover_open="no")
    assert await verdict(bench, "printer", "interactive") == "no"
    testing = asyncio.create_task(bench.work.test("printer", "interactive"))
    await asyncio.sleep(0)
    bench.health.online("printer", online="no", cover_open="yes")
    await asyncio.sleep(0.15)
    bench.health.online("printer", online="yes", cover_open="no")
    assert (await testing)["words"] == "seen: the cover opened, the cover closed"


async def test_an_interactive_check_of_a_battery_is_a_pull_at_its_plug(bench: Bench) -> None:
    bench.health.add("battery", "battery", "bus")
    bench.health.online("battery", mains="yes (inferred)")
    testing = asyncio.create_task(bench.work.test("battery", "interactive"))
    await asyncio.sleep(0)
    bench.health.online("battery", mains="no (inferred)")
    await asyncio.sleep(0.15)
    bench.health.online("battery", mains="yes (inferred)")
    assert (await testing)["healthy"] == "yes"


def test_each_kind_has_its_unified_pos_category_and_power_state(bench: Bench) -> None:
    health = bench.health
    assert [device.category for device in health.all()] == ["Scanner", "POSPrinter", "CashDrawer"]
    health.online("printer", hindrance="cover_open", online="no")
    assert (health["printer"].state, health["printer"].reason) == (DeviceState.OFFLINE, "cover_open")
    health.online("printer", online="yes")
    assert (health["printer"].state, health["printer"].reason) == (DeviceState.ONLINE, "")
    health.online("drawer", open="no")
    health.lost("printer", DeviceError("timeout"))
    assert {device.state for device in health.all()} == {DeviceState.UNKNOWN, DeviceState.OFF_OFFLINE}
    assert (health["drawer"].state, health["drawer"].reason, health["drawer"].facts) == (
        DeviceState.OFF_OFFLINE, "timeout", {},
    )  # fmt: skip
    health.lost("printer", DeviceError("unplugged"))
    assert health["printer"].state is health["drawer"].state is DeviceState.OFF


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Link, Link]]:
    ours, device = memory_pair()

    async def opener() -> Link:
        await asyncio.sleep(0)
        return ours

    link = await TAPS.around(PLACE, opener)()
    yield link, device
    await link.close()
    await device.close()


async def test_a_recording_is_a_masked_tape_of_both_directions(bench: Bench) -> None:
    async with opened() as (link, device):
        recording = asyncio.create_task(bench.work.record("scanner", 0.1))
        await asyncio.sleep(0.01)
        await device.write(b"4111 Card\r", timeout=1)
        assert await link.read(100) == b"4111 Card\r", "the hub hears it unmasked"
        await link.write(b"OK", timeout=1)
        tape = Tape.loads(await recording)
        assert [(entry.data, entry.written) for entry in tape.entries] == [(b"0000 Xxxx\r", False), (b"XX", True)]
        await link.write(b"late", timeout=1)
        assert len(tape.entries) == 2
    with pytest.raises(DeviceError):
        await bench.work.record("printer", 0.1)


async def test_a_device_talks_in_the_log_when_told_to(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    async with opened() as (link, device):
        bench.work.log_level("scanner", "debug")
        await device.write(b"secret7", timeout=1)
        await link.read(100)
        bench.work.log_level("scanner", "info")
        await device.write(b"later", timeout=1)
        await link.read(100)
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    assert told == ["in b'xxxxxx0'"]
