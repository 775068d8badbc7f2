"""The composition root: every part of a running hub, built once, in the order in which each needs the ones before.

The only place that knows every room. `main` reads the command line and runs what is built here.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import msgspec

from holdfast import config as options
from holdfast.api.commands import open_commands
from holdfast.api.metrics import Metrics
from holdfast.api.ports import Hub
from holdfast.assembly.fitted import Device, Fitted, Listener
from holdfast.assembly.powerhouse import Powerhouse
from holdfast.assembly.reports import Reports
from holdfast.config import Config
from holdfast.counter.commands import RESUME, card_words, parked_cart
from holdfast.counter.customer import CustomerView
from holdfast.counter.feed import LiveFeed
from holdfast.counter.paperwork import Paperwork
from holdfast.counter.spooler import Spooler
from holdfast.counter.state import Rules
from holdfast.counter.station import Station
from holdfast.counter.testpage import test_page
from holdfast.counter.voice import Surroundings
from holdfast.devices.claims import Claims
from holdfast.devices.finder import Finder
from holdfast.devices.health import Health, HealthBoard
from holdfast.devices.power.detect import boards_on
from holdfast.devices.power.device import PowerDevice
from holdfast.devices.power.nut import NutDoor
from holdfast.devices.statistics import GOOD_SCANS, Statistics
from holdfast.devices.workbench import Workbench
from holdfast.domain.core import Outcome
from holdfast.domain.hub import NoteLink
from holdfast.domain.registry import AREAS
from holdfast.domain.stages import Stage
from holdfast.journal.journal import Journal
from holdfast.journal.keys import badge_key
from holdfast.runtime.clock import Clock
from holdfast.runtime.stop import StopRequest
from holdfast.uplink.announce import About
from holdfast.uplink.digest import digester
from holdfast.uplink.link import Link
from holdfast.uplink.mqtt import Broker
from holdfast.uplink.telemetry import TelemetryStore
from holdfast.uplink.uplink import Uplink
from holdfast.uplink.watch import Hooks
from holdfast_contract.board import CHANGED, STATE, Change, State
from holdfast_contract.wire import Stream
from holdfast_drivers.barcodes.badges import Badge, badge_tag, format_badge
from holdfast_drivers.panel.buttons import Gesture
from holdfast_drivers.values import Columns, Image, PrintResult, Scan, Tri

VERSION = version("holdfast")
SCHEMA = 1
"""Of the wire, in the birth."""
ACTOR = "hub"


class Parts:
    """A hub, ready to be served. Building it starts nothing."""

    def __init__(
        self,
        config: Config,
        *,
        real: Clock,
        clock: Clock,
        journal: Journal,
        telemetry: TelemetryStore | None,
        logo: Image | None = None,
    ) -> None:
        """`real` measures devices and the network; `clock` is the counter's, faster than real time in a demo."""
        self.config, self.real, self.clock, self.logo = config, real, clock, logo
        self.journal, self.telemetry = journal, telemetry
        self.stop = StopRequest()
        self.feed = LiveFeed()
        self.metrics = Metrics()
        journal.decided = self.metrics.decided
        self.statistics = Statistics(real, journal.path.parent / "statistics.json")
        self.health = HealthBoard(real, self._device_changed)
        self.badge_key = badge_key(journal.path.parent)

    # Devices

    @cached_property
    def fitted(self) -> Fitted:
        listener = Listener(
            scanned=self._scanner_read,
            pressed=self._pressed,
            board_changed=self._board_changed,
            board_shown=self._board_shown,
            printing=lambda: self.spooler.printing,
            print_test=self._print_test,
        )
        return Fitted(
            self.config,
            health=self.health,
            real=self.real,
            pace=1 / speed(self.config),
            statistics=self.statistics,
            listener=listener,
        )

    @cached_property
    def powerhouse(self) -> Powerhouse | None:
        if self.config.power is None:
            return None
        return Powerhouse(
            self.config.power,
            health=self.health,
            real=self.real,
            clock=self.clock,
            journal=self.journal,
            quiet=self._is_quiet,
            staged=self._staged,
            stop=self.stop.ask,
            publish=self.feed.publish,
        )

    @property
    def power(self) -> PowerDevice | None:
        return None if self.powerhouse is None else self.powerhouse.device

    @property
    def devices(self) -> list[Device]:
        """Those that are configured."""
        behind_power = [self.powerhouse.device, self.powerhouse.loads] if self.powerhouse else []
        return [*self.fitted.all, *(device for device in behind_power if device is not None)]

    @cached_property
    def finder(self) -> Finder:
        store = self.journal.path.parent / "fingerprints.json"
        root = Path(self.config.board.root)
        return Finder(health=self.health, clock=self.real, store=store, root=root, learnt=self.statistics.identified)

    @cached_property
    def claims(self) -> Claims:
        return Claims(health=self.health, wake=self.finder.wake, busy=self.fitted.busy)

    @cached_property
    def workbench(self) -> Workbench:
        external = {device.name: device.check for device in self.devices}
        return Workbench(
            health=self.health,
            finder=self.finder,
            statistics=self.statistics,
            claims=self.claims,
            external=external,
            boards=lambda bus: boards_on(bus, self.config.power),
        )

    @cached_property
    def nut(self) -> NutDoor | None:
        if self.config.nut is None or self.power is None:
            return None
        board = self.config.power.board if self.config.power else ""
        return NutDoor(self.config.nut, now=self.power.now, board=board, version=VERSION)

    # Counter

    @cached_property
    def paperwork(self) -> Paperwork:
        return Paperwork(
            journal=self.journal,
            hub=self.config.hub,
            inc=self.journal.genesis.inc,
            clock=self.clock,
            logo=self.logo,
        )

    @cached_property
    def spooler(self) -> Spooler:
        return Spooler(
            journal=self.journal,
            paper=self.fitted.paper,
            compose=self.paperwork.compose,
            feed=self.feed,
            clock=self.clock,
        )

    @cached_property
    def stations(self) -> dict[str, Station]:
        around = Surroundings(
            journal=self.journal,
            panel=self.fitted.signal,
            feed=self.feed,
            slips=self.spooler,
            clock=self.clock,
            language=self.config.hub.language,
            status=self.reports.for_slip,
            shutdown=self.stop.ask,
        )
        return {station.name: self._station(station, around) for station in self.config.stations}

    def _station(self, station: options.Station, around: Surroundings) -> Station:
        rules = Rules(
            station=station.name,
            badge_key=self.badge_key,
            badge_required=station.badge_required,
            confirm_window=station.confirm_window,
            idle_timeout=station.idle_timeout,
            park_timeout=station.park_timeout,
            exponent=self.config.hub.exponent,
        )
        return Station(
            rules,
            around,
            repeat_ms=station.repeat_ms,
            print_slips=station.print_slips,
            scale=self.fitted.scales.get(station.name),
        )

    @cached_property
    def customer(self) -> CustomerView:
        texts = {d.station: (*(d.idle or (self.config.hub.name,)), "") for d in self.config.displays}
        idle = {station: (Columns(text[0], ""), Columns(text[1], "")) for station, text in texts.items()}
        return CustomerView(journal=self.journal, hub=self.config.hub, displays=self.fitted.displays, idle=idle)

    # Headquarters

    @cached_property
    def uplink(self) -> Uplink | None:
        if self.config.uplink is None or self.telemetry is None:
            return None
        return Uplink(
            config=self.config.uplink,
            outbox=self.journal,
            telemetry=self.telemetry,
            connect=Broker(self.config.uplink, self.config.hub.id).connect,
            about=About(
                software=VERSION,
                schema=SCHEMA,
                speed=speed(self.config),
                devices=lambda: {device.name: device.state.value for device in self.health.all()},
            ),
            hooks=Hooks(link_changed=self._link_changed, digest=digester(self.journal)),
            clock=self.real,
            shop_clock=self.clock,
        )

    # Doors

    @cached_property
    def reports(self) -> Reports:
        return Reports(
            health=self.health,
            statistics=self.statistics,
            finder=self.finder,
            board=self.fitted.board,
            powerhouse=self.powerhouse,
            uplink=self.uplink,
            head=lambda: self.journal.head.seq,
            monotonic=self.real.monotonic,
        )

    @cached_property
    def doors(self) -> Hub:
        return Hub(
            config=self.config,
            version=VERSION,
            clock=self.clock,
            journal=self.journal,
            execute=self.journal.execute,
            commands=open_commands(AREAS),
            devices=self.reports.devices,
            others=self.reports.others,
            workbench=self.workbench,
            uplink=self.reports.uplink,
            power=self.reports.power,
            battery=lambda: self.powerhouse.battery if self.powerhouse else None,
            board=self.reports.board,
            feed=self.feed,
            scan=self._scan,
            print_test=self._print_test,
            receipt=self.paperwork.receipt,
            badge_text=lambda badge: format_badge(Badge(badge, badge_tag(self.badge_key, badge))),
            card=self._card,
        )

    # What one part says and others hear

    def _pressed(self, button: options.Button, gesture: Gesture) -> None:
        """A button enters at the counter as its card would."""
        held = gesture is Gesture.LONG
        card = button.hold if held else button.card
        if card:
            answer = self.stations[button.station].press(card, held=held)
            answer.add_done_callback(self._count_scan)

    def _scanner_read(self, name: str, station: str, scan: Scan) -> None:
        self.statistics.count(name, GOOD_SCANS)
        self.finder.proved(name)
        if not self.workbench.takes(name, scan):
            self._scanned(station, scan)

    def _scanned(self, station: str, scan: Scan) -> None:
        answer = self.stations[station].offer(replace(scan, at=self.clock.monotonic()))
        answer.add_done_callback(self._count_scan)

    async def _scan(self, station: str, scan: Scan) -> Outcome:
        answer = self.stations[station].offer(replace(scan, at=self.clock.monotonic()))
        answer.add_done_callback(self._count_scan)
        return await answer

    def _count_scan(self, answer: asyncio.Future[Outcome]) -> None:
        if not answer.cancelled():
            outcome = answer.result()
            prompted = "need" in outcome.data
            self.metrics.scanned("refused" if not outcome.ok else "need_input" if prompted else "committed")

    async def _print_test(self) -> PrintResult:
        async def started() -> None:
            """Nothing to record: a test page is no document."""

        page = test_page(self.config.hub, self.clock.wall_ms(), self.logo)
        return await self.fitted.paper.print(page, 0, started=started)

    async def _link_changed(self, link: Link) -> None:
        self.fitted.panel.show_link(link.value)
        self.feed.publish({"kind": "link", "state": link.value})
        await self.journal.execute(NoteLink(state=link.value), actor=ACTOR)

    def _device_changed(self, device: Health) -> None:
        self.statistics.changed(device)
        if device.kind in ("printer", "scale") and device.facts.get("online") == Tri.YES.value:
            self.finder.proved(device.name)
        self.feed.publish({"kind": "device", "name": device.name, "state": device.state.value, "facts": device.facts})

    async def _is_quiet(self) -> bool:
        """Whether no sale is open; parked ones wait anyway."""
        return not await self.journal.query("SELECT 1 FROM cart WHERE parked = 0 LIMIT 1")

    def _staged(self, stage: Stage) -> None:
        """What the hub itself gives up at each stage; docs/power.md lists it."""
        self.fitted.panel.show_power(saving=stage > Stage.NORMAL)
        if self.uplink is not None:
            self.uplink.economize(spare=stage >= Stage.CONSERVE, bulk=stage < Stage.SHED)

    def _board_changed(self, change: Change) -> None:
        """Rare, for what comes and goes is held; a diagnostic, for it is no fact of the shop."""
        self.feed.publish({"kind": "board", **msgspec.to_builtins(change)})
        if self.telemetry is not None:
            self.telemetry.report(CHANGED, change, stream=Stream.DG)

    def _board_shown(self, state: State) -> None:
        if self.uplink is not None:
            self.uplink.report_state(STATE, state)

    def _card(self, code: str) -> str | None:
        """What a command card does; a parked slip's is RESUME with the cart in it."""
        words = card_words(self.config.hub.language)
        return words[RESUME.code] if parked_cart(code) else words.get(code)


def speed(config: Config) -> int:
    """Factor on the counter's clock."""
    return config.demo.speed if config.demo else 1
