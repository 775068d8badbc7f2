"""Claim and release: another program gets the port, the hub gets it back, and nothing else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from holdfast.devices import claims as module
from holdfast.devices.claims import Claims
from holdfast.devices.health import Health, HealthBoard
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import SystemClock
from holdfast.runtime.supervise import restarted
from holdfast_drivers.values import DeviceError, DeviceState
from support.waiting import until


class Hub:
    """One device under supervision, with a port that is open or not."""

    def __init__(self) -> None:
        self.told: list[Health] = []
        self.health = HealthBoard(SystemClock(), self.told.append)
        self.health.add("printer", "printer", "/dev/lp")
        self.health.add("drawer", "drawer", "/dev/lp", part_of="printer")
        self.wake = asyncio.Event()
        self.busy = False
        self.claims = Claims(health=self.health, wake=lambda _: self.wake, busy=lambda _: self.busy)
        self.open = False
        self.lives = 0
        self.failures: list[Exception] = []
        self.fails: BaseException | None = None
        self.closes_within = 0.0

    async def run(self) -> None:
        self.lives += 1
        if self.fails is not None:
            raise self.fails
        self.open = True
        self.health.online("printer", online="yes")
        self.health.online("drawer", open="no")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self.closes_within)
            self.open = False

    def failed(self, error: Exception) -> None:
        self.failures.append(error)
        self.health.lost("printer", error)

    @property
    def states(self) -> set[tuple[DeviceState, str]]:
        return {(device.state, device.reason) for device in self.health.all()}


@asynccontextmanager
async def supervised(hub: Hub) -> AsyncIterator[None]:
    work = hub.claims.around("printer", hub.run)
    backoff = Backoff(first=60, cap=60)
    running = asyncio.create_task(
        restarted("printer", work, clock=SystemClock(), backoff=backoff, failed=hub.failed, wake=hub.wake)
    )
    try:
        await until(lambda: hub.lives)
        yield
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait({running})
        assert not hub.open, "the port is closed when the hub ends"


RELEASED = {(DeviceState.UNKNOWN, "released")}


async def test_a_released_device_is_let_go_of_until_it_is_claimed() -> None:
    hub = Hub()
    async with supervised(hub):
        await hub.claims.release("printer")
        assert not hub.open, "closed before the technician is told so"
        assert hub.states == RELEASED, "its drawer too"
        await asyncio.sleep(0.05)
        assert (hub.lives, hub.failures) == (1, [])
        await hub.claims.release("printer")
        hub.claims.claim("printer")
        assert hub.states == {(DeviceState.UNKNOWN, "")}
        await until(lambda: hub.open)
        assert hub.health["printer"].state is DeviceState.ONLINE
        hub.claims.claim("printer")
        await asyncio.sleep(0.05)
        assert hub.lives == 2, "claiming twice changes nothing"


async def test_a_device_that_is_away_can_be_released_and_comes_back_at_once() -> None:
    hub = Hub()
    hub.fails = DeviceError("absent")
    async with supervised(hub):
        await until(lambda: hub.failures)
        await hub.claims.release("printer")
        assert hub.states == RELEASED
        hub.fails = None
        hub.wake.set()
        await asyncio.sleep(0.05)
        assert hub.lives == 1, "plugging it in does not claim it"
        assert hub.states == RELEASED
        hub.claims.claim("printer")
        await until(lambda: hub.open)


async def test_what_is_at_work_is_not_let_go_of() -> None:
    hub = Hub()
    async with supervised(hub):
        await until(lambda: hub.open)
        hub.busy = True
        with pytest.raises(DeviceError, match="at work"):
            await hub.claims.release("printer")
        assert hub.open
        assert hub.health["printer"].state is DeviceState.ONLINE


async def test_one_that_does_not_close_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LET_GO_WITHIN", 0.02)
    hub = Hub()
    async with supervised(hub):
        await until(lambda: hub.open)
        hub.closes_within = 0.2
        with pytest.raises(DeviceError, match="has not closed its port"):
            await hub.claims.release("printer")
        assert hub.open
        await until(lambda: not hub.open)
        hub.wake.set()
        await until(lambda: hub.states == RELEASED)


async def test_a_drawer_goes_with_its_printer() -> None:
    hub = Hub()
    async with supervised(hub):
        with pytest.raises(DeviceError, match="no port of its own"):
            await hub.claims.release("drawer")
        with pytest.raises(KeyError):
            await hub.claims.release("nobody")


async def test_failures_go_on_being_told_and_cancelling_oneself_is_one() -> None:
    hub = Hub()
    hub.fails = ZeroDivisionError()
    async with supervised(hub):
        await until(lambda: hub.failures)
        hub.fails = asyncio.CancelledError()
        hub.wake.set()
        await until(lambda: len(hub.failures) == 2)
        assert hub.health["printer"].reason == "refused"
        hub.fails = None
        hub.wake.set()
        await until(lambda: hub.open)
