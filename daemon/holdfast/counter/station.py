"""A station: scans in, one outcome each, in order. The thin shell around `modes`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, auto

import msgspec

from holdfast.counter.cards import leave_cart
from holdfast.counter.commands import BY_CODE, Act
from holdfast.counter.facts import read_facts
from holdfast.counter.modes import confirm, decide, is_due, settle, time_out
from holdfast.counter.ports import ScalePort
from holdfast.counter.repeats import Repeats
from holdfast.counter.state import Action, Chore, Facts, Prompt, Refusal, Rules, State, Weigh
from holdfast.counter.voice import STORAGE_FAILED, Surroundings, Voice
from holdfast.counter.weighing import grams_of, not_done
from holdfast.domain.core import Command, Outcome
from holdfast.domain.operator import SignIn
from holdfast_drivers.barcodes.classify import Code, CommandCode, classify
from holdfast_drivers.values import DeviceError, Scan

QUEUE = 64
"""Scans that wait while a command runs; more are refused."""
TICK_S = 1.0
TIMER = "timer"
"""Actor of what happens by itself."""


class _Chime(Enum):
    """Turns nobody scanned."""

    TICK = auto()
    LEAVE = auto()


@dataclass(frozen=True, slots=True)
class _Waiting:
    what: Code | _Chime
    at: float
    """Monotonic second it came."""
    answer: asyncio.Future[Outcome]
    held: bool = False
    """A button's long press, which stands for a card scanned twice."""


class Station:
    """One place where one person works. `print_slips`: prompts and refusals go on paper, for there is no screen."""

    def __init__(
        self,
        rules: Rules,
        around: Surroundings,
        *,
        repeat_ms: int = 120,
        print_slips: bool = True,
        scale: ScalePort | None = None,
    ) -> None:
        self.refused_full = 0
        """Scans refused because too many were waiting."""
        self._rules = rules
        self._around = around
        self._scale = scale
        self._voice = Voice(rules.station, around, print_slips=print_slips)
        self._repeats = Repeats(repeat_ms / 1000)
        self._state = State(touched=around.clock.monotonic())
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(QUEUE)
        self._turned = asyncio.Event()

    @property
    def name(self) -> str:
        return self._rules.station

    def offer(self, scan: Scan) -> asyncio.Future[Outcome]:
        """Take a scan. Its outcome comes when its turn does; a repeated read is answered at once, with no effect."""
        code = classify(scan)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if not scan.terminated:  # one truncated card in 37 still has a right check character
            answer.set_result(self._voice.show(Refusal("command_corrupt")))
            return answer
        if self._repeats.is_repeat(scan, digit=_is_digit(code)):
            answer.set_result(Outcome(data={"repeated": True}))
            return answer
        return self._enqueue(_Waiting(code, self._around.clock.monotonic(), answer))

    def press(self, card: str, *, held: bool = False) -> asyncio.Future[Outcome]:
        """A button that stands for a command card; `held` for long: for one scanned twice. Its line is debounced."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        return self._enqueue(_Waiting(CommandCode(card), self._around.clock.monotonic(), answer, held))

    def _enqueue(self, waiting: _Waiting) -> asyncio.Future[Outcome]:
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            self.refused_full += 1
            waiting.answer.set_result(self._voice.show(Refusal("queue_full")))
        return waiting.answer

    async def scan(self, scan: Scan) -> Outcome:
        """Take a scan and wait for its outcome."""
        return await self.offer(scan)

    async def run(self) -> None:
        """Serve scans and timeouts until cancelled. May be run again after a failure."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve(), name=f"station {self.name}: scans")
            group.create_task(self._tick(), name=f"station {self.name}: timeouts")

    async def quiesce(self, limit: float) -> None:
        """Refuse what is new, let an amount being keyed become a payment, then park. Takes `limit` seconds at most."""
        self._state = replace(self._state, stopping=True)
        with suppress(TimeoutError, *STORAGE_FAILED):
            async with asyncio.timeout(limit / 2):
                await self._queue.join()
                while self._state.number and (await read_facts(self._around.journal, self.name)).cart:
                    self._turned.clear()
                    await self._turned.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit / 2):
                await self._chime(_Chime.LEAVE)

    async def _tick(self) -> None:
        while True:
            await self._around.clock.sleep(TICK_S)
            if is_due(self._state, self._around.clock.monotonic(), self._rules):
                await self._chime(_Chime.TICK)

    async def _chime(self, chime: _Chime) -> None:
        """Take a turn behind the scans that wait."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Waiting(chime, self._around.clock.monotonic(), answer))
        await asyncio.wait([answer])

    async def _serve(self) -> None:
        while True:
            waiting = await self._queue.get()
            try:
                outcome = await self._turn(waiting)
                if not waiting.answer.done():
                    waiting.answer.set_result(outcome)
            finally:
                waiting.answer.cancel()
                self._queue.task_done()
                self._turned.set()

    async def _turn(self, waiting: _Waiting) -> Outcome:
        try:
            facts = await read_facts(self._around.journal, self.name)
            if isinstance(waiting.what, _Chime):
                return await self._by_itself(waiting.what, facts)
            if waiting.held:
                self._state = confirm(self._state, waiting.what, waiting.at)
            self._state, action = decide(self._state, facts, waiting.what, waiting.at, self._rules)
            return await self._do(action, facts)
        except STORAGE_FAILED:
            return self._voice.show(Refusal("storage_failed"))

    async def _by_itself(self, chime: _Chime, facts: Facts) -> Outcome:
        if chime is _Chime.TICK:
            self._state, command = time_out(self._state, facts, self._around.clock.monotonic(), self._rules)
        else:
            self._state = self._state.cleared()
            command = leave_cart(facts, self.name, "stopping") if facts.cart else None
        if command is None:
            return Outcome()
        outcome = await self._around.journal.execute(command, actor=TIMER)
        await self._voice.done(command, outcome, light=False)
        return outcome

    async def _do(self, action: Action, facts: Facts) -> Outcome:
        match action:
            case Prompt() | Refusal():
                return await self._voice.tell(action)
            case Chore.STATUS:
                return await self._voice.status()
            case Chore.SHUTDOWN:
                self._around.shutdown(f"card at {self.name}")
                return Outcome()
            case Chore.TARE | Chore.ZERO:
                return await self._tell_scale(action)
            case _:
                return await self._execute(action, facts)

    async def _execute(self, command: Command, facts: Facts) -> Outcome:
        """The light follows the commit, never the other way round (G-4)."""
        actor = command.badge if isinstance(command, SignIn) else facts.badge or f"station:{self.name}"
        outcome = await self._around.journal.execute(command, actor=actor)
        self._state, said = settle(self._state, command, outcome)
        if isinstance(said, Weigh):
            return await self._weigh(said, outcome, facts)
        if said is not None:
            return await self._voice.tell(said, actor=actor)
        await self._voice.done(command, outcome)
        return outcome

    async def _weigh(self, wanted: Weigh, refused: Outcome, facts: Facts) -> Outcome:
        """Nothing is written until there is a weight, and no weight is used but the one just asked for."""
        if self._scale is None:
            return await self._voice.tell(Refusal(refused.reason, refused.data))
        grams = grams_of(await self._scale.weigh())
        if isinstance(grams, Refusal):
            return await self._voice.tell(Refusal(grams.reason, {**refused.data, **grams.data}))
        return await self._execute(msgspec.structs.replace(wanted.command, grams=grams), facts)

    async def _tell_scale(self, chore: Chore) -> Outcome:
        """Green once the scale shows zero. The record keeps what is sold, not what the scale was told."""
        if self._scale is None:
            return await self._voice.tell(Refusal("device_absent"))
        try:
            await (self._scale.tare() if chore is Chore.TARE else self._scale.zero())
        except DeviceError as error:
            return await self._voice.tell(not_done(error))
        return self._voice.obeyed(chore.value)


def _is_digit(code: Code) -> bool:
    card = BY_CODE.get(code.code) if isinstance(code, CommandCode) else None
    return card is not None and card.act is Act.DIGIT
