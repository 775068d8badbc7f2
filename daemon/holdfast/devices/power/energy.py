"""The energy of an event as it goes on: the margin every second, what flowed every quarter of an hour, a statement."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from holdfast.config import Power
from holdfast.devices.power.book import PowerBook
from holdfast.domain.consumption import NoteStatement
from holdfast.domain.core import Command, Outcome
from holdfast.domain.energy import CONVERSION, Budget, Pack, Watts, drawable
from holdfast.domain.metering import Flow, Metering
from holdfast.domain.plan import EndPlan, Plan
from holdfast.domain.stages import Stage
from holdfast.runtime.clock import Clock
from holdfast_contract.record import ClockQuality
from holdfast_drivers.ups.judgement import Judged
from holdfast_drivers.values import Tri

ACTOR = "power"
METER_EVERY = 900.0
"""Seconds between two notes of what flowed."""
HOUR_MS = 3_600_000


class Execute(Protocol):
    def __call__(self, command: Command, *, actor: str) -> Awaitable[Outcome]: ...


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the event's plan stands now."""

    plan: Plan
    hours_left: float
    watts: dict[str, float]
    """By class, measured where measured."""
    budget: Budget | None
    """None: nobody knows what is left in the pack."""


class EnergyKeeper:
    """Call `look` before a judgement, `step` after it, `finish` when the hub stops."""

    def __init__(self, options: Power, *, book: PowerBook, real: Clock, clock: Clock, execute: Execute) -> None:
        """`real` measures, `clock` labels, as it labels the record."""
        self.book = book
        self._options = options
        self._real, self._clock = real, clock
        self._execute = execute
        self._began = real.monotonic()
        self._plan: Plan | None = None
        self._watts = Watts({})
        self._metering = Metering(self._began)
        self._seen: tuple[Tri, Stage] | None = None
        self._judged = Judged()

    async def look(self) -> None:
        """Read the record again where it has grown."""
        await self.book.refresh()
        plan = self.book.plan
        if plan is not None and (self._plan is None or plan.loads != self._plan.loads):
            planned = {load.kind: load.amount / 1000 for load in plan.loads}
            self._watts = Watts(planned, behind=self._options.measures or None)
        if plan is not None and (self._plan is None or plan.start != self._plan.start):
            self._metering = Metering(self._real.monotonic())
        self._plan = plan

    @property
    def grid_level(self) -> int:
        """What the grid asks for now."""
        return self.book.grid_level(self._clock.wall_ms())

    def margin(self, judged: Judged) -> int | None:
        """Permille of the need that is to spare; None without a plan, or when nobody knows what is left."""
        outlook = self.outlook(judged)
        return None if outlook is None or outlook.budget is None else outlook.budget.margin_permille

    def outlook(self, judged: Judged) -> Outlook | None:
        """How the plan stands; None without one."""
        plan = self._plan
        if plan is None or plan.ended:
            return None
        hours, watts = self._hours_left(plan), self._watts.by_class()
        usable = self._usable_wh(plan, judged)
        need = sum(watts.values()) * hours
        budget = None if usable is None else Budget(usable, need, plan.reserve / 1000)
        return Outlook(plan, hours, watts, budget)

    @property
    def left_mwh(self) -> int | None:
        """In the pack for the loads."""
        return self._left_mwh(self._judged)

    async def step(self, judged: Judged, stage: Stage, now: float, *, power_mw: int | None) -> None:
        """Meter this moment, and see to what follows. `power_mw` is the battery's, + charging."""
        self._judged = judged
        if self._plan is None:
            return
        if power_mw is not None and power_mw < 0 and judged.mains is not Tri.YES:
            self._watts.measured(-power_mw / 1000 * CONVERSION, now)
        self._metering.tick(self._flow(judged, stage, power_mw), now)
        moved = self._seen is not None and self._seen != (judged.mains, stage)
        self._seen = (judged.mains, stage)
        if self._plan.ended:
            await self.finish()
            await self._execute(NoteStatement(), actor=ACTOR)
        elif self._hours_left(self._plan) <= 0:
            await self._execute(EndPlan(), actor=ACTOR)
        elif moved or self._metering.seconds >= METER_EVERY:
            await self.finish()

    async def finish(self) -> None:
        """Write down what flowed so far."""
        if self._plan is not None and self._metering.seconds >= 1:
            left = self._left_mwh(self._judged)
            await self._execute(self._metering.take(charge=self._judged.charge_permille, left_mwh=left), actor=ACTOR)

    def switched(self, kind: str, *, on: bool) -> None:
        """A load was shed or restored."""
        self._watts.switch(kind, on=on)

    def _flow(self, judged: Judged, stage: Stage, power_mw: int | None) -> Flow:
        mains = None if judged.mains is Tri.UNKNOWN else judged.mains is Tri.YES
        draining = power_mw is not None and power_mw < 0 and not mains
        return Flow(
            mains=mains,
            stage=stage,
            loads=self._watts.by_class(),
            pack_w=-power_mw / 1000 * CONVERSION if draining and power_mw is not None else None,
            charging_w=max(power_mw or 0, 0) / 1000,
        )

    def _hours_left(self, plan: Plan) -> float:
        """By the wall clock; while nobody trusts that, from what it last said in the record."""
        now = self._clock.wall_ms()
        if self._clock.quality() is ClockQuality.UNSET:
            now = max(self.book.metered_at, plan.start) + round((self._real.monotonic() - self._began) * 1000)
        return max(plan.until - now, 0) / HOUR_MS

    def _usable_wh(self, plan: Plan, judged: Judged) -> float | None:
        """As judged, if the plan's pack is the one that is judged; else by its label and the charge."""
        if plan.pack == round(self._options.capacity_wh * 1000):
            left = self._left_mwh(judged)
            return None if left is None else left / 1000
        if judged.charge_permille is None:
            return None
        celsius = (plan.temperature if judged.temperature_dc is None else judged.temperature_dc) / 10
        pack = Pack(plan.pack / 1000, plan.health / 1000, celsius, judged.charge_permille / 1000)
        return pack.wh * drawable(pack)

    def _left_mwh(self, judged: Judged) -> int | None:
        return None if judged.left_mwh is None else round(judged.left_mwh * CONVERSION)
