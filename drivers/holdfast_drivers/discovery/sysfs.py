"""What is plugged in, read from /sys and /dev alone: no device is opened, no byte is sent.

Kernel sources: Documentation/ABI/testing/sysfs-bus-usb, Documentation/driver-api/usb; names as systemd's path_id makes
them (ID_PATH of udev).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOT = Path("/")
MAX_ATTRIBUTE = 256
"""Characters kept of one attribute: a USB string has at most 126."""
HUB_CLASS = 0x09
_LINKS = ("serial/by-id", "serial/by-path", "input/by-id", "input/by-path", "holdfast")
_UNKNOWN_UART = "0"


class Subsystem(Enum):
    """How the kernel presents it."""

    TTY = "tty"
    HIDRAW = "hidraw"
    INPUT = "input"
    USBLP = "usbmisc"
    I2C = "i2c-dev"
    USB = "usb"
    """No driver has made a node for it."""


@dataclass(frozen=True, slots=True)
class Usb:
    """What a USB device says of itself. Clones leave the serial number out or share one."""

    vendor: int
    product: int
    serial: str = ""
    manufacturer: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        """`0c2e:0900`, as lsusb shows it."""
        return f"{self.vendor:04x}:{self.product:04x}"


@dataclass(frozen=True, slots=True)
class Port:
    """One place where a device can be spoken to."""

    subsystem: Subsystem
    node: str
    """`/dev/ttyUSB0`, which changes; empty without a kernel driver."""
    path: str
    """Where it is plugged in, like ID_PATH: `platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.2:1.0`. Stays."""
    usb: Usb | None = None
    interface_class: int | None = None
    """bInterfaceClass: 2 and 10 communication, 3 HID, 7 printer, 255 the vendor's own."""
    interface_protocol: int | None = None
    names: tuple[str, ...] = ()
    """Stable links to the node."""
    label: str = ""
    """What the kernel driver calls it."""

    @property
    def stable(self) -> str:
        """The name to put into a configuration: by physical port, for clones share their serial numbers."""
        by_path = [name for name in self.names if "/by-path/" in name or "/holdfast/" in name]
        return next(iter(by_path or self.names), self.node or self.path)

    @property
    def device(self) -> str:
        """The path of the whole device, which may have several interfaces and nodes."""
        head = self.path.rpartition(":")[0]
        return head if "usb-0:" in head else self.path


def ports(root: Path = ROOT) -> list[Port]:
    """All that could be counter hardware, by path; what vanishes meanwhile is left out. Blocks: some 100 reads."""
    links = _links(root)
    found = [
        port
        for subsystem in (Subsystem.TTY, Subsystem.HIDRAW, Subsystem.INPUT, Subsystem.USBLP, Subsystem.I2C)
        for entry in _entries(root / "sys/class" / subsystem.value)
        if (port := _port(root, subsystem, entry, links)) is not None
    ]
    taken = {port.device for port in found if port.usb is not None}
    bare = [port for port in _bare_usb(root) if port.path not in taken]
    return sorted(found + bare, key=lambda port: (port.path, port.node))


def _port(root: Path, subsystem: Subsystem, entry: Path, links: dict[str, list[str]]) -> Port | None:
    device = (entry / "device").resolve()
    if not _counts(subsystem, entry):
        return None
    usb, interface = _usb_parents(device)
    if usb is None and subsystem in (Subsystem.HIDRAW, Subsystem.INPUT):
        return None
    node = str(root / "dev" / entry.name)
    if subsystem is Subsystem.USBLP:
        node = str(root / "dev/usb" / entry.name)
    elif subsystem is Subsystem.INPUT:
        node = str(root / "dev/input" / entry.name)
    return Port(
        subsystem,
        node,
        id_path(device),
        None if usb is None else _identity(usb),
        _hex(interface, "bInterfaceClass"),
        _hex(interface, "bInterfaceProtocol"),
        tuple(sorted(links.get(os.path.realpath(node), ()))),
        _read(device / "name"),
    )


def _counts(subsystem: Subsystem, entry: Path) -> bool:
    """Is it hardware, and the node of it that programs use?"""
    if not (entry / "device").exists():
        return False
    if subsystem is Subsystem.TTY:
        return _read(entry / "type") != _UNKNOWN_UART
    if subsystem is Subsystem.INPUT:
        return entry.name.startswith("event")
    return subsystem is not Subsystem.USBLP or entry.name.startswith("lp")


def _bare_usb(root: Path) -> Iterator[Port]:
    """USB devices themselves, hubs left out."""
    for entry in _entries(root / "sys/bus/usb/devices"):
        if ":" in entry.name or _hex(entry, "bDeviceClass") in (None, HUB_CLASS):
            continue
        device = entry.resolve()
        interfaces = sorted(path for path in _entries(device) if path.name.startswith(f"{entry.name}:"))
        kind = _hex(interfaces[0], "bInterfaceClass") if interfaces else None
        yield Port(Subsystem.USB, "", id_path(device), _identity(device), kind)


def _usb_parents(device: Path) -> tuple[Path | None, Path | None]:
    """The USB device and interface that `device` hangs on."""
    interface = None
    for parent in (device, *device.parents):
        if interface is None and (parent / "bInterfaceClass").exists():
            interface = parent
        if (parent / "idVendor").exists():
            return parent, interface
    return None, None


def _identity(usb: Path) -> Usb:
    return Usb(
        _hex(usb, "idVendor") or 0,
        _hex(usb, "idProduct") or 0,
        _read(usb / "serial"),
        _read(usb / "manufacturer"),
        _read(usb / "product"),
    )


def id_path(device: Path) -> str:
    """Where `device`, resolved, is plugged in. The number of a USB bus is left out: it changes between starts."""
    parts: list[str] = []
    for parent in (device, *device.parents):
        subsystem = (parent / "subsystem").resolve().name
        if subsystem == "usb" and not any(part.startswith("usb-") for part in parts) and "-" in parent.name:
            parts.append(f"usb-0:{parent.name.partition('-')[2]}")
        elif subsystem in ("pci", "platform") and not any(part.startswith(f"{subsystem}-") for part in parts):
            parts.append(f"{subsystem}-{parent.name}")
    return "-".join(reversed(parts)) or device.name


def _links(root: Path) -> dict[str, list[str]]:
    """Node to the stable names udev made for it."""
    found: dict[str, list[str]] = {}
    for folder in _LINKS:
        for link in _entries(root / "dev" / folder):
            found.setdefault(os.path.realpath(link), []).append(str(link))
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _read(path: Path) -> str:
    """An attribute, empty when there is none. Its control characters are dropped: a device wrote it."""
    with suppress(OSError), path.open("rb") as file:
        text = file.read(MAX_ATTRIBUTE).decode(errors="replace")
        return "".join(character for character in text.strip() if character.isprintable())
    return ""


def _hex(folder: Path | None, name: str) -> int | None:
    if folder is None:
        return None
    try:
        return int(_read(folder / name), 16)
    except ValueError:
        return None
