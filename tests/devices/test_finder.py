"""The finder of a hub: ports that appear, devices that are learnt, plugs that were swapped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast.devices import finder as finder_module
from holdfast.devices.finder import Finder
from holdfast.devices.health import Health, HealthBoard
from holdfast.runtime.clock import SystemClock
from holdfast_drivers.discovery.uevents import Uevents
from holdfast_drivers.values import DeviceError
from support.waiting import until
from sys_tree import SysTree

SCANNER, PRINTER = "1-1.2", "1-1.3"
ADD = b"add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=tty\0"


@dataclass
class Counter:
    tree: SysTree
    health: HealthBoard
    finder: Finder
    kernel: socket.socket
    told: list[Health] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def plug(self, what: str, port: str, node: str) -> None:
        """At a port, under the name that belongs to the port."""
        ids, name = {"scanner": ("0c2e:0900", "Voyager"), "printer": ("04b8:0e03", "TM-T20")}[what]
        self.tree.node("tty", node, self.tree.usb(port, ids, product=name), f"serial/by-path/{port}")
        self.kernel.send(ADD)

    def unplug(self, port: str, node: str) -> None:
        self.tree.unplug("tty", node, f"serial/by-path/{port}")
        device = self.tree.root / f"sys/bus/usb/devices/{port}"
        device.resolve().rename(device.resolve().with_name(f"gone-{node}"))
        device.unlink()

    async def open(self, name: str) -> None:
        async def run() -> None:
            self.opened.append(name)

        await self.finder.guarded(name, run)()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder_module, "SETTLE", 0.0)
    monkeypatch.setattr(finder_module, "GLANCE_EVERY", 0.005)


@asynccontextmanager
async def counter(tree: SysTree) -> AsyncIterator[Counter]:
    kernel, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    told: list[Health] = []
    health = HealthBoard(SystemClock(), told.append)
    for name, port in (("scanner", SCANNER), ("printer", PRINTER)):
        health.add(name, name, str(tree.root / f"dev/serial/by-path/{port}"))
    finder = Finder(
        health=health, clock=SystemClock(), store=tree.root / "known.json", root=tree.root, listen=lambda: Uevents(ours)
    )
    running = asyncio.create_task(finder.run())
    with kernel:
        try:
            yield Counter(tree, health, finder, kernel, told)
            assert not running.done()
        finally:
            running.cancel()
            await asyncio.wait({running})


@pytest.fixture
def tree(tmp_path: Path) -> SysTree:
    return SysTree(tmp_path)


async def learnt(shop: Counter, *names: str) -> None:
    for name in names:
        shop.finder.proved(name)
    await until(lambda: {finding.device for finding in shop.finder.findings} >= set(names))


async def test_a_port_that_appears_wakes_its_device_alone(tree: SysTree) -> None:
    async with counter(tree) as shop:
        await asyncio.sleep(0.05)
        assert not shop.finder.wake("scanner").is_set()
        shop.plug("scanner", SCANNER, "ttyACM0")
        await until(shop.finder.wake("scanner").is_set)
        assert not shop.finder.wake("printer").is_set()
        shop.finder.wake("scanner").clear()
        await asyncio.sleep(0.05)
        assert not shop.finder.wake("scanner").is_set(), "once for each time it appears"


async def test_a_device_plugged_in_again_wakes_its_task_again(tree: SysTree) -> None:
    async with counter(tree) as shop:
        shop.plug("scanner", SCANNER, "ttyACM0")
        await until(shop.finder.wake("scanner").is_set)
        shop.finder.wake("scanner").clear()
        shop.health.online("scanner")
        await asyncio.sleep(0.03)
        shop.unplug(SCANNER, "ttyACM0")
        shop.health.lost("scanner", DeviceError("unplugged"))
        await asyncio.sleep(0.05)
        assert not shop.finder.wake("scanner").is_set()
        shop.plug("scanner", SCANNER, "ttyACM1")
        await until(shop.finder.wake("scanner").is_set)


async def test_swapped_plugs_are_told_and_nothing_is_opened(tree: SysTree) -> None:
    async with counter(tree) as shop:
        shop.plug("scanner", SCANNER, "ttyACM0")
        shop.plug("printer", PRINTER, "ttyUSB0")
        await learnt(shop, "scanner", "printer")
        await shop.open("scanner")
        shop.unplug(SCANNER, "ttyACM0")
        shop.unplug(PRINTER, "ttyUSB0")
        shop.plug("printer", SCANNER, "ttyUSB1")
        shop.plug("scanner", PRINTER, "ttyACM1")
        for name, other in (("scanner", "printer"), ("printer", "scanner")):
            shop.finder.proved(name)
            await asyncio.sleep(0.05)
            with pytest.raises(DeviceError) as caught:
                await shop.open(name)
            assert caught.value.kind == "port_swap"
            shop.health.lost(name, caught.value)
            assert f"{other} is plugged in where {name} belongs" in shop.health[name].facts["finding"]
        assert shop.opened == ["scanner"]


async def test_a_device_at_a_port_that_nobody_configured_is_known_again(tree: SysTree) -> None:
    async with counter(tree) as shop:
        shop.plug("scanner", SCANNER, "ttyACM0")
        await learnt(shop, "scanner")
        shop.unplug(SCANNER, "ttyACM0")
        shop.plug("scanner", "1-1.1", "ttyACM1")
        await until(shop.health.others)
        (moved,) = shop.health.others()
        assert (moved.reason, moved.facts["may_be"]) == ("not_configured", "worked here as scanner")


async def test_a_replaced_device_is_learnt_anew_when_told_so(tree: SysTree) -> None:
    async with counter(tree) as shop:
        shop.plug("printer", PRINTER, "ttyUSB0")
        await learnt(shop, "printer")
        shop.unplug(PRINTER, "ttyUSB0")
        shop.plug("scanner", PRINTER, "ttyUSB1")
        with pytest.raises(DeviceError):
            await shop.open("printer")
        assert await shop.finder.forget("printer")
        await shop.open("printer")
        assert not await shop.finder.forget("printer")


async def test_what_is_learnt_outlives_the_daemon(tree: SysTree) -> None:
    async with counter(tree) as shop:
        shop.plug("scanner", SCANNER, "ttyACM0")
        await learnt(shop, "scanner")
        shop.unplug(SCANNER, "ttyACM0")
    async with counter(tree) as shop:
        shop.plug("printer", SCANNER, "ttyUSB0")
        with pytest.raises(DeviceError):
            await shop.open("scanner")


async def test_what_nobody_configured_is_listed_until_it_is_gone(tree: SysTree) -> None:
    async with counter(tree) as shop:
        tree.usb("1-1.4", "05e0:1300", interface="ff", product="SNAPI")
        shop.plug("scanner", "1-1.1", "ttyACM5")
        await until(lambda: len(shop.health.others()) == 2)
        spare, snapi = shop.health.others()
        assert (spare.reason, snapi.reason) == ("not_configured", "unsupported")
        assert snapi.facts["usb"] == "05e0:1300"
        assert len(shop.told) == 2, "each is told once"
        shop.kernel.send(ADD)
        await asyncio.sleep(0.05)
        assert len(shop.told) == 2
        (tree.root / "sys/bus/usb/devices/1-1.4").unlink()
        shop.kernel.send(ADD)
        await until(lambda: len(shop.health.others()) == 1)


async def test_the_other_nodes_of_a_configured_device_are_no_others(tree: SysTree) -> None:
    async with counter(tree) as shop:
        interface = tree.usb(SCANNER, "0c2e:0901", interface="03", protocol="01", product="Voyager")
        tree.node("hidraw", "hidraw0", interface)
        spare = tree.usb("1-1.4", "0c2e:0901", interface="03", protocol="01")
        tree.node("hidraw", "hidraw1", spare)
        tree.node("input", "event1", spare)
        shop.kernel.send(ADD)
        await until(lambda: len(shop.health.others()) == 2)
        tree.node("tty", "ttyACM0", interface, f"serial/by-path/{SCANNER}")
        shop.kernel.send(ADD)
        await until(lambda: len(shop.health.others()) == 1)
        assert shop.health.others()[0].name == "0c2e:0901 at platform-soc-usb-0:1.4"


async def test_without_announcements_it_looks_now_and_then(tree: SysTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder_module, "LOOK_EVERY", 0.02)
    health = HealthBoard(SystemClock())
    finder = Finder(health=health, clock=SystemClock(), store=tree.root / "k.json", root=tree.root, listen=lambda: None)
    running = asyncio.create_task(finder.run())
    await asyncio.sleep(0.03)
    tree.usb("1-1.4", "05e0:1300", interface="ff")
    await until(health.others)
    running.cancel()
    await asyncio.wait({running})
