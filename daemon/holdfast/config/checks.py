"""What no section can check alone: names that must differ, keys that go together."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast.config.devices import LANGUAGES, PROTOCOLS, Scanner
from holdfast.config.power import BOARDS, Load, Power
from holdfast.config.root import Config
from holdfast.config.shop import Demo
from holdfast_contract.topics import CORE, HUB_ID

Problem = tuple[str, str]
"""(key path, what is wrong)."""


def _name_checks(config: Config) -> list[Problem]:
    """Every device has a name of its own."""
    named = [(f"scanners[{i}].name", scanner.name) for i, scanner in enumerate(config.scanners)]
    named += [(f"scales[{i}].name", scale.name) for i, scale in enumerate(config.scales)]
    named += [(f"displays[{i}].name", display.name) for i, display in enumerate(config.displays)]
    named += [("printer.name", config.printer.name)] if config.printer else []
    taken = {"panel", "battery", "board", "drawer", "loads"}
    problems = []
    for path, name in named:
        if name in taken:
            problems.append((path, f"another device is called {name!r}"))
        taken.add(name)
    return problems


_CHANCE = re.compile(r"/dev/(?:tty(?:USB|ACM)|usb/lp|input/event|hidraw)[0-9]+")
"""Names by the order in which devices were found: after a replug or a start another device may have them."""


def _port_checks(config: Config) -> list[Problem]:
    """Ports go by names that stay with a device or its socket."""
    printer = config.printer
    lines = {
        **{f"scanners[{i}].serial.port": scanner.serial for i, scanner in enumerate(config.scanners)},
        **{f"scales[{i}].serial.port": scale.serial for i, scale in enumerate(config.scales)},
        **{f"displays[{i}].serial.port": display.serial for i, display in enumerate(config.displays)},
        "printer.serial.port": printer.serial if printer else None,
    }
    named = {path: line.port for path, line in lines.items() if line}
    named |= {f"scanners[{i}].input": scanner.input or "" for i, scanner in enumerate(config.scanners)}
    named["printer.usb"] = (printer.usb if printer else None) or ""
    return [
        (path, f"{name} may be another device tomorrow: `holdfast devices scan` tells the name that stays")
        for path, name in named.items()
        if _CHANCE.fullmatch(name)
    ]


def cross_checks(config: Config) -> list[Problem]:
    problems: list[Problem] = []
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
    problems += _name_checks(config) + _port_checks(config)
    problems += _station_checks(config, names)
    problems += _driver_checks(config)
    problems += [
        (f"scanners[{i}]", f"protocol {scanner.protocol!r} needs {needed}, and that alone")
        for i, scanner in enumerate(config.scanners)
        if (needed := _scanner_needs(scanner))
    ]
    if config.printer and [config.printer.serial, config.printer.usb, config.printer.tcp].count(None) != 2:
        problems.append(("printer", "give exactly one of serial, usb and tcp"))
    problems += [
        (f"displays[{i}].code_pages", "a cd5220 has one code page at most, the one it is set to")
        for i, display in enumerate(config.displays)
        if display.dialect == "cd5220" and len(display.code_pages or ()) > 1
    ]
    problems += _button_checks(config, names) + _pin_checks(config)
    if config.drawer and config.printer and config.printer.drawer != "none":
        problems.append(("drawer", 'there is one drawer: give printer.drawer = "none" beside this section'))
    if config.power:
        problems += _board_checks(config.power) + _cut_checks(config.power) + _load_checks(config.power.loads)
    if config.nut and not config.power:
        problems.append(("nut", "needs power: without a battery there is nothing to tell"))
    if config.storage.floor_bytes > config.storage.low_bytes:
        problems.append(("storage.floor_bytes", "must not exceed storage.low_bytes"))
    if config.uplink and not config.uplink.tls and config.uplink.host not in ("127.0.0.1", "localhost", "::1"):
        problems.append(("uplink.tls", "may be off only towards this machine"))
    if config.demo is None:
        return problems
    return problems + _demo_checks(config.demo)


def _station_checks(config: Config, names: list[str]) -> list[Problem]:
    """Every device stands at a station that there is; a station has one scale and one display at most."""
    places = [(f"scanners[{i}].station", scanner.station) for i, scanner in enumerate(config.scanners)]
    places += [(f"scales[{i}].station", scale.station) for i, scale in enumerate(config.scales)]
    places += [(f"displays[{i}].station", display.station) for i, display in enumerate(config.displays)]
    problems = [(path, f"no station named {station!r}") for path, station in places if station not in names]
    for section, kind, devices in (("scales", "scale", config.scales), ("displays", "display", config.displays)):
        taken = [device.station for device in devices]
        problems += [
            (f"{section}[{i}].station", f"station {station!r} has a {kind} already")
            for i, station in enumerate(taken)
            if station in taken[:i]
        ]
    return problems


def _driver_checks(config: Config) -> list[Problem]:
    """A driver is one of ours, or has a hyphen and may have options; whether it is installed shows when it is used."""
    named: list[tuple[str, str, str, tuple[str, ...], bool]] = [
        (f"scanners[{i}]", "protocol", scanner.protocol, PROTOCOLS, bool(scanner.options))
        for i, scanner in enumerate(config.scanners)
    ]
    if config.printer:
        named.append(("printer", "language", config.printer.language, LANGUAGES, False))
    if config.power:
        named.append(("power", "board", config.power.board, BOARDS, bool(config.power.options)))
    problems = []
    for path, key, name, ours, options in named:
        if name not in ours and "-" not in name:
            others = "an added driver's name has a hyphen"
            problems.append((f"{path}.{key}", f"no {key} {name!r}; there are {', '.join(ours)}; {others}"))
        if name in ours and options:
            problems.append((f"{path}.options", f"mean nothing to {key} {name!r}"))
    return problems


def _button_checks(config: Config, stations: list[str]) -> list[Problem]:
    """What the cards are called the counter knows."""
    problems = []
    for i, button in enumerate(config.panel.buttons if config.panel else ()):
        if button.station not in stations:
            problems.append((f"panel.buttons[{i}].station", f"no station named {button.station!r}"))
        if not (button.card or button.hold):
            problems.append((f"panel.buttons[{i}]", "give card, hold or both"))
    return problems


def _pin_checks(config: Config) -> list[Problem]:
    """No line of a chip does two things."""
    used: list[tuple[str, str, int | None]] = []
    if panel := config.panel:
        lamps = ("green", "amber", "red", "blue", "white", "buzzer")
        used += [(f"panel.{lamp}", panel.chip, getattr(panel, lamp)) for lamp in lamps]
        used += [(f"panel.buttons[{i}].pin", panel.chip, button.pin) for i, button in enumerate(panel.buttons)]
    if drawer := config.drawer:
        used += [("drawer.relay", drawer.chip, drawer.relay), ("drawer.sensor", drawer.chip, drawer.sensor)]
    if power := config.power:
        used.append(("power.mains_pin", power.mains_chip, power.mains_pin))
        used.append(("power.cut_pin", power.mains_chip, power.cut_pin))
        used += [(f"power.loads[{i}].pin", load.chip, load.pin) for i, load in enumerate(power.loads)]
    problems = []
    taken: dict[tuple[str, int], str] = {}
    for path, chip, pin in used:
        if pin is not None and taken.setdefault((chip, pin), path) != path:
            problems.append((path, f"line {pin} is {taken[chip, pin]} already"))
    return problems


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
    "nut": ("cells", "nut_user", "nut_password_file"),
}
_BOARD_KEYS = ("address", "cells", "shunt_mohm", "channel", "nut_ups", "nut_user", "nut_password_file")


def _board_checks(power: Power) -> list[Problem]:
    """A board gets every key it needs and none it would ignore."""
    needed, taken = _NEEDED.get(power.board, ()), _TAKEN.get(power.board, () if power.board in BOARDS else ("cells",))
    given = [key for key in _BOARD_KEYS if getattr(power, key) is not None]
    missing = [(f"power.{key}", f"is missing: board {power.board!r} needs it") for key in needed if key not in given]
    stray = [key for key in given if key not in needed + taken]
    if (power.nut_user is None) != (power.nut_password_file is None):
        missing.append(("power.nut_user", "goes with nut_password_file"))
    return missing + [(f"power.{key}", f"means nothing to board {power.board!r}") for key in stray]


CUTTING = ("nut", "pisugar3", "pijuice", "waveshare-e", "max1704x")
"""Boards that can be told to cut the power, by a document of their maker or two sources; docs/power.md."""


def _cut_checks(power: Power) -> list[Problem]:
    """What may be told to cut the power, and what it takes never to stay off."""
    problems: list[Problem] = []
    if power.cut_pin is not None and power.board != "max1704x":
        problems.append(("power.cut_pin", f"means nothing to board {power.board!r}"))
    if not power.cut:
        return problems
    if power.board not in CUTTING:
        problems.append(("power.cut", f"board {power.board!r} cannot be told to cut the power"))
    if power.board == "max1704x" and power.cut_pin is None:
        problems.append(("power.cut_pin", "is missing: the gauge itself cuts nothing"))
    if power.board == "nut" and power.nut_user is None:
        problems.append(("power.nut_user", "is missing: a UPS cuts the power only for a user with that right"))
    missing = [key for key in ("poweroff", "reboot") if not getattr(power, key)]
    return problems + [(f"power.{key}", "is missing: cut needs it") for key in missing]


def _load_checks(loads: tuple[Load, ...]) -> list[Problem]:
    """Each of a class of its own, switched one way."""
    kinds = [load.kind for load in loads]
    problems = [
        (f"power.loads[{i}].kind", f"{kind!r} is named twice") for i, kind in enumerate(kinds) if kind in kinds[:i]
    ]
    return problems + [
        (f"power.loads[{i}]", "give pin, or off and on")
        for i, load in enumerate(loads)
        if bool(load.off) != bool(load.on) or bool(load.off) == (load.pin is not None)
    ]


def _demo_checks(demo: Demo) -> list[Problem]:
    if demo.speed > 1 and not (demo.shop_start and demo.real_start):
        return [("demo", "speed needs shop_start and real_start")]
    return []
