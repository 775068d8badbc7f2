"""What a simulated printer says, and to which commands: one class for each language. No I/O, no clock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import Enum

from holdfast_drivers.printers import commands
from holdfast_drivers.printers.escpos_interpreter import ESCPOS
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.language import Language
from holdfast_drivers.printers.machine import Machine, RealtimeScanner
from holdfast_drivers.printers.paper import Request
from holdfast_drivers.printers.star_interpreter import STAR

_IDENTITY = {1: b"\x20", 2: b"\x02", 3: b"\x01"}
_INFO = {65: b"1.00 ESC/POS", 66: b"HOLDFAST", 67: b"VIRTUAL-80", 68: b"SIM0001"}
_ALL_WELL = 0x12
_FOREIGN = (b"\x1d(", b"\x1dk", b"\x1da", b"\x1dr", b"\x1dI", b"\x1dV", b"\x1d8", b"\x1c.", b"\x1bi", b"\x1d\xf9")
"""What a no-name printer does not know: it drops the two bytes and prints their arguments as text."""
_NO_NAME = Language(commands.ESCPOS.without(*_FOREIGN), ESCPOS.actions, ESCPOS.requests, ESCPOS.pages)


class Model(Enum):
    """What the printer can say."""

    FULL = "full"
    """Everything, GS ( H included."""
    GS_R = "gs-r"
    """All but GS ( H."""
    STATUS = "status"
    """Only its status: DLE EOT and automatic status back, nothing in order."""
    NO_NAME = "no-name"
    """DLE EOT always with the same answer; half of the commands come out as text."""
    MUTE = "mute"
    """Nothing at all."""
    STAR = "star-line"
    """Star Line Mode with the ETB counter."""


def language_of(model: Model) -> Language:
    """What it makes of the bytes it gets."""
    return {Model.STAR: STAR, Model.NO_NAME: _NO_NAME}.get(model, ESCPOS)


class Firmware(ABC):
    """Hears every byte that arrives, and every request when its turn comes; says what it has to with `say`."""

    def __init__(
        self,
        model: Model,
        machine: Machine,
        dots: int,
        *,
        say: Callable[[bytes], None],
        kick: Callable[[int, int], None],
        pages: Mapping[int, str] | None = None,
    ) -> None:
        self.interpreter = Interpreter(dots, pages, language=language_of(model))
        self._model = model
        self._machine = machine
        self._say = say
        self._kick = kick
        """Opens the drawer: pin, milliseconds."""

    @abstractmethod
    def overhear(self, data: bytes) -> None:
        """Bytes as they arrive: real-time commands in them are obeyed at once."""

    @abstractmethod
    def answer(self, request: Request) -> None:
        """A request whose turn has come."""

    @abstractmethod
    def report(self) -> None:
        """Something about the machine may have changed."""


class EscPosFirmware(Firmware):
    def __init__(
        self,
        model: Model,
        machine: Machine,
        dots: int,
        *,
        say: Callable[[bytes], None],
        kick: Callable[[int, int], None],
        pages: Mapping[int, str] | None = None,
    ) -> None:
        super().__init__(model, machine, dots, say=say, kick=kick, pages=pages)
        self._realtime = RealtimeScanner()
        self._auto_status = 0
        self._told = b""

    def overhear(self, data: bytes) -> None:
        for command in self._realtime.feed(data):
            self._obey(command)

    def _obey(self, command: bytes) -> None:
        kind, n = command[1], command[2]
        if self._model is Model.NO_NAME:
            self._say(bytes([_ALL_WELL]) if kind == 0x04 else b"")
        elif kind == 0x04:
            answer = self._machine.realtime(n)
            self._say(bytes([answer]) if answer is not None else b"")
        elif kind == 0x05 and n in (1, 2):
            self._machine.cutter_jammed = False
        elif kind == 0x14 and n == 1:
            self._kick(command[3] & 1, command[4] * 100)
        elif kind == 0x14 and n == 7:
            self._say(self._machine.auto_status())

    def answer(self, request: Request) -> None:
        n = request.args[0] if request.args else 0
        if request.prefix in (b"\x1da", b"\x1b@"):  # some models forget about automatic status when initialised
            self._auto_status = n
            self._told = b""
        elif self._model is Model.STATUS:
            return
        elif request.prefix == b"\x1dr" and n in (1, 49):
            self._say(bytes([self._machine.paper_sensor()]))
        elif request.prefix == b"\x1dr" and n in (2, 50):
            self._say(bytes([self._machine.drawer_high]))
        elif request.prefix == b"\x1dI":
            self._say(_IDENTITY[n % 48] if n % 48 in _IDENTITY else b"_" + _INFO[n] + b"\0" if n in _INFO else b"")
        elif request.prefix == b"\x1d(H" and request.args[:2] == b"00" and self._model is Model.FULL:
            self._say(b"7\x22" + request.args[2:6] + b"\0")

    def report(self) -> None:
        """Automatic status back, when asked for and changed."""
        status = self._machine.auto_status()
        if self._auto_status and status != self._told:
            self._told = status
            self._say(status)


class StarFirmware(Firmware):
    def __init__(
        self,
        model: Model,
        machine: Machine,
        dots: int,
        *,
        say: Callable[[bytes], None],
        kick: Callable[[int, int], None],
        pages: Mapping[int, str] | None = None,
    ) -> None:
        super().__init__(model, machine, dots, say=say, kick=kick, pages=pages)
        self._tail = b""
        self._automatic = False
        self._told = b""
        self._counter = 0
        self._executed = False

    def overhear(self, data: bytes) -> None:
        """ESC ACK SOH. FS opens the drawer in its turn here, not at once."""
        seen = self._tail + data
        for _ in range(seen.count(b"\x1b\x06\x01")):
            self._say(self._status())
        self._tail = b"" if seen.endswith(b"\x1b\x06\x01") else seen[-2:]

    def answer(self, request: Request) -> None:
        n = request.args[0] & 1 if request.args else 0
        if request.prefix == b"\x17":
            self._counter, self._executed = (self._counter + 1) % 32, True
        elif request.prefix == b"\x1b\x1eE":
            self._counter, self._executed = 0, False
            self._told = self._status()
        elif request.prefix == b"\x1b\x1ea":
            self._automatic = bool(n)
            self._told = b""
        elif request.prefix == b"\x1b#" and request.args.startswith(b"*"):
            self._say(b"\x1b#*,VIRTUAL-STAR Ver 1.0\n\0")

    def report(self) -> None:
        status = self._status()
        if self._automatic and status != self._told:
            self._told = status
            self._say(status)

    def _status(self) -> bytes:
        return self._machine.star_status(self._counter, executed=self._executed)
