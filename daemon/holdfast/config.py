"""Configuration: TOML in, one frozen typed object out. Every error carries its key path; unknown keys are fatal."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from holdfast_contract.topics import CORE, HUB_ID

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Pin = Annotated[int, Meta(ge=0, le=63)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections."""


class Hub(Section, frozen=True):
    """Who this hub is and how it trades."""

    id: str
    """`[a-z0-9-]{3,32}`, unique in the fleet."""
    code: str
    """`[A-Z0-9]{2,4}`, unique in the fleet; on every receipt number."""
    name: str
    """Shop name on receipts."""
    timezone: str = "UTC"
    day_cut: Annotated[str, Meta(pattern=r"^\d\d:\d\d$")] = "04:00"
    """Local time at which a new business day begins."""
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"
    exponent: Annotated[int, Meta(ge=0, le=4)] = 2
    cash_rounding: Positive = 1
    large_quantity: Positive = 1000
    language: Literal["en", "de", "fr"] = "en"
    header: tuple[str, ...] = ()
    """Lines under the shop name: address, tax id."""
    footer: tuple[str, ...] = ()
    logo: str = ""
    """Picture file printed above the shop name, in black dots."""


class Storage(Section, frozen=True):
    """Where the record lives."""

    directory: str = "/var/lib/holdfast"
    low_bytes: Positive = 64 * 1024 * 1024
    """Below this much free space everything but money is refused."""
    floor_bytes: Positive = 16 * 1024 * 1024
    """Below this much free space new carts are refused too."""


class Station(Section, frozen=True):
    """A place where one person works: its scans belong together."""

    name: Annotated[str, Meta(pattern="^[a-z0-9]{1,12}$")]
    idle_timeout: Seconds = 60.0
    park_timeout: Seconds = 300.0
    confirm_window: Seconds = 10.0
    repeat_ms: Annotated[int, Meta(ge=0, le=5000)] = 120
    badge_required: bool = True
    """Selling needs a signed-in badge."""
    print_slips: bool = True
    """Prompts and refusals go on paper, for there is no screen."""


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
    protocol: Literal["plain", "ssi", "honeywell", "datalogic", "newland", "keyboard", "hidpos"] = "plain"
    serial: Serial | None = None
    input: str | None = None
    """Its input device: /dev/input/by-id/... for `keyboard`, a hidraw symlink for `hidpos`."""
    layout: Literal["us", "uk", "de", "fr"] = "us"
    """Keyboard layout the scanner is set to."""
    gs_substitute: Annotated[str, Meta(max_length=1)] = ""
    """Character a `keyboard` scanner is set to send for GS, which keyboards lack."""
    idle_gap_ms: Annotated[int, Meta(ge=10, le=1000)] = 50


class AddedScanner(Section, frozen=True):
    """A scanner whose driver is installed beside holdfast (docs/writing-a-driver.md)."""

    name: str
    station: str
    driver: str
    """Its name; `holdfast.drivers` entry points carry it."""
    serial: Serial
    options: dict[str, Any] = {}
    """The driver's own."""


class Printer(Section, frozen=True):
    """The receipt printer. Exactly one of `serial`, `usb` and `tcp`."""

    name: str = "printer"
    serial: Serial | None = None
    usb: str | None = None
    """A printer of the USB printer class by the name udev gives it, never /dev/usb/lp0."""
    tcp: Annotated[str, Meta(pattern=r"^.+:\d+$")] | None = None
    language: Literal["auto", "escpos", "star"] = "auto"
    """`auto` asks the printer; one that says nothing is taken for ESC/POS."""
    profile: str = "TM-T88III"
    """A model of the printer database; `holdfast devices --profiles` lists them."""
    dots: Annotated[int, Meta(ge=128, le=1024)] | None = None
    """Printable width, when it differs from the model's: 384 at 58 mm, 576 at 80 mm."""
    columns: Annotated[int, Meta(ge=16, le=80)] | None = None
    font: str = ""
    """Font file for text no code page of the printer has; empty: DejaVu Sans Mono (Latin, Greek, Cyrillic)."""
    speed: Annotated[float, Meta(ge=0, le=1000)] = 50.0
    """Slowest it prints, mm/s: paces a serial line that has no flow control. 0: as fast as the line goes."""
    buffer: Annotated[int, Meta(ge=16, le=1_000_000)] = 1024
    """Bytes its receive buffer surely holds, for the same."""
    drawer: Literal["none", "pin2", "pin5"] = "pin2"
    drawer_open_level: Literal["high", "low"] = "high"
    patience: Seconds = 600.0
    """How long a started job waits for paper before its outcome is unknown."""


class Panel(Section, frozen=True):
    """Lights and buzzer; BCM numbers; leave out what is not fitted."""

    chip: str = "header"
    """`header`, a GPIO chip label, or `bench:/path.sock`."""
    green: Pin | None = None
    amber: Pin | None = None
    red: Pin | None = None
    blue: Pin | None = None
    white: Pin | None = None
    buzzer: Pin | None = None


Board = Literal[
    "max1704x",
    "ina219",
    "ina226",
    "ina3221",
    "waveshare-ab",
    "waveshare-c",
    "waveshare-3s",
    "waveshare-e",
    "pisugar3",
    "pisugar2",
    "pisugar2pro",
    "pijuice",
    "lc709203f",
    "sbs",
    "bq27441",
    "nut",
]
"""What measures the battery; docs/power.md says what each can tell."""


class Power(Section, frozen=True):
    """Battery gauge and mains line."""

    board: Board = "max1704x"
    bus: str = "/dev/i2c-1"
    """`/dev/i2c-N` or `bench:/path.sock`."""
    address: Annotated[int, Meta(ge=0x03, le=0x77)] | None = None
    """On the bus, where the board lets it be chosen."""
    cells: Annotated[int, Meta(ge=1, le=16)] | None = None
    """In series."""
    shunt_mohm: Annotated[float, Meta(gt=0, le=1000)] | None = None
    """Of a current monitor, in milliohms."""
    channel: Annotated[int, Meta(ge=1, le=3)] | None = None
    """Of an INA3221 the battery is on."""
    nut_ups: Annotated[str, Meta(pattern=r"^[\w.-]+@[\w.-]+(:\d{1,5})?$")] | None = None
    """`ups@host` or `ups@host:port` of a NUT server."""
    doubled: bool = False
    """The board wires two cells so that the gauge's charge counts double."""
    mains_chip: str = "header"
    mains_pin: Pin | None = None
    mains_lost_level: Literal["high", "low"] = "high"
    """Level that means AC is lost: X728 high, X120x low."""
    capacity_wh: Annotated[float, Meta(gt=0)] = 20.0
    load_w: Annotated[float, Meta(gt=0)] = 6.0
    """Planned draw, until measured."""
    cutoff_mv: Annotated[int, Meta(ge=2500, le=4000)] = 3200
    """Cell voltage that means empty."""
    poweroff: tuple[str, ...] = ()
    """Command that powers off after an orderly stop; empty: only stop."""


class NutUser(Section, frozen=True):
    """Who may be counted as powered by the hub; a primary may force the shutdown of all who are."""

    name: Annotated[str, Meta(pattern=r"^[\w.-]{1,64}$")]
    password_file: str
    role: Literal["secondary", "primary"] = "secondary"


class Nut(Section, frozen=True):
    """The hub's battery for Network UPS Tools' clients, in clear text. Reading is free to whoever can connect."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 3493
    name: Annotated[str, Meta(pattern=r"^[\w.-]{1,64}$")] = "hub"
    """Of the UPS, as in `upsc hub@localhost`."""
    users: tuple[NutUser, ...] = ()


class Uplink(Section, frozen=True):
    """The broker."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    protocol: Literal["5", "3.1.1"] = "5"
    tls: bool = True
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    username: str = ""
    password_file: str = ""
    keepalive: Annotated[int, Meta(ge=5, le=600)] = 20
    publish_timeout: Annotated[float, Meta(gt=0, le=30)] = 5.0
    batch_bytes: Annotated[int, Meta(ge=1024, le=262_144)] = 65_536
    batch_ms: Annotated[int, Meta(ge=1, le=10_000)] = 100
    compress: bool = True
    digest_seconds: Seconds = 1800.0


class Api(Section, frozen=True):
    """The hub's own doors."""

    socket: str = "/run/holdfast/holdfast.sock"
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 9469
    """Prometheus on loopback; 0 turns it off."""


class Demo(Section, frozen=True):
    """Shop time for demonstrations. Its presence marks every birth; never configure it on a real hub."""

    speed: Positive = 1
    shop_start: str = ""
    """Local time the counter clock shows at `real_start`, `YYYY-MM-DDTHH:MM:SS`."""
    real_start: float = 0.0
    """Unix seconds."""


class Config(Section, frozen=True):
    hub: Hub
    storage: Storage = Storage()
    stations: tuple[Station, ...] = ()
    scanners: tuple[Scanner, ...] = ()
    added_scanners: tuple[AddedScanner, ...] = ()
    printer: Printer | None = None
    panel: Panel | None = None
    power: Power | None = None
    nut: Nut | None = None
    uplink: Uplink | None = None
    api: Api = Api()
    demo: Demo | None = None


class ConfigError(ValueError):
    """The configuration cannot be used. `problems` holds `(key path, what is wrong)`, all that were found."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{path}: {what}" for path, what in problems))
        self.problems = problems


def load(path: Path) -> Config:
    """Read and check a file. Raises ConfigError with every problem found, OSError when it cannot be read."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([(str(path), f"not valid TOML: {error}")]) from error
    return parse(raw)


def parse(raw: dict[str, Any]) -> Config:
    """Check a decoded TOML document. Raises ConfigError with every problem found."""
    problems: list[tuple[str, str]] = []
    cleaned = _convert_each(raw, problems)
    if problems:
        raise ConfigError(problems)
    config = msgspec.convert(cleaned, Config)
    problems = _cross_checks(config)
    if problems:
        raise ConfigError(problems)
    return config


def _convert_each(raw: dict[str, Any], problems: list[tuple[str, str]]) -> dict[str, Any]:
    """Convert section by section, so that one run names every wrong section, not just the first."""
    fields = {field.name: field for field in msgspec.structs.fields(Config)}
    problems += [(key, "unknown section") for key in raw if key not in fields]
    problems += [(name, "is missing") for name, field in fields.items() if field.required and name not in raw]
    for key, value in raw.items():
        if key in fields:
            _convert_section(key, value, fields[key].type, problems)
    return raw


def _convert_section(key: str, value: Any, kind: Any, problems: list[tuple[str, str]]) -> None:
    """Peel one bad key after another off a section until the rest converts."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        path = key + where.rstrip("`")
        if match := re.search(r"unknown field `(\w+)`", what):
            path, what = f"{path}.{match[1]}", "unknown key"
        problems.append((path, what[0].lower() + what[1:]))
        rest = _without(value, path[len(key) :])
        if rest is not None:
            _convert_section(key, rest, kind, problems)


def _without(value: Any, path: str) -> Any | None:
    """`value` less the key at `path` (`.a.b`, `[1].c`); None when there is nothing to take away."""
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    if not steps or not steps[-1][0]:
        return None
    copy = msgspec.to_builtins(value)
    node = copy
    for name, index in steps[:-1]:
        node = node[name] if name else node[int(index)]
    if steps[-1][0] not in node:
        return None
    del node[steps[-1][0]]
    return copy


def _name_checks(config: Config) -> list[tuple[str, str]]:
    """Every device has a name of its own."""
    named = [(f"scanners[{i}].name", scanner.name) for i, scanner in enumerate(config.scanners)]
    named += [(f"added_scanners[{i}].name", scanner.name) for i, scanner in enumerate(config.added_scanners)]
    named += [("printer.name", config.printer.name)] if config.printer else []
    taken = {"panel", "battery"}
    problems = []
    for path, name in named:
        if name in taken:
            problems.append((path, f"another device is called {name!r}"))
        taken.add(name)
    return problems


def _cross_checks(config: Config) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    if not HUB_ID.fullmatch(config.hub.id) or config.hub.id == CORE:
        problems.append(("hub.id", f"must match [a-z0-9-]{{3,32}} and not be {CORE!r}"))
    if not re.fullmatch("[A-Z0-9]{2,4}", config.hub.code):
        problems.append(("hub.code", "must match [A-Z0-9]{2,4}"))
    try:
        ZoneInfo(config.hub.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(("hub.timezone", f"unknown time zone {config.hub.timezone!r}"))
    names = [station.name for station in config.stations]
    problems += [(f"stations[{i}].name", f"{n!r} is used twice") for i, n in enumerate(names) if n in names[:i]]
    problems += _name_checks(config)
    problems += [
        (f"scanners[{i}].station", f"no station named {scanner.station!r}")
        for i, scanner in enumerate(config.scanners)
        if scanner.station not in names
    ]
    problems += [
        (f"added_scanners[{i}].station", f"no station named {scanner.station!r}")
        for i, scanner in enumerate(config.added_scanners)
        if scanner.station not in names
    ]
    problems += [
        (f"scanners[{i}]", f"protocol {scanner.protocol!r} needs {needed}, and that alone")
        for i, scanner in enumerate(config.scanners)
        if (needed := _scanner_needs(scanner))
    ]
    if config.printer and [config.printer.serial, config.printer.usb, config.printer.tcp].count(None) != 2:
        problems.append(("printer", "give exactly one of serial, usb and tcp"))
    if config.power:
        problems += _board_checks(config.power)
    if config.nut and not config.power:
        problems.append(("nut", "needs power: without a battery there is nothing to tell"))
    if config.storage.floor_bytes > config.storage.low_bytes:
        problems.append(("storage.floor_bytes", "must not exceed storage.low_bytes"))
    if config.uplink and not config.uplink.tls and config.uplink.host not in ("127.0.0.1", "localhost", "::1"):
        problems.append(("uplink.tls", "may be off only towards this machine"))
    if config.demo is None:
        return problems
    return problems + _demo_checks(config.demo)


def _scanner_needs(scanner: Scanner) -> str:
    """The key that is missing, or stands beside one that has no place there; empty: all is well."""
    wants_input = scanner.protocol in ("keyboard", "hidpos")
    if wants_input == (scanner.input is not None) and wants_input == (scanner.serial is None):
        return ""
    return "input" if wants_input else "serial"


_NEEDED: dict[str, tuple[str, ...]] = {
    "ina219": ("address", "cells", "shunt_mohm"),
    "ina226": ("address", "cells", "shunt_mohm"),
    "ina3221": ("address", "cells", "shunt_mohm", "channel"),
    "sbs": ("cells",),
    "nut": ("nut_ups",),
}
_TAKEN: dict[str, tuple[str, ...]] = {
    "max1704x": ("cells",),
    "waveshare-e": ("address",),
    "pisugar3": ("address",),
    "pisugar2": ("address",),
    "pisugar2pro": ("address",),
    "pijuice": ("address",),
    "nut": ("cells",),
}
_BOARD_KEYS = ("address", "cells", "shunt_mohm", "channel", "nut_ups")


def _board_checks(power: Power) -> list[tuple[str, str]]:
    """A board gets every key it needs and none it would ignore."""
    needed, taken = _NEEDED.get(power.board, ()), _TAKEN.get(power.board, ())
    given = [key for key in _BOARD_KEYS if getattr(power, key) is not None]
    missing = [(f"power.{key}", f"is missing: board {power.board!r} needs it") for key in needed if key not in given]
    stray = [key for key in given if key not in needed + taken]
    return missing + [(f"power.{key}", f"means nothing to board {power.board!r}") for key in stray]


def _demo_checks(demo: Demo) -> list[tuple[str, str]]:
    if demo.speed > 1 and not (demo.shop_start and demo.real_start):
        return [("demo", "speed needs shop_start and real_start")]
    return []
