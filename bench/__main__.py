"""`python bench [NAMES…]`: how fast, how small, how lean, each figure beside what one would pick instead.

A figure that misses its goal says so and fails nothing: only a bench that could not run makes the exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

import msgspec
from rich.console import Console

from measure import Row, Run
from table import Report, look_around, show

ROOT = Path(__file__).parent.parent
BENCHES = (
    "closing",
    "light",
    "drain",
    "memory",
    "wire",
    "proof",
    "start",
    "footprint",
    "idle",
    "boards",
    "barcodes",
    "printers",
    "flash",
)
"""Modules beside this one, in the order in which they run; the first line of each says what it measures."""
WIDE = 160
"""Columns where there is no terminal to ask."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAMES", help="which benches; without: all")
    parser.add_argument("--list", action="store_true", help="name them and leave")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and smaller journals")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument(
        "--disk", type=Path, default=ROOT / "out", help="folder on the disk to measure (default: %(default)s)"
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHES:
            parser.error(f"no bench {name!r}; --list names them")
    return arguments


def main() -> int:
    sys.path.append(str(ROOT / "demo"))  # its brokers and its trading day
    arguments = options()
    if arguments.list:
        for name in BENCHES:
            print(f"{name:10} {(import_module(name).__doc__ or '').partition(chr(10))[0]}")
        return 0
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    report = measure_all(arguments, console)
    show(report, console)
    if arguments.json is not None:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    return 1 if report.failed else 0


def measure_all(arguments: argparse.Namespace, console: Console) -> Report:
    rows: dict[str, list[Row]] = {}
    failed: dict[str, str] = {}
    machine = look_around()
    arguments.disk.mkdir(parents=True, exist_ok=True)
    disk = Path(tempfile.mkdtemp(prefix="bench-", dir=arguments.disk))
    try:
        with tempfile.TemporaryDirectory(prefix="hf-") as sockets:
            run = Run(quick=arguments.quick, disk=disk, sockets=Path(sockets))
            for name in arguments.names or BENCHES:
                console.print(f"[dim]{name} …[/]")
                try:
                    rows[name] = asyncio.run(import_module(name).run(run))
                except Exception as error:  # noqa: BLE001 - one bench that cannot run must not take the others with it
                    traceback.print_exc()
                    failed[name] = f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(disk)
    return Report(machine, arguments.quick, rows, failed)


if __name__ == "__main__":
    sys.exit(main())
