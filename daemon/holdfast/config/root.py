"""The whole configuration."""

from __future__ import annotations

from holdfast.config.devices import Display, Drawer, Machine, Panel, Printer, Scale, Scanner
from holdfast.config.power import Nut, Power
from holdfast.config.section import Section
from holdfast.config.shop import Api, Demo, Hub, Station, Storage, Uplink


class Config(Section, frozen=True):
    hub: Hub
    storage: Storage = Storage()
    stations: tuple[Station, ...] = ()
    scanners: tuple[Scanner, ...] = ()
    scales: tuple[Scale, ...] = ()
    displays: tuple[Display, ...] = ()
    printer: Printer | None = None
    board: Machine = Machine()
    panel: Panel | None = None
    drawer: Drawer | None = None
    power: Power | None = None
    nut: Nut | None = None
    uplink: Uplink | None = None
    api: Api = Api()
    demo: Demo | None = None
