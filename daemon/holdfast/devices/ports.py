"""From configuration to links."""

from __future__ import annotations

from holdfast.config import Printer, Serial
from holdfast.devices.taps import TAPS
from holdfast_drivers.links.base import Opener
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.links.tcp import tcp_opener


def serial_link(options: Serial) -> Opener:
    opener = serial_opener(
        options.port,
        baudrate=options.baudrate,
        bytesize=options.bytesize,
        parity=options.parity,
        stopbits=options.stopbits,
        rtscts=options.rtscts,
        xonxoff=options.xonxoff,
    )
    return TAPS.around(options.port, opener)


def printer_link(options: Printer) -> Opener:
    if options.serial is not None:
        return serial_link(options.serial)
    host, _, port = (options.tcp or "").rpartition(":")
    return TAPS.around(printer_place(options), tcp_opener(host, int(port)))


def printer_place(options: Printer) -> str:
    """Where the printer is, for people."""
    return options.serial.port if options.serial is not None else options.tcp or ""
