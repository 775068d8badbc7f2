"""A receipt printer that is not there: speaks ESC/POS on a link, keeps the paper, breaks down when told to.

It answers as one of three kinds of printer does and prints as fast as told; it knows nothing of the driver.
Runs by itself too: `python -m holdfast_drivers.printers.sim --help`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from random import Random
from types import TracebackType
from typing import Self

from holdfast_drivers.links.base import Link
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.machine import DOTS_PER_MM, Machine, RealtimeScanner
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
_IDENTITY = {1: b"\x20", 2: b"\x02", 3: b"\x01"}
_INFO = {65: b"1.00 ESC/POS", 66: b"HOLDFAST", 67: b"VIRTUAL-80", 68: b"SIM0001"}


class Model(Enum):
    """What the printer can say."""

    FULL = "full"
    """Everything, GS ( H included."""
    GS_R = "gs-r"
    """All but GS ( H."""
    STATUS = "status"
    """Only its status: DLE EOT and automatic status back, nothing in order."""
    MUTE = "mute"
    """Nothing at all."""


class FlowControl(Enum):
    """What happens when the receive buffer is full."""

    LINK = "link"
    """It stops reading, as a USB printer or one on RTS/CTS makes the host wait."""
    XONXOFF = "xonxoff"
    """It asks the host to stop, and loses what comes nevertheless."""


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
        on_event: Callable[[Event], None] = lambda _: None,
        seed: int = 0,
    ) -> None:
        self.machine = machine or Machine()
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
        self._interpreter = Interpreter(self._dots)
        self._realtime = RealtimeScanner()
        self._auto_status = 0
        self._told = b""
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
        return self._interpreter.unknown

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
        self.machine.drawer_high = False
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
            for command in self._realtime.feed(data):
                self._obey_realtime(command)
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
            interpreter = self._interpreter
            for item in interpreter.feed(bite):
                await self._until_ready()
                if interpreter is not self._interpreter:
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
                self._answer(item)

    def _advance(self, millimetres: float) -> None:
        self.machine.paper_mm = max(0.0, self.machine.paper_mm - millimetres)
        self._owed_s += millimetres / self._speed if self._speed else 0.0
        self._stir()

    def _kick(self, pin: int, on_ms: int) -> None:
        self.machine.drawer_high = True
        self._on_event(Kicked(pin, on_ms))
        self._stir()

    def _answer(self, request: Request) -> None:
        n = request.args[0] if request.args else 0
        if request.prefix == b"\x1da":
            self._auto_status = n
            self._told = b""
            self._stir()
        elif self._model is Model.STATUS:
            return
        elif request.prefix == b"\x1dr" and n in (1, 49):
            self._say(bytes([self.machine.paper_sensor()]))
        elif request.prefix == b"\x1dr" and n in (2, 50):
            self._say(bytes([self.machine.drawer_high]))
        elif request.prefix == b"\x1dI":
            self._say(_IDENTITY[n % 48] if n % 48 in _IDENTITY else b"_" + _INFO[n] + b"\0" if n in _INFO else b"")
        elif request.prefix == b"\x1d(H" and request.args[:2] == b"00" and self._model is Model.FULL:
            self._say(b"7\x22" + request.args[2:6] + b"\0")

    def _obey_realtime(self, command: bytes) -> None:
        kind, n = command[1], command[2]
        if kind == 0x04:
            answer = self.machine.realtime(n)
            self._say(bytes([answer]) if answer is not None else b"")
        elif kind == 0x05 and n in (1, 2):
            self.clear_jam()
        elif kind == 0x14 and n == 1:
            self._kick(command[3] & 1, command[4] * 100)
        elif kind == 0x14 and n == 7:
            self._say(self.machine.auto_status())

    def _say(self, data: bytes) -> None:
        if data and not self._silent and self._model is not Model.MUTE:
            self._outbox.put_nowait(data)

    def _stir(self) -> None:
        """Something changed: whoever waits looks again, and the host is told what it asked to be told."""
        self._throttle()
        status = self.machine.auto_status()
        if self._auto_status and status != self._told and not self._silent:
            self._told = status
            self._say(status)
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


if __name__ == "__main__":
    from holdfast_drivers.printers.sim_main import main

    main()
