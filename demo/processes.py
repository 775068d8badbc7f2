"""The demonstration's processes: each in a session of its own, spoken to in lines, ended by its pid on any exit."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LINE_LIMIT = 8 * 1024 * 1024
"""Bytes of one line from a child: the text of a receipt of a thousand lines fits many times."""
STOP_S = 8.0
"""Seconds a child may take to obey SIGTERM before it is killed."""

Event = Mapping[str, Any]
Hear = Callable[[Event], None]


class ChildError(RuntimeError):
    """A process ended, or did not begin; the text names its log."""


class Child:
    """A running process. Made by `Children.start`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.spoken = asyncio.Event()
        """It has written its first line to stdout: each of ours does once it is ready."""
        self._process = process
        self._listener: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._process.returncode

    def listen(self, hear: Hear) -> None:
        """Call `hear` with every JSON object it writes to stdout, one a line."""
        self._listener = asyncio.create_task(self._follow(hear), name=f"listen to {self.name}")

    def say(self, line: str) -> None:
        """Write a line to its stdin. Raises ChildError when it is gone."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing() or self.status is not None:
            raise ChildError(f"{self.name} is gone (status {self.status}); see {self.log}")
        stdin.write(line.encode() + b"\n")

    def kill(self) -> None:
        """SIGKILL: what a crash or a pulled plug is to it."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> int:
        """Its exit status, once it has ended."""
        return await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, and SIGKILL when that is not obeyed in STOP_S."""
        if self.status is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                status = await self.wait()
        except TimeoutError:
            self.kill()
            status = await self.wait()
        if self._listener is not None:
            await self._listener
        return status

    async def _follow(self, hear: Hear) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        while line := await stdout.readline():
            self.spoken.set()
            with suppress(json.JSONDecodeError):  # a word for people, not for us
                if isinstance(event := json.loads(line), dict):
                    hear(event)


class Children:
    """Starts processes and, when left, ends every one of them."""

    def __init__(self) -> None:
        self._running: list[Child] = []

    async def start(
        self, name: str, argv: Sequence[str], *, log: Path, hear: Hear | None = None, cwd: Path | None = None
    ) -> Child:
        """With `hear`, stdin and stdout are ours; else its output goes to `log`, as its stderr always does.

        A session of its own keeps a Ctrl-C in the terminal from reaching it before us.
        """
        with log.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE if hear else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if hear else sink,
                stderr=sink,
                start_new_session=True,
                limit=LINE_LIMIT,
                cwd=cwd,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        child = Child(name, process, log)
        self._running.append(child)
        if hear is not None:
            child.listen(hear)
        return child

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The youngest first, for it speaks to those before it."""
        for child in reversed(self._running):
            await child.stop()


async def output(argv: Sequence[str], *, limit: float = 60.0) -> tuple[int, str]:
    """Run a command to its end: exit status and stdout. Raises TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True
    )
    try:
        async with asyncio.timeout(limit):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, told.decode(errors="replace")
