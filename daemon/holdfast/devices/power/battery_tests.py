"""Tests of the battery: who may begin one and when, the UPS that is told to test itself, the week that passes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from holdfast.domain.core import Refused
from holdfast.domain.power import NoteTest
from holdfast_drivers.ups.ending import Ended
from holdfast_drivers.ups.filter import PowerView
from holdfast_drivers.ups.judgement import Judged
from holdfast_drivers.ups.selftest import FULL_PERMILLE, LASTS, Phase, SelfTest, is_test, passed
from holdfast_drivers.values import DeviceError, Tri

log = logging.getLogger(__name__)

ASK_AGAIN = 24 * 3600.0
"""Seconds after which a UPS is told to test itself once more, when it did not."""


class Quiet(Protocol):
    """Whether nobody is in the middle of a sale."""

    def __call__(self) -> Awaitable[bool]: ...


class BatteryTests:
    """Call `over` for the end of every discharge, then `step` for every judgement."""

    def __init__(self, *, quiet: Quiet, ups_test: Callable[[], Awaitable[str]] | None) -> None:
        """`ups_test` makes the UPS test itself and raises DeviceError; None: a person pulls the plug."""
        self._quiet = quiet
        self._ups_test = ups_test
        self._test = SelfTest()
        self._asked_at = float("-inf")
        self._told = ""
        """What the UPS last said of its own test."""

    @property
    def running(self) -> bool:
        return self._test.phase is not Phase.IDLE

    def progress(self, now: float) -> dict[str, Any]:
        """Of the test that goes on, or the verdict of the last."""
        test = self._test
        seconds = int(now - test.since) if self.running else 0
        return {
            "phase": test.phase.value,
            "by": test.by,
            "seconds": seconds,
            "lasts": int(LASTS),
            "verdict": test.verdict,
        }

    async def begin(self, judged: Judged, now: float) -> None:
        """Somebody asks for a test. Raises Refused(`test_not_now`)."""
        if (why_not := await self._why_not(judged)) is not None:
            raise Refused("test_not_now", detail=why_not)
        if self._ups_test is None:
            self._test.ask("person", now)
        else:
            await self._tell_ups(self._ups_test, now)

    async def step(self, judged: Judged, view: PowerView, now: float, *, due: bool) -> NoteTest | None:
        """What a UPS found that tested itself without ever saying that it was on battery.

        One that can be told is told when a test is due and nobody is hurt by it.
        """
        self._test.step(judged, now)
        ups_test = self._ups_test
        if ups_test is not None and due and now - self._asked_at >= ASK_AGAIN and await self._why_not(judged) is None:
            await self._tell_ups(ups_test, now)
        before, self._told = self._told, view.tested or self._told
        waiting = self._test.phase is Phase.WAITING and self._test.by == "ups"
        if not waiting or self._told == before or not self._told.startswith("Done"):
            return None
        self._test.phase, self._test.verdict = Phase.IDLE, "passed" if "passed" in self._told else "failed"
        return NoteTest(result=self._test.verdict, by="ups")

    def over(self, ended: Ended, now: float, *, health: int | None) -> NoteTest | None:
        """A discharge ended: what it says of the battery, if it was long or deep enough."""
        by = self._test.by if self._test.phase in (Phase.RUNNING, Phase.RETURNING) else "outage"
        self._test.over(ended, now)
        if not is_test(ended):
            return None
        return NoteTest(
            result="passed" if passed(ended) else "failed",
            by=by,
            seconds=int(ended.seconds),
            start=ended.start_permille,
            left=ended.left_permille,
            minutes_left=ended.minutes_left,
            health=-1 if health is None else health,
        )

    async def _why_not(self, judged: Judged) -> str | None:
        if self.running:
            return "a test is going on"
        if judged.mains is not Tri.YES:
            return f"mains: {judged.mains.value}"
        if judged.charge_permille is None or judged.charge_permille < FULL_PERMILLE:
            charge = "unknown" if judged.charge_permille is None else f"{judged.charge_permille / 10:.0f} %"
            return f"the charge is {charge}"
        return None if await self._quiet() else "a sale is open"

    async def _tell_ups(self, ups_test: Callable[[], Awaitable[str]], now: float) -> None:
        self._asked_at = now
        try:
            command = await ups_test()
        except DeviceError as error:
            log.warning("the UPS cannot be told to test itself: %s", error)
            self._test.ask("person", now)
            return
        log.info("the UPS tests itself: %s", command)
        self._test.ask("ups", now)
