"""A technician's shell beside a running hub."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from holdfast.cli.app import app
from hub_rig import Rig, open_hub


@dataclass
class Terminal:
    """Runs `holdfast` commands against the hub's socket."""

    rig: Rig
    loop: asyncio.AbstractEventLoop

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        environment = {"HOLDFAST_SOCKET": str(self.rig.socket), "COLUMNS": "160", "TERM": "dumb"}
        result = CliRunner().invoke(app, arguments, env=environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code).stdout)

    def hub(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the hub's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)


@contextmanager
def running(directory: Path, prepare: Callable[[Rig], Coroutine[Any, Any, None]] | None = None) -> Iterator[Terminal]:
    """A hub in a thread of its own, as the CLI meets it."""
    ready: Future[Terminal] = Future()
    done = threading.Event()

    async def main() -> None:
        async with open_hub(directory) as rig:
            if prepare is not None:
                await prepare(rig)
            ready.set_result(Terminal(rig, asyncio.get_running_loop()))
            await asyncio.to_thread(done.wait)

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ready.result(10)
    finally:
        done.set()
        thread.join(10)


def process(*arguments: str) -> subprocess.Popen[str]:
    """`holdfast` as a process of its own, as a terminal would start it: a CI job may have SIGINT ignored."""
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heard}; from holdfast.cli.app import main; main()", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
