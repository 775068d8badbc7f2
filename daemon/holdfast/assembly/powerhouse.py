"""What stands behind `[power]`, built once: the battery and its care, the event's energy, switched loads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from holdfast.api.ports import PowerReport
from holdfast.config import Power
from holdfast.devices.health import HealthBoard
from holdfast.devices.power.battery import BatteryCare
from holdfast.devices.power.book import PowerBook
from holdfast.devices.power.device import PowerDevice, PowerNow
from holdfast.devices.power.energy import EnergyKeeper, Outlook
from holdfast.devices.power.gauges import ups_test
from holdfast.devices.power.loads import Loads
from holdfast.domain.stages import Stage
from holdfast.journal.journal import Journal
from holdfast.runtime.clock import Clock


class Powerhouse:
    """Building it starts nothing."""

    def __init__(
        self,
        options: Power,
        *,
        health: HealthBoard,
        real: Clock,
        clock: Clock,
        journal: Journal,
        quiet: Callable[[], Awaitable[bool]],
        staged: Callable[[Stage], None],
        stop: Callable[[str], None],
        publish: Callable[[dict[str, Any]], None],
    ) -> None:
        """`quiet`: no sale is open. `staged`: what the rest of the hub gives up at each stage."""
        self._options, self._health, self._journal = options, health, journal
        self._real, self._clock = real, clock
        self._quiet, self._stage, self._stop, self._publish = quiet, staged, stop, publish

    @cached_property
    def battery(self) -> BatteryCare:
        return BatteryCare(
            self._options,
            clock=self._real,
            store=self._journal.path.parent / "battery.json",
            execute=self._journal.execute,
            quiet=self._quiet,
            ups_test=ups_test(self._options),
        )

    @cached_property
    def energy(self) -> EnergyKeeper:
        book = PowerBook(self._journal)
        return EnergyKeeper(self._options, book=book, real=self._real, clock=self._clock, execute=self._journal.execute)

    @cached_property
    def loads(self) -> Loads | None:
        if not self._options.loads:
            return None
        return Loads(
            self._options.loads,
            health=self._health,
            execute=self._journal.execute,
            switched=lambda kind, on: self.energy.switched(kind, on=on),
            shed=self.energy.book.off,
        )

    @cached_property
    def device(self) -> PowerDevice:
        return PowerDevice(
            self._options,
            health=self._health,
            clock=self._real,
            care=self.battery,
            energy=self.energy,
            execute=self._journal.execute,
            staged=self._staged,
            stop=self._stop,
            noted=self._noted,
        )

    def _staged(self, stage: Stage) -> None:
        self._stage(stage)
        if self.loads is not None:
            self.loads.follow(stage)

    def _noted(self, now: PowerNow) -> None:
        self._publish(
            {
                "kind": "power",
                "stage": int(now.stage),
                "mains": now.mains.value,
                "charge_permille": now.charge_permille,
                "minutes_left": now.minutes_left,
            }
        )

    def report(self) -> PowerReport:
        """All that is known of it now."""
        now = self.device.now()
        more = self.battery.report() | {
            "stage_why": now.stage_why,
            "age_s": None if now.age is None else round(now.age, 1),
            "capacity_wh": self._options.capacity_wh,
            "left_mwh": self.energy.left_mwh,
            "plan": _plan(self.energy.outlook(self.battery.judged)),
            "grid": {"level": self.energy.grid_level, "signals": [i._asdict() for i in self.energy.book.grid]},
            "loads": self._loads_report(),
        }
        return PowerReport(int(now.stage), now.mains, now.charge_permille, now.cell_mv, now.minutes_left, more)

    def _loads_report(self) -> list[dict[str, Any]]:
        off = set() if self.loads is None else {load.name for load in self.loads.off}
        return [
            {"name": load.name, "kind": load.kind, "mw": round(load.watts * 1000), "on": load.name not in off}
            for load in self._options.loads
        ]


def _plan(outlook: Outlook | None) -> dict[str, Any] | None:
    if outlook is None:
        return None
    plan, budget = outlook.plan, outlook.budget
    return {
        "start": plan.start,
        "end": plan.until,
        "seconds_left": round(outlook.hours_left * 3600),
        "loads": {name: round(watts * 1000) for name, watts in outlook.watts.items()},
        "pack_mwh": plan.pack,
        "reserve_mwh": plan.reserve,
        "usable_mwh": None if budget is None else round(budget.usable_wh * 1000),
        "need_mwh": None if budget is None else round(budget.need_wh * 1000),
        "margin_permille": None if budget is None else budget.margin_permille,
        "verdict": None if budget is None else budget.verdict,
    }
