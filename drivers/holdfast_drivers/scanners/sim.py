"""A scanner without a scanner, for a hub to open: `holdfast-sim scanner --pty PATH` reads codes
from standard input, one a line; a line may begin with its AIM identifier, and `{GS}` stands for FNC1. A line that
begins with `!` is a command: what goes wrong with it. What the hub tells the scanner (`--protocol`) is printed.

`--protocol keyboard` and `hidpos` make a USB scanner in the kernel (/dev/uhid); PATH then leads to its event or hidraw
device.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TextIO

from holdfast_drivers.lines import in_words, on
from holdfast_drivers.links.base import Link
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.links.socket import Socket
from holdfast_drivers.links.uhid import UhidDevice
from holdfast_drivers.scanners import hidpos_sim, keyboard_hid
from holdfast_drivers.scanners.datalogic_sim import DatalogicSimulator
from holdfast_drivers.scanners.hidpos_sim import HidPosSimulator
from holdfast_drivers.scanners.honeywell_sim import HoneywellSimulator
from holdfast_drivers.scanners.keyboard_hid import HidKeyboardSimulator
from holdfast_drivers.scanners.newland_sim import NewlandSimulator
from holdfast_drivers.scanners.simulator import ObedientSimulator, ScannerSimulator
from holdfast_drivers.scanners.ssi_sim import SsiSimulator
from holdfast_drivers.values import DeviceError

__all__ = ["PROTOCOLS", "ScannerSimulator", "main", "serve_lines"]

PROTOCOLS: dict[str, Callable[[Link], ScannerSimulator]] = {
    "plain": ScannerSimulator,
    "ssi": SsiSimulator,
    "honeywell": HoneywellSimulator,
    "datalogic": DatalogicSimulator,
    "newland": NewlandSimulator,
}
"""On a serial line."""
USB: dict[str, tuple[Callable[[Link], ScannerSimulator], Callable[[Path | None], UhidDevice]]] = {
    "keyboard": (HidKeyboardSimulator, lambda path: UhidDevice(keyboard_hid.DESCRIPTOR, "event", path)),
    "hidpos": (HidPosSimulator, lambda path: UhidDevice(hidpos_sim.DESCRIPTOR, "hidraw", path)),
}
"""On the USB port."""
MARK = "!"
"""Begins a line that is no code."""
COMMANDS = (
    "CODE: scan it; it may begin with its AIM identifier, {GS} stands for FNC1. "
    "!scan CODE, !garbage BYTES, !babble BYTES_A_SECOND, !hush, !slow SECONDS_A_BYTE, !suffix on|off, !deaf on|off,"
    " !unplug, !plug, !quit"
)

_LINGER = 0.5
"""Seconds plugged in after the last line: what the hub has not read by then vanishes with the PTY."""


class ScannerProgram:
    """A scanner at `socket` that obeys lines."""

    def __init__(self, socket: Socket, make: Callable[[Link], ScannerSimulator]) -> None:
        self._socket = socket
        self._make = make
        self._held: AsyncExitStack | None = None
        self._simulator: ScannerSimulator | None = None
        self._per_byte: float | None = None
        self._terminator = "\r"
        self._babbling: asyncio.Task[None] | None = None

    async def plug(self) -> None:
        """Raises DeviceError: the kernel cannot make one."""
        if self._held is not None:
            return
        await self._socket.plug()
        self._held = AsyncExitStack()
        self._simulator = self._make(self._socket.link)
        if isinstance(self._simulator, ObedientSimulator):
            self._simulator.told = _say
            await self._held.enter_async_context(self._simulator)
        _say(f"scanner at {self._socket.path}")

    async def unplug(self) -> None:
        await self._hush()
        if self._held is not None:
            await self._held.aclose()
            self._held = self._simulator = None
            await self._socket.unplug()

    async def obey(self, line: str) -> None:
        """A code, or a command. Raises ValueError for what is neither, DeviceError for what cannot be done now."""
        name, _, argument = line.removeprefix(MARK).partition(" ") if line.startswith(MARK) else ("scan", "", line)
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "scan": lambda: self._scan(argument),
            "garbage": lambda: self._present.garbage(int(float(argument))),
            "babble": lambda: self._babble(float(argument)),
            "hush": self._hush,
            "slow": lambda: self._set(per_byte=float(argument) or None),
            "suffix": lambda: self._set(terminator="\r" if on(argument) else ""),
            "deaf": lambda: self._deafen(deaf=on(argument)),
            "plug": self.plug,
            "unplug": self.unplug,
        }
        if name not in acts:
            raise ValueError(f"no command {line!r}")
        await acts[name]()

    @property
    def _present(self) -> ScannerSimulator:
        if self._simulator is None:
            raise DeviceError("unplugged", "plug it in first")
        return self._simulator

    async def _scan(self, code: str) -> None:
        aim, text = (code[:3], code[3:]) if code.startswith("]") else ("", code)
        await self._present.scan(
            text.replace("{GS}", "\x1d"), aim=aim, terminator=self._terminator, per_byte_delay=self._per_byte
        )

    async def _set(self, **changes: float | str | None) -> None:
        for name, value in changes.items():
            setattr(self, f"_{name}", value)

    async def _deafen(self, *, deaf: bool) -> None:
        if not isinstance(self._present, ObedientSimulator):
            raise DeviceError("refused", "it takes no commands anyhow")
        self._present.deaf = deaf

    async def _babble(self, rate: float) -> None:
        await self._hush()
        self._babbling = asyncio.create_task(_until_lost(self._present.babble(int(rate))), name="babble")

    async def _hush(self) -> None:
        if self._babbling is not None:
            self._babbling.cancel()
            await asyncio.wait({self._babbling})
            self._babbling = None


async def serve_lines(lines: AsyncIterator[str], symlink: Path | None, *, protocol: str = "plain") -> None:
    """Plugs a scanner in at `symlink` (None: a path of the kernel's choice) and obeys each line until they end.

    Raises DeviceError: no such scanner can be made here.
    """
    make, socket = USB[protocol] if protocol in USB else (PROTOCOLS[protocol], Pty)
    program = ScannerProgram(socket(symlink), make)
    await program.plug()
    try:
        async for line in lines:
            if line == f"{MARK}quit":
                break
            try:
                await program.obey(line)
            except (ValueError, DeviceError) as error:
                _say(f"refused: {error}")
        await asyncio.sleep(_LINGER)
    finally:
        await program.unplug()


async def _until_lost(talking: Awaitable[None]) -> None:
    try:
        await talking
    except DeviceError as error:
        _say(f"silenced: {error}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _lines(source: TextIO) -> AsyncIterator[str]:
    """Lines as they are typed. A daemon thread waits for them, so that an interrupt need not."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)

    def put(line: str | None) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()

    def pump() -> None:
        for line in source:
            put(line.rstrip("\r\n"))
        put(None)

    threading.Thread(target=pump, name="standard input", daemon=True).start()
    while (line := await queue.get()) is not None:
        if line:
            yield line


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="holdfast-sim scanner",
        description=__doc__,
        epilog=f"lines: {COMMANDS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pty", type=Path, metavar="PATH", help="symlink to make for the hub to open")
    parser.add_argument("--protocol", choices=[*PROTOCOLS, *USB], default="plain", help="what it speaks")
    options = parser.parse_args()
    try:
        with in_words():
            asyncio.run(serve_lines(_lines(sys.stdin), options.pty, protocol=options.protocol))
    except DeviceError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
