"""Which device it is, in the fields that UnifiedPOS asks of every device's statistics (1.16, UPOSStat, Equipment)."""

from __future__ import annotations

from holdfast.devices.health import Health
from holdfast.devices.lifetimes import Lifetime
from holdfast_drivers.discovery.catalogue import Role
from holdfast_drivers.discovery.identify import identify
from holdfast_drivers.discovery.sysfs import Port, Subsystem, Usb
from holdfast_drivers.values import Tri

VERSION = "1.16"
"""Of UnifiedPOS."""
UNKNOWN = Tri.UNKNOWN.value


def equipment(device: Health, port: Port | None, life: Lifetime) -> dict[str, str]:
    """What is known of `device`, at `port`. Its own word (facts `manufacturer`, `model`, …) before its descriptors'."""
    usb, facts = _own(port), device.facts
    return {
        "UnifiedPOSVersion": VERSION,
        "DeviceCategory": device.category or UNKNOWN,
        "ManufacturerName": facts.get("manufacturer") or usb.manufacturer or UNKNOWN,
        "ModelName": facts.get("model") or usb.name or facts.get("board") or UNKNOWN,
        "SerialNumber": facts.get("serial") or usb.serial or UNKNOWN,
        "FirmwareRevision": facts.get("firmware") or UNKNOWN,
        "Interface": _interface(device, port),
        "InstallationDate": life.installed or UNKNOWN,
    }


def _own(port: Port | None) -> Usb:
    """The device's descriptors; those of a serial adapter are not its own."""
    if port is None or port.usb is None:
        return Usb(0, 0)
    guesses = identify(port).guesses
    return Usb(0, 0) if guesses and guesses[0].role is Role.ADAPTER else port.usb


def _interface(device: Health, port: Port | None) -> str:
    if port is not None:
        if port.usb is not None:
            return "USB"
        return {Subsystem.TTY: "RS232", Subsystem.I2C: "I2C"}.get(port.subsystem, UNKNOWN)
    if device.kind == "panel":
        return "GPIO"
    if device.where.startswith("/dev/i2c-"):
        return "I2C"
    return UNKNOWN if "/" in device.where else "Ethernet"
