"""A hub with its technicians' door open: a real journal on disk, the real domain, a real Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from holdfast.api.commands import open_commands
from holdfast.api.ports import BoardReport, DeviceReport, Hub, PowerReport, UplinkReport
from holdfast.api.server import ApiServer
from holdfast.config import Config, parse
from holdfast.counter.commands import card_words
from holdfast.counter.feed import LiveFeed
from holdfast.domain.cart import AddItem
from holdfast.domain.core import Outcome, Policy
from holdfast.domain.registry import AREAS
from holdfast.journal.journal import Journal, Settings
from holdfast.journal.keys import badge_key
from holdfast.runtime.clock import ManualClock
from holdfast_drivers.barcodes.badges import Badge, badge_tag, format_badge
from holdfast_drivers.barcodes.classify import classify
from holdfast_drivers.barcodes.gtin import Gtin
from holdfast_drivers.values import (
    Barcode,
    Columns,
    DeviceError,
    DeviceState,
    Document,
    Printed,
    PrintResult,
    Proof,
    Rule,
    Scan,
    Symbol,
    Text,
    Tri,
)

NOW = 1_790_000_000_000
"""2026-09-21 14:13:20 UTC."""
CANDLE, HONEY = "4006381333931", "4012345678901"
CATALOGUE = f"""sku,gtin,name,price,tax_category,tax_rate,merchant,aliases,open_price
candle,{CANDLE},Candle "Nordlicht",19.99,S,19,,A-candle,
honey,{HONEY},Honey 250 g,7.49,S,7,bee,TWIN,
mug,,Mug,12.90,S,19,clay,TWIN,
misc,,Miscellaneous,,S,19,,,yes
"""
CONFIG: dict[str, Any] = {
    "hub": {"id": "test-hub", "code": "TST", "name": "The Test Shop", "cash_rounding": 5},
    "stations": [{"name": "till1"}],
}


@dataclass
class Bench:
    """A technician's bench with one scanner on it."""

    healthy: str = "yes"
    levels: list[tuple[str, str]] = field(default_factory=list)
    ports: list[dict[str, Any]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    seen: list[dict[str, Any]] | Exception = field(default_factory=list)
    """Battery boards."""
    counts: dict[str, int] = field(default_factory=lambda: {"GoodScanCount": 12})

    def found(self) -> list[dict[str, Any]]:
        return self.ports

    async def boards(self, bus: str | None) -> dict[str, Any]:
        if isinstance(self.seen, Exception):
            raise self.seen
        return {"bus": bus or "/dev/i2c-1", "boards": self.seen}

    async def test(self, name: str, level: str) -> dict[str, Any]:
        self._check(name)
        return {"level": level, "healthy": self.healthy, "text": f"{level} HCheck", "words": "it was looked at"}

    async def record(self, name: str, seconds: float) -> str:
        self._check(name)
        return f'{{"tape":1,"link":"{name}","redacted":true}}\n{{"at":{seconds},"in":"X"}}\n'

    def log_level(self, name: str, level: str) -> None:
        self._check(name)
        self.levels.append((name, level))

    async def forget(self, name: str) -> bool:
        self._check(name)
        return True

    async def release(self, name: str) -> None:
        self._check(name)
        if self.released:
            raise DeviceError("busy", "it is at work")
        self.released.append(name)

    def claim(self, name: str) -> None:
        self._check(name)
        self.released.remove(name)

    def reset_statistics(self, name: str) -> dict[str, int]:
        self._check(name)
        before, self.counts = self.counts, {}
        return before

    def _check(self, name: str) -> None:
        if name == "panel":
            raise DeviceError("refused", "it has no wire")
        if name != "scanner":
            raise KeyError(name)


@dataclass
class Rig:
    """What a test may turn, and the doors it may knock at."""

    directory: Path
    config: Config = field(default_factory=lambda: parse(CONFIG))
    clock: ManualClock = field(default_factory=lambda: ManualClock(wall_ms=NOW))
    feed: LiveFeed = field(default_factory=LiveFeed)
    devices: list[DeviceReport] = field(default_factory=list)
    others: list[DeviceReport] = field(default_factory=list)
    bench: Bench = field(default_factory=Bench)
    uplink: UplinkReport = field(default_factory=lambda: UplinkReport("offline"))
    power: PowerReport | None = field(default_factory=lambda: PowerReport(0, Tri.YES, 870, 4012, None))
    battery: Any = None
    """A battery in a person's hands, whose `look()` is the report of its power."""
    board: BoardReport = field(default_factory=BoardReport)
    printed: PrintResult | Exception | None = field(
        default_factory=lambda: PrintResult(Printed.PRINTED, Proof.PROCESS_ID)
    )
    scans: list[tuple[str, Scan]] = field(default_factory=list)
    journal: Journal = field(init=False)
    hub: Hub = field(init=False)
    server: ApiServer = field(init=False)
    http: aiohttp.ClientSession = field(init=False)

    @property
    def socket(self) -> Path:
        return self.directory / "hub.sock"

    @property
    def store(self) -> Path:
        return self.directory / "store"

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        async with self.http.get(f"http://hub{path}", params={k: str(v) for k, v in query.items()}) as response:
            answer = await response.json()
            assert response.status == status, (path, response.status, answer)
            return answer

    async def post(self, path: str, body: Any, status: int = 200, **more: Any) -> Any:
        sent = {"data": body} if isinstance(body, (bytes, str)) else {"json": body}
        async with self.http.post(f"http://hub{path}", **sent, **more) as response:
            answer = await response.json()
            assert response.status == status, (path, response.status, answer)
            return answer

    async def do(self, command: str, status: int = 200, **fields: Any) -> Any:
        return await self.post("/v1/commands", {"do": command, **fields}, status)

    async def stock_shop(self) -> None:
        """A catalogue, goods on the shelf, an open shift."""
        await self.post("/v1/catalogue", CATALOGUE)
        await self.do("delivery.receive", lines=[["candle", 10], ["honey", 3]])
        await self.do("shift.open", station="till1", float_in=10_000)

    async def sell(self, *codes: str, tendered: int | None = None) -> str:
        """The receipt's number."""
        for code in codes:
            await self.do("cart.add_item", station="till1", code=code.zfill(14))
        return str((await self.do("sale.pay_cash", station="till1", tendered=tendered))["data"]["number"])

    async def scan(self, station: str, scan: Scan) -> Outcome:
        """A counter that knows products alone."""
        self.scans.append((station, scan))
        match classify(scan):
            case Gtin(digits):
                return await self.hub.execute(AddItem(station=station, code=digits), actor="anna")
            case _:
                return Outcome(ok=False, reason="unknown_code")

    async def print_test(self) -> PrintResult:
        """None: the printer never answers."""
        if self.printed is None:
            await asyncio.Event().wait()
        if isinstance(self.printed, Exception):
            raise self.printed
        assert self.printed is not None
        return self.printed

    async def receipt(self, number: str) -> Document | None:
        await asyncio.sleep(0)
        name = Text(self.config.hub.name, bold=True)
        return Document((name, Rule(), Columns("Number", number), Barcode(Symbol.CODE128, number)))


def badge_text(directory: Path, badge: str) -> str:
    return format_badge(Badge(badge, badge_tag(badge_key(directory), badge)))


@asynccontextmanager
async def open_hub(directory: Path) -> AsyncIterator[Rig]:
    """The hub, its server running, and an HTTP client at its socket."""
    rig = Rig(directory)
    rig.devices.append(DeviceReport("scanner", "scanner", DeviceState.ONLINE, "usb-1"))
    own = rig.config.hub
    settings = Settings(
        directory=rig.store,
        policy=Policy(hub=own.id, code=own.code, cash_rounding=own.cash_rounding),
        day_of=lambda at: at // 86_400_000,
    )
    async with Journal(settings, AREAS, rig.clock) as journal:
        rig.journal = journal
        rig.hub = Hub(
            config=rig.config, version="1.2.3", clock=rig.clock, journal=journal, execute=journal.execute,
            commands=open_commands(AREAS), devices=lambda: rig.devices, others=lambda: rig.others,
            workbench=rig.bench, uplink=lambda: rig.uplink,
            power=lambda: rig.battery.look() if rig.battery else rig.power, battery=lambda: rig.battery,
            board=lambda: rig.board, feed=rig.feed, scan=rig.scan,
            print_test=rig.print_test, receipt=rig.receipt,
            badge_text=lambda badge: badge_text(rig.store, badge), card=card_words().get,
        )  # fmt: skip
        async with ApiServer(rig.hub, rig.socket) as rig.server:
            connector = aiohttp.UnixConnector(str(rig.socket))
            async with aiohttp.ClientSession(connector=connector) as rig.http:
                yield rig
