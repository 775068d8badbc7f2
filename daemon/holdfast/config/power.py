"""The battery, and who else may ask about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from holdfast.config.section import Driver, Pin, Section

BOARDS = (
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
)
"""What measures the battery; docs/power.md says what each can tell."""


SHED_ORDER = ("camera", "stream", "guest_radio", "media_cache", "second_tablet")
"""Classes of load that are shed in stage S2, in this order; nothing else is before the stop."""


class Load(Section, frozen=True):
    """Something the hub can switch off to save energy: by a relay at `pin`, or by the commands `off` and `on`."""

    name: Annotated[str, Meta(pattern=r"^\S(.{0,62}\S)?$")]
    kind: Literal["camera", "stream", "guest_radio", "media_cache", "second_tablet"]
    watts: Annotated[float, Meta(gt=0, le=10_000)]
    chip: str = "header"
    pin: Pin | None = None
    off_level: Literal["high", "low"] = "high"
    """Level that switches it off. Wire the relay so that a line nobody drives leaves it on."""
    off: tuple[str, ...] = ()
    on: tuple[str, ...] = ()


class Power(Section, frozen=True):
    """Battery gauge and mains line."""

    board: Driver = "max1704x"
    """One of BOARDS, or an added driver's name."""
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
    nut_user: Annotated[str, Meta(pattern=r"^[\w.-]{1,64}$")] | None = None
    """User of that server with the right to test the battery; the hub then has it tested once a week."""
    nut_password_file: str | None = None
    doubled: bool = False
    """The board wires two cells so that the gauge's charge counts double."""
    mains_chip: str = "header"
    mains_pin: Pin | None = None
    mains_lost_level: Literal["high", "low"] = "high"
    """Level that means AC is lost: X728 high, X120x low."""
    capacity_wh: Annotated[float, Meta(gt=0)] = 20.0
    load_w: Annotated[float, Meta(gt=0)] = 6.0
    """Planned draw, until measured."""
    chemistry: Literal["li-ion", "lifepo4"] = "li-ion"
    """Of the cells; the voltage of lifepo4 says nothing of its charge but when it is nearly empty."""
    cutoff_mv: Annotated[int, Meta(ge=2500, le=4000)] | None = None
    """Cell voltage that means empty; when left out 3200, for lifepo4 3000."""
    settle: Annotated[float, Meta(ge=0, le=3600)] = 300.0
    """Seconds after the start in which only a voltage below the hard floor, or the UPS itself, stops the hub."""
    options: dict[str, Any] = field(default_factory=dict)
    """An added driver's own."""
    measures: tuple[str, ...] = ()
    """Classes of an event's loads that hang on this battery, and so are measured by it; empty: all of them."""
    loads: tuple[Load, ...] = ()
    poweroff: tuple[str, ...] = ()
    """Command that powers off after an orderly stop; empty: stop, and start again when the mains are back."""
    reboot: tuple[str, ...] = ()
    """Command instead of `poweroff` when the mains come back while the board is already told to cut the power."""
    cut: bool = False
    """Tell the board to cut the power after the stop, so that it starts again when the mains are back."""
    cut_pin: Pin | None = None
    """Line of a Geekworm board's soft power-off, on `mains_chip`: GPIO13, on an X728 from v2.1 on GPIO26."""

    @property
    def empty_mv(self) -> int:
        """Cell voltage that means empty."""
        return self.cutoff_mv or {"li-ion": 3200, "lifepo4": 3000}[self.chemistry]

    @property
    def floor_mv(self) -> int:
        """Cell voltage below which no cell is drawn, whatever else holds."""
        return min({"li-ion": 3000, "lifepo4": 2800}[self.chemistry], self.empty_mv)


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
