"""The shop: who it is, where it keeps its record, its stations, headquarters, the doors."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from holdfast.config.section import Positive, Seconds, Section


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
    rated_tb: Annotated[float, Meta(gt=0, le=100_000)] | None = None
    """Terabytes written that the medium's maker warrants; leave out when he says nothing."""


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
