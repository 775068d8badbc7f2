"""One battery over the years: judged, remembered through restarts and cuts, tested, and asked to be replaced."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from holdfast.config import Power
from holdfast.devices.power.battery_file import read_battery, set_aside, write_battery
from holdfast.devices.power.battery_tests import BatteryTests, Quiet
from holdfast.domain.core import Command, Outcome
from holdfast.domain.power import NoteRenewed, NoteReplace, NoteTest
from holdfast.runtime.clock import Clock
from holdfast_contract.reasons import words
from holdfast_contract.record import ClockQuality
from holdfast_drivers.ups.curves import CHEMISTRIES
from holdfast_drivers.ups.ending import concluded
from holdfast_drivers.ups.filter import PowerView
from holdfast_drivers.ups.judgement import Judge, Judged
from holdfast_drivers.ups.learning import Known, Pack
from holdfast_drivers.ups.memory import Cell, Memory, encode
from holdfast_drivers.ups.selftest import is_due

log = logging.getLogger(__name__)

ACTOR = "power"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SAVE_EVERY = 300.0
"""Seconds between two writes of a discharge that goes on: the flash is spared, a cut costs no more ..."""
SAVE_LOW_EVERY = 60.0
"""... and near its end, which is what is worth learning, this."""
LOW_PERMILLE = 300
WORN_PERMILLE = 600
"""Of the label; a pack that holds less should be replaced. Makers call 800 the end, but of an honest label."""


class Execute(Protocol):
    def __call__(self, command: Command, *, actor: str) -> Awaitable[Outcome]: ...


class BatteryCare:
    """Call `step` once for every judgement, in order of time."""

    def __init__(
        self,
        options: Power,
        *,
        clock: Clock,
        store: Path,
        execute: Execute,
        quiet: Quiet,
        ups_test: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        """Reads `store`; blocks for a moment. `ups_test` makes the UPS test itself and raises DeviceError."""
        self._clock = clock
        self._store = store
        self._execute = execute
        self._boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
        self._judge = Judge(pack_of(options), planned_mw=options.load_w * 1000)
        self.tests = BatteryTests(quiet=quiet, ups_test=ups_test)
        self.judged = Judged()
        """What is believed now."""
        self.memory = read_battery(store, cell_of(options))
        self._dirty = False
        self._saved_at = float("-inf")
        self._saving: asyncio.Task[None] | None = None
        self._file_turn = asyncio.Lock()
        self._stopping = False
        self._resume()

    @property
    def due(self) -> bool:
        """A test is due; unknown, and so not, while the clock is not trusted."""
        last = max(self.memory.tested, self.memory.since)
        return bool(now := self._wall_ms()) and is_due(now, last_ms=last)

    @property
    def findings(self) -> list[str]:
        """What is not well, as codes of `holdfast_contract.reasons`."""
        return [code for code in (self.memory.replace, self.judged.doubt, "self_test_due" if self.due else "") if code]

    def report(self) -> dict[str, Any]:
        """What is judged of it, for people and programs."""
        judged, memory = self.judged, self.memory
        test = {"result": memory.result, "tested": memory.tested or None, "due": self.due}
        return {
            "charge_by": judged.charge_by,
            "minutes_within": judged.minutes_within,
            "why_unknown": judged.why,
            "draw_mw": judged.draw_mw,
            "temperature_dc": judged.temperature_dc,
            "health_permille": judged.health_permille,
            "discharges_learnt": len(memory.known.finished),
            "findings": [{"code": code, "words": words(code)} for code in self.findings],
            "self_test": test | self.tests.progress(self._clock.monotonic()),
        }

    async def step(self, view: PowerView, now: float) -> Judged:
        """Judge, and see to what follows."""
        if self.memory.since == 0 and (wall := self._wall_ms()):
            self.memory.since, self._dirty = wall, True
        self.judged = self._judge.step(view, now)
        self.memory.known, self.memory.draw_mw = self._judge.known, self._judge.draw_mw
        if self._judge.ended is not None:
            ended, self._judge.ended, self._dirty = self._judge.ended, None, True
            await self._note_test(self.tests.over(ended, now, health=self.judged.health_permille))
        await self._note_test(await self.tests.step(self.judged, view, now, due=self.due))
        await self._note_replace(view)
        self._save_if_due(now)
        return self.judged

    async def stopping(self) -> None:
        """The hub stops for want of power: what this discharge taught is kept."""
        self._judge.end(cut=False)
        self.memory.known, self._judge.ended = self._judge.known, None
        self._stopping = True
        await self._save()

    async def identified(self, serial: str) -> None:
        """The pack or UPS told its serial number. Another one than before is another battery."""
        if not serial or serial == self.memory.cell.serial:
            return
        cell = Cell(self.memory.cell.board, self.memory.cell.where, serial)
        if not self.memory.cell.same_as(cell):
            log.warning("another battery (%s) is at the place of %s: it is learnt anew", serial, self.memory.cell)
            await asyncio.to_thread(set_aside, self._store, "other")
            self._begin_anew()
        self.memory.cell, self._dirty = cell, True

    async def begin_test(self) -> None:
        """Somebody asks for a test. Raises Refused(`test_not_now`)."""
        await self.tests.begin(self.judged, self._clock.monotonic())

    async def forget(self) -> bool:
        """The pack was replaced. False: nothing was known of the old one."""
        known = self.memory.known != Known() or self.memory.result != "never"
        self._begin_anew()
        await self._execute(NoteRenewed(), actor=ACTOR)
        await self._save()
        return known

    async def _note_test(self, test: NoteTest | None) -> None:
        if test is None:
            return
        self.memory.tested, self.memory.result = self._wall_ms() or self.memory.tested, test.result
        self._dirty = True
        await self._execute(test, actor=ACTOR)

    async def _note_replace(self, view: PowerView) -> None:
        health, why = self.judged.health_permille, ""
        if view.replace_asked:
            why = "battery_ups_says"
        elif health is not None and health < WORN_PERMILLE:
            why = "battery_worn"
        elif self.memory.result == "failed":
            why = "battery_failed_test"
        if why == self.memory.replace or (view.stale and not why):
            return
        self.memory.replace, self._dirty = why, True
        if why:
            log.warning("the battery should be replaced: %s", words(why))
            await self._execute(NoteReplace(why=why, health=-1 if health is None else health), actor=ACTOR)

    def _resume(self) -> None:
        """Go on where the last life left off; a discharge of another boot ended with the power, or with its machine."""
        memory, judge = self.memory, self._judge
        judge.known, judge.draw_mw = memory.known, memory.draw_mw
        if memory.present is None:
            return
        if memory.boot == self._boot:
            judge.discharge = memory.present
        else:
            judge.ended, judge.known = concluded(memory.present, memory.known, judge.pack, cut=True)

    def _begin_anew(self) -> None:
        self.memory = Memory(self.memory.cell, since=self._wall_ms())
        self._judge.known, self._judge.discharge = self.memory.known, None

    def _wall_ms(self) -> int:
        """0 while the clock is not trusted."""
        return 0 if self._clock.quality() is ClockQuality.UNSET else self._clock.wall_ms()

    def _save_if_due(self, now: float) -> None:
        """In the background: a card that stalls keeps nobody from judging."""
        draining = self._judge.discharge is not None
        low = self.judged.charge_permille is not None and self.judged.charge_permille < LOW_PERMILLE
        patience = SAVE_LOW_EVERY if self._dirty or low else SAVE_EVERY
        idle = self._saving is None or self._saving.done()
        if idle and not self._stopping and (self._dirty or draining) and now - self._saved_at >= patience:
            self._saving = asyncio.create_task(self._save())

    async def _save(self) -> None:
        async with self._file_turn:
            self.memory.present, self.memory.boot = self._judge.discharge, self._boot
            self._dirty, self._saved_at = False, self._clock.monotonic()
            await asyncio.to_thread(write_battery, self._store, encode(self.memory))


def pack_of(options: Power) -> Pack:
    """The pack as the configuration describes it."""
    return Pack(options.capacity_wh * 1000, options.empty_mv, CHEMISTRIES[options.chemistry])


def cell_of(options: Power) -> Cell:
    """What binds what was learnt to this battery."""
    address = "" if options.address is None else f"@0x{options.address:02x}"
    return Cell(options.board, options.nut_ups or f"{options.bus}{address}")
