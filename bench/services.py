"""The processes under measurement: the daemon as systemd starts it, and headquarters' collector."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Self

from measure import environment
from selling import CODE, HUB

BIN = Path(sys.executable).parent
READY_S = 120.0
STOP_S = 30.0
POLL_S = 0.002


class Service(ABC):
    """A process with a log beside its files. `with service: …` starts it, waits until it serves, and stops it."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @abstractmethod
    def command(self) -> list[str]:
        """The command line."""

    @abstractmethod
    def serves(self) -> bool:
        """Does it answer now?"""

    def start(self) -> float:
        """Seconds from the process's start until it serves. Raises RuntimeError with the end of its log."""
        with self.log.open("ab") as log:
            began = time.perf_counter()
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=environment())
        while not self.serves():
            if self._process.poll() is not None or time.perf_counter() - began > READY_S:
                self.stop()
                raise RuntimeError(self.log.read_text(errors="replace")[-1000:])
            time.sleep(POLL_S)
        return time.perf_counter() - began

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not obeyed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Daemon(Service):
    """`holdfastd` on the journal in `state`. `more` are sections of its configuration in TOML."""

    def __init__(self, state: Path, socket_path: Path, more: str = "") -> None:
        super().__init__(state.with_suffix(".log"))
        self.socket = socket_path
        self._config = state.with_suffix(".toml")
        self._config.write_text(
            f'[hub]\nid = "{HUB}"\ncode = "{CODE}"\nname = "Bench"\ncurrency = "GBP"\nlarge_quantity = 300\n'
            f"[storage]\ndirectory = {json.dumps(str(state))}\n"
            f"[api]\nsocket = {json.dumps(str(socket_path))}\nmetrics_port = 0\n{more}"
        )

    def command(self) -> list[str]:
        return [str(BIN / "holdfastd"), "--config", str(self._config)]

    def serves(self) -> bool:
        try:
            return bool(self.ask("GET", "/v1/health")["ok"])
        except OSError:
            return False

    def await_devices(self) -> None:
        """Until every device it is configured for is online."""
        deadline = time.perf_counter() + READY_S
        while not all(device["state"] == "online" for device in self.ask("GET", "/v1/devices")["devices"]):
            if time.perf_counter() > deadline:
                raise TimeoutError(str(self.ask("GET", "/v1/devices")))
            time.sleep(POLL_S * 10)

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request at its door. Raises OSError."""
        connection = http.client.HTTPConnection("hub", timeout=READY_S)
        with closing(connection), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection.sock:
            connection.sock.settimeout(READY_S)
            connection.sock.connect(str(self.socket))
            connection.request(method, path, None if body is None else json.dumps(body))
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer


class Collector(Service):
    """`holdfast-fleet collect` with a database of its own."""

    def __init__(self, directory: Path, broker_port: int) -> None:
        super().__init__(directory / "collector.log")
        self._database = directory / "fleet.db"
        self._port = broker_port

    def command(self) -> list[str]:
        address = f"mqtt://127.0.0.1:{self._port}"
        return [str(BIN / "holdfast-fleet"), "collect", "--broker", address, "--database", str(self._database)]

    def serves(self) -> bool:
        """Subscribed, and its database made."""
        try:
            self.committed()
        except sqlite3.OperationalError:
            return False
        return "ready" in self.log.read_text()

    def committed(self) -> int:
        """Events of the hub that are on headquarters' disk now; 0 while it has no tables yet."""
        with closing(sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True)) as db:
            if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'stream'").fetchone() is None:
                return 0
            row = db.execute("SELECT upto FROM stream WHERE hub = ? AND st = 'ev'", (HUB,)).fetchone()
        return 0 if row is None else int(row[0])


@asynccontextmanager
async def running(daemon: Daemon) -> AsyncIterator[Daemon]:
    """Started, every device there; stopped at the end. The devices are ours, so the loop must go on meanwhile."""
    await asyncio.to_thread(daemon.start)
    try:
        await asyncio.to_thread(daemon.await_devices)
        yield daemon
    finally:
        await asyncio.to_thread(daemon.stop)


def uplink(broker_port: int) -> str:
    """The configuration's section for a broker on loopback."""
    return f'[uplink]\nhost = "127.0.0.1"\nport = {broker_port}\nprotocol = "3.1.1"\ntls = false\n'
