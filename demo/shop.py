"""The shop and what stands in it, each a process: broker, headquarters' collector, devices, hub; and who minds them."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

from brokers import Nats
from devices import Bench, Cut, Printer, Scanner, plug_in
from hub import Hub, HubAwayError, Item, Place, ShopTime, config_text
from processes import Children, Event
from till import Till
from view import STAGES, Board

RESTART_S = 0.1
"""Seconds between the end of the hub and its next start, as systemd would wait."""
LOOK_S = 0.4
"""Seconds between two looks at the hub's status; only the screen needs them."""
READY_S = 20.0
RECENT = 200
"""Scans whose median is shown."""
IDLE_LOAD, FULL_SPEED = "load 5", "slow 0.001"


def _notice(event: Event) -> str:
    """What the collector noticed: its kind, then the facts that are some."""
    facts = [f"{name} {value}" for name, value in event.items() if name in _FACTS and value not in ("", None)]
    return " ".join([str(event.get("kind")), *facts])


_FACTS = ("was", "inc", "boot", "as_of", "differs", "seq", "missing", "why")


class Shop:
    """Enter it, `open` it, run `mind` and `look` beside whatever happens in it. Leave it after `children`."""

    def __init__(self, place: Place, clock: ShopTime, board: Board, children: Children) -> None:
        self.place, self.clock, self.board = place, clock, board
        self.hub = Hub(place, children, self._hear)
        self.broker = Nats(place.work / "broker", keep=False)
        self.till: Till
        self.printer: Printer
        self.bench: Bench
        self.sending = False
        """A receipt is going to the printer, for all the hub has said."""
        self.stages: list[int] = []
        """Power stages entered, in order."""
        self.staged = asyncio.Event()
        """Set when a stage is entered."""
        self.starts: list[float] = []
        """Seconds each start of the hub took."""
        self.sent: dict[int, tuple[int, int]] = {}
        """(events, bytes) that each run of the hub, by its count, had sent when last looked at."""
        self.stopped = asyncio.Event()
        """The hub has stopped by itself, in order, and is up again or will be."""
        self._children = children

    async def open(self, *, charge: int) -> None:
        """Start everything. `charge`: percent of the battery. Raises BrokerError, ChildError, TimeoutError."""
        self.place.receipts.mkdir(parents=True)
        self.broker.directory.mkdir()
        devices = asyncio.create_task(plug_in(self._children, self.place, charge=charge, on_cut=self._cut))
        await asyncio.to_thread(self.broker.start)
        await self._start_collector()
        scanner, self.printer, self.bench = await devices
        self._furnish(scanner)
        text = config_text(self.place, self.clock, broker_port=self.broker.port)
        await asyncio.to_thread(self.place.config.write_text, text)
        await self.start_hub()

    def _furnish(self, scanner: Scanner) -> None:
        self.till = Till(scanner, self.bench, self.hub)

    async def _start_collector(self) -> None:
        ready = asyncio.Event()

        def hear(event: Event) -> None:
            if event.get("kind") == "ready":
                ready.set()
            self.board.tick(f"headquarters: {_notice(event)}", "blue")

        fleet = str(Path(sys.executable).parent / "holdfast-fleet")
        where = f"mqtt://127.0.0.1:{self.broker.port}"
        argv = (fleet, "collect", "--database", str(self.place.database), "--broker", where, "--json")
        await self._children.start("collector", argv, log=self.place.log("collector"), hear=hear)
        async with asyncio.timeout(READY_S):
            await ready.wait()

    async def start_hub(self) -> None:
        """Start it and wait until it can sell. Raises ChildError."""
        self.board.hub = "starting"
        self.starts.append(await self.hub.start())
        self.board.hub = "up"
        self.board.tick(f"hub up with all devices after {self.starts[-1]:.1f} s", "green")

    async def mind(self) -> None:
        """Start the hub again whenever it ends: at once after a crash, with the mains after a stop of its own."""
        while True:
            status = await self.hub.ended()
            self.board.hub = "down"
            if status == 0:
                self.stopped.set()
                self.till.excused += 1  # amber, steady, while it stopped
                self.board.tick("the hub stopped in order, by itself; now the mains are back", "bold yellow")
                self.bench.do("mains on")
                self.bench.do(IDLE_LOAD)
            elif status > 0:
                self.board.tick(f"the hub ended with status {status}", "bold red")
            await asyncio.sleep(RESTART_S)
            await self.start_hub()

    async def look(self) -> None:
        """Keep the screen true."""
        while True:
            board = self.board
            board.lit, board.mains = self.bench.lit(LOOK_S), self.bench.mains
            board.scans = self.till.scans
            board.light_ms = 1000 * median(self.till.latencies[-RECENT:] or [0.0])
            with suppress(HubAwayError):
                self._show(await self.hub.get("/v1/status"))
            await asyncio.sleep(LOOK_S)

    def _show(self, status: dict[str, Any]) -> None:
        board, outbox = self.board, status["outbox"]
        self.sent[status["journal"]["boot"]] = outbox["sent_events"], outbox["sent_bytes"]
        board.head, board.outbox, board.link = status["journal"]["seq"], outbox["waiting"], outbox["state"]
        board.queued = status["spool"].get("queued", 0) + status["spool"].get("sending", 0)
        printer = next(device for device in status["devices"] if device["kind"] == "printer")
        paper = printer["facts"].get("paper", "unknown")
        board.printer = {"yes": "ready", "no": "no paper"}.get(paper, paper)

    def _hear(self, item: Item) -> None:
        self.till.hear(item)
        match item:
            case {"kind": "paper", "paper": "receipt", "state": state}:
                self.sending = state == "sending"
            case {"kind": "link", "state": str(state)} if state != self.board.link:
                self.board.link = state
                self.board.tick(f"hub: link to headquarters {state}", "blue")
            case {"kind": "power", "stage": int(stage), "charge_permille": charge}:
                self.board.charge = charge
                self._stage(stage)
            case _:
                pass

    def _stage(self, stage: int) -> None:
        if stage != self.board.stage:
            self.board.stage = stage
            self.board.tick(f"hub: power stage {STAGES[stage]}", "yellow")
            self.stages.append(stage)
            self.staged.set()

    def _cut(self, cut: Cut) -> None:
        self.board.papers = cut.number
        self.board.paper = cut.text

    async def __aenter__(self) -> Self:
        await self.hub.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.hub.__aexit__(kind, error, trace)
        await asyncio.to_thread(self.broker.stop)
