"""A customer display without one, for a hub to open: `holdfast-sim display --pty PATH`.

One command a line on stdin, one JSON object a line on stdout: `ready` with the port to open, `shown` with both lines
when they have changed, `done` for each command obeyed, `refused` for one that is none.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from holdfast_drivers.displays.screen import Screen
from holdfast_drivers.displays.simulator import DisplaySimulator
from holdfast_drivers.lines import Program, in_words, tell
from holdfast_drivers.links.pty import Pty

COMMANDS = "stuck on|off, plug, unplug, state, quit"
_REST = 0.02
"""Seconds without a byte after which both lines are told: a line half written is not."""


class DisplayProgram:
    """A display on a PTY that obeys lines."""

    def __init__(self, pty: Pty) -> None:
        self._pty = pty
        self._screen = Screen()
        self._simulator: DisplaySimulator | None = None
        self._telling: asyncio.Task[None] | None = None

    async def plug(self) -> None:
        if self._simulator is None:
            await self._pty.plug()
            self._screen = Screen()
            self._simulator = await DisplaySimulator(self._pty.link, self._screen).__aenter__()
            self._telling = asyncio.create_task(self._tell(self._simulator), name="shown")
            tell(event="ready", path=self._pty.path)

    async def unplug(self) -> None:
        if self._simulator is not None and self._telling is not None:
            self._telling.cancel()
            await self._simulator.__aexit__(None, None, None)
            self._simulator = None
            await self._pty.unplug()

    async def obey(self, name: str, argument: str) -> None:
        """Raises KeyError, ValueError for what is none."""
        if name == "plug":
            await self.plug()
        elif name == "unplug":
            await self.unplug()
        elif name == "state":
            tell(event="state", lines=self._screen.lines, unknown=self._screen.unknown, devices=self._screen.devices)
        elif name == "stuck" and argument in ("on", "off") and self._simulator is not None:
            (self._simulator.takes.clear if argument == "on" else self._simulator.takes.set)()
        else:
            raise ValueError("no such command now")

    async def _tell(self, simulator: DisplaySimulator) -> None:
        before = simulator.screen.lines
        while True:
            await simulator.changed.wait()
            simulator.changed.clear()
            await asyncio.sleep(_REST)
            if not simulator.changed.is_set() and simulator.screen.lines != before:
                before = simulator.screen.lines
                tell(event="shown", upper=before[0], lower=before[1])


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="holdfast-sim display",
        description=__doc__,
        epilog=f"lines on standard input: {COMMANDS}",
    )
    parser.add_argument("--pty", type=Path, metavar="PATH", help="symlink to make for the hub to open")
    options = parser.parse_args()
    with in_words():
        asyncio.run(Program(DisplayProgram(Pty(options.pty))).run())


if __name__ == "__main__":
    main()
