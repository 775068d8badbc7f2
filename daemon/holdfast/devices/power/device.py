"""The battery board of the hub: readings in, what is known filtered out of them, the stage decided and written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Protocol

from holdfast.config import Power
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.power.battery import BatteryCare
from holdfast.devices.power.energy import EnergyKeeper
from holdfast.devices.power.gauges import cells_of, open_gauge, serial_of
from holdfast.domain.core import Command, Outcome
from holdfast.domain.power import ChangeStage, NoteBlind, NoteMains
from holdfast.domain.stages import Known, Limits, Stage, StageMachine
from holdfast.domain.trend import Trend
from holdfast.runtime.clock import Clock
from holdfast_contract.reasons import FAULTS, words
from holdfast_drivers.links.header import gpio_header
from holdfast_drivers.ups.board import PowerBoard
from holdfast_drivers.ups.filter import STALE, PowerFilter, PowerView
from holdfast_drivers.ups.judgement import Judged
from holdfast_drivers.ups.mains import MainsLine
from holdfast_drivers.values import DeviceError, PowerReading, Tri

JUDGE_EVERY = 1.0
"""Seconds between two judgements."""
ACTOR = "power"
FRESH_WITHIN = 35.0
"""Seconds a test waits for a new reading: a gauge that was lost is looked for every 30."""


class Execute(Protocol):
    def __call__(self, command: Command, *, actor: str) -> Awaitable[Outcome]: ...


@dataclass(frozen=True, slots=True)
class PowerNow:
    """What the rest of the hub may ask."""

    stage: Stage
    mains: Tri
    charge_permille: int | None
    cell_mv: int | None
    minutes_left: int | None
    age: float | None
    pack_mv: int | None = None
    minutes_within: int | None = None
    """Half-width of `minutes_left`; None: the UPS's own word."""
    draw_mw: int | None = None
    """What the loads take from the battery, as last measured on battery; None: nothing measures it."""
    temperature_dc: int | None = None
    health_permille: int | None = None
    """What the pack holds of its label, once enough discharges have shown it."""
    replace: str = ""
    """Why the pack should be replaced; empty: no reason is known."""
    self_test: str = "never"
    """The last test of the battery: `never`, `running`, `passed`, `failed`."""
    self_test_due: bool = False
    tested: int = 0
    """When; UTC milliseconds, 0 is unknown."""
    installed: int = 0
    """When this pack was first seen here; UTC milliseconds, 0 is unknown."""
    chemistry: str = "li-ion"
    charge_by: str = ""
    """Who says the charge: `gauge`, `voltage`, `model`."""
    why_unknown: str = ""
    """Why `minutes_left` is unknown: `silent`, `settling`, `no_charge`."""
    stage_why: str = ""
    """What last changed the stage; as `StageChanged.why`."""
    stop_asked: bool = False
    """The board or UPS asks for the stop."""


class PowerDevice:
    """`run` is one life of bus and line; `judge` runs for as long as the hub does."""

    def __init__(
        self,
        options: Power,
        *,
        health: HealthBoard,
        clock: Clock,
        care: BatteryCare,
        energy: EnergyKeeper,
        execute: Execute,
        staged: Callable[[Stage], None],
        stop: Callable[[str], None],
        noted: Callable[[PowerNow], None],
    ) -> None:
        self.name = "battery"
        self._options = options
        self._health = health
        self._clock = clock
        self._execute = execute
        self._staged = staged
        self._stop = stop
        self._noted = noted
        self._filter = PowerFilter()
        self._machine = StageMachine(Limits(cutoff_mv=options.empty_mv, floor_mv=options.floor_mv))
        self.care = care
        self.energy = energy
        self._mains = Tri.UNKNOWN
        self._silent = False
        self._readings: asyncio.Queue[PowerReading] | None = None
        """Of a test that waits for one."""
        self._trend = Trend()
        self._began = clock.monotonic()
        self._deaf_after = self._heard = self._began + STALE
        """When the gauge was last known; on battery, since when at the earliest."""
        self._lasts: float | None = None
        health.add(self.name, "battery", options.nut_ups or options.bus)

    async def run(self) -> None:
        """Raises DeviceError when the gauge is absent or the bus is gone."""
        options = self._options
        async with AsyncExitStack() as stack:
            gauge = await open_gauge(options, stack, self._clock.monotonic)
            with suppress(DeviceError):
                await self.care.identified(await serial_of(gauge))
            line: MainsLine | None = None
            if options.mains_pin is not None:
                header = await stack.enter_async_context(gpio_header(options.mains_chip))
                line = MainsLine(header, options.mains_pin, active=options.mains_lost_level)
                await stack.enter_async_context(line)
            async for reading in PowerBoard(gauge, line, clock=self._clock.monotonic).readings():
                self._take(reading)

    async def check(self) -> Verdict:
        """CheckHealth, external: what the board measures from now on."""
        readings: asyncio.Queue[PowerReading] = asyncio.Queue()
        self._readings = readings
        try:
            async with asyncio.timeout(FRESH_WITHIN):
                return _judged(await readings.get())
        except TimeoutError:
            return Tri.NO, f"no reading within {FRESH_WITHIN:.0f} s"

    def _take(self, reading: PowerReading) -> None:
        self._filter.add(reading)
        if self._readings is not None:
            self._readings.put_nowait(reading)
            self._readings = None
        self._health.online(
            self.name,
            board=self._options.board,
            mains=_mains_text(reading),
            charge=_charge_text(reading),
            **self._finding(reading),
        )

    def _finding(self, reading: PowerReading) -> dict[str, str]:
        """The first thing that is not well, in words."""
        missed = [reading.missed] if reading.missed in FAULTS else []
        found = [*missed, *self.care.findings]
        return {"finding": words(found[0])} if found else {}

    async def judge(self) -> None:
        """Decide once a second. Ends only with the hub."""
        while True:
            await self._judge_once()
            await self._clock.sleep(JUDGE_EVERY)

    async def _judge_once(self) -> None:
        now = self._clock.monotonic()
        view = self._filter.view(now)
        judged = await self.care.step(view, now)
        await self._note_mains(view, judged)
        await self._note_silence(view, now)
        await self.energy.look()
        change = self._machine.step(self._known(view, judged, now), now)
        self._noted(self.now())
        await self.energy.step(judged, self._machine.stage, now, power_mw=view.power_mw)
        if change is None:
            return
        charge, cell_mv = _or_unknown(view.charge_permille), _or_unknown(view.cell_mv)
        command = ChangeStage(new=change.new, why=change.why, charge=charge, cell_mv=cell_mv)
        await self._execute(command, actor=ACTOR)
        self._staged(change.new)
        if change.new is Stage.STOP:
            self._stop(f"power: {change.why}")
            await self.care.stopping()

    def _known(self, view: PowerView, judged: Judged, now: float) -> Known:
        """While the battery is silent the minutes are the model's, going by; its charge and voltage are not known."""
        mains = self._mains if view.stale else judged.mains
        self._trend.add(view.cell_mv, now)
        deaf = view.cell_mv is None and view.charge_permille is None
        if mains is not Tri.NO or not deaf:
            self._heard = max(self._heard, now)
            self._lasts = None if judged.minutes_left is None else judged.minutes_left * 60.0
        return Known(
            mains=None if mains is Tri.UNKNOWN else mains is Tri.YES,
            charge=None if deaf else judged.charge_permille,
            minutes=judged.minutes_left,
            margin=self.energy.margin(judged),
            cell_mv=view.cell_mv,
            rising=self._trend.rising and (view.power_mw is None or view.power_mw >= 0),
            silent_s=max(now - self._heard + STALE, 0.0) if mains is Tri.NO and deaf else 0.0,
            lasts_s=self._lasts,
            grid=self.energy.grid_level,
            stop_asked=view.stop_asked,
            settling=now - self._began < self._options.settle,
        )

    async def _note_mains(self, view: PowerView, judged: Judged) -> None:
        if view.stale or judged.mains in (self._mains, Tri.UNKNOWN):
            return
        self._mains = judged.mains
        charge, cell_mv = _or_unknown(view.charge_permille), _or_unknown(view.cell_mv)
        await self._execute(NoteMains(mains=judged.mains.value, charge=charge, cell_mv=cell_mv), actor=ACTOR)

    async def _note_silence(self, view: PowerView, now: float) -> None:
        """The gauge has not answered for STALE seconds, whatever the mains line says."""
        if view.cell_mv is not None or view.charge_permille is not None:
            self._deaf_after = now
            self._silent = False
        elif now > self._deaf_after and not self._silent:
            self._silent = True
            await self._execute(NoteBlind(on_battery=self._mains is Tri.NO), actor=ACTOR)

    def now(self) -> PowerNow:
        view = self._filter.view(self._clock.monotonic())
        judged, memory = self.care.judged, self.care.memory
        cells = cells_of(self._options)
        return PowerNow(
            stage=self._machine.stage,
            mains=Tri.UNKNOWN if view.stale else judged.mains,
            charge_permille=judged.charge_permille,
            cell_mv=view.cell_mv,
            minutes_left=judged.minutes_left,
            age=view.age,
            pack_mv=None if cells is None or view.cell_mv is None else view.cell_mv * cells,
            minutes_within=judged.minutes_within,
            draw_mw=judged.draw_mw,
            temperature_dc=judged.temperature_dc,
            health_permille=judged.health_permille,
            replace=memory.replace,
            self_test="running" if self.care.tests.running else memory.result,
            self_test_due=self.care.due,
            tested=memory.tested,
            installed=memory.since,
            chemistry=self._options.chemistry,
            charge_by=judged.charge_by,
            why_unknown=judged.why,
            stage_why=self._machine.why,
            stop_asked=view.stop_asked,
        )


def _judged(reading: PowerReading) -> Verdict:
    told = f"mains {_mains_text(reading)}, charge {_charge_text(reading)}"
    measured = [
        f"{value / scale:.{digits}f} {unit}"
        for value, scale, digits, unit in (
            (reading.cell_mv, 1000, 3, "V a cell"),
            (reading.current_ma, 1000, 2, "A"),
            (reading.temperature_dc, 10, 0, "°C"),
        )
        if value is not None
    ]
    answered = reading.cell_mv is not None or reading.charge_permille is not None
    return (Tri.YES, ", ".join([told, *measured])) if answered else (Tri.NO, "the gauge does not answer")


def _mains_text(reading: PowerReading) -> str:
    return f"{reading.mains.value} (inferred)" if reading.mains_inferred else reading.mains.value


def _charge_text(reading: PowerReading) -> str:
    if reading.charge_permille is None:
        return "unknown"
    return f"{'about ' if reading.estimated else ''}{reading.charge_permille / 10:.0f} %"


def _or_unknown(value: int | None) -> int:
    return -1 if value is None else value
