"""The hub of the demonstration: its configuration, its process, and its doors as a tablet or technician knows them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from processes import Child, ChildError, Children

HUB, CODE, STATION = "demo-hub", "DEM", "till1"
READY_S = 30.0
"""Seconds the hub and all its devices may take until they are there."""
FEED_LIMIT = 1024 * 1024
"""Bytes of one item of the live feed."""

Item = Mapping[str, Any]
Hear = Callable[[Item], None]


class HubAwayError(Exception):
    """The hub does not answer: it was killed, it stops, or it has not come up yet."""


class DoorError(Exception):
    """The hub refused what nobody should refuse."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are: `out` is kept and may have a long path, `work` holds sockets and ports, which may not."""

    out: Path
    work: Path

    @property
    def config(self) -> Path:
        return self.out / "hub.toml"

    @property
    def journal(self) -> Path:
        """The hub's storage directory."""
        return self.out / "hub"

    @property
    def database(self) -> Path:
        """Headquarters' file."""
        return self.out / "fleet.db"

    @property
    def receipts(self) -> Path:
        return self.out / "receipts"

    @property
    def socket(self) -> Path:
        return self.work / "hub.sock"

    @property
    def bench(self) -> Path:
        return self.work / "bench.sock"

    @property
    def scanner(self) -> Path:
        return self.work / "scanner"

    @property
    def printer(self) -> Path:
        return self.work / "printer"

    def log(self, name: str) -> Path:
        return self.out / f"{name}.log"


@dataclass(frozen=True, slots=True)
class ShopTime:
    """The clock over the counter: at Unix second `real_start` it shows `shop_start`, and runs `speed` times as fast."""

    shop_start: datetime
    real_start: float
    speed: int

    def now(self) -> datetime:
        return self.shop_start + timedelta(seconds=(time.time() - self.real_start) * self.speed)

    def until(self, moment: datetime) -> float:
        """Real seconds until the clock shows `moment`; negative when it is past."""
        return (moment - self.now()).total_seconds() / self.speed


def config_text(place: Place, clock: ShopTime, *, broker_port: int) -> str:
    """The hub's configuration. Paths as JSON strings, which TOML reads alike."""
    return f"""\
[hub]
id = "{HUB}"
code = "{CODE}"
name = "Online Retail"
timezone = "Europe/London"
currency = "GBP"
large_quantity = 300
header = ["Gifts and giftware, wholesale and retail"]
footer = ["Thank you!", "Data: Online Retail, UCI, CC BY 4.0"]

[storage]
directory = {_quoted(place.journal)}

[[stations]]
name = "{STATION}"
# These run in shop time. A pause of this machine of one second would be minutes to the shop: a cart must not be parked,
# nor a first scan of SHIFTCLOSE forgotten, because a noisy neighbour had the processor.
idle_timeout = 43200
park_timeout = 86400
confirm_window = 7200
# The cashier looks at the live feed, as at a screen.
print_slips = false

[[scanners]]
name = "scanner"
station = "{STATION}"
serial = {{ port = {_quoted(place.scanner)} }}

[printer]
profile = "TM-T20II"
serial = {{ port = {_quoted(place.printer)}, baudrate = 115200 }}

[panel]
chip = {_quoted(f"bench:{place.bench}")}
green = 17
amber = 27
red = 22
blue = 23
white = 24

[power]
bus = {_quoted(f"bench:{place.bench}")}
mains_chip = {_quoted(f"bench:{place.bench}")}
mains_pin = 6
mains_lost_level = "high"
settle = 0
poweroff = ["true"]

[uplink]
host = "127.0.0.1"
port = {broker_port}
protocol = "3.1.1"
tls = false
digest_seconds = 3

[api]
socket = {_quoted(place.socket)}
metrics_port = 0

[demo]
speed = {clock.speed}
shop_start = "{clock.shop_start:%Y-%m-%dT%H:%M:%S}"
real_start = {clock.real_start:.3f}
"""


def _quoted(value: Path | str) -> str:
    return json.dumps(str(value))


class Hub:
    """The daemon and its doors; an async context manager for the client alone.

    `hear` gets the live feed, and `{"kind": "gone"}` when it ends.
    """

    def __init__(self, place: Place, children: Children, hear: Hear) -> None:
        self.up = asyncio.Event()
        """It is there, with every device, and the live feed is heard."""
        self._place = place
        self._children = children
        self._hear = hear
        self._child: Child | None = None
        self._feed: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.UnixConnector(str(self._place.socket))
        self._http = aiohttp.ClientSession("http://hub", connector=connector, read_bufsize=FEED_LIMIT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._feed is not None:
            self._feed.cancel()
            await asyncio.gather(self._feed, return_exceptions=True)
        await self._http.close()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def start(self) -> float:
        """Start it and wait for all its devices. Returns the seconds that took. Raises ChildError."""
        began = time.monotonic()
        holdfastd = Path(sys.executable).parent / "holdfastd"
        argv = (str(holdfastd), "--config", str(self._place.config))
        self._child = await self._children.start("hub", argv, log=self._place.log("hub"))
        while not await self._complete():
            if self._child.status is not None or time.monotonic() - began > READY_S:
                raise ChildError(f"the hub did not come up (status {self._child.status}); see {self._child.log}")
            await asyncio.sleep(0.03)
        listening = asyncio.Event()
        self._feed = asyncio.create_task(self._follow(listening), name="live feed")
        await listening.wait()
        self.up.set()
        return time.monotonic() - began

    async def _complete(self) -> bool:
        with suppress(HubAwayError):
            devices = (await self.get("/v1/devices"))["devices"]
            return bool(devices) and all(
                device["state"] in ("online", "offline") for device in devices
            )  # no paper: offline
        return False

    async def _follow(self, listening: asyncio.Event) -> None:
        try:
            async with self._http.get("/v1/live", timeout=aiohttp.ClientTimeout(total=None)) as response:
                listening.set()
                async for line in response.content:
                    self._hear(json.loads(line))
        except (aiohttp.ClientError, OSError, ValueError):
            pass
        finally:
            listening.set()
            self.up.clear()
            self._hear({"kind": "gone"})

    def kill(self) -> None:
        """kill -9."""
        assert self._child is not None
        self._child.kill()

    async def ended(self) -> int:
        """Its exit status, negative for a signal, once it has ended and its last words are heard."""
        assert self._child is not None
        status = await self._child.wait()
        if self._feed is not None:
            await asyncio.wait([self._feed])
        return status

    async def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """What a door says. Raises HubAwayError, DoorError."""
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: str | dict[str, Any]) -> dict[str, Any]:
        """`data` of a success. Raises HubAwayError, DoorError."""
        answer = await self._ask("POST", path, **({"data": body.encode()} if isinstance(body, str) else {"json": body}))
        return dict(answer["data"])

    async def command(self, do: str, **fields: Any) -> dict[str, Any]:
        """Have a command decided. Raises HubAwayError, DoorError."""
        return await self.post("/v1/commands", {"do": do, **fields})

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            async with self._http.request(method, path, timeout=aiohttp.ClientTimeout(total=READY_S), **more) as answer:
                told = dict(await answer.json())
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise HubAwayError(str(error)) from error
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise DoorError(f"{path}: {told}")
        return told
