"""The hub's scanners: the configured driver on a real PTY, its reads, its health, and the tones people hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import parse
from holdfast.devices import scanner as device_module
from holdfast.devices.health import HealthBoard
from holdfast.devices.scanner import ScannerDevice, driver
from holdfast.runtime.clock import SystemClock
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scanners.base import Capability
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.scanners.sim import PROTOCOLS
from holdfast_drivers.scanners.simulator import ObedientSimulator
from holdfast_drivers.values import DeviceError, DeviceState, Scan, Tri

CODE = "4006381333931"


class Signal(Enum):
    COMMITTED = "committed"
    NEED_INPUT = "need_input"
    REFUSED = "refused"


def options(port: str = "/dev/x", **keys: Any) -> Any:
    raw = {"name": "s", "station": "t1", "serial": {"port": port}, **keys}
    return parse(
        {
            "hub": {"id": "pier-7", "code": "P7", "name": "Pier 7"},
            "stations": [{"name": "t1"}],
            "scanners": [{key: value for key, value in raw.items() if value is not None}],
        }
    ).scanners[0]


@dataclass
class Plugged:
    device: ScannerDevice
    simulator: Any
    health: HealthBoard
    pty: Pty
    running: asyncio.Task[None]
    reads: list[tuple[str, Scan]] = field(default_factory=list)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - the far end of a PTY gives no signal
                await asyncio.sleep(0.002)

    async def hears(self, words: list[str]) -> None:
        await self.until(lambda: self.simulator.heard == words)


@asynccontextmanager
async def plugged(directory: Path, protocol: str) -> AsyncIterator[Plugged]:
    reads: list[tuple[str, Scan]] = []
    health = HealthBoard(SystemClock())
    async with Pty(directory / "scanner") as pty:
        simulator = PROTOCOLS[protocol](pty.link)
        if isinstance(simulator, ObedientSimulator):
            await simulator.__aenter__()
        device = ScannerDevice(
            options(pty.path, protocol=protocol),
            health=health,
            scanned=lambda station, scan: reads.append((station, scan)),
        )
        running = asyncio.create_task(device.run())
        shop = Plugged(device, simulator, health, pty, running, reads)
        try:
            await shop.until(lambda: health["s"].state is DeviceState.ONLINE)
            yield shop
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            if isinstance(simulator, ObedientSimulator):
                await simulator.__aexit__(None, None, None)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_each_protocol_reads_for_its_station_and_says_how_it_is(tmp_path: Path, protocol: str) -> None:
    async with plugged(tmp_path, protocol) as shop:
        await shop.simulator.scan(CODE)
        await shop.until(lambda: shop.reads)
        station, scan = shop.reads[0]
        assert (station, scan.data, scan.aim) == ("t1", CODE.encode(), "]E0")
        known = {"ssi", "honeywell", "newland"}
        await shop.until(lambda: protocol not in known or "answers" in shop.health["s"].facts)
        facts = {"station": "t1", "protocol": protocol} | ({"answers": "yes"} if protocol in known else {})
        assert shop.health["s"].facts == facts


@pytest.mark.parametrize("protocol", ["ssi", "honeywell", "datalogic"])
async def test_the_counters_signals_are_heard_at_the_scanner_of_their_station(tmp_path: Path, protocol: str) -> None:
    async with plugged(tmp_path, protocol) as shop:
        heard: list[str] = []
        for station, signal, words in (
            ("t1", Signal.COMMITTED, ["good"]),
            ("t2", Signal.REFUSED, []),
            ("t1", Signal.NEED_INPUT, ["good", "good"]),
            ("t1", Signal.REFUSED, ["bad"] if protocol != "datalogic" else ["bad", "enable"]),
        ):
            shop.device.signal(station, signal)
            heard += words
            await shop.hears(heard)
        await shop.simulator.scan(CODE)
        await shop.until(lambda: shop.reads)


@pytest.mark.parametrize("protocol", ["plain", "newland"])
async def test_a_scanner_without_tones_is_left_in_peace(tmp_path: Path, protocol: str) -> None:
    async with plugged(tmp_path, protocol) as shop:
        for _ in range(10):
            shop.device.signal("t1", Signal.COMMITTED)
            await asyncio.sleep(0)
        await shop.simulator.scan(CODE)
        await shop.until(lambda: shop.reads)
        if isinstance(shop.simulator, ObedientSimulator):
            assert shop.simulator.heard == []


async def test_a_scanner_that_stops_listening_costs_the_counter_nothing(tmp_path: Path) -> None:
    async with plugged(tmp_path, "ssi") as shop:
        await shop.until(lambda: "answers" in shop.health["s"].facts)
        shop.simulator.deaf = True
        for _ in range(1000):
            shop.device.signal("t1", Signal.COMMITTED)
        await asyncio.sleep(0.05)
        assert shop.device._signals.qsize() <= device_module.BACKLOG
        shop.simulator.packeted = False
        await shop.simulator.scan(CODE)
        await shop.until(lambda: shop.reads)


async def test_an_unplug_ends_the_run_also_while_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "ASK_EVERY", 0.0)
    async with plugged(tmp_path, "honeywell") as shop:
        await asyncio.sleep(0.02)
        await shop.pty.unplug()
        with pytest.raises(DeviceError, match="unplugged"):
            async with asyncio.timeout(5):
                await shop.running


class Gone(LineScanner):
    """A scanner that was unplugged; no wait is needed to find out."""

    capabilities = frozenset(Capability)

    def __init__(self) -> None:
        """Never opened."""

    async def alive(self) -> Tri:
        raise DeviceError("unplugged")


@pytest.mark.timeout(10)
async def test_the_task_that_tells_ends_with_the_scanner() -> None:
    device = ScannerDevice(options(), health=HealthBoard(SystemClock()), scanned=lambda *_: None)
    await device._tell(Gone())


async def test_signals_of_the_time_before_are_not_heard_later(tmp_path: Path) -> None:
    async with plugged(tmp_path, "datalogic") as shop:
        shop.running.cancel()
        await asyncio.wait({shop.running})
        shop.device.signal("t1", Signal.REFUSED)
        shop.running = asyncio.create_task(shop.device.run())
        await asyncio.sleep(0.05)
        shop.device.signal("t1", Signal.COMMITTED)
        await shop.until(lambda: shop.simulator.heard)
        assert shop.simulator.heard == ["good"]
        shop.running.cancel()
        await asyncio.wait({shop.running})


def test_keyboards_and_hid_pos_are_opened_where_the_configuration_says(tmp_path: Path) -> None:
    absent = str(tmp_path / "event0")
    for keys in ({"protocol": "keyboard", "layout": "de", "gs_substitute": "~"}, {"protocol": "hidpos"}):
        one = driver(options(serial=None, input=absent, **keys))
        with pytest.raises(DeviceError, match="absent"):
            asyncio.run(one.__aenter__())
