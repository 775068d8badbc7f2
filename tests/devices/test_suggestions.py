"""What `holdfast devices identify` would have a technician write is a configuration that loads."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import parse
from holdfast.devices.suggestions import configuration
from holdfast_drivers.discovery.identify import identify
from holdfast_drivers.discovery.sysfs import Port, Subsystem, Usb, ports
from sys_tree import SysTree

HUB = {"hub": {"id": "hub-1", "code": "HB", "name": "Shop"}, "stations": [{"name": "t1"}]}


def suggested(port: Port) -> Any:
    text = configuration(identify(port))
    return parse({**HUB, **tomllib.loads(text)}) if text else None


def port(subsystem: Subsystem, ids: tuple[int, int], *, interface: int = 2, protocol: int = 0) -> Port:
    node = f"/dev/{subsystem.value}0"
    return Port(
        subsystem, node, "usb-0:1.2:1.0", Usb(*ids), interface, protocol, (f'/dev/by-path/"{subsystem.value}"',)
    )


@pytest.mark.parametrize(
    ("subsystem", "ids", "protocol"),
    [
        (Subsystem.TTY, (0x0C2E, 0x0900), "honeywell"),
        (Subsystem.TTY, (0x05E0, 0x1701), "ssi"),
        (Subsystem.TTY, (0x05F9, 0x4204), "datalogic"),
        (Subsystem.TTY, (0x1EAB, 0x8306), "newland"),
        (Subsystem.TTY, (0x1FBB, 0x3850), "plain"),
        (Subsystem.INPUT, (0x05E0, 0x1200), "keyboard"),
        (Subsystem.HIDRAW, (0x0C2E, 0x0901), "hidpos"),
    ],
)
def test_a_scanner_by_its_maker_and_mode(subsystem: Subsystem, ids: tuple[int, int], protocol: str) -> None:
    (scanner,) = suggested(port(subsystem, ids)).scanners
    assert scanner.protocol == protocol
    where = scanner.serial.port if scanner.serial else scanner.input
    assert where == f'/dev/by-path/"{subsystem.value}"', "quoted as TOML wants it"


def test_printers_by_how_they_are_plugged_in() -> None:
    assert suggested(port(Subsystem.USBLP, (0x04B8, 0x0202), interface=7)).printer.usb.endswith('"usbmisc"')
    assert suggested(port(Subsystem.TTY, (0x04B8, 0x0E03))).printer.serial.port.endswith('"tty"')


def test_nothing_is_suggested_where_nobody_can_tell(tmp_path: Path) -> None:
    tree = SysTree(tmp_path)
    tree.node("tty", "ttyUSB0", tree.usb("1-1.1", "0403:6001", interface="ff"))
    tree.node("i2c-dev", "i2c-1", tree.root / "sys/devices/platform/i2c-1")
    tree.usb("1-1.4", "05e0:1300", interface="ff")
    found = ports(tree.root)
    assert len(found) == 3
    assert [suggested(one) for one in found] == [None, None, None]
