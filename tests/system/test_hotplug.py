"""The real daemon on a machine of files whose ports are PTYs: found, learnt, swapped, put right, plugged in late."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast_drivers.links.pty import Pty
from holdfast_drivers.printers.simulator import PrinterSimulator
from holdfast_drivers.scanners.sim import ScannerSimulator
from sys_tree import SysTree
from system.daemon import Hub

pytestmark = pytest.mark.timeout(120)

SCANNER, PRINTER = "1-1.2", "1-1.3"
KINDS = {"scanner": ("0c2e:0900", "Voyager 1450g", "S1"), "printer": ("04b8:0e03", "TM-T20", "")}
KERNEL = Path("/sys/devices/virtual/mem/null/uevent")
"""Written to, it has the kernel announce a device to whoever listens."""

DEVICES = """
[board]
root = "{root}"
[[scanners]]
name = "scanner"
station = "t1"
serial = {{ port = "{root}/dev/serial/by-path/1-1.2" }}
[printer]
serial = {{ port = "{root}/dev/serial/by-path/1-1.3" }}
"""


class Machine:
    """Its hub, and what is plugged in where."""

    def __init__(self, folder: Path) -> None:
        self.tree = SysTree(folder / "machine")
        self.root = self.tree.root
        self.hub = Hub(folder, stations=("t1",))
        self.hub.config.write_text(self.hub.config.read_text() + DEVICES.format(root=self.root))
        self._folder = folder
        self._nodes = 0

    @asynccontextmanager
    async def plugged(self, what: str, port: str) -> AsyncIterator[Pty]:
        """A device at a USB port, until it is pulled."""
        self._nodes += 1
        node, (ids, product, serial) = f"ttyUSB{self._nodes}", KINDS[what]
        async with Pty(self._folder / f"pty{self._nodes}") as pty:
            interface = self.tree.usb(port, ids, product=product, **({"serial": serial} if serial else {}))
            shown = self.tree.node("tty", node, interface)
            shown.unlink()
            shown.symlink_to(pty.path)
            by_path = self.root / "dev/serial/by-path" / port
            by_path.parent.mkdir(parents=True, exist_ok=True)
            by_path.symlink_to(shown)
            try:
                yield pty
            finally:
                by_path.unlink()
                self.tree.unplug("tty", node)
                bus = self.root / "sys/bus/usb/devices" / port
                bus.resolve().rename(bus.resolve().with_name(f"gone{self._nodes}{port}"))
                bus.unlink()

    async def ask(self, path: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.hub.ask, "GET", path)

    async def device(self, name: str) -> dict[str, Any]:
        devices = (await self.ask("/v1/devices"))["devices"]
        return dict(next(one for one in devices if one["name"] == name))

    async def shown(self, name: str, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        async with asyncio.timeout(30):
            while not condition(told := await self.device(name)):  # noqa: ASYNC110 - another process gives no signal
                await asyncio.sleep(0.05)
        return told


def announce() -> None:
    """Raises OSError where that is not allowed."""
    KERNEL.write_text("change")


def is_online(told: dict[str, Any]) -> bool:
    return bool(told["state"] == "online")


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(tmp_path)
    yield made
    assert await asyncio.to_thread(made.hub.stop) == 0


async def test_swapped_plugs_are_told_nothing_is_sent_and_all_is_well_once_they_are_right(machine: Machine) -> None:
    learnt = machine.hub.directory / "state" / "fingerprints.json"
    async with AsyncExitStack() as right:
        scanner = await right.enter_async_context(machine.plugged("scanner", SCANNER))
        port = await right.enter_async_context(machine.plugged("printer", PRINTER))
        await right.enter_async_context(PrinterSimulator(port.link))
        await asyncio.to_thread(machine.hub.start)
        for name in KINDS:
            await machine.shown(name, is_online)
        await ScannerSimulator(scanner.link).scan("4006381333931", aim="")
        async with asyncio.timeout(10):
            while not learnt.exists() or len(json.loads(learnt.read_text())) < 2:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        told = await machine.device("scanner")
        assert (told["equipment"]["ModelName"], told["equipment"]["SerialNumber"]) == ("Voyager 1450g", "S1")
        assert told["equipment"]["Interface"] == "USB"
        found = {one["product"]: one["configured"] for one in (await machine.ask("/v1/devices/found"))["found"]}
        assert found == {"Voyager 1450g": "scanner", "TM-T20": "printer"}
    await machine.shown("scanner", lambda told: told["state"] == "off")
    assert (await machine.device("scanner"))["words"].startswith(("It was unplugged", "Nothing is at its port"))

    async with AsyncExitStack() as wrong:
        ports = [await wrong.enter_async_context(machine.plugged("printer", SCANNER)),
                 await wrong.enter_async_context(machine.plugged("scanner", PRINTER))]  # fmt: skip
        told = await machine.shown("scanner", lambda told: told["reason"] == "port_swap")
        assert told["facts"]["finding"] == "printer is plugged in where scanner belongs: swap the plugs"
        await machine.shown("printer", lambda told: told["reason"] == "port_swap")
        for pty in ports:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pty.link.read(100), 0.5)

    async with machine.plugged("scanner", SCANNER):
        await machine.shown("scanner", is_online)


async def test_what_nobody_configured_is_listed_as_soon_as_the_kernel_tells_of_it(machine: Machine) -> None:
    try:
        announce()
    except OSError:
        pytest.skip("the kernel announces nothing for us here")
    async with machine.plugged("scanner", SCANNER):
        await asyncio.to_thread(machine.hub.start)
        await machine.shown("scanner", is_online)
        assert (await machine.ask("/v1/devices"))["others"] == []
        machine.tree.usb("1-1.4", "05e0:1300", interface="ff", product="SNAPI")
        async with asyncio.timeout(10), machine.plugged("printer", "1-1.1"):
            others: list[dict[str, Any]] = []
            while len(others) < 2:
                announce()
                await asyncio.sleep(0.5)
                others = (await machine.ask("/v1/devices"))["others"]
        assert [(one["reason"], one["words"] != "") for one in others] == [
            ("not_configured", True),
            ("unsupported", True),
        ]
