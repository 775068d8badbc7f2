"""`holdfast-sim`: devices without hardware, each a program of its own that a hub, or anybody's code, can open.

    holdfast-sim scanner --pty /tmp/scanner                     type a code, press Enter: it is scanned
    holdfast-sim scanner --pty /tmp/scanner --protocol ssi      a Zebra; what the hub tells it is printed
    holdfast-sim scanner --pty /tmp/keys --protocol keyboard    a USB keyboard scanner, made in the kernel (/dev/uhid)
    holdfast-sim printer --pty /tmp/printer --out /tmp/paper    receipts become text and pictures in /tmp/paper
    holdfast-sim printer --render job.bin --out /tmp/paper      the same for a file of printer commands
    holdfast-sim battery --socket /tmp/board --board pisugar3   battery board, mains line, lamps
    holdfast-sim scale --pty /tmp/scale --protocol toledo       type `put 250`: a quarter of a kilogram lies on it
    holdfast-sim display --pty /tmp/display                     the customer's two lines, as they change
    holdfast-sim printer --pty /tmp/printer --out /tmp/paper --scenario bad-day.toml

Point the hub's configuration at them: `port = "/tmp/scanner"`, `bus = "bench:/tmp/board"`. `holdfast-sim DEVICE --help`
lists a device's options. Every simulator obeys lines on standard input; what they may be, printed with --help below,
is also what a scenario's actions are.

A scenario is a TOML file of steps in the order of their time; `wait` steps need no action:

    title = "Paper runs out, then somebody comes"
    [[step]]
    at = 5.0                  # seconds since the simulator was there
    do = "paper_out"          # a line of the simulator's, without its argument
    [[step]]
    at = 20.0
    do = "load_paper"
    argument = 80000.0        # a number or text; a list sends its items one after the other

`--scenario-speed 10` plays it ten times as fast. After the last step the simulator obeys standard input again, or ends
with `--then-quit`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from holdfast_drivers.displays import sim as displays
from holdfast_drivers.scales import sim as scales
from holdfast_drivers.scanners import sim as scanners

WAIT = "wait"
SCAN = "scan"
"""A scanner's action; it needs a code."""
MAX_SCENARIO = 1 << 20
"""Bytes of a scenario file."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of device: a module that runs by itself, and the lines it obeys, with commas between them."""

    module: str
    commands: str
    mark: str = ""
    """Begins every line that is a command, where a line without one is something else: a scanner's code."""

    @property
    def known(self) -> frozenset[str]:
        """What a scenario's steps may do."""
        words = [line.split()[0] for line in re.split("[,.] ", self.commands)]
        return frozenset(word.removeprefix(self.mark) for word in words if word.startswith(self.mark))


FAMILIES = {
    "scanner": Family("holdfast_drivers.scanners.sim", scanners.COMMANDS, scanners.MARK),
    "printer": Family(
        "holdfast_drivers.printers.sim",
        "paper_out, load_paper [MM], open_cover, close_cover, jam_cutter, clear_jam, close_drawer, tear_off,"
        " go_silent, speak, slow FACTOR, garbage BYTES, power_cycle, plug, unplug, quit",
    ),
    "battery": Family(
        "holdfast_drivers.ups.sim",
        "mains on|off, charge PERCENT, load WATTS, temperature CELSIUS, cycles NUMBER, speed FACTOR,"
        " fault none|nack|stuck|zero|full|frozen|ones|noise, line follows|high|low, press LINE [SECONDS],"
        " drawer shut|jam|free, unplug, state, quit",
    ),
    "scale": Family("holdfast_drivers.scales.sim", scales.COMMANDS),
    "display": Family("holdfast_drivers.displays.sim", displays.COMMANDS),
}
"""Every simulator. A new one is a row here, and a line at the top of this page."""


class ScenarioError(ValueError):
    """A scenario that cannot be played; says where."""


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    at: float
    do: str
    argument: float | int | str | list[str] = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    title: str = ""
    step: list[_Step] = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """Lines for a simulator's input, and when: seconds since the start."""

    at: float
    lines: tuple[str, ...]


def read_scenario(path: Path, device: str) -> tuple[Step, ...]:
    """The steps for one kind of device. Raises ScenarioError, OSError."""
    with path.open("rb") as file:
        text = file.read(MAX_SCENARIO + 1)
    if len(text) > MAX_SCENARIO:
        raise ScenarioError(f"{path}: larger than {MAX_SCENARIO} bytes")
    try:
        found = msgspec.convert(tomllib.loads(text.decode()), _File)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    times = [step.at for step in found.step]
    if times != sorted(times) or min(times, default=0.0) < 0:
        raise ScenarioError(f"{path}: steps stand in the order of their time, from 0 on")
    return tuple(Step(step.at, _lines(step, device, f"{path}: step at {step.at:g}")) for step in found.step)


def _lines(step: _Step, device: str, where: str) -> tuple[str, ...]:
    if step.do == WAIT:
        return ()
    family = FAMILIES[device]
    if step.do not in family.known:
        raise ScenarioError(f"{where}: a {device} does not know {step.do!r}")
    items = step.argument if isinstance(step.argument, list) else [str(step.argument)]
    if family.mark and step.do == SCAN and not all(items):
        raise ScenarioError(f"{where}: {SCAN} needs a code")
    lines = [f"{family.mark}{step.do} {item}".strip() for item in items]
    if any("\n" in line for line in lines):
        raise ScenarioError(f"{where}: a line has no line end in it")
    return tuple(lines)


def play(steps: Iterable[Step], put: IO[bytes], *, speed: float = 1.0) -> None:
    """Write each step's lines when they are due. Ends early when the simulator has ended."""
    began = time.monotonic()
    for step in steps:
        time.sleep(max(0.0, began + step.at / speed - time.monotonic()))
        try:
            put.write("".join(f"{line}\n" for line in step.lines).encode())
            put.flush()
        except (BrokenPipeError, ValueError):
            return


def run(device: str, arguments: list[str], steps: tuple[Step, ...], *, speed: float = 1.0, stay: bool = True) -> int:
    """Run a simulator with a scenario and, if it is to `stay`, our own input behind it. Returns its exit status."""
    command = [sys.executable, "-m", FAMILIES[device].module, *arguments]
    if not steps:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - one of our own modules
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603 - as above
        assert child.stdin is not None
        assert child.stdout is not None
        player = threading.Thread(
            target=_feed,
            args=(steps, child.stdin, speed, None if stay else f"{FAMILIES[device].mark}quit"),
            daemon=True,
        )
        for line in child.stdout:
            sys.stdout.write(line.decode())
            sys.stdout.flush()
            if player.ident is None:  # its first line says that it is there
                player.start()
    return child.returncode


def _feed(steps: tuple[Step, ...], put: IO[bytes], speed: float, last: str | None) -> None:
    """The steps, then `last`; None: our own input."""
    play(steps, put, speed=speed)
    after = (line.rstrip("\n") for line in sys.stdin) if last is None else (last,)
    play((Step(0, (line,)) for line in after), put)
    put.close()


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `holdfast-sim`."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if options.device is None:
        parser.print_help()
        sys.exit(0 if options.help else 2)
    if options.help:
        sys.exit(run(options.device, ["--help"], ()))
    try:
        steps = read_scenario(options.scenario, options.device) if options.scenario else ()
    except (ScenarioError, OSError) as error:
        parser.error(str(error))
    try:
        sys.exit(run(options.device, rest, steps, speed=options.scenario_speed, stay=not options.then_quit))
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell reports SIGINT


def _parser() -> argparse.ArgumentParser:
    told = "\n".join(f"  {device:8} {family.commands}" for device, family in FAMILIES.items())
    parser = argparse.ArgumentParser(
        prog="holdfast-sim",
        description=__doc__,
        epilog=f"lines on standard input:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("device", nargs="?", choices=FAMILIES)
    parser.add_argument("--help", "-h", action="store_true", help="this page, or after a device: its options")
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="a timeline to play")
    parser.add_argument("--scenario-speed", type=_positive, default=1.0, metavar="FACTOR", help="play it faster")
    parser.add_argument("--then-quit", action="store_true", help="end with the scenario's last step")
    return parser


def _positive(text: str) -> Any:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


if __name__ == "__main__":
    main()
