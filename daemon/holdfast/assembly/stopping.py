"""The ordered stop of a hub, and what becomes of its power afterwards. 60 s in all, whatever hangs (INV-10.1).

The rule is the domain's (power, shutdown order). What it names and this hub does not have is left out: no card payment
to ask about, and an X report says nothing that the journal does not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from holdfast.api.server import ApiServer
from holdfast.assembly.parts import ACTOR, Parts
from holdfast.config import Power
from holdfast.devices.power.cutting import Cutter
from holdfast.domain.hub import NoteStopped
from holdfast.runtime.notify import notify
from holdfast.runtime.stop import Step, StopAsked, in_order
from holdfast_drivers.values import DeviceError, Tri

log = logging.getLogger(__name__)

AGAIN = 4
"""Exit status: the mains came back during the stop; systemd starts the hub again."""
FOR_POWER = "power"
"""How the reason of a stop for want of power begins."""
CUT_LIMIT = 3.0
COMMAND_LIMIT = 1.5
LOOK_EVERY = 1.0
"""Seconds between two looks for the mains, while nothing but they can help."""

Command = Callable[[tuple[str, ...]], Awaitable[None]]


async def stop_when_asked(parts: Parts, api: ApiServer) -> None:
    """The ordered stop, then StopAsked."""
    why = await parts.stop.wait()
    log.info("stopping: %s", why)
    power = parts.config.power
    stays = why.startswith(FOR_POWER) and power is not None and not power.poweroff
    notify(*([] if stays else ["STOPPING=1"]), f"STATUS=stopping: {why}")
    report = await in_order(steps(parts, api, why))
    log.info("stopped: %s", ", ".join(f"{name} {outcome} in {seconds:.1f} s" for name, seconds, outcome in report))
    if not why.startswith(FOR_POWER) or power is None:
        raise StopAsked
    cutter = Cutter(power, clock=parts.real.monotonic) if power.cut else None
    ending = Ending(power, cutter, is_back=lambda: is_back(parts), run=run_command, insisted=parts.stop.insisted)
    raise StopAsked(await ending.run())


def steps(parts: Parts, api: ApiServer, why: str) -> list[Step]:
    """In this order; the limits, with those of `Ending`, add up to less than 60 s."""
    loads = parts.powerhouse.loads if parts.powerhouse else None

    async def close_doors(limit: float) -> None:
        parts.fitted.panel.show_stopping()
        await api.quiesce(limit)

    async def park(limit: float) -> None:
        await asyncio.gather(*(station.quiesce(limit) for station in parts.stations.values()))

    async def record(_: float) -> None:
        if parts.powerhouse is not None:
            await parts.powerhouse.energy.finish()
        await parts.journal.execute(NoteStopped(why=why), actor=ACTOR)

    found = [
        Step("doors", 1, close_doors),
        Step("carts", 20, park),
        Step("paper", 10, parts.spooler.quiesce),
        Step("record", 3, record),
    ]
    if parts.uplink is not None:
        found.append(Step("outbox", 10, parts.uplink.quiesce))
    found += [
        Step("statistics", 1, lambda _: parts.statistics.save()),
        Step("database", 5, lambda _: parts.journal.settle()),
    ]
    return found + ([Step("loads", 2, loads.quiesce)] if loads is not None else [])


def is_back(parts: Parts) -> bool:
    """The mains are there, and nobody asks for the stop any more."""
    if parts.power is None:
        return False
    now = parts.power.now()
    return now.mains is Tri.YES and not now.stop_asked


class Ending:
    """What becomes of the power after a stop for want of it. Never stays off once the mains are back."""

    def __init__(
        self,
        options: Power,
        cutter: Cutter | None,
        *,
        is_back: Callable[[], bool],
        run: Command,
        insisted: asyncio.Event,
    ) -> None:
        self._options = options
        self._cutter = cutter
        self._is_back = is_back
        self._run = run
        self._insisted = insisted

    async def run(self) -> int:
        """The exit status: AGAIN when the hub is to be started again, 0 when the power goes."""
        if not self._options.poweroff:
            return await self._hold()
        if self._is_back():
            return self._again("nothing was switched off yet")
        ordered = self._cutter is not None and await self._order(self._cutter)
        if not self._is_back():
            await self._run(self._options.poweroff)
            return 0
        if not ordered or (self._cutter is not None and await self._take_back(self._cutter)):
            return self._again("the cut was taken back" if ordered else "nothing was switched off yet")
        log.warning("the mains are back, and the board will cut the power all the same: rebooting")
        await self._run(self._options.reboot)
        return 0

    async def _hold(self) -> int:
        """Nothing powers this machine off: wait for the mains, or for the battery's end."""
        log.info("stopped in order; waiting for the mains")
        notify("STATUS=stopped in order; waiting for the mains")
        while not self._is_back():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._insisted.wait()
            if self._insisted.is_set():
                return 0
        return self._again("nothing was switched off")

    async def _order(self, cutter: Cutter) -> bool:
        """True: the board may have taken it."""
        try:
            async with asyncio.timeout(CUT_LIMIT):
                await cutter.order()
        except (DeviceError, TimeoutError) as error:
            log.warning("the board was told to cut the power and may not have heard it: %s", error)
        return True

    async def _take_back(self, cutter: Cutter) -> bool:
        if not cutter.cancellable:
            return False
        try:
            async with asyncio.timeout(CUT_LIMIT):
                await cutter.cancel()
        except (DeviceError, TimeoutError) as error:
            log.warning("the cut could not be taken back: %s", error)
            return False
        return True

    def _again(self, why: str) -> int:
        log.warning("the mains are back: starting again; %s", why)
        return AGAIN


async def run_command(command: tuple[str, ...]) -> None:
    """Have the system do it. It goes on when we are gone; a command that cannot be run is told."""
    try:
        process = await asyncio.create_subprocess_exec(*command)
        async with asyncio.timeout(COMMAND_LIMIT):
            await process.wait()
    except TimeoutError:
        pass
    except OSError as error:
        log.critical("%s: %s", " ".join(command), error)
