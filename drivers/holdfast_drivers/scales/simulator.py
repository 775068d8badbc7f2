"""Scales without a scale: a platform that answers in a protocol, and fails as scales and their cables do."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from random import Random

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.listening import Listening
from holdfast_drivers.scales import cas, toledo
from holdfast_drivers.scales.platform import Platform
from holdfast_drivers.values import WeightUnit

_WRITE_TIMEOUT = 5.0
_MAX_COMMAND = 32


class ScaleSimulator(Listening):
    """Answers on the device's side of a link. `platform` is what a hand may touch."""

    def __init__(self, link: Link, platform: Platform | None = None, *, seed: int = 0) -> None:
        self.platform = platform or Platform()
        self.heard: list[str] = []
        """Commands other than to weigh, as they came."""
        self.asked = 0
        """How often it was told to weigh."""
        self.silent = False
        self.late = 0.0
        """Seconds an answer takes."""
        self.parity = False
        """Sends as a port with 8 data bits and no parity receives it: with even parity in bit 7."""
        self.twice = False
        """Says everything twice."""
        self.cut = False
        """Ends each answer half way."""
        super().__init__(link)
        self._rng = Random(seed)
        self._pending = b""
        self._sending = asyncio.Lock()

    async def garbage(self, count: int) -> None:
        """`count` random bytes: a wrong baud rate, a bad cable."""
        await self.say(self._rng.randbytes(count))

    async def say(self, data: bytes) -> None:
        """Bytes, asked for or not."""
        async with self._sending:
            await self._link.write(data, timeout=_WRITE_TIMEOUT)

    async def _listen(self) -> None:
        while True:
            self._pending += await self._link.read(256)
            commands, self._pending = self._split(self._pending)
            self._pending = self._pending[-_MAX_COMMAND:]
            for command in commands:
                if answer := self._obey(command):
                    await self._answer(answer)

    async def _answer(self, answer: bytes) -> None:
        if self.silent:
            return
        await asyncio.sleep(self.late)
        answer = answer[: len(answer) // 2] if self.cut else answer * 2 if self.twice else answer
        if self.parity:
            answer = bytes(byte | (byte.bit_count() & 1) << 7 for byte in answer)
        await self.say(answer)

    @abstractmethod
    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Whole commands, and what is left."""

    def _obey(self, command: bytes) -> bytes:
        if command == b"W":
            self.asked += 1
            return self._weight()
        self.heard.append(command.decode("ascii", "replace"))
        action = self._actions().get(command)
        if action is None:
            return self._not_known()
        action()
        return self._status()

    @abstractmethod
    def _actions(self) -> dict[bytes, Callable[[], None]]:
        """What its commands do."""

    @abstractmethod
    def _weight(self) -> bytes:
        """The answer to W."""

    @abstractmethod
    def _status(self) -> bytes:
        """The answer to a command it knows."""

    @abstractmethod
    def _not_known(self) -> bytes:
        """The answer to one it does not."""

    @property
    def _has_weight(self) -> bool:
        platform = self.platform
        return not (platform.moving or platform.over or platform.shown < 0 or platform.faulty)


class ToledoSimulator(ScaleSimulator):
    """In kilograms. A letter is a command; what it does not know, it leaves unanswered; so is T where tare is off."""

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        return [bytes([byte]) for byte in data], b""

    def _actions(self) -> dict[bytes, Callable[[], None]]:
        known = {b"Z": self.platform.zero, b"C": self.platform.clear_tare}
        return known | ({b"T": self.platform.tare} if self.platform.can_tare else {})

    def _weight(self) -> bytes:
        if not self._has_weight:
            return self._status()
        return toledo.encode(toledo.Shown(self.platform.shown, 3, bool(self.platform.tared)))

    def _status(self) -> bytes:
        platform, flag = self.platform, toledo.Status
        return toledo.encode(
            (flag.MOTION if platform.moving else flag(0))
            | (flag.OVER_CAPACITY if platform.over else flag(0))
            | (flag.UNDER_ZERO if platform.shown < 0 else flag(0))
            | (flag(0) if platform.within_zero_range else flag.OUTSIDE_ZERO_CAPTURE)
            | (flag(0) if platform.gross else flag.CENTRE_OF_ZERO)
            | (flag.NET if platform.tared else flag(0))
        )

    def _not_known(self) -> bytes:
        return b""


class CasSimulator(ScaleSimulator):
    """In kilograms. `count` status bytes: a PD-II sends two, others of the family up to four."""

    count = 2

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        *whole, rest = data.split(b"\r")
        return whole, rest

    def _actions(self) -> dict[bytes, Callable[[], None]]:
        known = {b"Z": self.platform.zero, b"S": lambda: None}
        return known | ({b"T": self.platform.tare} if self.platform.can_tare else {})

    def _weight(self) -> bytes:
        shown = cas.Shown(self.platform.shown, 3, WeightUnit.KILOGRAM) if self._has_weight else None
        return cas.encode(cas.Answer(self._bits(), self.count, shown))

    def _status(self) -> bytes:
        return cas.encode(cas.Answer(self._bits(), self.count))

    def _not_known(self) -> bytes:
        return cas.encode(cas.UnknownCommand())

    def _bits(self) -> int:
        platform, flag = self.platform, cas.Status
        bits = (
            (flag.MOTION if platform.moving else 0)
            | (0 if platform.shown else flag.AT_ZERO)
            | (flag.EEPROM_ERROR if platform.faulty else 0)
            | (flag.UNDER_CAPACITY if platform.shown < 0 else 0)
            | (flag.OVER_CAPACITY if platform.over else 0)
            | (flag.NET if platform.tared else 0)
        )
        return bits & (1 << 4 * self.count) - 1


KINDS: dict[str, type[ScaleSimulator]] = {"toledo": ToledoSimulator, "cas": CasSimulator}
