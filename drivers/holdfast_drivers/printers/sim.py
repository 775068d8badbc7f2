"""The printer simulator as a program: `holdfast-sim printer --pty PATH --out DIR`, as a network printer `--tcp PORT`.

One command a line on stdin, one JSON object a line on stdout: `ready` with the port to open, `cut` with the receipt's
text and files, `kick`, `done` for each command obeyed, `refused` for one that is none.

`--render FILE --out DIR` draws a file of printer commands instead, one `cut` for each strip of paper, and says at the
end how many of its bytes belonged to no command (`read`).
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from holdfast_drivers.lines import Program, in_words, tell
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.links.socket import Socket
from holdfast_drivers.links.tcp_port import TcpPort
from holdfast_drivers.printers.firmware import Model, language_of
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.machine import Machine
from holdfast_drivers.printers.paper import torn
from holdfast_drivers.printers.profiles import load_profile, profile_names
from holdfast_drivers.printers.receipts import ReceiptFolder, Saved
from holdfast_drivers.printers.sample import write_sample
from holdfast_drivers.printers.sheet import pages_of
from holdfast_drivers.printers.simulator import Event, FlowControl, Kicked, PrinterSimulator

_WIDE = 576
_COMMANDS: dict[str, tuple[Callable[..., None], type | None]] = {
    "paper_out": (PrinterSimulator.paper_out, None),
    "load_paper": (PrinterSimulator.load_paper, float),
    "open_cover": (PrinterSimulator.open_cover, None),
    "close_cover": (PrinterSimulator.close_cover, None),
    "jam_cutter": (PrinterSimulator.jam_cutter, None),
    "clear_jam": (PrinterSimulator.clear_jam, None),
    "close_drawer": (PrinterSimulator.close_drawer, None),
    "tear_off": (PrinterSimulator.tear_off, None),
    "go_silent": (PrinterSimulator.go_silent, None),
    "speak": (PrinterSimulator.speak, None),
    "slow": (PrinterSimulator.slow, float),
    "garbage": (PrinterSimulator.garbage, int),
    "power_cycle": (PrinterSimulator.power_cycle, None),
}
"""Line on stdin, and what its argument is."""


def main() -> None:
    """Entry point."""
    with in_words():
        _run(_arguments())


def _run(arguments: argparse.Namespace) -> None:
    if arguments.profiles:
        _list_profiles()
        return
    if arguments.sample is not None:
        write_sample(arguments.sample)
        return
    if arguments.render is not None and arguments.out is not None:
        _render(arguments)
        return
    if (arguments.pty is None) == (arguments.tcp is None) or arguments.out is None:
        _parser().error("--out is needed, and one of --pty, --tcp and --render")
    arguments.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(Program(PrinterProgram(arguments)).run())


def _arguments() -> argparse.Namespace:
    arguments = _parser().parse_args()
    arguments.model, arguments.flow = Model(arguments.model), FlowControl(arguments.flow)
    arguments.pages = None
    if arguments.profile is not None:
        try:
            profile = load_profile(arguments.profile)
        except ValueError as error:
            _parser().error(str(error))
        arguments.dots = arguments.dots or profile.dots
        arguments.pages = pages_of(profile) if arguments.model is not Model.STAR else None
    arguments.dots = arguments.dots or _WIDE
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="holdfast-sim printer", description=__doc__)
    parser.add_argument("--pty", type=Path, help="name of the serial port to play on")
    parser.add_argument("--tcp", type=int, metavar="PORT", help="play a network printer on 127.0.0.1; 0: any free port")
    parser.add_argument("--out", type=Path, help="folder for the receipts")
    parser.add_argument(
        "--model", choices=_names(Model), default=Model.FULL.value,
        help="what it can say: everything; all but GS ( H; its status alone; one wrong status; nothing; Star",
    )  # fmt: skip
    parser.add_argument(
        "--flow", choices=_names(FlowControl), default=FlowControl.LINK.value,
        help="when its buffer is full: it makes the host wait; asks it to; loses what comes",
    )  # fmt: skip
    parser.add_argument("--speed", type=float, default=None, help="mm/s; without: as fast as it goes")
    parser.add_argument("--profile", help="a model of the printer database: its width and, for ESC/POS, its code pages")
    parser.add_argument("--profiles", action="store_true", help="list the models, one a line, and leave")
    parser.add_argument("--dots", type=int, help="576 for 80 mm paper (without --profile), 384 for 58 mm")
    parser.add_argument("--drawer-open", choices=("high", "low"), default="high", help="level of its switch line")
    parser.add_argument("--paper-mm", type=float, default=80_000.0, help="left on the roll")
    parser.add_argument("--png-every", type=int, default=1, metavar="N", help="draw every Nth receipt")
    parser.add_argument("--no-png", dest="png_every", action="store_const", const=0)
    parser.add_argument("--render", type=Path, metavar="FILE", help="draw a file of printer commands and leave")
    parser.add_argument("--sample", type=Path, metavar="PNG", help="draw a sample receipt and leave")
    return parser


def _names(kinds: type[Enum]) -> list[str]:
    return [kind.value for kind in kinds]


def _list_profiles() -> None:
    for profile in map(load_profile, profile_names()):
        can = {name: getattr(profile, name) for name in ("qr", "barcodes", "cutter", "raster")}
        pages = [page for page, _ in profile.pages]
        tell(profile=profile.name, dots=profile.dots, columns=profile.columns, pages=pages, **can)


def _render(arguments: argparse.Namespace) -> None:
    interpreter = Interpreter(arguments.dots, arguments.pages, language=language_of(arguments.model))
    data = arguments.render.read_bytes()
    folder = ReceiptFolder(arguments.out, png_every=arguments.png_every)
    for receipt in torn(interpreter.feed(data), arguments.dots):
        _tell_cut(folder.write(receipt))
    tell(event="read", bytes=len(data), unknown=interpreter.unknown, pending=interpreter.pending)


class PrinterProgram:
    """A printer at a port that obeys lines."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._machine = Machine(paper_mm=arguments.paper_mm)
        self._port: Socket = TcpPort(arguments.tcp) if arguments.pty is None else Pty(arguments.pty)
        self._folder = ReceiptFolder(arguments.out, png_every=arguments.png_every)
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._saving: asyncio.Task[None] | None = None
        self._simulator: PrinterSimulator | None = None

    async def plug(self) -> None:
        if self._simulator is not None:
            return
        await self._port.plug()
        self._saving = asyncio.create_task(self._save_events(), name="receipts")
        options = self._arguments
        self._simulator = PrinterSimulator(
            self._port.link,
            model=options.model,
            machine=self._machine,
            dots=options.dots,
            speed=options.speed,
            flow=options.flow,
            pages=options.pages,
            drawer_open_high=options.drawer_open == "high",
            on_event=self._events.put_nowait,
        )
        await self._simulator.__aenter__()
        tell(event="ready", path=self._port.path)

    async def unplug(self) -> None:
        if self._simulator is None or self._saving is None:
            return
        await self._simulator.__aexit__(None, None, None)
        self._simulator = None
        await self._port.unplug()
        await self._events.join()
        self._saving.cancel()

    async def obey(self, name: str, argument: str) -> None:
        """Raises KeyError, ValueError for what is none, or not now."""
        if name in ("plug", "unplug"):
            await (self.plug() if name == "plug" else self.unplug())
            return
        action, kind = _COMMANDS[name]
        if self._simulator is None:
            raise ValueError("unplugged")
        action(self._simulator, *([kind(argument)] if kind is not None and argument else []))

    async def _save_events(self) -> None:
        while True:
            event = await self._events.get()
            if isinstance(event, Kicked):
                tell(event="kick", pin=event.pin, on_ms=event.on_ms)
            else:
                _tell_cut(await self._folder.save(event))
            self._events.task_done()


def _tell_cut(saved: Saved) -> None:
    png = str(saved.png) if saved.png else None
    tell(event="cut", number=saved.number, text=saved.text, txt=str(saved.txt), png=png)


if __name__ == "__main__":
    main()
