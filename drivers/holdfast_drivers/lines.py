"""A simulator as a program: lines on standard input are obeyed, JSON objects on standard output say what happened."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol


class Device(Protocol):
    """What a program plays."""

    async def plug(self) -> None: ...

    async def unplug(self) -> None: ...

    async def obey(self, name: str, argument: str) -> None:
        """One line. Raises KeyError, ValueError for what is no command."""
        ...


class Program:
    """Plays `device` until `quit`, SIGTERM or SIGINT; the end of standard input is not the program's."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._lines: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        _read_lines(self._lines)
        await self._device.plug()
        obeying = asyncio.create_task(self._obey_lines(), name="lines")
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, obeying.cancel)
        with suppress(asyncio.CancelledError):
            await obeying
        await self._device.unplug()

    async def _obey_lines(self) -> None:
        while (line := await self._lines.get()) != "quit":
            name, _, argument = line.partition(" ")
            try:
                await self._device.obey(name, argument)
            except (KeyError, ValueError) as error:
                tell(event="refused", command=line, why=str(error))
            else:
                tell(event="done", command=line)


@contextmanager
def in_words(place: str = "cannot start") -> Iterator[None]:
    """A path that cannot be used, `place` if the error names none, ends a program with a line. Exit status 2."""
    try:
        yield
    except OSError as error:
        sys.stderr.write(f"{error.filename2 or error.filename or place}: {error.strerror or error}\n")
        sys.exit(2)


def on(word: str) -> bool:
    """An argument. Raises ValueError unless it is `on` or `off`."""
    if word not in ("on", "off"):
        raise ValueError(f"on or off, not {word!r}")
    return word == "on"


def tell(**event: object) -> None:
    """One event on standard output."""
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _read_lines(lines: asyncio.Queue[str]) -> None:
    """Standard input may be a terminal, a pipe or a file: a thread reads them all."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            with suppress(RuntimeError):  # the loop is closed: nobody listens
                loop.call_soon_threadsafe(lines.put_nowait, line.strip())

    threading.Thread(target=read, name="standard input", daemon=True).start()
