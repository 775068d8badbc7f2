"""Links through the kernel's own drivers, where it can be its own USB device: usblp and cdc-acm on dummy_hcd.

    modprobe -a dummy_hcd libcomposite usb_f_printer usb_f_acm usblp cdc_acm; mount -t configfs none /sys/kernel/config

Then, as root and without -n, these join the suite by themselves. Source: Linux, Documentation/usb/gadget_configfs.rst,
gadget_printer.rst.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from conformance.rigs import DeviceEnd
from holdfast_drivers.links.base import Opener
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.links.usblp import usblp_opener

CONFIG = Path("/sys/kernel/config/usb_gadget")
CONTROLLER = "dummy_udc.0"
HAVE_GADGETS = CONFIG.is_dir() and (Path("/sys/class/udc") / CONTROLLER).exists() and os.access(CONFIG, os.W_OK)
NODE_TIMEOUT = 10.0
"""Seconds from the plug to the node."""


class GadgetRig:
    """A gadget with one function; `symlink` leads to the host's node while it is plugged in."""

    name: str
    function: str
    node: tuple[str, str]
    """Where sysfs lists what the host's driver made, and where its node is."""
    end: str
    """The device's end."""
    opens: Callable[[str], Opener]
    quirks = frozenset({"deep", "sluggish"})

    def __init__(self, symlink: Path) -> None:
        self.device = DeviceEnd()
        self._symlink = symlink
        self._gadget = CONFIG / f"holdfast-{os.getpid()}"
        self.opener = type(self).opens(str(symlink))

    async def plug(self) -> None:
        await asyncio.to_thread(self._make)
        async with asyncio.timeout(NODE_TIMEOUT):
            while (fd := await asyncio.to_thread(self._find)) is None:  # noqa: ASYNC110 - udev gives no signal here
                await asyncio.sleep(0.02)
        self.device.connect(DescriptorLink(fd, f"device side of {self.name}"))

    async def unplug(self) -> None:
        if await asyncio.to_thread(self._gadget.exists):
            await asyncio.to_thread(self._pull)
            await self.device.disconnect()
            await asyncio.to_thread(self._unmake)

    def _make(self) -> None:
        for folder in ("", "strings/0x409", "configs/c.1", f"functions/{self.function}.0"):
            (self._gadget / folder).mkdir()
        for name, value in (("idVendor", "0x0525"), ("idProduct", "0xa4a8"), ("strings/0x409/serialnumber", "1")):
            (self._gadget / name).write_text(value)
        (self._gadget / f"configs/c.1/{self.function}.0").symlink_to(self._gadget / f"functions/{self.function}.0")
        (self._gadget / "UDC").write_text(CONTROLLER)

    def _find(self) -> int | None:
        """Once both ends are there: the device's, opened."""
        listed, folder = self.node
        mine = [entry.name for entry in Path("/sys").glob(listed) if "dummy_hcd" in str(entry.resolve())]
        if not mine or not Path(folder, mine[0]).exists() or not Path(self.end).exists():
            return None
        self._symlink.symlink_to(Path(folder, mine[0]))
        fd = os.open(self.end, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        if os.isatty(fd):
            tty.setraw(fd)
        return fd

    def _pull(self) -> None:
        self._symlink.unlink(missing_ok=True)
        (self._gadget / "UDC").write_text("\n")

    def _unmake(self) -> None:
        (self._gadget / f"configs/c.1/{self.function}.0").unlink()
        for folder in (f"functions/{self.function}.0", "configs/c.1", "strings/0x409", ""):
            with suppress(FileNotFoundError):
                (self._gadget / folder).rmdir()


class UsbLpGadget(GadgetRig):
    name = "usblp kernel"
    function = "printer"
    node = ("class/usbmisc/lp*", "/dev/usb")
    end = "/dev/g_printer0"
    opens = staticmethod(usblp_opener)


class AcmGadget(GadgetRig):
    name = "ttyACM kernel"
    function = "acm"
    node = ("class/tty/ttyACM*", "/dev")
    end = "/dev/ttyGS0"
    opens = staticmethod(serial_opener)


PRINTER_GADGETS: tuple[type[GadgetRig], ...] = (UsbLpGadget, AcmGadget) if HAVE_GADGETS else ()
LINE_GADGETS: tuple[type[GadgetRig], ...] = (AcmGadget,) if HAVE_GADGETS else ()
