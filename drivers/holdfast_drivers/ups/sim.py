"""A battery board and panel to develop against: any board's exact registers over a model of the pack, and a process
that hosts its chip, the AC-loss line and the lamps on a bench socket; or the same battery as a UPS of a NUT server.

    python -m holdfast_drivers.ups.sim --socket PATH [--board max1704x] [--charge 80] [--load 5] [--cycles 400] …
    python -m holdfast_drivers.ups.sim --socket PATH --board nut --nut-port 3493

Commands come on stdin, one a line; the process ends with `quit` or at the end of stdin:

    mains on|off    charge PERCENT    load WATTS    temperature CELSIUS    cycles NUMBER    speed FACTOR
    fault none|nack|stuck|zero|full|frozen|ones|noise    line follows|high|low    unplug    state
    press LINE [SECONDS]    drawer shut|jam|free

`line` is the AC-loss line: a board without its jumper, or with a dead output stage, says the same for ever. Every event
goes to stdout as one line of JSON with `event` and `at` (monotonic seconds): `ready` (`socket`), `lamp` (`lamp`, `on`),
`drawer` (`open`), `mains` (`on`), `output` (`on`: the pack feeds the hub), `state` (`charge`, `cell_mv`, `current_a`,
`mains`, `output`, `health`, `drawer_open`, `lit`), `error` (`detail`).
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
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from io import FileIO
from math import inf
from pathlib import Path
from typing import Any, Literal

from holdfast_drivers.lines import in_words
from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.lines import Edge
from holdfast_drivers.links.registers import RegisterMap
from holdfast_drivers.nut.server import NutServer
from holdfast_drivers.nut.sim import SimulatedUps
from holdfast_drivers.panel.signals import Lamp
from holdfast_drivers.panel.sim import DrawerChange, DrawerWatch, LampChange, PanelWatch, press
from holdfast_drivers.ups.battery import CUTOFF_MV, Battery
from holdfast_drivers.ups.chips import Fault, SimulatedChip
from holdfast_drivers.ups.ina import INA219, INA226, INA3221
from holdfast_drivers.ups.simulated import BOARDS, SimulatedBoard, monitor

NUT = "nut"
MONITORS = {part.name: part for part in (INA219, INA226, INA3221)}
DEFAULT_PINS = {
    Lamp.GREEN: 17,
    Lamp.AMBER: 27,
    Lamp.RED: 22,
    Lamp.BLUE: 23,
    Lamp.WHITE: 24,
    Lamp.BUZZER: 25,
}
"""BCM numbers off the header's buses and off the lines Geekworm's battery boards use."""
RELAY, SENSOR = 21, 19
"""Of a drawer, likewise."""
TICK = 0.1
"""Seconds between steps of the battery."""


class BoardBench:
    """Board, AC-loss line and lamps at one socket; commands in, events out. The battery becomes the board's pack."""

    def __init__(
        self,
        socket: Path | str,
        battery: Battery,
        emit: Callable[[dict[str, Any]], None],
        *,
        board: SimulatedBoard | None = BOARDS["max1704x"],
        nut_port: int = 0,
        pins: Mapping[Lamp, int] = DEFAULT_PINS,
        ac_line: int = 6,
        ac_active: Literal["high", "low"] = "high",
        speed: float = 1.0,
        relay: int = RELAY,
        sensor: int | None = SENSOR,
    ) -> None:
        """Without a `board` it is a UPS on NUT's `nut_port`, 0: any free one."""
        self.battery = battery
        self.chip: SimulatedChip | SimulatedUps
        self._nut: NutServer | None = None
        chips: dict[int, RegisterMap] = {}
        if board is None:
            self.chip = SimulatedUps(battery)
            self._nut = self.chip.server(nut_port)
        else:
            battery.cells = board.cells
            self.chip = chips[board.address] = board.chip(battery)
        self.panel = PanelWatch(pins, self._lamp)
        self.server = BenchServer(socket, chips, on_output=self._driven)
        self.drawer = DrawerWatch(self.server, relay=relay, sensor=sensor, report=self._drawer)
        self._fingers: set[asyncio.Task[None]] = set()
        self.speed = speed
        self._ac_line = ac_line
        self._ac_active = ac_active
        self._line = "follows"
        self._output = battery.output
        self._emit = emit

    async def run(self, commands: asyncio.Queue[str | None]) -> None:
        """Until `quit` or the end of the commands."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.server)
            ready: dict[str, Any] = {"event": "ready", "socket": str(self.server.path)}
            if self._nut is not None:
                ready["nut_port"] = (await stack.enter_async_context(self._nut)).port
            self._mains(on=self.battery.mains)
            self.drawer.begin()
            self._emit(ready | {"at": time.monotonic()})
            physics = asyncio.create_task(self._step(), name="battery")
            while (line := await commands.get()) not in (None, "quit"):
                await self._command(line)
            physics.cancel()
            with suppress(asyncio.CancelledError):
                await physics

    def pass_time(self, seconds: float) -> None:
        """Let the battery live for so long."""
        self.battery.step(seconds)
        if self.battery.output is not self._output:
            self._output = self.battery.output
            self._emit({"event": "output", "at": time.monotonic(), "on": self._output})

    async def _step(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            self.pass_time((now - last) * self.speed)
            last = now

    async def _command(self, line: str) -> None:
        try:
            await self.obey(line)
        except ValueError as error:
            self._emit({"event": "error", "at": time.monotonic(), "detail": str(error)})

    async def obey(self, line: str) -> None:
        """One command. Raises ValueError for one it does not know or cannot follow."""
        match line.split():
            case ["mains", "on" | "off" as word]:
                self._mains(on=word == "on")
            case ["charge", percent]:
                self.battery.charge = _number(percent, 0, 100) / 100
            case ["load", watts]:
                self.battery.load_w = _number(watts, 0, inf)
            case ["temperature", celsius]:
                self.battery.temperature_c = _number(celsius, -40, 85)
            case ["cycles", number]:
                self.battery.cycles = _number(number, 0, 10_000)
            case ["speed", factor]:
                self.speed = _number(factor, 0, inf)
            case ["fault", name]:
                self._fail(Fault(name))
            case ["line", "follows" | "high" | "low" as word]:
                self._line = word
                self._drive()
            case ["press" | "drawer", *_]:
                self._handle(line)
            case ["unplug"]:
                await self.server.unplug()
            case ["state"]:
                self._state()
            case _:
                raise ValueError(f"unknown command {line!r}")

    def _fail(self, fault: Fault) -> None:
        if not self.chip.can(fault):
            raise ValueError(f"{fault.value} cannot be wrong with this board")
        self.chip.fault = fault

    def _mains(self, *, on: bool) -> None:
        self.battery.mains = on
        self.pass_time(0)
        self._drive()
        self._emit({"event": "mains", "at": time.monotonic(), "on": on})

    def _drive(self) -> None:
        follows = self.battery.mains == (self._ac_active == "low")
        self.server.drive(self._ac_line, high=follows if self._line == "follows" else self._line == "high")

    def _handle(self, line: str) -> None:
        """What a hand does at the counter."""
        match line.split():
            case ["press", number, *seconds] if len(seconds) < 2:
                self._press(int(number), _number("".join(seconds) or "0.1", 0, 60))
            case ["drawer", word]:
                self.drawer.obey(word)
            case _:
                raise ValueError(f"unknown command {line!r}")

    def _press(self, line: int, seconds: float) -> None:
        finger = asyncio.get_running_loop().create_task(press(self.server, line, seconds), name=f"press {line}")
        self._fingers.add(finger)
        finger.add_done_callback(self._fingers.discard)

    def _driven(self, edge: Edge) -> None:
        self.panel.output(edge)
        self.drawer.output(edge)

    def _drawer(self, change: DrawerChange) -> None:
        self._emit({"event": "drawer", "at": change.at, "open": change.is_open})

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
                "output": self.battery.output,
                "health": round(self.battery.health, 3),
                "drawer_open": self.drawer.is_open,
                "lit": sorted(lamp.value for lamp in self.panel.lit),
            }
        )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="holdfast-sim battery", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--socket", required=True)
    parser.add_argument("--board", choices=[*BOARDS, NUT], default="max1704x", help="as in the hub's configuration")
    parser.add_argument("--cells", type=int, help="in series, where the board does not say")
    parser.add_argument("--address", type=lambda text: int(text, 0), help="on the bus")
    parser.add_argument("--shunt-mohm", type=float, help="of a current monitor")
    parser.add_argument("--channel", type=int, default=1, choices=(1, 2, 3), help="of an INA3221")
    parser.add_argument("--nut-port", type=int, default=3493, help="of the board nut; 0: any free one")
    parser.add_argument("--charge", type=float, default=100.0, help="percent")
    parser.add_argument("--load", type=float, default=5.0, help="watts")
    parser.add_argument("--capacity", type=float, default=6000.0, help="mAh, of the new pack")
    parser.add_argument("--resistance", type=float, default=40.0, help="milliohms in each new cell")
    parser.add_argument("--cycles", type=float, default=0.0, help="full discharges it has been through")
    parser.add_argument("--temperature", type=float, default=25.0, help="degrees Celsius")
    parser.add_argument("--cutoff", type=float, default=CUTOFF_MV, help="millivolts a cell; 0: never")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of battery per second")
    parser.add_argument("--ac-line", type=int, default=6)
    parser.add_argument("--ac-active", choices=["high", "low"], default="high", help="the level that means AC is lost")
    parser.add_argument("--relay", type=int, default=RELAY, metavar="LINE", help="of the drawer's coil")
    parser.add_argument("--sensor", type=int, default=SENSOR, metavar="LINE", help="of the drawer's switch")
    for lamp, pin in DEFAULT_PINS.items():
        parser.add_argument(f"--{lamp.value}", type=int, default=pin, metavar="LINE")
    return parser.parse_args(arguments)


def _battery(options: argparse.Namespace) -> Battery:
    return Battery(
        cells=options.cells or 1,
        charge=options.charge / 100,
        load_w=options.load,
        capacity_mah=options.capacity,
        resistance_ohm=options.resistance / 1000,
        cycles=options.cycles,
        temperature_c=options.temperature,
        cutoff_mv=options.cutoff,
    )


def _board(options: argparse.Namespace) -> SimulatedBoard | None:
    if options.board == NUT:
        return None
    board = BOARDS[options.board]
    if options.board in MONITORS and options.shunt_mohm:
        board = monitor(MONITORS[options.board], shunt_mohm=options.shunt_mohm, channel=options.channel)
    return replace(board, cells=options.cells or board.cells, address=options.address or board.address)


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
    bench = BoardBench(
        options.socket,
        _battery(options),
        _print,
        board=_board(options),
        nut_port=options.nut_port,
        pins={lamp: getattr(options, lamp.value) for lamp in DEFAULT_PINS},
        ac_line=options.ac_line,
        ac_active=options.ac_active,
        speed=options.speed,
        relay=options.relay,
        sensor=options.sensor,
    )
    with in_words(str(options.socket)):
        await bench.run(commands)


if __name__ == "__main__":
    asyncio.run(main())
