"""What to write into the configuration for a device that was found, as far as its descriptors tell."""

from __future__ import annotations

import json
from collections.abc import Mapping

from holdfast_drivers.discovery.catalogue import Role
from holdfast_drivers.discovery.identify import Finding
from holdfast_drivers.discovery.sysfs import Port, Subsystem

PROTOCOLS: Mapping[int, str] = {
    0x05E0: "ssi",
    0x23D0: "ssi",
    0x0C2E: "honeywell",
    0x0536: "honeywell",
    0x05F9: "datalogic",
    0x080C: "datalogic",
    0x1EAB: "newland",
}
"""The command set of a maker's scanners, by USB vendor."""


def configuration(finding: Finding) -> str:
    """TOML for the likeliest of what this library can drive; empty: nothing, or nobody can tell what is there."""
    port = finding.port
    for guess in finding.guesses:
        if guess.role is Role.SCANNER and (way := _scanner(port)):
            return f'[[scanners]]\nname = "scanner"\nstation = "t1"\n{way}\n'
        if guess.role is Role.PRINTER and (way := _printer(port)):
            return f"[printer]\n{way}\n"
    return ""


def _scanner(port: Port) -> str:
    where = json.dumps(port.stable, ensure_ascii=False)  # a JSON string is a TOML string
    match port.subsystem:
        case Subsystem.TTY:
            protocol = PROTOCOLS.get(port.usb.vendor if port.usb else 0, "plain")
            return f'protocol = "{protocol}"\nserial = {{ port = {where} }}'
        case Subsystem.INPUT:
            return f'protocol = "keyboard"\ninput = {where}\nlayout = "us"  # as the scanner is set'
        case Subsystem.HIDRAW:
            return f'protocol = "hidpos"\ninput = {where}'
        case _:
            return ""


def _printer(port: Port) -> str:
    where = json.dumps(port.stable, ensure_ascii=False)
    match port.subsystem:
        case Subsystem.TTY:
            return f"serial = {{ port = {where}, baudrate = 9600 }}  # as the printer is set"
        case Subsystem.USBLP:
            return f"usb = {where}"
        case _:
            return ""
