"""A receipt printer that is not there: speaks on a link, keeps the paper, breaks down when told to.

It answers as its model does (firmware.py) and prints as fast as told; it knows nothing of the driver.
Runs by itself too: `python -m holdfast_drivers.printers.sim --help`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from random import Random
from types import TracebackType
from typing import Self

from holdfast_drivers.links.base import Link
from holdfast_drivers.printers.firmware import EscPosFirmware, Model, StarFirmware
from holdfast_drivers.printers.machine import DOTS_PER_MM, Machine
from holdfast_drivers.printers.paper import Cut, Item, Line, Pulse, Receipt, Request, Symbol
from holdfast_drivers.values import DeviceError

_REPLY_TIMEOUT = 5.0
_BUSY_AT, _READY_AT = 128, 256
"""Free bytes of the receive buffer at which XOFF and XON go out (TM-T88III)."""
_XON, _XOFF = b"\x11", b"\x13"
_BITE = 64
"""Bytes taken from the receive buffer at once."""
_NAP = 0.01
"""Printing time is slept off in steps of at least this."""
_MAX_ITEMS = 20_000
"""On one strip of paper; beyond, the oldest are forgotten."""


class FlowControl(Enum):
    """What happens when the receive buffer is full."""

    LINK = "link"
    """It stops reading, as a USB printer or one on RTS/CTS makes the host wait."""
    XONXOFF = "xonxoff"
    """It asks the host to stop, and loses what comes nevertheless."""
    NONE = "none"
    """It loses what comes."""


@dataclass(frozen=True, slots=True)
class Kicked:
    """A drawer pulse went out."""

    pin: int
    on_ms: int


Event = Receipt | Kicked


class PrinterSimulator:
    """An async context manager that plays the printer on `link` until it is left; closes the link then.

    `speed` is millimetres of paper per second, None: as fast as it goes. `on_event` gets each Receipt when it is cut
    and each drawer kick. Faults are plain methods and take effect at once.
    """

    def __init__(
        self,
        link: Link,
        *,
        model: Model = Model.FULL,
        machine: Machine | None = None,
        dots: int = 576,
        speed: float | None = None,
        buffer_bytes: int = 4096,
        flow: FlowControl = FlowControl.LINK,
        drawer_open_high: bool = True,
        pages: Mapping[int, str] | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
        seed: int = 0,
    ) -> None:
        """`drawer_open_high` is the level of the drawer's switch line when it stands open; it begins shut.

        `pages` are the model's own code pages, by number; None: the usual ones of its language.
        """
        self.machine = machine or Machine()
        self.machine.drawer_high = not drawer_open_high
        self._drawer_open_high = drawer_open_high
        self._pages = pages
        self.lost_bytes = 0
        """Received while the buffer was full."""
        self._link = link
        self._model = model
        self._dots = dots
        self._speed = speed
        self._capacity = buffer_bytes
        self._flow = flow
        self._on_event = on_event
        self._random = Random(seed)
        self._silent = False
        self._strip: deque[Item] = deque(maxlen=_MAX_ITEMS)
        self._owed_s = 0.0
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._stirred = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._power_on()

    def _power_on(self) -> None:
        self._buffer = bytearray()
        kind = StarFirmware if self._model is Model.STAR else EscPosFirmware
        self._firmware = kind(self._model, self.machine, self._dots, say=self._say, kick=self._kick, pages=self._pages)
        self._host_stopped = False

    async def __aenter__(self) -> Self:
        for loop in (self._receive, self._print, self._reply):
            self._tasks.append(asyncio.create_task(_while_linked(loop), name=f"printer simulator {loop.__name__}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.close()

    async def wait_unplugged(self) -> None:
        """Returns when the other end of the link is gone."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    @property
    def unknown_bytes(self) -> int:
        """Received bytes that belonged to no command, since power on."""
        return self._firmware.interpreter.unknown

    def paper_out(self) -> None:
        self.machine.paper_mm = 0
        self._stir()

    def load_paper(self, millimetres: float = 80_000.0) -> None:
        self.machine.paper_mm = millimetres
        self._stir()

    def open_cover(self) -> None:
        self.machine.cover_open = True
        self._stir()

    def close_cover(self) -> None:
        self.machine.cover_open = False
        self._stir()

    def jam_cutter(self) -> None:
        self.machine.cutter_jammed = True
        self._stir()

    def clear_jam(self) -> None:
        self.machine.cutter_jammed = False
        self._stir()

    def close_drawer(self) -> None:
        self.machine.drawer_high = not self._drawer_open_high
        self._stir()

    def tear_off(self) -> None:
        """Take what has been printed since the last cut."""
        if self._strip:
            self._on_event(Receipt(self._dots, tuple(self._strip)))
        self._strip.clear()

    def go_silent(self) -> None:
        """Print on, but say nothing more."""
        self._silent = True

    def speak(self) -> None:
        self._silent = False
        self._stir()

    def slow(self, factor: float) -> None:
        """Print `factor` times slower from now on; a printer without a speed has 100 mm/s first."""
        self._speed = (self._speed or 100.0) / factor

    def garbage(self, count: int) -> None:
        """Send `count` random bytes to the host."""
        self._outbox.put_nowait(self._random.randbytes(count))

    def power_cycle(self) -> None:
        """Off and on: the buffer and every setting are gone, the strip printed so far is torn off."""
        self.tear_off()
        self._power_on()
        self._stir()

    async def _receive(self) -> None:
        while True:
            room = self._capacity - len(self._buffer)
            if self._flow is FlowControl.LINK and not room:
                await self._stirred.wait()
                continue
            data = await self._link.read(room if self._flow is FlowControl.LINK else self._capacity)
            self._firmware.overhear(data)
            self.lost_bytes += max(0, len(data) - room)
            self._buffer += data[:room]
            self._stir()

    async def _print(self) -> None:
        while True:
            if not self._buffer:
                await self._stirred.wait()
                continue
            bite = bytes(self._buffer[:_BITE])
            del self._buffer[:_BITE]
            self._stir()
            firmware = self._firmware
            for item in firmware.interpreter.feed(bite):
                await self._until_ready()
                if firmware is not self._firmware:
                    break  # switched off meanwhile
                self._do(item)
                await self._take_time()

    async def _reply(self) -> None:
        while True:
            data = await self._outbox.get()
            await self._link.write(data, timeout=_REPLY_TIMEOUT)

    async def _until_ready(self) -> None:
        while not self.machine.ready:
            await self._stirred.wait()

    async def _take_time(self) -> None:
        if self._owed_s >= _NAP:
            owed, self._owed_s = self._owed_s, 0.0
            await asyncio.sleep(owed)

    def _do(self, item: Item) -> None:
        match item:
            case Line() | Symbol():
                self._strip.append(item)
                self._advance(item.height / DOTS_PER_MM)
            case Cut():
                self.tear_off()
            case Pulse():
                self._kick(item.pin, item.on_ms)
            case Request():
                self._firmware.answer(item)
                self._stir()

    def _advance(self, millimetres: float) -> None:
        self.machine.paper_mm = max(0.0, self.machine.paper_mm - millimetres)
        self._owed_s += millimetres / self._speed if self._speed else 0.0
        self._stir()

    def _kick(self, pin: int, on_ms: int) -> None:
        self.machine.drawer_high = self._drawer_open_high
        self._on_event(Kicked(pin, on_ms))
        self._stir()

    def _say(self, data: bytes) -> None:
        if data and not self._silent and self._model is not Model.MUTE:
            self._outbox.put_nowait(data)

    def _stir(self) -> None:
        """Something changed: whoever waits looks again, and the host is told what it asked to be told."""
        self._throttle()
        if not self._silent:
            self._firmware.report()
        self._stirred.set()
        self._stirred = asyncio.Event()

    def _throttle(self) -> None:
        free = self._capacity - len(self._buffer)
        if self._flow is FlowControl.XONXOFF and free <= _BUSY_AT and not self._host_stopped:
            self._host_stopped = True
            self._outbox.put_nowait(_XOFF)
        elif self._host_stopped and free >= _READY_AT:
            self._host_stopped = False
            self._outbox.put_nowait(_XON)


async def _while_linked(loop: Callable[[], Awaitable[None]]) -> None:
    with suppress(DeviceError):
        await loop()
