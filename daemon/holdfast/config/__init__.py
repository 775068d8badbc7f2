"""Configuration: TOML in, one frozen typed object out."""

from holdfast.config.devices import (
    LANGUAGES,
    PROTOCOLS,
    Button,
    Display,
    Drawer,
    Machine,
    Panel,
    Printer,
    Scale,
    ScaleLine,
    Scanner,
    Serial,
)
from holdfast.config.power import BOARDS, SHED_ORDER, Load, Nut, NutUser, Power
from holdfast.config.reading import ConfigError, load, parse
from holdfast.config.root import Config
from holdfast.config.shop import Api, Demo, Hub, Station, Storage, Uplink

__all__ = [
    "BOARDS",
    "LANGUAGES",
    "PROTOCOLS",
    "SHED_ORDER",
    "Api",
    "Button",
    "Config",
    "ConfigError",
    "Demo",
    "Display",
    "Drawer",
    "Hub",
    "Load",
    "Machine",
    "Nut",
    "NutUser",
    "Panel",
    "Power",
    "Printer",
    "Scale",
    "ScaleLine",
    "Scanner",
    "Serial",
    "Station",
    "Storage",
    "Uplink",
    "load",
    "parse",
]
