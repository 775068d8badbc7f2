"""What stands at the counter: scanners, printer, panel."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from holdfast.config.section import Driver, Pin, Positive, Seconds, Section

PROTOCOLS = ("plain", "ssi", "honeywell", "datalogic", "newland", "keyboard", "hidpos")
"""Of scanners, that we drive."""
LANGUAGES = ("auto", "escpos", "star")
"""Of printers, that we speak."""


class Serial(Section, frozen=True):
    """A serial line. Give a stable name, e.g. /dev/serial/by-id/..., never /dev/ttyUSB0."""

    port: str
    baudrate: Positive = 9600
    bytesize: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    rtscts: bool = False
    xonxoff: bool = False


class Scanner(Section, frozen=True):
    """A barcode scanner and the station it belongs to. `serial`, or for `keyboard` and `hidpos` `input`."""

    name: str
    station: str
    protocol: Driver = "plain"
    """One of PROTOCOLS, or an added driver's name."""
    serial: Serial | None = None
    input: str | None = None
    """Its input device: /dev/input/by-id/... for `keyboard`, a hidraw symlink for `hidpos`."""
    layout: Literal["us", "uk", "de", "fr"] = "us"
    """Keyboard layout the scanner is set to."""
    gs_substitute: Annotated[str, Meta(max_length=1)] = ""
    """Character a `keyboard` scanner is set to send for GS, which keyboards lack."""
    idle_gap_ms: Annotated[int, Meta(ge=10, le=1000)] = 50
    options: dict[str, Any] = field(default_factory=dict)
    """An added driver's own."""


class ScaleLine(Serial, frozen=True):
    """A serial line as counter scales come set."""

    bytesize: Literal[7, 8] = 7
    parity: Literal["N", "E", "O"] = "E"


class Scale(Section, frozen=True):
    """A counter scale and the station that sells by it. It weighs in kilograms."""

    name: str
    station: str
    serial: ScaleLine
    protocol: Literal["toledo", "cas"] = "toledo"
    patience: Annotated[float, Meta(gt=0, le=5)] = 2.0
    """Seconds a sale waits for what moves on it to rest."""


class Display(Section, frozen=True):
    """A two-line display for the customer, and the station whose sales it shows."""

    name: str
    station: str
    serial: Serial
    dialect: Literal["epson", "cd5220"] = "epson"
    code_pages: tuple[
        Literal["cp437", "cp850", "cp860", "cp863", "cp865", "cp1252", "cp866", "cp852", "cp858"], ...
    ] | (None) = None
    """Those it has, preferred first; left out: cp437 and cp850, or ASCII alone with `cd5220`, which has one at most."""
    idle: Annotated[tuple[str, ...], Meta(max_length=2)] = ()
    """What it shows while nobody buys; left out: the shop's name."""


class Printer(Section, frozen=True):
    """The receipt printer. Exactly one of `serial`, `usb` and `tcp`."""

    name: str = "printer"
    serial: Serial | None = None
    usb: str | None = None
    """A printer of the USB printer class by the name udev gives it, never /dev/usb/lp0."""
    tcp: Annotated[str, Meta(pattern=r"^.+:\d+$")] | None = None
    language: Driver = "auto"
    """One of LANGUAGES, or an added driver's name. `auto` asks the printer; one that says nothing is taken for
    ESC/POS."""
    profile: str = "TM-T88III"
    """A model of the database: `holdfast-sim printer --profiles` lists them, `holdfast devices` suggests one."""
    dots: Annotated[int, Meta(ge=128, le=1024)] | None = None
    """Printable width, when it differs from the model's: 384 at 58 mm, 576 at 80 mm."""
    columns: Annotated[int, Meta(ge=16, le=80)] | None = None
    font: str = ""
    """Font file for text no code page of the printer has; empty: DejaVu Sans Mono (docs/devices.md)."""
    speed: Annotated[float, Meta(ge=0, le=1000)] = 50.0
    """Slowest it prints, mm/s: paces a serial line that has no flow control. 0: as fast as the line goes."""
    buffer: Annotated[int, Meta(ge=16, le=1_000_000)] = 1024
    """Bytes its receive buffer surely holds, for the same."""
    drawer: Literal["none", "pin2", "pin5"] = "pin2"
    drawer_open_level: Literal["high", "low"] = "high"
    patience: Seconds = 600.0
    """How long a started job waits for paper before its outcome is unknown."""


class Machine(Section, frozen=True):
    """The board the hub runs on."""

    root: str = "/"
    """Where /sys, /dev, /proc and /run are looked for; a folder of files shows another machine, for trying things
    out."""


class Button(Section, frozen=True):
    """A push-button that does what a command card does, at a station."""

    pin: Pin
    station: str
    card: str = ""
    """Code of the card a press stands for, e.g. `CASH`; empty: a press does nothing."""
    hold: str = ""
    """Code of the card that holding it stands for, scanned twice where a card must be, e.g. `SHUTDOWN`."""
    hold_seconds: Annotated[float, Meta(ge=1, le=10)] = 3.0
    active: Literal["low", "high"] = "low"
    """Level while it is pressed; the line is pulled the other way."""


class Drawer(Section, frozen=True):
    """A cash drawer on a relay of the hub's own, instead of one on the printer."""

    relay: Pin
    chip: str = "header"
    """`header`, a GPIO chip label, or `bench:/path.sock`."""
    relay_active: Literal["high", "low"] = "high"
    """Level that drives the coil."""
    pulse_ms: Annotated[int, Meta(ge=20, le=500)] = 150
    sensor: Pin | None = None
    """Its switch; leave out when there is none. The line is pulled up."""
    open_level: Literal["high", "low"] = "high"
    """Level of the switch while the drawer is open."""
    left_open_seconds: Seconds = 120.0
    """Open for so long, it is left open."""


class Panel(Section, frozen=True):
    """Lights, buzzer and buttons; BCM numbers; leave out what is not fitted."""

    chip: str = "header"
    """`header`, a GPIO chip label, or `bench:/path.sock`."""
    green: Pin | None = None
    amber: Pin | None = None
    red: Pin | None = None
    blue: Pin | None = None
    white: Pin | None = None
    buzzer: Pin | None = None
    buttons: tuple[Button, ...] = ()
