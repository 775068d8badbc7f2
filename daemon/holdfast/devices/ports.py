"""From configuration to links."""

from __future__ import annotations

from holdfast.config import Printer, Serial
from holdfast.devices.taps import TAPS
from holdfast_drivers.links.base import Opener
from holdfast_drivers.links.serial import holds_back, serial_opener
from holdfast_drivers.links.tcp import tcp_opener
from holdfast_drivers.links.usblp import usblp_opener
from holdfast_drivers.printers.pace import Line

BITS_PER_BYTE = 11
"""On a serial wire: start, eight data, parity, stop."""


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
    if options.usb is not None:
        return TAPS.around(options.usb, usblp_opener(options.usb))
    host, _, port = (options.tcp or "").rpartition(":")
    return TAPS.around(printer_place(options), tcp_opener(host, int(port)))


def printer_line(options: Printer) -> Line | None:
    """How to pace a printer whose wire cannot hold the writer back; None when it can. Blocks for a moment."""
    serial = options.serial
    if serial is None or serial.rtscts or serial.xonxoff or not options.speed or holds_back(serial.port):
        return None
    return Line(serial.baudrate / BITS_PER_BYTE, options.speed, options.buffer)


def printer_place(options: Printer) -> str:
    """Where the printer is, for people."""
    return options.serial.port if options.serial is not None else options.usb or options.tcp or ""
