"""A scale without a scale, for a hub to open: `holdfast-sim scale --pty PATH --protocol toledo`.

One command a line on stdin, one JSON object a line on stdout: `ready` with the port to open, `done` for each command
obeyed, `refused` for one that is none. A PTY has no parity bit: the line is 7 bits wide only in what is sent.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from holdfast_drivers.lines import Program, in_words, on, tell
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scales.platform import Platform
from holdfast_drivers.scales.simulator import KINDS, ScaleSimulator

COMMANDS = (
    "put GRAMS, take_off, shake, rest, tare, zero, fault on|off, silent on|off, late SECONDS, parity on|off,"
    " twice on|off, cut on|off, garbage BYTES, plug, unplug, state, quit"
)


class ScaleProgram:
    """A scale on a PTY that obeys lines."""

    def __init__(self, pty: Pty, protocol: str, platform: Platform) -> None:
        self._pty = pty
        self._kind = KINDS[protocol]
        self._platform = platform
        self._simulator: ScaleSimulator | None = None

    async def plug(self) -> None:
        if self._simulator is None:
            await self._pty.plug()
            self._simulator = await self._kind(self._pty.link, self._platform).__aenter__()
            tell(event="ready", path=self._pty.path)

    async def unplug(self) -> None:
        if self._simulator is not None:
            await self._simulator.__aexit__(None, None, None)
            self._simulator = None
            await self._pty.unplug()

    async def obey(self, name: str, argument: str) -> None:
        """Raises KeyError, ValueError for what is none."""
        changes: dict[str, Callable[[], Awaitable[None] | None]] = {
            "plug": self.plug,
            "unplug": self.unplug,
            "put": lambda: setattr(self._platform, "load", int(float(argument))),
            "take_off": lambda: setattr(self._platform, "load", 0),
            "shake": lambda: setattr(self._platform, "moving", True),
            "rest": lambda: setattr(self._platform, "moving", False),
            "tare": self._platform.tare,
            "zero": self._platform.zero,
            "fault": lambda: setattr(self._platform, "faulty", on(argument)),
            "late": lambda: setattr(self._present, "late", float(argument)),
            "garbage": lambda: self._present.garbage(int(float(argument))),
            "state": self._state,
        }
        if name in ("silent", "parity", "twice", "cut"):
            setattr(self._present, name, on(argument))
        elif (doing := changes[name]()) is not None:
            await doing

    @property
    def _present(self) -> ScaleSimulator:
        if self._simulator is None:
            raise ValueError("unplugged")
        return self._simulator

    def _state(self) -> None:
        platform = self._platform
        tell(
            event="state", load=platform.load, shown=platform.shown, tared=platform.tared, moving=platform.moving,
            asked=self._present.asked,
        )  # fmt: skip


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="holdfast-sim scale", description=__doc__, epilog=f"lines on standard input: {COMMANDS}"
    )
    parser.add_argument("--pty", type=Path, metavar="PATH", help="symlink to make for the hub to open")
    parser.add_argument("--protocol", choices=KINDS, default="toledo", help="what it speaks")
    parser.add_argument("--capacity", type=int, default=15_000, metavar="GRAMS")
    parser.add_argument("--division", type=int, default=1, metavar="GRAMS", help="steps of its display")
    options = parser.parse_args()
    platform = Platform(capacity=options.capacity, division=options.division)
    with in_words():
        asyncio.run(Program(ScaleProgram(Pty(options.pty), options.protocol, platform)).run())


if __name__ == "__main__":
    main()
