"""Drives a counter scale: asks what lies on it, tells it to zero and to tare. What it says is in `toledo` and `cas`.

Every answer is to a question just asked: nothing is remembered, nothing that came unasked is believed. An answer has no
number, so after one that came late or not at all the line is left to fall silent before the next question.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from holdfast_drivers.links.base import Link, Opener
from holdfast_drivers.scales.base import AnswerFramer, Capability, ScaleProtocol, ScaleStats
from holdfast_drivers.values import DeviceError, ScaleReading, ScaleState

_CHUNK = 256
_GLANCE = 0.002
"""Seconds. Whatever is there is read within it; a time-out of 0 would not look."""
UNANSWERED = frozenset({"timeout", "garbled"})
"""Details of a reading that no answer stands behind."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds."""

    answer: float = 1.0
    """For a whole answer. A tare is answered after 150 ms (DIVA manual)."""
    quiet: float = 0.25
    """Silence after which no late answer is expected."""
    drain: float = 1.5
    """A line that does not fall silent within this time is asked all the same."""
    write: float = 1.0
    again: float = 0.15
    """Between two questions while it moves."""
    settle: float = 2.0
    """For it to show zero after it was told to zero or to tare."""


class Scale:
    """`async with Scale(opener, protocol) as scale: await scale.weigh(patience=2)`

    Entering raises what the opener raises. Questions raise DeviceError(`unplugged`) when the scale is gone, and nothing
    else; silence and noise are readings of UNKNOWN. Commands raise DeviceError: `refused`, `timeout`, `unplugged`.
    """

    def __init__(self, opener: Opener, protocol: ScaleProtocol, *, limits: Limits | None = None) -> None:
        self.stats = ScaleStats()
        self._opener = opener
        self._protocol = protocol
        self._limits = limits or Limits()
        self._framer = AnswerFramer(protocol)
        self._link: Link | None = None
        self._asking = asyncio.Lock()
        self._doubtful = True
        """An answer to an earlier question may still come."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(self._protocol.commands)

    async def __aenter__(self) -> Self:
        self._link = await self._opener()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._link is not None:
            await self._link.close()

    async def read(self) -> ScaleReading:
        """What it says now. Takes `drain`, `write` and `answer` together at most, and that again if others ask too."""
        return await self._ask(self._protocol.weigh)

    async def weigh(self, *, patience: float) -> ScaleReading:
        """What it says once it no longer moves; after `patience` seconds, that it still moves."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        reading = await self.read()
        while reading.state is ScaleState.WEIGHT_UNSTABLE and loop.time() < until:
            await asyncio.sleep(self._limits.again)
            reading = await self.read()
        return reading

    async def zero(self) -> None:
        """Take what it bears now for nothing."""
        await self._tell(Capability.ZERO)
        await self._shows_zero("zero")

    async def tare(self) -> None:
        """Take off what lies on it. Refused unless a weight lies on it and rests."""
        before = await self.read()
        if before.state is not ScaleState.STABLE_WEIGHT:
            raise DeviceError("refused", before.state.value)
        await self._tell(Capability.TARE)
        await self._shows_zero("tare")

    async def clear_tare(self) -> None:
        """Weigh gross again."""
        await self._tell(Capability.CLEAR_TARE)

    async def _tell(self, what: Capability) -> None:
        command = self._protocol.commands.get(what)
        if command is None:
            raise DeviceError("refused", f"{self._protocol.name} has no {what.name.lower()}")
        answer = await self._ask(command)
        if answer.detail == "unknown_command":
            raise DeviceError("refused", f"the scale knows no {what.name.lower()}")
        if answer.detail in UNANSWERED:
            raise DeviceError("timeout", f"no answer to {what.name.lower()}")

    async def _shows_zero(self, what: str) -> None:
        """The answer to a command is the state before it: look until it is done."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.settle
        while (reading := await self.read()).state is not ScaleState.WEIGHT_ZERO:
            if loop.time() >= until:
                raise DeviceError("refused", f"no {what}: {reading.state.value}")
            await asyncio.sleep(self._limits.again)

    async def _ask(self, question: bytes) -> ScaleReading:
        assert self._link is not None, "use the scale as an async context manager"
        async with self._asking:
            await self._make_quiet(self._link)
            self.stats.asked += 1
            self._doubtful = True
            reading = await self._answer(self._link, question)
            self._doubtful = reading.detail in UNANSWERED
            self.stats.weights += reading.weight is not None
            return reading

    async def _make_quiet(self, link: Link) -> None:
        """Throw away what came unasked; after an answer that may yet come, wait until the line is silent."""
        self._framer.drop()
        patience = self._limits.quiet if self._doubtful else _GLANCE
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain):
                while await _heard_within(link, patience):
                    pass

    async def _answer(self, link: Link, question: bytes) -> ScaleReading:
        oversize = self._framer.oversize
        try:
            await link.write(question, timeout=self._limits.write)
            async with asyncio.timeout(self._limits.answer):
                while not (answers := self._framer.feed(await link.read(_CHUNK))):
                    pass
        except TimeoutError:
            noise = self._framer.oversize > oversize or self._framer.open
            self.stats.silent += not noise
            self.stats.garbled += noise
            return ScaleReading(detail="garbled" if noise else "timeout")
        except DeviceError as error:
            if error.kind != "timeout":
                raise
            self.stats.silent += 1
            return ScaleReading(detail="timeout")
        reading = self._protocol.read(answers[-1]) if len(answers) == 1 else None
        self.stats.garbled += reading is None
        return reading or ScaleReading(detail="garbled")


async def _heard_within(link: Link, patience: float) -> bool:
    try:
        async with asyncio.timeout(patience):
            await link.read(_CHUNK)
    except TimeoutError:
        return False
    return True
