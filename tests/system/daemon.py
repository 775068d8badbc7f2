"""The daemon as a process of its own, and callers that talk to it as a tablet would."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

CONFIG = """
[hub]
id = "crash-hub"
code = "CR"
name = "Crash test"
[storage]
directory = "{directory}/state"
[api]
socket = "{directory}/hub.sock"
metrics_port = 0
{stations}
"""
STATION = """
[[stations]]
name = "{name}"
badge_required = false
"""


class Hub:
    """`holdfastd` on a journal of its own. `program` runs in its place for a negative control."""

    def __init__(self, directory: Path, *, stations: tuple[str, ...], program: Path | None = None) -> None:
        self.directory = directory
        self.socket = directory / "hub.sock"
        self.config = directory / "holdfast.toml"
        self.config.write_text(
            CONFIG.format(directory=directory, stations="".join(STATION.format(name=name) for name in stations))
        )
        self._program = [str(program)] if program else ["-m", "holdfast.main"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        log = (self.directory / "hub.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program, "--config", str(self.config)], stderr=log, stdout=log
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.ask("GET", "/v1/health", timeout=2)
            except OSError:
                assert self._process.poll() is None, (self.directory / "hub.log").read_text()[-2000:]
                time.sleep(0.02)
            else:
                return self
        raise TimeoutError("the daemon did not open its socket")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(90)

    def ask(self, method: str, path: str, body: Any = None, *, timeout: float = 30) -> dict[str, Any]:
        """One request on a connection of its own. Raises OSError when the daemon is not there, or dies meanwhile."""
        with Caller(self.socket, timeout) as caller:
            return caller.ask(method, path, body)

    def do(self, command: str, **fields: Any) -> dict[str, Any]:
        """A command that must succeed."""
        answer = self.ask("POST", "/v1/commands", {"do": command, **fields})
        assert answer["ok"], answer
        return answer


class Caller:
    """A kept connection to the daemon's socket."""

    def __init__(self, path: Path, timeout: float = 30) -> None:
        self._connection = http.client.HTTPConnection("hub", timeout=timeout)
        self._connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.sock.settimeout(timeout)
        try:
            self._connection.sock.connect(str(path))
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request. `body` is text, or becomes JSON. Raises OSError and closes when no whole answer comes."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        try:
            self._connection.request(method, path, text)
            answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        except http.client.HTTPException as error:
            self.close()
            raise ConnectionError(str(error)) from error
        except OSError:
            self.close()
            raise
        return answer


def new_id() -> str:
    """A command id as a tablet makes one."""
    return ((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10)).hex()
