"""A /sys and /dev of one's own: what the kernel and udev would show of the devices a test plugs in."""

from __future__ import annotations

import os
from pathlib import Path

SOC = "sys/devices/platform/soc"


class SysTree:
    """Laid out as on a Raspberry Pi; `root` is what discovery is given for `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        usb = self.root / SOC / "usb1"
        self._attributes(usb, bDeviceClass="09", idVendor="1d6b", idProduct="0002")
        self._subsystem(usb, "usb")
        self._subsystem(self.root / SOC, "platform")
        self._link(self.root / "sys/bus/usb/devices/usb1", usb)

    def usb(self, port: str, ids: str, *, interface: str = "02", protocol: str = "00", **strings: str) -> Path:
        """A USB device at `port` (`1-1.2`) with one interface. Its interface's folder."""
        vendor, product = ids.split(":")
        device = self.root / SOC / "usb1" / port
        self._attributes(device, bDeviceClass="00", idVendor=vendor, idProduct=product, **strings)
        self._subsystem(device, "usb")
        self._link(self.root / "sys/bus/usb/devices" / port, device)
        folder = device / f"{port}:1.0"
        self._attributes(folder, bInterfaceClass=interface, bInterfaceProtocol=protocol)
        self._subsystem(folder, "usb")
        return folder

    def node(self, subsystem: str, name: str, device: Path, *links: str) -> Path:
        """A node in /dev for `device`, with udev's links to it (`serial/by-path/…`)."""
        entry = device / subsystem / name
        entry.mkdir(parents=True)
        self._link(entry / "device", device)
        self._link(self.root / "sys/class" / subsystem / name, entry)
        below = {"input": "dev/input", "usbmisc": "dev/usb"}.get(subsystem, "dev")
        node = self.root / below / name
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()
        for link in links:
            self._link(self.root / "dev" / link, node)
        return node

    def unplug(self, subsystem: str, name: str, *links: str) -> None:
        for path in (f"sys/class/{subsystem}/{name}", f"dev/{name}", *(f"dev/{link}" for link in links)):
            (self.root / path).unlink()

    def _subsystem(self, folder: Path, name: str) -> None:
        (self.root / "sys/bus" / name).mkdir(parents=True, exist_ok=True)
        self._link(folder / "subsystem", self.root / "sys/bus" / name)

    def _attributes(self, folder: Path, **values: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in values.items():
            (folder / name).write_text(value + "\n")

    def _link(self, link: Path, target: Path) -> None:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))
