"""Loads the hub can switch: shed in order, restored the other way round, each change in the record.

Nothing here is ever needed to sell: what is never shed cannot be configured as a load.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

from holdfast.config import SHED_ORDER, Load
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.domain.core import Command, Outcome
from holdfast.domain.power import NoteLoad
from holdfast.domain.stages import Stage
from holdfast_drivers.links.header import Header, gpio_header
from holdfast_drivers.values import DeviceError, Tri

log = logging.getLogger(__name__)

ACTOR = "power"
PATIENCE = 10.0
"""Seconds for a command that switches a load."""
AGAIN = 60.0
"""Seconds until a load that did not obey is tried again."""


class Execute(Protocol):
    def __call__(self, command: Command, *, actor: str) -> Awaitable[Outcome]: ...


class Loads:
    """`run` is one life of the lines; `follow` says what to do."""

    def __init__(
        self,
        options: tuple[Load, ...],
        *,
        health: HealthBoard,
        execute: Execute,
        switched: Callable[[str, bool], None],
        shed: Callable[[], Awaitable[frozenset[str]]],
    ) -> None:
        """`shed`: names of those that the record has as off, read when asked."""
        self.name = "loads"
        self._options = sorted(options, key=lambda load: SHED_ORDER.index(load.kind))
        self._health = health
        self._execute = execute
        self._switched = switched
        self._shed = shed
        self._off: set[str] = set()
        self._stage = Stage.NORMAL
        self._all_off = False
        self._called = asyncio.Event()
        self._turn = asyncio.Lock()
        self._pins: dict[str, Any] = {}
        self._headers: dict[str, Header] = {}
        health.add(self.name, "loads", ", ".join(load.name for load in self._options))

    @property
    def off(self) -> list[Load]:
        """Those that are shed, in order."""
        return [load for load in self._options if load.name in self._off]

    def follow(self, stage: Stage) -> None:
        """The stage is this one from now on. Returns at once."""
        self._stage = stage
        self._called.set()

    async def run(self) -> None:
        """Raises DeviceError when a line cannot be had."""
        shed = await self._shed()
        self._off = {load.name for load in self._options if load.name in shed}
        async with AsyncExitStack() as stack:
            for load in self._options:
                if load.pin is not None:
                    await self._take(load, stack)
            self._health.online(self.name, off=str(len(self._off)))
            while True:
                self._called.clear()
                async with self._turn:
                    settled = await self._settle()
                try:
                    async with asyncio.timeout(None if settled else AGAIN):
                        await self._called.wait()
                except TimeoutError:
                    continue

    async def check(self) -> Verdict:
        """CheckHealth: whether every line is held. Whether a command works, nobody knows before it is given."""
        await asyncio.sleep(0)
        missing = [load.name for load in self._options if load.pin is not None and load.name not in self._pins]
        if missing:
            return Tri.NO, f"no line for {', '.join(missing)}"
        told = f"{len(self._off)} of {len(self._options)} are off"
        return (Tri.UNKNOWN if any(load.pin is None for load in self._options) else Tri.YES), told

    async def quiesce(self, _: float) -> None:
        """The hub stops: everything off, in order."""
        self._all_off = True
        async with self._turn:
            await self._settle()

    async def _settle(self) -> bool:
        """One load after the other until all are as the stage has them. False: one did not obey."""
        obeyed = True
        tried: set[str] = set()
        while (load := self._next(tried)) is not None:
            tried.add(load.name)
            on = load.name in self._off
            done = await self._switch(load, on=on)
            obeyed = obeyed and done
            if done:
                (self._off.discard if on else self._off.add)(load.name)
                self._switched(load.kind, on)
            note = NoteLoad(name=load.name, kind=load.kind, mw=round(load.watts * 1000), on=on, done=done)
            await self._execute(note, actor=ACTOR)
            self._health.online(self.name, off=str(len(self._off)))
        return obeyed

    def _next(self, tried: set[str]) -> Load | None:
        """What is to be switched next: shed in order, restored in the other."""
        shedding = self._all_off or self._stage >= Stage.SHED
        wrong = [load for load in self._options if (load.name in self._off) is not shedding and load.name not in tried]
        return None if not wrong else wrong[0] if shedding else wrong[-1]

    async def _switch(self, load: Load, *, on: bool) -> bool:
        if load.pin is None:
            return await _run(load.on if on else load.off)
        pin = self._pins.get(load.name)
        if pin is None:
            return False
        await self._headers[load.chip].call(pin.off if on else pin.on)
        return True

    async def _take(self, load: Load, stack: AsyncExitStack) -> None:
        """The load's line, at the level it should have."""
        if load.chip not in self._headers:
            self._headers[load.chip] = await stack.enter_async_context(gpio_header(load.chip))
            stack.callback(self._headers.pop, load.chip)
        header = self._headers[load.chip]

        def take() -> Any:
            from gpiozero import DigitalOutputDevice  # noqa: PLC0415 - in the header's thread, which has imported it

            return DigitalOutputDevice(
                load.pin,
                active_high=load.off_level == "high",
                initial_value=load.name in self._off,
                pin_factory=header.factory,
            )

        pin = await header.call(take)
        self._pins[load.name] = pin
        stack.push_async_callback(self._give_back, load, pin, header)

    async def _give_back(self, load: Load, pin: Any, header: Header) -> None:
        del self._pins[load.name]
        try:
            await header.call(pin.close)
        except DeviceError as error:
            log.debug("load %s: %s", load.name, error)


async def _run(command: tuple[str, ...]) -> bool:
    """Whether it ended well, and in time."""
    try:
        process = await asyncio.create_subprocess_exec(*command)
    except OSError as error:
        log.warning("load: %s: %s", " ".join(command), error)
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            status = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        log.warning("load: %s took longer than %.0f s", " ".join(command), PATIENCE)
        return False
    return status == 0
