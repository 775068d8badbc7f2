"""A battery board and panel to develop against: a fuel gauge's exact registers over a model of the pack, and a process
that hosts gauge, AC-loss line and lamps on a bench socket.

    python -m holdfast_drivers.ups.sim --socket PATH [--charge 80] [--load 5] [--speed 60] [--ac-line 6] …

Commands come on stdin, one a line; the process ends with `quit` or at the end of stdin:

    mains on|off    charge PERCENT    load WATTS    temperature CELSIUS    speed FACTOR
    fault none|nack|stuck|zero|full|ones    unplug    state

Every event goes to stdout as one line of JSON with `event` and `at` (monotonic seconds): `ready` (`socket`), `lamp`
(`lamp`, `on`), `mains` (`on`), `state` (`charge`, `cell_mv`, `current_a`, `mains`, `lit`), `error` (`detail`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from io import FileIO
from math import inf
from pathlib import Path
from typing import Any, Literal

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.registers import Hang, Nack
from holdfast_drivers.panel.signals import Lamp
from holdfast_drivers.panel.sim import LampChange, PanelWatch
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.max17048 import (
    ADDRESS,
    ALL_ONES,
    CRATE,
    SOC,
    VCELL,
    VERSION,
    encode_crate,
    encode_soc,
    encode_vcell,
)

DEFAULT_PINS = {
    Lamp.GREEN: 17,
    Lamp.AMBER: 27,
    Lamp.RED: 22,
    Lamp.BLUE: 23,
    Lamp.WHITE: 24,
    Lamp.BUZZER: 25,
}
"""BCM numbers off the header's buses and off the lines Geekworm's battery boards use."""
TICK = 0.1
"""Seconds between steps of the battery."""

_FIXED = {0x06: 0x0000, VERSION: 0x0012, 0x0A: 0x8030, 0x0C: 0x971C, 0x14: 0x00FF, 0x18: 0x9600, 0x1A: 0x0100}
"""The other registers of a MAX17048 after power-up."""


class Fault(Enum):
    """What may be wrong with a gauge."""

    NONE = "none"
    NACK = "nack"
    """It does not answer."""
    STUCK = "stuck"
    """It holds the bus."""
    ZERO = "zero"
    """SOC jumps to 0 % while the cell is full."""
    FULL = "full"
    """SOC says 100 % for ever."""
    ONES = "ones"
    """Every register reads 0xFFFF."""


class GaugeChip:
    """A MAX17048's register map over a battery."""

    def __init__(self, battery: Battery) -> None:
        self.battery = battery
        self.fault = Fault.NONE
        self.writes: list[tuple[int, bytes]] = []
        """(register, data) of what was written; nothing of it has an effect, for no driver here writes to a gauge."""

    def read(self, register: int, length: int) -> bytes:
        """Big-endian words from `register` on."""
        if self.fault is Fault.NACK:
            raise Nack
        if self.fault is Fault.STUCK:
            raise Hang
        words = b"".join(self._word(at).to_bytes(2, "big") for at in range(register, register + length, 2))
        return words[:length]

    def write(self, register: int, data: bytes) -> None:
        """Keep it in `writes`."""
        self.writes.append((register, data))

    def _word(self, register: int) -> int:
        if self.fault is Fault.ONES:
            return ALL_ONES
        if register == VCELL:
            return encode_vcell(self.battery.cell_mv)
        if register == SOC:
            return {Fault.ZERO: 0, Fault.FULL: encode_soc(1.0)}.get(self.fault, encode_soc(self.battery.charge))
        if register == CRATE:
            return encode_crate(self.battery.permille_per_hour)
        return _FIXED.get(register, 0)


class BoardBench:
    """Gauge, AC-loss line and lamps at one socket; commands in, events out."""

    def __init__(
        self,
        socket: Path | str,
        battery: Battery,
        emit: Callable[[dict[str, Any]], None],
        *,
        pins: Mapping[Lamp, int] = DEFAULT_PINS,
        ac_line: int = 6,
        ac_active: Literal["high", "low"] = "high",
        speed: float = 1.0,
    ) -> None:
        self.battery = battery
        self.chip = GaugeChip(battery)
        self.panel = PanelWatch(pins, self._lamp)
        self.server = BenchServer(socket, {ADDRESS: self.chip}, on_output=self.panel.output)
        self.speed = speed
        self._ac_line = ac_line
        self._ac_active = ac_active
        self._emit = emit

    async def run(self, commands: asyncio.Queue[str | None]) -> None:
        """Until `quit` or the end of the commands."""
        async with self.server:
            self._mains(on=self.battery.mains)
            self._emit({"event": "ready", "at": time.monotonic(), "socket": str(self.server.path)})
            physics = asyncio.create_task(self._step(), name="battery")
            while (line := await commands.get()) not in (None, "quit"):
                await self._command(line)
            physics.cancel()
            with suppress(asyncio.CancelledError):
                await physics

    async def _step(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            self.battery.step((now - last) * self.speed)
            last = now

    async def _command(self, line: str) -> None:
        try:
            await self._obey(line)
        except ValueError as error:
            self._emit({"event": "error", "at": time.monotonic(), "detail": str(error)})

    async def _obey(self, line: str) -> None:
        match line.split():
            case ["mains", "on" | "off" as word]:
                self._mains(on=word == "on")
            case ["charge", percent]:
                self.battery.charge = _number(percent, 0, 100) / 100
            case ["load", watts]:
                self.battery.load_w = _number(watts, 0, inf)
            case ["temperature", celsius]:
                self.battery.temperature_c = _number(celsius, -40, 85)
            case ["speed", factor]:
                self.speed = _number(factor, 0, inf)
            case ["fault", name]:
                self.chip.fault = Fault(name)
            case ["unplug"]:
                await self.server.unplug()
            case ["state"]:
                self._state()
            case _:
                raise ValueError(f"unknown command {line!r}")

    def _mains(self, *, on: bool) -> None:
        self.battery.mains = on
        self.server.drive(self._ac_line, high=on == (self._ac_active == "low"))
        self._emit({"event": "mains", "at": time.monotonic(), "on": on})

    def _lamp(self, change: LampChange) -> None:
        self._emit({"event": "lamp", "at": change.at, "lamp": change.lamp.value, "on": change.on})

    def _state(self) -> None:
        self._emit(
            {
                "event": "state",
                "at": time.monotonic(),
                "charge": round(self.battery.charge, 4),
                "cell_mv": round(self.battery.cell_mv),
                "current_a": round(self.battery.current_a, 3),
                "mains": self.battery.mains,
                "lit": sorted(lamp.value for lamp in self.panel.lit),
            }
        )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--socket", required=True)
    parser.add_argument("--charge", type=float, default=100.0, help="percent")
    parser.add_argument("--load", type=float, default=5.0, help="watts")
    parser.add_argument("--capacity", type=float, default=6000.0, help="mAh")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of battery per second")
    parser.add_argument("--ac-line", type=int, default=6)
    parser.add_argument("--ac-active", choices=["high", "low"], default="high", help="the level that means AC is lost")
    for lamp, pin in DEFAULT_PINS.items():
        parser.add_argument(f"--{lamp.value}", type=int, default=pin, metavar="LINE")
    return parser.parse_args(arguments)


def _feed(put: Callable[[str | None], object]) -> None:
    """Lines of stdin, read in a thread: a terminal, a pipe and a file serve alike. Unbuffered, for a buffer's lock
    held here would keep the interpreter from ending.
    """
    for line in FileIO(0, closefd=False):
        put(line.decode(errors="replace").strip())
    put(None)


def _number(text: str, low: float, high: float) -> float:
    value = float(text)
    if not low <= value <= high or value == inf:
        raise ValueError(f"{text} is not a number from {low} to {high}")
    return value


def _print(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


async def main(arguments: list[str] | None = None) -> None:
    """Run the bench process."""
    options = _options(arguments)
    loop = asyncio.get_running_loop()
    commands: asyncio.Queue[str | None] = asyncio.Queue()

    def put(line: str | None) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(commands.put_nowait, line)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, commands.put_nowait, None)
    threading.Thread(target=_feed, args=(put,), name="commands", daemon=True).start()
    battery = Battery(charge=options.charge / 100, load_w=options.load, capacity_mah=options.capacity)
    bench = BoardBench(
        options.socket,
        battery,
        _print,
        pins={lamp: getattr(options, lamp.value) for lamp in DEFAULT_PINS},
        ac_line=options.ac_line,
        ac_active=options.ac_active,
        speed=options.speed,
    )
    await bench.run(commands)


if __name__ == "__main__":
    asyncio.run(main())
